package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * The in-chart NFS server when its node is lost: it moves by itself, and no acknowledged upload is lost. Database and WordPress run on a node
 * that stays, so that nothing but the server is missing. The cluster lets any number of nodes use the volume at a time, as some storage does.
 */
@Tag("content")
@Tag("storage")
@Tag("cluster")
@OnCluster(THREE_NODES)
@Isolated("its faults are those of nodes that all share")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ContentIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** 50 s until Kubernetes gives a node up, 10 s that the pod tolerates that, 15 s for the beat to stand still; the rest is the start. */
    private static final Duration MOVED = Duration.ofSeconds(120);
    private static final String CLAIM = "files-of-the-site";

    private final Release release;
    private final Nodes nodes;

    ContentIT(ClusterUnderTest cluster, Release release) {
        this.nodes = new Nodes(cluster);
        List<String> names = nodes.names();
        this.release = release.with("""
            database:
              topology: standalone
              storage: {size: 1Gi}
              config: {innodb_buffer_pool_size: 64M, innodb_redo_log_capacity: 8M, performance_schema: false}
              resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 1Gi}}
              nodeSelector: {kubernetes.io/hostname: %1$s}
            nfs:
              storage: {existingClaim: %4$s}
              affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
                {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%2$s, %3$s]}]}]}}}
            wordpress:
              replicas: 2
              autoscaling: {enabled: false}
              cron: {enabled: false}
              content: {size: 256Mi}
              resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
              nodeSelector: {kubernetes.io/hostname: %1$s}
            """.formatted(names.get(0), names.get(1), names.get(2), CLAIM));
    }

    @BeforeAll
    void install() {
        release.kubernetes().resource(new PersistentVolumeClaimBuilder()
            .withNewMetadata().withName(CLAIM).withNamespace(release.namespace()).endMetadata()
            .withNewSpec().withAccessModes("ReadWriteOnce").withNewResources().withRequests(Map.of("storage", new Quantity("1Gi"))).endResources()
            .endSpec().build()).create();
        release.install();
        release.awaitReady(PATIENCE);
    }

    @AfterEach
    void mendNodes() {
        for (String node : nodes.names()) {
            nodes.start(node);
            nodes.heal(node);
        }
        nodes.awaitReady(PATIENCE);
    }

    @Test
    @Order(1)
    @DisplayName("the server's node dies and stays dead: the server moves by itself; the node returns: nothing doubles")
    void nodeDies() throws Exception {
        String dead = moves("node-dies", nodes::kill);
        nodes.start(dead);
        thereIsOneServer();
    }

    @Test
    @Order(2)
    @DisplayName("the server's node is cut off and runs on: the former server gives way before the next one serves")
    void nodeIsCut() throws Exception {
        String cut = moves("node-cut", nodes::cut);
        nodes.heal(cut);
        thereIsOneServer();
    }

    private interface Fault {
        void happen(String node);
    }

    /** Uploads while the fault happens to the server's node, until the server is elsewhere and takes files. Returns the node. */
    private String moves(String name, Fault fault) throws Exception {
        String node = Pods.node(server());
        String before = Pods.uid(server());
        List<URI> addresses = release.addresses();
        var uploads = new Uploads(release, addresses, Integer.MAX_VALUE);
        Instant start;
        Duration moved;
        try (uploads) {
            uploads.awaitOneSince(Instant.now(), PATIENCE);
            start = Instant.now();
            fault.happen(node);
            Await.until("the server is elsewhere", PATIENCE, () -> assertThat(release.pods("nfs")).anySatisfy(pod -> {
                assertThat(Pods.uid(pod)).isNotEqualTo(before);
                assertThat(Pods.node(pod)).isNotNull().isNotEqualTo(node);
                assertThat(Readiness.isPodReady(pod)).isTrue();
            }));
            moved = Duration.between(start, Instant.now());
            uploads.awaitOneSince(Instant.now(), PATIENCE);
            Figures.record("content/%s server-moved=%s upload-gap=%s uploads=%d".formatted(name, Gaps.seconds(moved),
                Gaps.seconds(uploads.longestGap()), uploads.stored().size()));
        }
        uploads.areReadEverywhere(release);
        assertThat(moved).isLessThan(MOVED);
        return node;
    }

    private void thereIsOneServer() {
        String server = Pods.uid(release.pods("nfs").stream().filter(Readiness::isPodReady).findFirst().orElseThrow());
        nodes.awaitReady(PATIENCE);
        Await.until("there is one server, the one that moved", PATIENCE, () ->
            assertThat(release.pods("nfs")).singleElement().satisfies(pod -> assertThat(Pods.uid(pod)).isEqualTo(server)));
        release.awaitReady(PATIENCE);
        Story.write(release, "After the move").isReadEverywhere(release);
    }

    private Pod server() {
        return release.pods("nfs").get(0);
    }
}
