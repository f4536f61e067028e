package io.github.wordpressha.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.manifest.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code metrics.*} adds to a release. */
@Tag("render")
@Tag("metrics")
class MetricsTest {

  private static final Path DOCUMENT = Path.of("docs/metrics.md");
  private static final String START = "<!-- table of metrics: mvn test -Dtest=MetricsTest -Dgolden.update=true -->\n";
  private static final String END = "<!-- end -->";
  private static final Set<String> KINDS = Set.of("PodMonitor", "PrometheusRule");

  @Test
  @DisplayName("docs/metrics.md has the table of metrics (refresh: mvn test -Dtest=MetricsTest -Dgolden.update=true)")
  void tableIsUpToDate() throws IOException {
    String text = Files.readString(DOCUMENT);
    String fresh = text.substring(0, text.indexOf(START) + START.length()) + Metrics.table() + text.substring(text.indexOf(END));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(DOCUMENT, fresh);
    } else {
      assertThat(text).isEqualTo(fresh);
    }
  }

  @Test
  @DisplayName("nothing of it is rendered unless metrics are asked for")
  void isOffByDefault() {
    List<Manifest> all = Profiles.chart().render(Release.standard(), Values.none()).manifests();
    assertThat(all).noneMatch(manifest -> KINDS.contains(manifest.kind()));
    assertThat(all.toString()).doesNotContain("9205", "mysqld_exporter", "prometheus.io", "prometheus-exporter");
  }

  @ParameterizedTest
  @CsvSource({"galera, wordpress database etcd", "replication, wordpress database etcd", "standalone, wordpress database", "external, wordpress"})
  @DisplayName("each tier of a topology has a PodMonitor, and each of its ports is one of the pods")
  void podMonitors(String topology, String tiers) {
    List<Manifest> all = render("""
        metrics: {enabled: true, podMonitor: {enabled: true, interval: 15s, labels: {release: prometheus}, relabelings: [{targetLabel: cluster, replacement: east}]}}
        tls: {enabled: true}
        database: {topology: %s, existingSecret: account, external: {hosts: [mysql.example.com]}}
        """.formatted(topology));
    List<JsonNode> monitors = all.stream().filter(manifest -> manifest.kind().equals("PodMonitor")).map(manifest -> (JsonNode) manifest.tree()).toList();
    assertThat(monitors.stream().map(monitor -> monitor.at("/spec/selector/matchLabels/app.kubernetes.io~1component").asText())).containsExactlyInAnyOrder(tiers.split(" "));
    assertThat(monitors).allSatisfy(monitor -> {
      assertThat(monitor.at("/metadata/labels/release").asText()).isEqualTo("prometheus");
      assertThat(monitor.at("/spec/podMetricsEndpoints")).isNotEmpty().allSatisfy(endpoint -> {
        assertThat(endpoint.path("interval").asText()).isEqualTo("15s");
        assertThat(endpoint.path("honorLabels").asBoolean()).isTrue();
        assertThat(endpoint.at("/relabelings/0/targetLabel").asText()).isEqualTo("cluster");
        assertThat(ports(all, monitor.at("/spec/selector/matchLabels"))).contains(endpoint.path("port").asText());
      });
    });
  }

  @Test
  @DisplayName("annotations name the port of each tier, beside those of the user")
  void annotations() {
    List<Manifest> all = render("metrics: {enabled: true, annotations: true}\nwordpress: {podAnnotations: {mine: 'yes'}}");
    List<JsonNode> annotations = all.stream().map(manifest -> manifest.tree().at("/spec/template/metadata/annotations")).filter(node -> node.has("prometheus.io/port")).toList();
    assertThat(annotations).extracting(node -> node.path("prometheus.io/port").asText()).containsExactlyInAnyOrder("9205", "9205", "2381");
    assertThat(annotations).allMatch(node -> node.path("prometheus.io/path").asText().equals("/metrics") && node.path("prometheus.io/scrape").asText().equals("true"));
    assertThat(annotations).anyMatch(node -> node.has("mine"));
  }

  @Test
  @DisplayName("mysqld_exporter gets its image and resources, the password only in a file, and listens in its pod alone")
  void exporter() {
    List<JsonNode> exporters = containers(render("""
        metrics:
          enabled: true
          exporter:
            image: {registry: r.example.com, repository: exporter, tag: v2, digest: "sha256:%s", pullPolicy: Always}
            resources: {limits: {memory: 77Mi}}
        """.formatted("a".repeat(64))), "exporter");
    assertThat(exporters).hasSize(1).allSatisfy(exporter -> {
      assertThat(exporter.path("image").asText()).isEqualTo("r.example.com/exporter@sha256:" + "a".repeat(64));
      assertThat(exporter.path("imagePullPolicy").asText()).isEqualTo("Always");
      assertThat(exporter.at("/resources/limits/memory").asText()).isEqualTo("77Mi");
      assertThat(exporter.path("command").toString()).contains("--web.listen-address=127.0.0.1:");
      assertThat(exporter.path("env").isMissingNode()).isTrue();
      assertThat(exporter.path("ports").isMissingNode()).isTrue();
    });
    assertThat(containers(render("metrics: {enabled: true, exporter: {image: {tag: v3}}}"), "exporter").get(0).path("image").asText()).endsWith("mysqld-exporter:v3");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "podMonitor: {enabled: true} | metrics.podMonitor.enabled: there are no metrics",
      "alerts: {enabled: true}     | metrics.alerts.enabled: there are no metrics",
      "dashboards: {enabled: true} | metrics.dashboards.enabled: there are no metrics",
      "annotations: true           | metrics.annotations: there are no metrics"})
  @DisplayName("what needs metrics is refused without them, with a sentence")
  void needsMetrics(String value, String sentence) {
    assertThatThrownBy(() -> render("metrics: {" + value + "}")).isInstanceOf(RenderException.class).hasMessageContaining(sentence + "; set metrics.enabled=true");
  }

  private static List<Manifest> render(String values) {
    return Profiles.render(values).manifests();
  }

  /** The names of the ports of the pods that these labels select. */
  private static Set<String> ports(List<Manifest> all, JsonNode labels) {
    return all.stream().map(manifest -> manifest.tree().at("/spec/template"))
        .filter(template -> labels.properties().stream().allMatch(label -> template.at("/metadata/labels").path(label.getKey()).equals(label.getValue())))
        .flatMap(template -> template.findValues("ports").stream())
        .flatMap(ports -> StreamSupport.stream(ports.spliterator(), false)).map(port -> port.path("name").asText()).collect(Collectors.toSet());
  }

  private static List<JsonNode> containers(List<Manifest> all, String name) {
    return all.stream().map(manifest -> manifest.tree().at("/spec/template/spec"))
        .flatMap(pod -> Stream.of("initContainers", "containers").flatMap(kind -> StreamSupport.stream(pod.path(kind).spliterator(), false)))
        .filter(container -> container.path("name").asText().equals(name)).toList();
  }
}
