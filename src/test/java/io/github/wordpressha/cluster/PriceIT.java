package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * What TLS and network policies cost: two releases with the same values, one with both and one with neither, are measured in turns, and the
 * medians of the turns are compared. Turns follow one another closely, so whatever else the machine does slows both.
 */
@Tag("closed")
@Tag("cluster")
@Tag("named")
@OnCluster(THREE_NODES)
@Isolated("what other tests do would be measured, too")
class PriceIT {

    private static final Duration PATIENCE = Duration.ofMinutes(8);
    private static final int INSTALLS = 3;
    private static final int TURNS = 9;
    private static final int FAILOVERS = 3;
    private static final int SECONDS_OF_WRITES = 5;
    private static final int PAGES = 100;
    private static final int P99 = PAGES * 99 / 100 - 1;
    private static final double RATIO = 0.05;
    private static final double LATER_FAILOVER = 0.5; // seconds
    private static final double LATER_INSTALL = 10; // seconds
    private static final String VALUES = """
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 1Gi}, resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 1Gi}}}
        wordpress: {replicas: 1, autoscaling: {enabled: false}, content: {storageClass: shared, size: 256Mi}}
        """;
    private static final String OPEN = "{tls: {enabled: false}, networkPolicy: {enabled: false}}";
    private static final String CLOSED = "{tls: {enabled: true}, networkPolicy: {enabled: true}}";
    /** Prints how many rows the site inserts in so many seconds, one by one, over the connection that it has for a page. */
    private static final String WRITE = """
        $settings = json_decode(file_get_contents('/etc/wordpress/settings.json'), true)['database'];
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        $connection = mysqli_init();
        $encrypted  = $settings['flags'] ? MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT : 0;
        $connection->real_connect('127.0.0.1', $settings['user'], rtrim(file_get_contents('/run/secrets/wordpress/database-password')), $settings['name'], 3306, null, $encrypted);
        $connection->query('CREATE TABLE IF NOT EXISTS price (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, text CHAR(200) NOT NULL) ENGINE=InnoDB');
        for ($rows = 0, $end = microtime(true) + $argv[1]; microtime(true) < $end; $rows++) {
            $connection->query("INSERT INTO price (text) VALUES (REPEAT('x', 200))");
        }
        echo $rows;""";

    private final Release namespace;

    PriceIT(Release release) {
        this.namespace = release;
    }

    @Test
    @DisplayName("TLS and policies cost at most 5 % of the writes and of the slowest pages, 0.5 s of a failover and 10 s of an install")
    void isSmall() throws Exception {
        Pair installs = new Pair();
        Release open = null;
        Release closed = null;
        for (int round = 1; round <= INSTALLS; round++) {
            open = release("open-" + round, OPEN);
            closed = release("closed-" + round, CLOSED);
            installs.measure(round, open, closed, PriceIT::install);
            if (round < INSTALLS) {
                open.uninstall();
                closed.uninstall();
            }
        }
        Pair writes = new Pair();
        Pair pages = new Pair();
        for (int turn = 0; turn < TURNS; turn++) {
            writes.measure(turn, open, closed, PriceIT::writesPerSecond);
            pages.measure(turn, open, closed, PriceIT::slowPage);
        }
        Pair failovers = new Pair();
        for (int turn = 0; turn < FAILOVERS; turn++) {
            failovers.measure(turn, open, closed, PriceIT::failover);
        }
        Figures.record("closed/price writes-per-second=%s page-p99=%s failover=%s install=%s".formatted(
            writes.text("%.0f"), pages.text("%.3fs"), failovers.text("%.1fs"), installs.text("%.0fs")));
        var softly = new SoftAssertions();
        softly.assertThat(writes.closed()).as("writes a second").isGreaterThanOrEqualTo(writes.open() * (1 - RATIO));
        softly.assertThat(pages.closed()).as("the 99th percentile of pages that no cache has, in seconds").isLessThanOrEqualTo(pages.open() * (1 + RATIO));
        softly.assertThat(failovers.closed()).as("the longest time without a write, in seconds").isLessThanOrEqualTo(failovers.open() + LATER_FAILOVER);
        softly.assertThat(installs.closed()).as("the time of an install, in seconds").isLessThanOrEqualTo(installs.open() + LATER_INSTALL);
        softly.assertAll();
    }

    private Release release(String name, String values) {
        return namespace.named(name).with(VALUES).with(values);
    }

    /** Seconds until every pod is ready. */
    private static double install(Release release) {
        Instant start = Instant.now();
        release.install();
        release.awaitReady(PATIENCE);
        return since(start);
    }

    private static double writesPerSecond(Release release) {
        String rows = Pods.exec(release.kubernetes(), release.namespace(), Pods.name(release.pods("wordpress").get(0)), "php", Duration.ofMinutes(1),
            "php", "-d", "display_errors=stderr", "-r", WRITE, String.valueOf(SECONDS_OF_WRITES));
        return Double.parseDouble(rows.strip()) / SECONDS_OF_WRITES;
    }

    /** The 99th percentile of the seconds that a search takes, which is stored nowhere. */
    private static double slowPage(Release release) {
        Site site = release.site();
        var seconds = new ArrayList<Double>();
        for (int i = 0; i < PAGES; i++) {
            Instant start = Instant.now();
            site.get("/?s=price" + start.toEpochMilli()).expect(200);
            seconds.add(since(start));
        }
        return seconds.stream().sorted().toList().get(P99);
    }

    /** The longest time without a write while the member that takes the writes is killed. */
    private static double failover(Release release) {
        var galera = new Galera(release.members());
        var faults = new Faults(release);
        try {
            return new Drill(release, galera, "closed/price-failover-" + release.name(), 3, PATIENCE).run((writers, reader) -> {
                String writer = galera.writable();
                String uid = Pods.uid(release.pod(writer));
                faults.kill(writer);
                faults.awaitAnother(writer, uid);
            }).writeGap().toMillis() / 1000.0;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static double since(Instant start) {
        return Duration.between(start, Instant.now()).toMillis() / 1000.0;
    }

    /** What was measured of the two releases. */
    private record Pair(List<Double> opens, List<Double> closeds) {

        Pair() {
            this(new ArrayList<>(), new ArrayList<>());
        }

        /** Measures both, each first in every second turn. */
        void measure(int turn, Release open, Release closed, ToDoubleFunction<Release> what) {
            if (turn % 2 == 0) {
                opens.add(what.applyAsDouble(open));
                closeds.add(what.applyAsDouble(closed));
            } else {
                closeds.add(what.applyAsDouble(closed));
                opens.add(what.applyAsDouble(open));
            }
        }

        double open() {
            return median(opens);
        }

        double closed() {
            return median(closeds);
        }

        String text(String format) {
            return (format + "/" + format).formatted(open(), closed());
        }

        private static double median(List<Double> measured) {
            return measured.stream().sorted().toList().get(measured.size() / 2);
        }
    }
}
