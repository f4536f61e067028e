package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.github.wordpressha.metrics.AlertFault;
import io.github.wordpressha.metrics.Metric.Tier;
import java.time.Duration;
import java.util.Set;
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

/** What {@link MetricsIT} shows, of the topology replication: its own metrics, and the faults of replicas. */
@Tag("metrics")
@Tag("named") // its members start and wait for minutes
@Tag("cluster")
@OnCluster(THREE_NODES)
@Isolated("what it times suffers from tests beside it")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MetricsReplicationIT {

    private static final Duration QUIET = Duration.ofMinutes(2);
    private static final Duration COMMAND = Duration.ofMinutes(1);
    private static final Set<Tier> TIERS = Set.of(Tier.WORDPRESS, Tier.ROUTER, Tier.REPLICATION, Tier.ETCD, Tier.TLS);
    private static final String VALUES = """
        metrics: {enabled: true}
        tls: {enabled: true}
        # Prometheus runs on this machine.
        networkPolicy: {from: {monitoring: [{ipBlock: {cidr: %s}}]}}
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {topology: replication, storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 2
          content: {storageClass: shared, size: 1Gi}
        """;
    /** Says so when it has the lock, and keeps it until its input ends. */
    private static final String LOCK = "{ echo 'LOCK TABLES wordpress.drill_lag READ; SELECT 1;'; cat; } | bash /scripts/mysql --batch --unbuffered";

    private final ClusterUnderTest cluster;
    private final Release release;
    private final Replication replication;
    private final Faults faults;
    private AlertDrills drills;

    MetricsReplicationIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.release = release.with(values());
        this.replication = new Replication(this.release);
        this.faults = new Faults(this.release);
    }

    private String values() {
        return VALUES.formatted(new Nodes(cluster).network());
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
    @DisplayName("Prometheus scrapes each metric of the topology, and a healthy release fires no alert")
    void scraped() {
        drills = new AlertDrills(cluster, release, values());
        drills.awaitSamples(TIERS);
        drills.assertQuiet(QUIET);
    }

    @ParameterizedTest
    @MethodSource("faults")
    @Order(2)
    @DisplayName("a fault fires its alerts, and no others, and they resolve")
    void drill(AlertFault fault) {
        assumeTrue(drills != null, "no Prometheus");
        drills.drill(fault, this::begin);
    }

    static Stream<AlertFault> faults() {
        return AlertFault.of("replication");
    }

    /** Makes the fault; returns what ends it. */
    private Runnable begin(AlertFault fault) {
        return switch (fault) {
            case REPLICA_LAG -> lockedTable();
            case REPLICA -> oneLess();
            default -> throw new IllegalArgumentException(fault + " is for MetricsIT");
        };
    }

    /** A replica cannot apply a write to a table that is locked there. */
    private Runnable lockedTable() {
        String primary = replication.writable();
        String replica = replication.replicas().get(0);
        release.members().query(primary, "CREATE TABLE IF NOT EXISTS wordpress.drill_lag (id INT PRIMARY KEY)");
        Await.until("the replica has the table", COMMAND, () -> release.members().query(replica, "SELECT COUNT(*) FROM wordpress.drill_lag"));
        ExecWatch lock = release.kubernetes().pods().inNamespace(release.namespace()).withName(replica).inContainer("mysql")
            .redirectingInput().redirectingOutput().exec("bash", "-c", LOCK);
        Await.until("the table is locked", COMMAND, () -> assertThat(lock.getOutput().available()).isPositive());
        release.members().query(primary, "INSERT INTO wordpress.drill_lag SELECT COUNT(*) FROM wordpress.drill_lag");
        return lock::close;
    }

    private Runnable oneLess() {
        faults.scale(release.fullname() + "-mysql", 2);
        return () -> faults.scale(release.fullname() + "-mysql", 3);
    }
}
