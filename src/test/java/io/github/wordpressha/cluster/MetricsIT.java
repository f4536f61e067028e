package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.github.wordpressha.metrics.AlertFault;
import io.github.wordpressha.metrics.Dashboard;
import io.github.wordpressha.metrics.Dashboards;
import io.github.wordpressha.metrics.Metric.Tier;
import io.github.wordpressha.metrics.Metrics;
import io.github.wordpressha.metrics.Samples;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
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
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The reference stack with metrics, TLS, a real Prometheus and a real kube-state-metrics: each metric is there, each panel has data, faults fire
 * their alerts and no others, and a healthy release under load and upgrades fires none.
 */
@Tag("metrics")
@Tag("named") // its drills take more than an hour
@Tag("cluster")
@OnCluster(THREE_NODES)
@Isolated("its faults are those of nodes that all share")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MetricsIT {

    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final Duration QUIET = Duration.ofMinutes(2);
    private static final Duration HEALTHY = Duration.ofMinutes(Boolean.getBoolean("drills.full") ? 60 : 20);
    private static final Duration TO_SHOW = Duration.ofMinutes(4);
    private static final Set<Tier> TIERS = Set.of(Tier.WORDPRESS, Tier.ROUTER, Tier.GALERA, Tier.ETCD, Tier.TLS);
    private static final Path PAGES = Path.of("src/test/resources/cluster/metrics-faults.php");
    /** Pages of people are made by the pool "www", and not stored. */
    private static final Map<String, String> PERSON = Map.of("Cookie", "comment_author_drill=1");
    private static final String VALUES = """
        metrics: {enabled: true}
        tls: {enabled: true}
        # Prometheus runs on this machine.
        networkPolicy: {from: {monitoring: [{ipBlock: {cidr: %s}}]}}
        nfs: {storage: {size: 2Gi}}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 2
          muPlugins: [metrics-faults]
          php: {maxChildren: 6}
          cache: {seconds: 5}
          content: {size: 1Gi}
          resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 768Mi}}
        """;
    /** Memory in KiB, and processor time in hundredths of a second, of all processes of a container. Pages that it shares with PHP's container count in part. */
    private static final String COST = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {m += $2} END {print m}'; cat /proc/[0-9]*/stat 2>/dev/null | awk '{c += $14 + $15 + $16 + $17} END {print c}'";
    private static final Duration MEASURED = Duration.ofMinutes(1);
    private static final Duration SCRAPE_INTERVAL = Duration.ofSeconds(15);
    private static final double MOST_PERCENT = 1;
    private static final long MOST_KIBIBYTES = 32 << 10;
    /** The loop ends when its input does: a process in a container outlives the connection that started it. */
    private static final String SLOW_STATEMENTS = """
        goes_on() { read -rt 0.2 _; [ $? -gt 128 ]; }
        { echo 'SET SESSION long_query_time = 0.1;'; while goes_on; do echo 'SELECT SLEEP(0.15);'; done; } | bash /scripts/mysql >/dev/null
        """;
    /** What each panel of the dashboards shows, for people. */
    private static final Path PANELS = Path.of("target/panels.txt");
    /** Of what the alerts select: errors, containers that wait or were ended, and the autoscaler that this release is without. */
    private static final Set<String> EMPTY_WHEN_WELL = Set.of("code=~\"5..\"", "_status_waiting_reason", "_status_last_terminated_reason", "kube_horizontalpodautoscaler");
    private static final String TAINT = "example.com/drill";

    private final ClusterUnderTest cluster;
    private final Release release;
    private final Faults faults;
    private final Nodes nodes;
    private final Cron cron;
    private AlertDrills drills;

    MetricsIT(ClusterUnderTest cluster, Release release) throws IOException {
        this.cluster = cluster;
        this.nodes = new Nodes(cluster);
        this.release = release.with(values());
        this.faults = new Faults(this.release);
        this.cron = new Cron(this.release);
        release.kubernetes().resource(new ConfigMapBuilder().withNewMetadata().withName("metrics-faults").withNamespace(release.namespace()).endMetadata()
            .addToData("metrics-faults.php", Files.readString(PAGES)).build()).create();
    }

    private String values() {
        return VALUES.formatted(nodes.network());
    }

    @BeforeAll
    void install() {
        release.installReady();
    }

    @AfterAll
    void stop() {
        if (drills != null) {
            drills.close();
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
    @DisplayName("metrics, scraped every 15 s, cost less than 1 % of a processor and 32 MiB a pod")
    void cost() {
        costs(release.pods("wordpress").get(0), "metrics", List.of());
        costs(release.pods("database").get(0), "exporter", List.of("agent"));
    }

    /** What a container takes that is there for metrics alone, and each scrape in it and in those that answer it beside their other work. */
    private void costs(Pod pod, String added, List<String> others) {
        List<String> all = Stream.concat(Stream.of(added), others.stream()).toList();
        long addedBefore = ticks(pod, List.of(added));
        long before = ticks(pod, all);
        Await.pass(MEASURED);
        long addedIdle = ticks(pod, List.of(added)) - addedBefore;
        long between = ticks(pod, all);
        int scrapes = scrapeOften(pod);
        double ofScrape = Math.max(0.0, ticks(pod, all) - between - (between - before)) / scrapes;
        // A hundredth of a second in each second is one percent.
        double percent = (double) addedIdle / MEASURED.toSeconds() + ofScrape / SCRAPE_INTERVAL.toSeconds();
        // What it holds: a probe that runs just now is gone in the next sample.
        long memory = Stream.generate(() -> cost(pod, added).get(0)).limit(5).min(Comparator.naturalOrder()).orElseThrow();
        Figures.record("metrics/cost container=%s memory=%dKiB cpu=%.2f%% scrape=%.0fms".formatted(added, memory, percent, ofScrape * 10));
        assertThat(percent).as("percent of a processor").isLessThan(MOST_PERCENT);
        assertThat(memory).as("KiB").isLessThan(MOST_KIBIBYTES);
    }

    private int scrapeOften(Pod pod) {
        Instant end = Instant.now().plus(MEASURED);
        int scrapes = 0;
        for (; Instant.now().isBefore(end); scrapes++) {
            scrape(pod, "metrics");
            Await.pass(Duration.ofMillis(250));
        }
        return scrapes;
    }

    private long ticks(Pod pod, List<String> containers) {
        return containers.stream().mapToLong(container -> cost(pod, container).get(1)).sum();
    }

    @Test
    @Order(3)
    @DisplayName("Prometheus scrapes every pod, each panel of the dashboards and each alert has data, and a healthy release fires no alert")
    void scraped() throws IOException {
        drills = new AlertDrills(cluster, release, values());
        drills.awaitSamples(TIERS);
        Await.until("data for each panel", TO_SHOW, () -> {
            release.site().get("/").expect(200);
            assertThat(panels()).allMatch(query -> !drills.prometheus().query(query).isEmpty(), "has data");
        });
        for (String query : panels()) {
            Files.writeString(PANELS, query + "\n    " + drills.prometheus().query(query) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
        assertThat(drills.selectors()).filteredOn(selector -> EMPTY_WHEN_WELL.stream().noneMatch(selector::contains))
            .isNotEmpty().allMatch(selector -> !drills.prometheus().query(selector).isEmpty(), "selects something");
        drills.assertQuiet(QUIET);
    }

    @ParameterizedTest
    @MethodSource("faults")
    @Order(4)
    @DisplayName("a fault fires its alerts, and no others, and they resolve")
    void drill(AlertFault fault) {
        assumeTrue(drills != null, "no Prometheus");
        drills.drill(fault, this::begin);
    }

    static Stream<AlertFault> faults() {
        return AlertFault.of("galera");
    }

    @Test
    @Order(5)
    @DisplayName("an upgrade of every tier under load fires no alert")
    void healthy() {
        assumeTrue(drills != null, "no Prometheus");
        Instant start = Instant.now();
        List<String> before = release.pods().stream().map(Pods::uid).toList();
        try (var load = Load.anonymous(release, 2, List.of("/"))) {
            release.with("""
                etcd: {podAnnotations: {drill: upgraded}}
                database: {podAnnotations: {drill: upgraded}}
                nfs: {podAnnotations: {drill: upgraded}}
                wordpress: {podAnnotations: {drill: upgraded}}
                """).upgrade();
            Await.until("every pod is another", Release.TO_ALL_READY.multipliedBy(2), () ->
                assertThat(release.pods().stream().map(Pods::uid)).doesNotContainAnyElementsOf(before));
            release.awaitReady(Release.TO_ALL_READY);
            Await.pass(HEALTHY.minus(Duration.between(start, Instant.now())));
            Figures.record("metrics/healthy minutes=%d %s".formatted(Duration.between(start, Instant.now()).toMinutes(), load.figures()));
        }
        assertThat(drills.prometheus().firedUnhurriedSince(start)).isEmpty();
    }

    /** Makes the fault; returns what ends it. */
    private Runnable begin(AlertFault fault) {
        return switch (fault) {
            case DATABASE_MEMBER -> scaled("-mysql", 2, 3);
            case ETCD_MEMBER -> scaled("-etcd", 2, 3);
            case ETCD -> scaled("-etcd", 0, 3);
            case FILE_SERVER -> scaled("-nfs", 0, 1);
            case WEB_PODS -> scaled("", 0, 2);
            case NODE -> loseNode();
            case VOLUME -> faults.fillDisk(release.fullname() + "-mysql-2", 5)::close;
            case CERTIFICATE -> certified(6);
            case CRON -> stopCron();
            case PHP -> called(release.pods("wordpress").subList(0, 1), 10, "/?seconds=3", PERSON);
            case SLOW_PAGES -> called(release.pods("wordpress"), 2, "/?seconds=6", PERSON);
            case ERRORS -> called(release.pods("wordpress"), 1, "/?status=500", PERSON);
            case DATABASE -> loseDatabase();
            case MONITOR_PASSWORD -> password("'monitor'@'127.0.0.1'", "monitor-password");
            case SITE_PASSWORD -> password("'wordpress'@'%'", "password");
            case SLOW_STATEMENTS -> slowStatements();
            case IMAGE -> wrongImage();
            case NO_ROOM -> noRoom();
            case TARGET -> stopMetrics();
            case REPLICA_LAG, REPLICA -> throw new IllegalArgumentException(fault + " is for MetricsReplicationIT");
        };
    }

    private Runnable scaled(String workload, int replicas, int normally) {
        faults.scale(release.fullname() + workload, replicas);
        return () -> faults.scale(release.fullname() + workload, normally);
    }

    /** Of a node with one web pod, and without the file server. */
    private Runnable loseNode() {
        List<String> web = release.pods("wordpress").stream().map(Pods::node).toList();
        String server = Pods.node(release.pods("nfs").get(0));
        String node = web.stream().filter(one -> !one.equals(server) && Collections.frequency(web, one) == 1).findFirst().orElseThrow();
        nodes.kill(node);
        return () -> {
            nodes.start(node);
            nodes.awaitReady(COMMAND);
        };
    }

    /** The visitors have read the page before. */
    private Runnable loseDatabase() {
        List<Pod> web = release.pods("wordpress");
        web.forEach(pod -> release.site(pod).get("/").expect(200));
        Runnable visitors = called(web, 1, "/", Map.of());
        Runnable members = scaled("-mysql", 0, 3);
        return () -> {
            visitors.run();
            members.run();
        };
    }

    private Runnable called(List<Pod> pods, int callers, String path, Map<String, String> headers) {
        List<Callers> all = pods.stream().map(pod -> new Callers(release.site(pod), callers, path, headers)).toList();
        return () -> all.forEach(Callers::close);
    }

    private Runnable stopCron() {
        cron.suspend(true);
        cron.endRuns();
        cron.php("wp_schedule_single_event(time() - 1020, 'drill_metrics');");
        return () -> cron.suspend(false);
    }

    private Runnable password(String account, String key) {
        String right = release.secret(release.fullname() + "-database", key);
        set(account, "another");
        return () -> set(account, right);
    }

    private void set(String account, String password) {
        String member = release.members().names().get(0);
        release.members().query(member, "ALTER USER %s IDENTIFIED BY '%s'".formatted(account, password));
    }

    private Runnable slowStatements() {
        ExecWatch watch = release.kubernetes().pods().resource(release.pods("database").get(0)).inContainer("mysql").redirectingInput().exec("bash", "-c", SLOW_STATEMENTS);
        return watch::close;
    }

    private Runnable wrongImage() {
        String image = release.pods("wordpress").get(0).getSpec().getContainers().stream().filter(one -> one.getName().equals("nginx")).findFirst().orElseThrow().getImage();
        String wrong = image.replaceFirst("[:@].*", ":no-such-tag");
        roll(image, wrong);
        return () -> roll(wrong, image);
    }

    private void roll(String from, String to) {
        release.kubernetes().apps().deployments().inNamespace(release.namespace()).withName(release.fullname()).edit(deployment -> {
            PodSpec pod = deployment.getSpec().getTemplate().getSpec();
            Stream.concat(pod.getContainers().stream(), pod.getInitContainers().stream()).filter(container -> container.getImage().equals(from))
                .forEach(container -> container.setImage(to));
            return deployment;
        });
    }

    private Runnable noRoom() {
        nodes.taint(TAINT);
        faults.delete(Pods.name(release.pods("wordpress").get(0)));
        return () -> nodes.untaint(TAINT);
    }

    private Runnable stopMetrics() {
        String pod = Pods.name(release.pods("wordpress").get(0));
        faults.pause(pod, List.of("metrics"), nodes);
        return () -> faults.resume(pod, List.of("metrics"), nodes);
    }

    private Runnable certified(int days) {
        certify(days);
        return () -> certify(90);
    }

    /** Has the chart's own Job make the database another certificate, for so many days. */
    private void certify(int days) {
        var client = release.kubernetes();
        client.secrets().inNamespace(release.namespace()).withName(release.fullname() + "-mysql-tls")
            .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"metadata\": {\"annotations\": {\"wordpress-ha.github.io/renew\": \"now\"}}}");
        CronJob renewal = client.batch().v1().cronjobs().inNamespace(release.namespace()).withName(release.fullname() + "-tls").require();
        var job = new JobBuilder().withNewMetadata().withName("certificate-" + days).withNamespace(release.namespace()).endMetadata()
            .withSpec(renewal.getSpec().getJobTemplate().getSpec()).build();
        job.getSpec().getTemplate().getSpec().getContainers().get(0).getEnv().add(new EnvVarBuilder().withName("DAYS").withValue(String.valueOf(days)).build());
        Job started = client.resource(job).create();
        Await.until("the certificate is made", COMMAND, () -> assertThat(client.resource(started).get().getStatus().getSucceeded()).isEqualTo(1));
        release.hasten();
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
