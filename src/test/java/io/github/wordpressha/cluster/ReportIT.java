package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.report.Outcome;
import io.github.wordpressha.report.Outcome.Data;
import io.github.wordpressha.report.Outcome.Healing;
import io.github.wordpressha.report.Outcome.Readers;
import io.github.wordpressha.report.ResilienceReport;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the resilience report says of a fault is what the fault does: to people who read, to people who write, and to what was
 * acknowledged. The report is made from the rendered chart alone; then each fault is done to an installed release.
 */
@Tag("report")
@Tag("cluster")
@Tag("full")
@OnCluster(THREE_NODES)
@Isolated("its faults are those of nodes that all share")
class ReportIT {

    private static final boolean FULL = Boolean.getBoolean("drills.full");
    private static final String VALUES = "{wordpress: {replicas: 3, autoscaling: {enabled: false}}, database: {storage: {size: 2Gi}}}";
    private static final int MEMBERS = 3;
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** Who sees nothing for so long calls it down; a failover is over by then, also on cores that all nodes share. */
    private static final Duration WATCH = Duration.ofSeconds(25);
    /** Until then an answer may have left before the fault. */
    private static final Duration SETTLE = Duration.ofSeconds(3);

    /**
     * A fault of the report.
     *
     * @param name as the report calls it
     * @param begin what happens; the nodes that are without power from then on
     * @param end what brings back what was lost; nothing, where the cluster does that
     */
    record Fault(String name, Begin begin, Runnable end) {

        @FunctionalInterface
        interface Begin {
            Set<String> happen(Writers writers);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** What people saw while it lasted. */
    private record Seen(Readers visitors, boolean editorsAreServed) {
    }

    private final ClusterUnderTest cluster;
    private final Release release;
    private final Nodes nodes;
    private final Faults faults;
    private final Drill drill;
    private ResilienceReport report;
    private Session editor;

    ReportIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.release = release.with(VALUES);
        this.nodes = new Nodes(cluster);
        this.faults = new Faults(this.release);
        this.drill = new Drill(this.release, new Galera(this.release.members()), "report", MEMBERS, PATIENCE);
    }

    @BeforeAll
    void install() throws Exception {
        report = predict();
        release.install();
        drill.whole();
        Await.until("the site is there", PATIENCE, () -> release.site().get("/").expect(200));
        editor = release.logIn();
    }

    @AfterEach
    void mendNodes() {
        nodes.names().forEach(nodes::start);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    @DisplayName("what is lost does to the site what the report says")
    void doesWhatTheReportSays(Fault fault) throws Exception {
        Outcome predicted = report.outcome(fault.name()).orElseThrow(() -> new AssertionError("the report has no \"" + fault.name() + "\""));
        String run = "report-" + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);
        var ledger = new Ledger(new Galera(release.members()), run);
        drill.whole();
        ledger.prepare();
        Seen seen;
        Set<String> dark;
        boolean alone = false;
        Duration healed;
        var writers = new Writers(release, run);
        try (writers) {
            Await.until("every WordPress pod writes", PATIENCE, () -> assertThat(writers.allWroteSince(Instant.EPOCH)).isTrue());
            Instant start = Instant.now();
            dark = fault.begin().happen(writers);
            Thread.sleep(SETTLE.toMillis());
            seen = watch(alive(dark), fault.name());
            if (predicted.heals() == Healing.BY_ITSELF && !dark.isEmpty()) {
                Await.until("editors are served while the nodes are still without power", PATIENCE, () ->
                    editor.at(alive(dark).get(0)).draft("Without a node after " + fault.name()));
                alone = true;
            }
            fault.end().run();
            nodes.awaitReady(PATIENCE);
            drill.whole();
            Await.until("editors are served again", PATIENCE, () -> editor.draft("After " + fault.name()));
            healed = Duration.between(start, Instant.now());
        }
        drill.nothingIsLost(ledger, writers.acks());

        Figures.record("report/%s readers=%s editors=%s healed=%s lost=0".formatted(fault.name().replace(' ', '-'),
            seen.visitors(), seen.editorsAreServed() ? "SERVED" : "DOWN", Gaps.seconds(healed)));
        assertThat(seen.visitors()).as("what visitors saw").isEqualTo(predicted.visitors());
        assertThat(seen.editorsAreServed()).as("whether editors were served; predicted: %s", predicted.editors())
            .isEqualTo(predicted.editors() != Outcome.Writers.DOWN);
        assertThat(predicted.data()).as("nothing was lost").isEqualTo(Data.KEPT);
        assertThat(predicted.heals()).as("nobody repaired anything").isEqualTo(alone || dark.isEmpty() ? Healing.BY_ITSELF : Healing.WHEN_BACK);
    }

