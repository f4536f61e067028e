package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.http.Row.Step;
import io.github.wordpressha.metrics.Metric;
import io.github.wordpressha.metrics.Metric.Tier;
import io.github.wordpressha.metrics.Metrics;
import io.github.wordpressha.metrics.Promtool;
import io.github.wordpressha.metrics.Samples;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The metrics of a web pod, served by its container on this machine: what visitors do is counted. */
@Tag("http")
@Tag("metrics")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WebMetricsTest {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String REQUESTS = "wordpress_ha_http_requests_total";
  private static final String WAITING = "phpfpm_listen_queue";
  /** Without a database nothing is known of its events. */
  private static final Set<String> OF_THE_DATABASE = Set.of("wordpress_ha_cron_due_events", "wordpress_ha_cron_lag_seconds");

  private LocalSite site;

  @BeforeAll
  void start(@TempDir Path directory) {
    LocalSite.missing().ifPresent(reason -> assumeTrue(false, reason));
    site = LocalSite.start(directory, Values.of("metrics.enabled", Yaml.MAPPER.getNodeFactory().booleanNode(true)));
    Awaitility.await("the probe of the content").atMost(PATIENCE).until(() -> value("wordpress_ha_source_up", Map.of("source", "content")) == 1);
  }

  @AfterAll
  void stop() {
    if (site != null) {
      site.close();
    }
  }

  @Test
  @DisplayName("each metric of a web pod is served")
  void servesEachMetric() {
    Samples samples = samples();
    assertThat(Metrics.of(Set.of(Tier.WORDPRESS))).filteredOn(metric -> !OF_THE_DATABASE.contains(metric.name()))
        .allMatch(metric -> samples.names().anyMatch(metric::covers)).extracting(Metric::name).isNotEmpty();
  }

  @Test
  @DisplayName("the exposition is what promtool accepts")
  void isValid() {
    Promtool.assumePresent();
    Promtool.checkMetrics(site.scrape().text());
  }

  @Test
  @DisplayName("bounds of histograms are written as Prometheus 3 stores them, so that expressions name the same bound in each version")
  void boundsAreDecimal() {
    assertThat(Pattern.compile("le=\"([^\"]*)\"").matcher(site.scrape().text()).results().map(found -> found.group(1)).distinct())
        .hasSizeGreaterThan(2).allMatch(bound -> bound.equals("+Inf") || bound.contains("."));
  }

  @Test
  @DisplayName("a page is counted by what made it: PHP once, then the cache")
  void countsPages() {
    Samples before = samples();
    site.send(Step.get("/counted/"));
    site.send(Step.get("/counted/"));
    site.send(Step.get("/counted/"));
    Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
      assertThat(value(REQUESTS, Map.of("code", "200", "from", "php")) - before.value(REQUESTS, Map.of("code", "200", "from", "php"))).isGreaterThanOrEqualTo(1);
      assertThat(value(REQUESTS, Map.of("code", "200", "from", "cache")) - before.value(REQUESTS, Map.of("code", "200", "from", "cache"))).isGreaterThanOrEqualTo(2);
    });
    assertThat(value("wordpress_ha_http_request_duration_seconds_count", Map.of("from", "cache"))).isGreaterThanOrEqualTo(2);
  }

  @Test
  @DisplayName("no request of a burst is lost")
  void countsEachRequest() {
    double before = value(REQUESTS, Map.of("code", "404", "from", "nginx"));
    IntStream.range(0, 500).parallel().forEach(i -> site.send(Step.get("/readme.html")));
    Awaitility.await().atMost(PATIENCE).until(() -> value(REQUESTS, Map.of("code", "404", "from", "nginx")) - before >= 500);
  }

  @ParameterizedTest
  @CsvSource({"www, comment_author_x=1", "queries, none=1"})
  @DisplayName("requests that wait for a worker are counted, by pool")
  void countsWaitingRequests(String pool, String cookie) {
    assertThat(value(WAITING, Map.of("pool", pool))).isZero();
    ExecutorService clients = Executors.newCachedThreadPool();
    var visitors = IntStream.range(0, 60).mapToObj(i -> CompletableFuture.runAsync(() ->
        site.send(Step.request("GET", "/?slow&unique=" + i, Map.of("Cookie", cookie), "")), clients)).toList();
    try {
      Awaitility.await().atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(() -> value(WAITING, Map.of("pool", pool)) > 5);
    } finally {
      visitors.forEach(CompletableFuture::join);
      clients.shutdown();
    }
    assertThat(value(WAITING, Map.of("pool", pool))).isZero();
  }

  @Test
  @DisplayName("attempts to log in beyond the limit are counted")
  void countsRefusedLogins() {
    IntStream.range(0, 20).forEach(i -> site.send(Step.request("POST", "/wp-login.php", Map.of(), "")));
    Awaitility.await().atMost(PATIENCE).until(() -> value("wordpress_ha_logins_refused_total", Map.of()) > 0);
  }

  @Test
  @DisplayName("expired pages are counted as stale only while the database fails")
  void countsStalePages() {
    site.send(Step.get("/stale/"));
    assertThat(value("wordpress_ha_stale_pages_total", Map.of())).isZero();
    site.database(false);
    try {
      Awaitility.await().atMost(PATIENCE).until(() -> {
        site.send(Step.get("/stale/"));
        return value("wordpress_ha_stale_pages_total", Map.of()) > 0;
      });
    } finally {
      site.database(true);
    }
  }

  @Test
  @DisplayName("a database that cannot be reached is a source that is down")
  void missesTheDatabase() {
    assertThat(value("wordpress_ha_source_up", Map.of("source", "database"))).isZero();
    assertThat(samples().names()).doesNotContain("wordpress_ha_cron_lag_seconds");
  }

  private Samples samples() {
    return Samples.parse(site.scrape().text());
  }

  private double value(String name, Map<String, String> labels) {
    return samples().value(name, labels);
  }
}
