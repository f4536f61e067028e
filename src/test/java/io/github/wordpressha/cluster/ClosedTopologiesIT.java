package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@link ClosedIT} shows of the default install, for the other topologies of the database. */
@Tag("closed")
@Tag("cluster")
@Tag("named")
@OnCluster(THREE_NODES)
@Isolated("a replication's primary fences itself where tests beside it take all processors")
class ClosedTopologiesIT {

    private static final Duration PATIENCE = Duration.ofMinutes(6);
    private static final Duration POLICIES = Duration.ofMinutes(1);
    private static final String ELSEWHERE = "test-closed-topologies-elsewhere";
    private static final String VALUES = """
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {topology: %s, storage: {size: 1Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress: {replicas: 1, autoscaling: {enabled: false}, content: {storageClass: shared, size: 256Mi}}
        """;

    private final ClusterUnderTest cluster;
    private final Release namespace;
    private Release release;

    ClosedTopologiesIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.namespace = release;
    }

    @AfterEach
    void uninstall() {
        release.uninstall();
    }

    @AfterAll
    void removeStrangers() {
        cluster.client().namespaces().withName(ELSEWHERE).delete();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"replication, 40", "standalone, 12"})
    @DisplayName("only the site's port answers; without policies, each port of the database and of etcd refuses hostile requests, and nothing changes")
    void isClosed(String topology, int fewestRequests) {
        install(topology, "");
        scan(topology);

        Pod stranger = Strangers.start(release, ELSEWHERE, "hostile-" + topology, Map.of());
        String database = release.pods("database").get(0).getStatus().getPodIP();
        release.with("networkPolicy: {enabled: false}").upgrade();
        Await.until("the policies are gone", POLICIES, () ->
            assertThat(Strangers.reached(release, stranger, Strangers.CONTAINER, Map.of("database", database + " 3306"))).containsExactly("database"));
        var hostile = new HostileRequests(release, topology);
        Map<String, String> before = hostile.state();
        List<String> answers = hostile.from(stranger);
        assertThat(answers).hasSizeGreaterThanOrEqualTo(fewestRequests).allMatch(answer -> answer.startsWith("refused "));
        assertThat(hostile.state()).isEqualTo(before);
        if (topology.equals("replication")) {
            assertThat(hostile.fromMember()).as("with a certificate, the same questions succeed").hasSize(3).allMatch(answer -> answer.startsWith("ACCEPTED "));
        }
        release.site().get("/?s=still-there").expect(200);
        Figures.record("closed/hostile-%s requests=%d".formatted(topology, answers.size()));
    }

    @Test
    @DisplayName("with a database outside of the cluster, only the site's port answers")
    void isClosedBeforeAnExternalDatabase() {
        try (var outside = new Outside(cluster, namespace.namespace() + "-outside")) {
            outside.start();
            install("external", "database: {external: {hosts: [%s], password: %s}}".formatted(outside.database(), Outside.PASSWORD));
            scan("external");
        }
    }

    private void install(String topology, String values) {
        release = namespace.named("closed-" + topology).with(VALUES.formatted(topology)).with(values);
        release.install();
        release.awaitReady(PATIENCE);
    }

    /** From a pod of another namespace that has the labels of a WordPress pod, and from outside of the cluster. */
    private void scan(String topology) {
        var scan = new PortScan(release, new Nodes(cluster));
        Map<String, String> labels = release.pods("wordpress").get(0).getMetadata().getLabels();
        int ports = scan.fromPod(Strangers.startWithPhp(release, ELSEWHERE, "stranger-" + topology, labels));
        scan.fromOutside();
        Figures.record("closed/another-namespace-%s ports=%d".formatted(topology, ports));
    }
}
