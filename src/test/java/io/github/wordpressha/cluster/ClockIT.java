package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The clock of the member that takes the writes is wrong, with TLS: by an hour ahead and back, as when a time service is mended, and by more than a
 * certificate's life. etcd measures how long leases last by another clock, so its members keep the right one.
 */
@Tag("closed")
@Tag("tls")
@Tag("cluster")
@Tag("named")
@OnCluster(THREE_NODES)
@Isolated("its limits are seconds that tests beside it would take")
class ClockIT {

    private static final Duration PATIENCE = Duration.ofMinutes(8);
    private static final Duration HOUR = Duration.ofHours(1);
    /** Certificates last 90 days. */
    private static final Duration BEYOND_CERTIFICATES = Duration.ofDays(100);
    /** For so long writers go on with the wrong clock: longer than leases, beats and checks last. */
    private static final Duration WRONG = Duration.ofSeconds(40);
    /** The limit is that of nodes with cores of their own; where all nodes share a few, a multiple is allowed. */
    private static final Duration FAILOVER = Duration.ofSeconds(15).multipliedBy(Boolean.getBoolean("drills.full") ? 1 : 3);
    private static final String VALUES = """
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {topology: %s, storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress: {replicas: 2, autoscaling: {enabled: false}, content: {storageClass: shared, size: 1Gi}}
        """;

    private final ClusterUnderTest cluster;
    private final Release namespace;
    private Release release;

    ClockIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.namespace = release;
    }

    @AfterEach
    void uninstall() {
        release.uninstall();
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"galera", "replication"})
    @DisplayName("a member whose clock is wrong loses nothing; one that its clock keeps out comes back when the clock is right")
    void clockIsWrong(String kind) throws Exception {
        release = namespace.named("clock-" + kind).with(VALUES.formatted(kind));
        release.install();
        release.awaitReady(PATIENCE);
        Topology topology = kind.equals("galera") ? new Galera(release.members()) : new Replication(release);
        var clocks = new Clocks(release);
        clocks.give();
        Await.until("members have clocks of their own", PATIENCE, () -> release.members().names().forEach(member -> clocks.set(member, Duration.ZERO)));

        for (Duration off : new Duration[] {HOUR, HOUR.negated()}) {
            Outcome outcome = drill(topology, "%s-%+d-s".formatted(kind, off.toSeconds())).run((writers, reader) -> {
                String member = topology.writable();
                clocks.set(member, off);
                goOn(writers);
                clocks.set(member, Duration.ZERO);
                goOn(writers);
            });
            served(outcome);
        }
        served(drill(topology, kind + "-beyond-certificates").run((writers, reader) -> {
            String member = topology.writable();
            clocks.set(member, BEYOND_CERTIFICATES);
            goOn(writers);
            new Faults(release).killContainer(member, "mysql", new Nodes(cluster));
            goOn(writers);
            clocks.set(member, Duration.ZERO);
        }));
    }

    private static void goOn(Writers writers) {
        Await.pass(WRONG);
        writers.awaitAckSince(Instant.now(), FAILOVER);
    }

    private static void served(Outcome outcome) {
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(FAILOVER);
        assertThat(outcome.failedReads()).isEmpty();
    }

    private Drill drill(Topology topology, String name) {
        return new Drill(release, topology, "clock/" + name, 3, PATIENCE);
    }
}