    Stream<Fault> faults() {
        var all = new ArrayList<>(List.of(
            lasting("one wordpress pod", () -> faults.kill(Release.names(release.pods("wordpress")).get(0)), () -> { }),
            lasting("one database pod", () -> faults.kill(writingMember()), () -> { }),
            lasting("one volume of database", () -> faults.loseVolume(writingMember()), () -> { }),
            stopped("all pods of etcd", "etcd", MEMBERS),
            stopped("one nfs pod", "nfs", 1),
            dark("a node without nfs", () -> List.of(nodesWithoutFiles().get(0))),
            dark("any two nodes", () -> List.of(fileNode(), nodesWithoutFiles().get(0)))));
        if (FULL) {
            all.addAll(List.of(
                lasting("one etcd pod", () -> faults.kill(release.fullname() + "-etcd-1"), () -> { }),
                lasting("one volume of etcd", () -> faults.loseVolume(release.fullname() + "-etcd-1"), () -> { }),
                lasting("3 (all) volumes of etcd", this::loseEtcd, () -> faults.scale(release.fullname() + "-etcd", MEMBERS)),
                stopped("all pods of database", "mysql", MEMBERS),
                dark("any one node", () -> List.of(fileNode())),
                dark("any one zone", () -> List.of(fileNode()))));
        }
        return all.stream();
    }

    /** From the packaged chart and the same values, for a cluster of this shape: a zone for each node. */
    private ResilienceReport predict() throws Exception {
        var shape = new Cluster(cluster.size(), cluster.size(), Integer.parseInt(cluster.client().getKubernetesVersion().getMinor().replaceAll("\\D", "")));
        var values = Values.merge(Values.none(), (com.fasterxml.jackson.databind.node.ObjectNode) io.github.wordpressha.helm.Yaml.parse(VALUES));
        var rendering = Chart.open(Path.of(System.getProperty("wordpressha.chart")))
            .render(new io.github.wordpressha.helm.Release(release.name(), release.namespace(), "1." + shape.kubeMinor()), values);
        return ResilienceReport.of(Checks.verify(rendering, shape).objects(), shape);
    }

    // --- what people see ----------------------------------------------------------------------------------------------

    /** A search is in no cache; the front page is. Whoever gets an answer in time is served. */
    private Seen watch(List<Site> sites, String fault) {
        var search = served(sites, site -> () -> site.get("/?s=" + System.nanoTime()).expect(200));
        var front = served(sites, site -> () -> site.get("/").expect(200));
        var draft = served(sites, site -> () -> editor.at(site).draft("During " + fault));
        Readers visitors = within(search) ? Readers.SERVED : within(front) ? Readers.CACHED : Readers.DOWN;
        return new Seen(visitors, within(draft));
    }

    private CompletableFuture<Boolean> served(List<Site> sites, java.util.function.Function<Site, ThrowingRunnable> request) {
        Instant end = Instant.now().plus(WATCH);
        return CompletableFuture.supplyAsync(() -> {
            for (int turn = 0; Instant.now().isBefore(end); turn++) {
                try {
                    request.apply(sites.get(turn % sites.size())).run();
                    return true;
                } catch (Throwable e) {
                    pause();
                }
            }
            return false;
        }, task -> new Thread(task, "visitor").start());
    }

    private static boolean within(CompletableFuture<Boolean> answer) {
        try {
            return answer.get(WATCH.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void pause() {
        try {
            Thread.sleep(300);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The site through the nodes that have power. */
    private List<Site> alive(Set<String> dark) {
        List<URI> addresses = cluster.addressesOf(release.namespace(), release.fullname());
        List<String> names = nodes.names();
        return IntStream.range(0, names.size()).filter(i -> !dark.contains(names.get(i)))
            .mapToObj(i -> release.site().through(addresses.get(i))).toList();
    }

    // --- faults -------------------------------------------------------------------------------------------------------

    private static Fault lasting(String name, Runnable begin, Runnable end) {
        return new Fault(name, writers -> {
            begin.run();
            return Set.of();
        }, end);
    }

    /** A tier without pods. */
    private Fault stopped(String name, String set, int pods) {
        String component = set.equals("mysql") ? "database" : set;
        return lasting(name, () -> {
            faults.scale(release.fullname() + "-" + set, 0);
            faults.awaitNone(component);
        }, () -> faults.scale(release.fullname() + "-" + set, pods));
    }

    /** Nodes without power. */
    private Fault dark(String name, java.util.function.Supplier<List<String>> choice) {
        return new Fault(name, writers -> {
            List<String> lost = choice.get();
            lost.forEach(writers::nodeLost);
            nodes.kill(lost);
            return Set.copyOf(lost);
        }, () -> nodes.names().forEach(nodes::start));
    }

    private void loseEtcd() {
        faults.scale(release.fullname() + "-etcd", 0);
        faults.awaitNone("etcd");
        IntStream.range(0, MEMBERS).forEach(i -> faults.loseVolume(release.fullname() + "-etcd-" + i));
    }

    private String writingMember() {
        Members members = release.members();
        return members.names().stream().max(Comparator.comparingInt(members::sessions)).orElseThrow();
    }

    private String fileNode() {
        return Pods.node(release.pods("nfs").get(0));
    }

    private List<String> nodesWithoutFiles() {
        return nodes.names().stream().filter(node -> !node.equals(fileNode())).toList();
    }
}
