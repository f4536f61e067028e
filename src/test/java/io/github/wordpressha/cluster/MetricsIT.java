package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.metrics.Dashboard;
import io.github.wordpressha.metrics.Dashboards;
import io.github.wordpressha.metrics.Metric.Tier;
import io.github.wordpressha.metrics.Metrics;
import io.github.wordpressha.metrics.Samples;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The reference stack with metrics, TLS and a real Prometheus: each metric is there, each panel has data, faults fire their alerts and no others. */
@Tag("metrics")
@Tag("named")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MetricsIT {

    private static final Duration TO_ALL_READY = Duration.ofMinutes(6);
    private static final Duration COMMAND = Duration.ofMinutes(1);
    /** Alerts wait for a tenth of their time here; the faults are made as fast as pods stop. */
    private static final int HASTE = 10;
    private static final Duration TO_FIRE = Duration.ofMinutes(4);
    private static final Duration TO_RESOLVE = Duration.ofMinutes(6);
    private static final Duration HEALTHY = Duration.ofMinutes(2);
    private static final Set<Tier> TIERS = Set.of(Tier.WORDPRESS, Tier.ROUTER, Tier.GALERA, Tier.ETCD);
    private static final String VALUES = """
        metrics: {enabled: true, alerts: {enabled: %2$s}}
        tls: {enabled: true}
        # Prometheus runs on this machine.
        networkPolicy: {from: {monitoring: [{ipBlock: {cidr: %1$s}}]}}
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 2
          content: {storageClass: shared, size: 1Gi}
        """;
    /** Resident memory in KiB, and processor time in hundredths of a second, of all processes of a container. */
    private static final String COST = "cat /proc/[0-9]*/status 2>/dev/null | awk '/^VmRSS/ {m += $2} END {print m}'; cat /proc/[0-9]*/stat 2>/dev/null | awk '{c += $14 + $15 + $16 + $17} END {print c}'";

    private final ClusterUnderTest cluster;
    private final Release release;
    private final Faults faults;
    private Prometheus prometheus;

    MetricsIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        // The cluster has no PrometheusRules: the rules go to Prometheus as they are rendered.
        this.release = release.with(VALUES.formatted(network(), false));
        this.faults = new Faults(this.release);
    }

    private String network() {
        return new Nodes(cluster).network();
    }

    /** What is made to fail, and the alerts that must fire: these, and no others. */
    enum Fault {
        DATABASE_MEMBER("WordPressGaleraMemberLost"),
        ETCD_MEMBER("WordPressEtcdMemberLost"),
        ETCD("WordPressEtcdNoLeader"),
        MONITOR_PASSWORD("WordPressDatabaseExporterDown"),
        DATABASE("WordPressDatabaseNoWriter", "WordPressDatabaseUnreachable"),
        WEB_PODS("WordPressDown");

        private final Set<String> alerts;

        Fault(String... alerts) {
            this.alerts = Set.of(alerts);
        }
    }

    @BeforeAll
    void install() {
        release.install();
        release.awaitReady(TO_ALL_READY);
    }

    @AfterAll
    void stop() {
        if (prometheus != null) {
            prometheus.close();
        }
    }

    @Test
    @Order(1)
    @DisplayName("each metric of the table is served by the pods of its tier")
    void everyMetric() {
        Await.until("the probes have answered", COMMAND, () -> assertThat(release.pods("wordpress")).allSatisfy(pod ->
            assertThat(scrape(pod, "metrics").value("wordpress_ha_source_up", Map.of("source", "content"))).isEqualTo(1)));
        var names = new ArrayList<String>();
        Stream.of("wordpress", "database", "etcd").forEach(tier -> scrape(release.pods(tier).get(0), "metrics").names().forEach(names::add));
        assertThat(Metrics.of(TIERS)).allMatch(metric -> names.stream().anyMatch(metric::covers), "is served");
        assertThat(release.pods("database")).allSatisfy(pod -> assertThat(scrape(pod, "metrics").value("mysql_up", Map.of())).isEqualTo(1));
        double tomorrow = Instant.now().plus(Duration.ofDays(1)).getEpochSecond();
        String certificate = "wordpress_ha_certificate_expiry_timestamp_seconds";
        assertThat(scrape(release.pods("database").get(0), "metrics").value(certificate, Map.of())).isGreaterThan(tomorrow);
        assertThat(scrape(release.pods("etcd").get(0), "status").value(certificate, Map.of())).isGreaterThan(tomorrow);
    }

    @Test
    @Order(1)
    @DisplayName("the command status calls a healthy release well, in less than 20 lines")
    void status() {
        String status = Pods.exec(release.kubernetes(), release.namespace(), Pods.name(release.pods("wordpress").get(0)), "php", COMMAND, "status");
        assertThat(status).contains("Release " + release.namespace() + "/" + release.fullname(), "3 of 3 serve.").doesNotContain("NOT WELL");
        assertThat(status.lines().count()).isLessThan(20);
    }

    @Test
    @Order(2)
    @DisplayName("what is measured costs little, and is printed")
    void cost() {
        for (var container : Map.of("wordpress", "metrics", "database", "exporter").entrySet()) {
            Pod pod = release.pods(container.getKey()).get(0);
            List<Long> before = cost(pod, container.getValue());
            Instant start = Instant.now();
            while (Duration.between(start, Instant.now()).toSeconds() < 60) {
                scrape(pod, "metrics");
                Await.pass(Duration.ofSeconds(15));
            }
            List<Long> after = cost(pod, container.getValue());
            Figures.record("metrics/cost container=%s memory=%dKiB cpu=%.2f%%".formatted(container.getValue(), after.get(0),
                (after.get(1) - before.get(1)) * 1000.0 / Duration.between(start, Instant.now()).toMillis()));
        }
    }

    @Test
    @Order(3)
    @DisplayName("Prometheus scrapes every pod, each panel of the dashboards has data, and a healthy release fires no alert")
    void healthy() throws JsonProcessingException {
        prometheus = new Prometheus(cluster, release.namespace(), rules());
        release.site().get("/").expect(200);
        Await.until("samples of each metric", TO_FIRE, () ->
            assertThat(Metrics.of(TIERS)).allMatch(metric -> prometheus.names().stream().anyMatch(metric::covers), "was scraped"));
        assertThat(prometheus.failures()).isEmpty();
        Await.until("data for each panel", TO_FIRE, () -> {
            release.site().get("/").expect(200);
            assertThat(panels()).allMatch(query -> !prometheus.query(query).isEmpty(), "has data");
        });
        Await.pass(HEALTHY);
        assertThat(prometheus.query("max by (alertname) (max_over_time(ALERTS{alertstate=\"firing\"}[10m]))").findValuesAsText("alertname")).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    @Order(4)
    @DisplayName("a fault fires its alerts, and no others, and they resolve")
    void drill(Fault fault) {
        assumeTrue(prometheus != null, "no prometheus");
        Instant start = Instant.now();
        begin(fault);
        Duration toFire;
        try {
            Await.until(fault.alerts + " fire", TO_FIRE, () -> assertThat(prometheus.firing()).isEqualTo(fault.alerts));
            toFire = Duration.between(start, Instant.now());
        } finally {
            end(fault);
        }
        release.awaitReady(TO_ALL_READY);
        Await.until("no alert fires", TO_RESOLVE, () -> assertThat(prometheus.firing()).isEmpty());
        Figures.record("metrics/drill fault=%s alerts=%s fires=%ds".formatted(fault, String.join(",", fault.alerts), toFire.toSeconds()));
    }

    private void begin(Fault fault) {
        switch (fault) {
            case DATABASE_MEMBER -> faults.scale(release.fullname() + "-mysql", 2);
            case DATABASE -> faults.scale(release.fullname() + "-mysql", 0);
            case ETCD_MEMBER -> faults.scale(release.fullname() + "-etcd", 2);
            case ETCD -> faults.scale(release.fullname() + "-etcd", 0);
            case WEB_PODS -> release.scale(0);
            case MONITOR_PASSWORD -> setMonitorPassword("another");
        }
    }

    private void end(Fault fault) {
        switch (fault) {
            case DATABASE_MEMBER, DATABASE -> faults.scale(release.fullname() + "-mysql", 3);
            case ETCD_MEMBER, ETCD -> faults.scale(release.fullname() + "-etcd", 3);
            case WEB_PODS -> release.scale(2);
            case MONITOR_PASSWORD -> setMonitorPassword(release.secret(release.fullname() + "-database", "monitor-password"));
        }
    }

    private void setMonitorPassword(String password) {
        Pods.exec(release.kubernetes(), release.namespace(), release.fullname() + "-mysql-0", "mysql", COMMAND,
            "bash", "/scripts/mysql", "-e", "ALTER USER 'monitor'@'127.0.0.1' IDENTIFIED BY '" + password + "'");
    }

    /** The rules of this release, in a hurry. */
    private JsonNode rules() throws JsonProcessingException {
        var values = (ObjectNode) Yaml.parse(VALUES.formatted(network(), true));
        var named = new io.github.wordpressha.helm.Release(release.name(), release.namespace(), io.github.wordpressha.helm.Release.standard().kubeVersion());
        JsonNode rule = Profiles.chart().render(named, values).manifests().stream().filter(manifest -> manifest.kind().equals("PrometheusRule")).findFirst().orElseThrow().tree().path("spec");
        rule.findParents("alert").forEach(alert -> ((ObjectNode) alert).put("for", hastened(alert.path("for").asText())));
        return rule;
    }

    private static String hastened(String time) {
        return Duration.parse("PT" + time).dividedBy(HASTE).toSeconds() + "s";
    }

    /** The queries of the dashboards that this release has, as Grafana asks them. */
    private List<String> panels() {
        return Dashboards.all().stream().filter(dashboard -> Set.of("overview-galera", "wordpress", "database-galera", "etcd").contains(dashboard.name()))
            .map(Dashboard::panels).flatMap(List::stream).flatMap(panel -> panel.queries().values().stream())
            .map(query -> query.replace("$namespace", release.namespace()).replace("$fullname", release.fullname()).replace("$__rate_interval", "1m")).toList();
    }

    private Samples scrape(Pod pod, String port) {
        URI address = cluster.addressOf(pod, Pods.port(pod, port));
        String answer = RawHttp.send(address, "GET /metrics HTTP/1.0\r\n\r\n").text();
        return Samples.parse(answer.split("\r\n\r\n", 2)[1]);
    }

    private List<Long> cost(Pod pod, String container) {
        String answer = Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), container, COMMAND, "sh", "-c", COST);
        return Pattern.compile("\\s+").splitAsStream(answer.strip()).map(Long::parseLong).toList();
    }
}
