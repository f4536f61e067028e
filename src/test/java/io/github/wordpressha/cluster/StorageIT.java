package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
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
 * Where files and rows are kept: on the in-chart NFS server, on an NFS server and a claim that a team has, and what the loss of the
 * server, of its node, and of the database's pod does to them. The database is the single server, on a volume that any node can have.
 *
 * <p>Two releases: the first keeps content on the in-chart NFS server; the second, content and database on a server of the team's.
 */
@Tag("full")
@Tag("storage")
@Tag("cluster")
@OnCluster(THREE_NODES)
@Isolated("its faults are those of nodes that all share")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StorageIT {

    private static final Duration PATIENCE = Duration.ofMinutes(6);
    private static final int FILES_AT_ONCE = 200;
    private static final String SMALL = """
        database:
          topology: standalone
          storage: {size: 1Gi}
          config: {innodb_buffer_pool_size: 64M, innodb_redo_log_capacity: 8M, performance_schema: false}
          resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 1Gi}}
          # On the node of the NFS server, where possible: the loss of one node is the loss of both.
          affinity: {podAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 100, podAffinityTerm: {
            topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app.kubernetes.io/component: nfs}}}}]}}
        nfs: {storage: {size: 1Gi}}
        wordpress:
          replicas: 3
          autoscaling: {enabled: false}
          cron: {enabled: false}
          content: {size: 256Mi}
          resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
        """;
    private static final String OWN_CLAIM = "team-files";

    private final Release release;
    private final Release second;
    private final Nodes nodes;
    private final Faults faults;
    private Story story;
    private Story secondStory;

    StorageIT(ClusterUnderTest cluster, Release release) {
        this.release = release.with(SMALL).with("""
            nfs: {image: {registry: nfs.effects.example, repository: effects/nfs-provisioner, tag: no-such-tag, digest: "%s"}}
            """.formatted(ImageCopy.ofTier("nfs", "effects/nfs-provisioner")));
        this.nodes = new Nodes(cluster);
        this.faults = new Faults(this.release);
        String address = new FileServer(release.kubernetes(), release.namespace()).start();
        this.second = release.named("team-" + Release.NAME).with(SMALL).with("""
            database:
              # Each of its writes crosses the network to the same disk: nothing is killed here, so it need not wait for it so often.
              config: {innodb_doublewrite: false, innodb_flush_log_at_trx_commit: 2, sync_binlog: 0}
              storage: {nfs: {volumes: [{server: %1$s, path: %3$s}], mountOptions: [hard, nfsvers=3, nodiratime]}}
            nfs: {enabled: false}
            wordpress:
              replicas: 2
              content: {nfs: {server: %1$s, path: %2$s, mountOptions: [hard, nfsvers=3, noatime]}}
            """.formatted(address, FileServer.CONTENT, FileServer.DATABASE));
    }

    /** Three pods find empty content at once, and one of them is killed while it copies what the image brings. */
    @BeforeAll
    void install() {
        new FileServer(release.kubernetes(), release.namespace()).awaitReady();
        Instant start = Instant.now();
        release.install();
        second.install();
        var content = new AtomicReference<String>();
        Await.until("a pod copies themes and plugins, or has copied them", PATIENCE, () -> {
            content.set(exported("ls -A"));
            assertThat(content.get()).containsAnyOf(".seeding-", ".wordpress-ha-seeded");
        });
        List<String> killed = Release.names(release.pods("wordpress")).stream()
            .filter(pod -> content.get().contains(".seeding-" + pod)).limit(1).toList();
        killed.forEach(faults::kill);
        Figures.record("storage/seed pods-killed-while-they-copied=" + killed.size());
        release.awaitReady(PATIENCE);
        second.awaitReady(PATIENCE);
        Figures.record("storage/install two-sites-ready=%ds".formatted(Duration.between(start, Instant.now()).toSeconds()));
    }

    /** In order: a node cannot unmount what a server that has gone exports. */
    @AfterAll
    void uninstall() {
        second.uninstall();
        release.uninstall();
    }

    @AfterEach
    void mendNodes() {
        nodes.names().forEach(nodes::start);
        nodes.awaitReady(PATIENCE);
        nodes.names().forEach(nodes::declareBack);
    }

    // --- content ------------------------------------------------------------------------------------------------------

    @Test
    @Order(10)
    @DisplayName("the content that three pods began at once, one of them killed, is what the image brings, and nothing else")
    void contentIsComplete() {
        String report = inImage("diff -r /usr/src/wordpress/wp-content/themes /content/themes && diff -r /usr/src/wordpress/wp-content/plugins /content/plugins"
            + " && stat -c %u /content/themes/* && ls -A /content");
        assertThat(report.lines()).contains("33", ".wordpress-ha-seeded", "themes", "plugins").noneMatch(line -> line.matches("Only in.*|diff .*|\\.seeding-.*|\\.removing-.*"));
    }

    @Test
    @Order(11)
    @DisplayName("uploads are byte-identical through every pod: content on the in-chart NFS server")
    void uploadsOnInChartServer() {
        story = Story.write(release, "Kept on the in-chart server");
        story.isReadEverywhere(release);
    }

    @Test
    @Order(12)
    @DisplayName("200 files uploaded through three pods at once: none is lost")
    void manyUploadsAtOnce() {
        List<URI> pods = release.pods("wordpress").stream().map(pod -> release.cluster().addressOf(pod, Pods.port(pod, "http"))).toList();
        Instant start = Instant.now();
        try (var uploads = new Uploads(release, pods, (FILES_AT_ONCE + pods.size() - 1) / pods.size()).await(PATIENCE)) {
            assertThat(uploads.stored()).hasSizeGreaterThanOrEqualTo(FILES_AT_ONCE);
            Figures.record("storage/uploads-at-once files=%d seconds=%d".formatted(uploads.stored().size(), Duration.between(start, Instant.now()).toSeconds()));
            uploads.areReadEverywhere(release);
        }
    }

    @Test
    @Order(13)
    @DisplayName("uploads are byte-identical through every pod: content on an NFS server that the team has")
    void uploadsOnServerOfTheTeam() {
        secondStory = Story.write(second, "Kept on a server that the team has");
        secondStory.isReadEverywhere(second);
    }

    @Test
    @Order(14)
    @DisplayName("volumes on a server of the team's are mounted with the options of the values")
    void mountOptionsAreInForce() {
        assertThat(mounted("wordpress", "php")).contains("noatime");
        assertThat(mounted("database", "mysql")).contains("nodiratime");
    }

    /** How the kernel has mounted the volume of a pod of the second release. */
    private String mounted(String tier, String container) {
        return Pods.exec(second.kubernetes(), second.namespace(), Pods.name(second.pods(tier).get(0)), container, Duration.ofSeconds(20),
            "grep", "-E", " (fuse[.])?nfs ", "/proc/mounts");
    }

    @Test
    @Order(15)
    @DisplayName("the NFS server's image comes from the registry and with the digest of the values")
    void nfsImage() {
        Container nfs = release.pods("nfs").get(0).getSpec().getContainers().get(0);
        assertThat(nfs.getImage()).startsWith("nfs.effects.example/effects/nfs-provisioner@sha256:");
    }

    // --- volumes of the database --------------------------------------------------------------------------------------

    @Test
    @Order(20)
    @DisplayName("the claim of ordinal 0 is bound to volume 0 of the NFS server, also after uninstall and install, with the same rows")
    void staticVolumeIsFoundAgain() {
        String claim = "data-" + second.fullname() + "-mysql-0";
        String volume = second.namespace() + "-" + claim;
        assertThat(boundTo(claim)).isEqualTo(volume);
        second.uninstall();
        second.install();
        second.awaitReady(PATIENCE);
        assertThat(boundTo(claim)).isEqualTo(volume);
        assertThat(release.kubernetes().persistentVolumes().withName(volume).require().getSpec().getPersistentVolumeReclaimPolicy()).isEqualTo("Retain");
        secondStory.isReadEverywhere(second);
    }

    @Test
    @Order(21)
    @DisplayName("uploads are byte-identical through every pod: content on a claim that exists, of a ReadWriteMany class")
    void uploadsOnExistingClaim() {
        release.kubernetes().resource(new PersistentVolumeClaimBuilder()
            .withNewMetadata().withName(OWN_CLAIM).withNamespace(release.namespace()).endMetadata()
            .withNewSpec().withAccessModes("ReadWriteMany").withStorageClassName("shared")
            .withNewResources().withRequests(Map.of("storage", new Quantity("256Mi"))).endResources()
            .endSpec().build()).create();
        Release moved = second.with("{wordpress: {content: {existingClaim: %s, nfs: {server: \"\", path: \"\"}}}}".formatted(OWN_CLAIM));
        moved.upgrade();
        moved.awaitReady(PATIENCE);
        // As long as a pod of before serves its last requests, a file may still be put where it keeps them.
        Await.until("no pod uses the former claim", PATIENCE, () -> assertThat(moved.pods("wordpress")).hasSize(2));
        Story.write(moved, "Kept on a claim that the team has").isReadEverywhere(moved);
        assertThat(boundTo(second.fullname() + "-content")).as("the claim that was used before stays").isNotEmpty();
    }

    @Test
    @Order(22)
    @DisplayName("larger volumes: the in-chart server's claim grows by an upgrade; a StatefulSet's is refused, and the documented steps work without a restart")
    void volumesGrow() {
        Release larger = release.with("{wordpress: {content: {size: 300Mi}}}");
        larger.upgrade();
        assertThat(claim(release.fullname() + "-content").getSpec().getResources().getRequests().get("storage")).isEqualTo(new Quantity("300Mi"));

        Release grown = larger.with("{database: {storage: {size: 2Gi}}}");
        assertThatThrownBy(grown::upgrade).hasMessageContaining("updates to statefulset spec");
        String pod = uid(release.pods("database").get(0));
        release.kubernetes().apps().statefulSets().inNamespace(release.namespace()).withName(release.fullname() + "-mysql")
            .withPropagationPolicy(io.fabric8.kubernetes.api.model.DeletionPropagation.ORPHAN).delete();
        grown.upgrade();
        release.awaitReady(PATIENCE);
        assertThat(uid(release.pods("database").get(0))).as("the database's pod").isEqualTo(pod);
        story.isReadEverywhere(release);
    }

    // --- the server is lost -------------------------------------------------------------------------------------------

    @Test
    @Order(30)
    @DisplayName("the NFS server is killed, under uploads and page views: pages never fail, no file is lost")
    void serverIsKilled() throws Exception {
        underUploads("nfs-kill-9", true, () -> faults.killContainer(server(), "nfs", nodes));
    }

    @Test
    @Order(31)
    @DisplayName("the NFS server hangs: its probe sees it, and it is started again")
    void serverHangs() throws Exception {
        String pod = server();
        underUploads("nfs-hang", true, () -> {
            int restarts = Pods.restarts(release.pods("nfs").get(0));
            Pods.exec(release.kubernetes(), release.namespace(), pod, "nfs", Duration.ofSeconds(20), "bash", "-c",
                "for p in /proc/[0-9]*; do if [[ $(cat $p/comm) == ganesha* ]]; then kill -STOP ${p#/proc/}; fi; done");
            Await.until("another start of the server", PATIENCE, () -> assertThat(Pods.restarts(release.pods("nfs").get(0))).isGreaterThan(restarts));
        });
    }

    @Test
    @Order(32)
    @DisplayName("the NFS server is upgraded, under uploads and page views: pages never fail, no file is lost")
    void serverIsUpgraded() throws Exception {
        String before = uid(release.pods("nfs").get(0));
        underUploads("nfs-upgrade", true, () -> {
            grown().with("{nfs: {podAnnotations: {drill: upgraded}}}").upgrade();
            Await.until("another NFS pod", PATIENCE, () -> assertThat(release.pods("nfs")).hasSize(1).noneMatch(pod -> uid(pod).equals(before)));
        });
    }

    // --- the database's pod -------------------------------------------------------------------------------------------

    @Test
    @Order(40)
    @DisplayName("the single database server is killed, and its pod is deleted: the same rows, and the site answers again, without a person")
    void databasePodIsKilled() {
        String pod = release.pods("database").get(0).getMetadata().getName();
        Instant start = Instant.now();
        faults.killContainer(pod, "mysql", nodes);
        writesAgain("kill-9-standalone", start);
        start = Instant.now();
        String before = uid(release.pods("database").get(0));
        faults.kill(pod);
        Await.until("another database pod", PATIENCE, () -> assertThat(release.pods("database")).hasSize(1).noneMatch(one -> uid(one).equals(before)));
        writesAgain("delete-standalone", start);
    }

    @Test
    @Order(50)
    @DisplayName("the node of the NFS server and of the database is lost for good: both come back elsewhere, with everything")
    void nodeIsLost() throws Exception {
        second.uninstall(); // its file server, which is no part of it, may be on that node
        String node = Pods.node(release.pods("nfs").get(0));
        boolean both = node.equals(Pods.node(release.pods("database").get(0)));
        Instant start = Instant.now();
        // Until Kubernetes sees that the node is gone, Services send a part of the visitors to its pods: reads are not judged.
        underUploads("node-lost" + (both ? "-with-database" : ""), false, () -> {
            nodes.kill(node);
            Await.until(node + " is seen to be lost", PATIENCE, () -> assertThat(io.fabric8.kubernetes.client.readiness.Readiness.isNodeReady(
                release.kubernetes().nodes().withName(node).require())).isFalse());
            nodes.declareLost(node);
            Await.until("the NFS server is elsewhere", PATIENCE, () -> assertThat(release.pods("nfs")).hasSize(1).allSatisfy(pod -> {
                assertThat(Pods.node(pod)).isNotNull().isNotEqualTo(node);
                assertThat(io.fabric8.kubernetes.client.readiness.Readiness.isPodReady(pod)).isTrue();
            }));
        });
        writesAgain("node-lost", start);
    }

    @Test
    @Order(51)
    @DisplayName("the database's node loses power and comes back: the same rows, without a person")
    void databaseNodeLosesPower() {
        String node = Pods.node(release.pods("database").get(0));
        Instant start = Instant.now();
        nodes.kill(node);
        nodes.start(node);
        nodes.awaitReady(PATIENCE);
        writesAgain("power-loss-standalone", start);
    }

    // --- helpers ------------------------------------------------------------------------------------------------------

    @FunctionalInterface
    private interface Fault {
        void happen() throws Exception;
    }

    private void underUploads(String name, boolean pagesMustNotFail, Fault fault) throws Exception {
        List<URI> addresses = release.addresses();
        Uploads uploads;
        Reader reader = new Reader(addresses, release.host());
        try (reader) {
            Await.until("the caches are warm", PATIENCE, () -> assertThat(reader.count()).isGreaterThan(100));
            int failedBefore = reader.failed().size();
            uploads = new Uploads(release, addresses, Integer.MAX_VALUE);
            try (uploads) {
                uploads.awaitOneSince(Instant.now(), PATIENCE);
                Instant start = Instant.now();
                fault.happen();
                release.awaitReady(PATIENCE);
                uploads.awaitOneSince(Instant.now(), PATIENCE);
                Figures.record("storage/%s upload-gap=%s read-gap=%s failed-reads=%d uploads=%d recovered=%ds".formatted(name, Gaps.seconds(uploads.longestGap()),
                    Gaps.seconds(reader.longestGap()), reader.failed().size() - failedBefore, uploads.stored().size(), Duration.between(start, Instant.now()).toSeconds()));
            }
            reader.failed().forEach(read -> System.out.println("failed read: " + read));
            if (pagesMustNotFail) {
                assertThat(reader.failed()).as("anonymous pages that failed").isEmpty();
            }
        }
        uploads.areReadEverywhere(release);
        story.isReadEverywhere(release);
    }

    /** The old post is there, and a new one can be written. */
    private void writesAgain(String name, Instant since) {
        release.awaitReady(PATIENCE);
        Await.until("the site takes posts", PATIENCE, () -> Story.write(release, "After " + name));
        Figures.record("storage/%s writes-again=%ds".formatted(name, Duration.between(since, Instant.now()).toSeconds()));
        story.isReadEverywhere(release);
    }

    private Release grown() {
        return release.with("{wordpress: {content: {size: 300Mi}}, database: {storage: {size: 2Gi}}}");
    }

    private String server() {
        return Pods.name(release.pods("nfs").get(0));
    }

    /** What a command says in the directory that the NFS server exports for the content; nothing before there is one. */
    private String exported(String command) {
        return Pods.exec(release.kubernetes(), release.namespace(), server(), "nfs", Duration.ofSeconds(20), "bash", "-c", "cd /export/pvc-*/ && " + command + " 2>/dev/null || true");
    }

    /** What a command says in a pod with WordPress's image, whose own content is not covered by the shared one. */
    private String inImage(String command) {
        Container php = release.pods("wordpress").get(0).getSpec().getContainers().get(0);
        Pod pod = release.kubernetes().resource(new PodBuilder()
            .withNewMetadata().withName("compare").withNamespace(release.namespace()).endMetadata()
            .withNewSpec()
            .withRestartPolicy("Never")
            .withNewSecurityContext().withRunAsUser(33L).withRunAsGroup(33L).endSecurityContext()
            .addNewContainer().withName("compare").withImage(php.getImage()).withCommand("bash", "-c", command + " 2>&1")
            .addNewVolumeMount().withName("content").withMountPath("/content").endVolumeMount().endContainer()
            .addNewVolume().withName("content").withNewPersistentVolumeClaim(release.fullname() + "-content", false).endVolume()
            .endSpec().build()).create();
        var found = release.kubernetes().pods().inNamespace(release.namespace()).withName("compare");
        Await.until("the comparison has ended", Duration.ofMinutes(2), () -> assertThat(found.require().getStatus().getPhase()).isIn("Succeeded", "Failed"));
        String log = found.getLog();
        release.kubernetes().resource(pod).delete();
        return log;
    }

    private PersistentVolumeClaim claim(String name) {
        return release.kubernetes().persistentVolumeClaims().inNamespace(release.namespace()).withName(name).require();
    }

    private String boundTo(String claim) {
        PersistentVolumeClaim found = claim(claim);
        assertThat(found.getStatus().getPhase()).isEqualTo("Bound");
        return found.getSpec().getVolumeName();
    }

    private static String uid(Pod pod) {
        return pod.getMetadata().getUid();
    }
}
