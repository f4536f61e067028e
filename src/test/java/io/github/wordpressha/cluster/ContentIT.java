package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
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
 * The pods' copies of the code, and the in-chart NFS server when its node is lost: it moves by itself, and no acknowledged upload is lost.
 * Database and WordPress run on a node that stays, so that nothing but the server is missing. The cluster lets any number of nodes use the
 * volume at a time, as some storage does.
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
    private static final Duration CODE_FOLLOWS = Duration.ofSeconds(5);
    private static final Duration BY_HAND = Duration.ofSeconds(130);
    /** A silent volume is seen after 5 s; requests that had begun before may have to wait for it. */
    private static final Duration NOTICED = Duration.ofSeconds(10);
    private static final Duration REFUSED = Duration.ofSeconds(4);
    private static final Duration SENTENCE = Duration.ofSeconds(10);
    private static final Duration CUT = Duration.ofMinutes(2);
    private static final Duration DEAD = Boolean.getBoolean("drills.full") ? Duration.ofMinutes(15) : CUT;
    /** Of the content. The files of the long form need more, and the volume is filled in a test. */
    private static final String SIZE = Boolean.getBoolean("drills.full") ? "1Gi" : "256Mi";
    private static final Path PROBE = Path.of("src/test/resources/content/probe.php");
    private static final String CLAIM = "files-of-the-site";
    private static final String NO_PLUGIN = "the site's own page";

    private final Release release;
    private final Nodes nodes;
    private Session editor;

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
              content: {size: %5$s, sharedDirectories: [plugins/probe/cache], codeRequests: [/probe/v1/write]}
              resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
              nodeSelector: {kubernetes.io/hostname: %1$s}
            """.formatted(names.get(0), names.get(1), names.get(2), CLAIM, SIZE));
    }

    @BeforeAll
    void install() {
        release.kubernetes().resource(new PersistentVolumeClaimBuilder()
            .withNewMetadata().withName(CLAIM).withNamespace(release.namespace()).endMetadata()
            .withNewSpec().withAccessModes("ReadWriteOnce").withNewResources().withRequests(Map.of("storage", new Quantity("2Gi"))).endResources()
            .endSpec().build()).create();
        release.installReady();
        editor = release.logIn();
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
    @Order(0)
    @DisplayName("a plugin is updated, rolled back and deleted under requests: each sees one version, whole, and all pods follow within 5 s")
    void pluginIsReplaced() throws Exception {
        Pod writer = release.pods("wordpress").get(0);
        install(writer, 1);
        try (var readers = new Versions()) {
            for (int version : List.of(2, 3, 2)) {
                replace(writer, version);
                Figures.record("content/plugin-replaced all-pods-after=" + Gaps.seconds(awaitEverywhere("versions: v" + version, CODE_FOLLOWS)));
            }
            php(writer, probe());
            Figures.record("content/plugin-deleted all-pods-after=" + Gaps.seconds(awaitEverywhere(NO_PLUGIN, CODE_FOLLOWS)));
            assertThat(readers.seen()).as("what requests saw").containsExactlyInAnyOrder("versions: v1", "versions: v2", "versions: v3", NO_PLUGIN);
        }
    }

    @Test
    @Order(1)
    @DisplayName("code is read-only for pages but in a shared directory; a listed request changes it in all pods")
    void listedRequestChangesCode() throws Exception {
        install(release.pods("wordpress").get(0), 5);
        for (Pod pod : release.pods("wordpress")) {
            Await.until(Pods.name(pod) + " may write into the shared directory alone", CODE_FOLLOWS,
                () -> php(pod, "exit(is_writable('/code/current/plugins/probe/cache') && !is_writable('/code/current/plugins/probe') ? 0 : 1);"));
        }
        editor.at(release.site(release.pods("wordpress").get(0))).post("/?rest_route=/probe/v1/write", "application/json", new byte[0]).expect(200);
        awaitEverywhere("versions: v5 written", CODE_FOLLOWS);
    }

    @Test
    @Order(1)
    @DisplayName("a change by hand is taken over at once when it is published, else when it stands still; a script of a plugin runs from the volume")
    void changeByHand() throws Exception {
        Pod writer = release.pods("wordpress").get(0);
        install(writer, 6);
        String parts = "for part in /usr/src/wordpress/wp-content/plugins/probe/parts/*.php; do echo \"<?php return 'v%d';\" >$part; done";
        shell(writer, parts.formatted(7) + "; bash /etc/wordpress-web/sync-code.sh publish");
        awaitEverywhere("versions: v7", CODE_FOLLOWS);
        shell(writer, parts.formatted(8) + "; echo '<?php echo __FILE__;' >/usr/src/wordpress/wp-content/plugins/probe/direct.php");
        awaitEverywhere("versions: v8", BY_HAND);
        assertThat(release.site(writer).get("/wp-content/plugins/probe/direct.php").expect(200).text())
            .isEqualTo("/usr/src/wordpress/wp-content/plugins/probe/direct.php");
    }

    @Test
    @Order(1)
    @DisplayName("a plugin is updated through two pods at once: one update follows the other, and no request sees a mixture")
    void twoUpdatesAtOnce() throws Exception {
        List<Pod> pods = release.pods("wordpress");
        install(pods.get(0), 10);
        try (var readers = new Versions()) {
            ExecutorService editors = Executors.newFixedThreadPool(2);
            for (Future<Void> update : editors.invokeAll(List.<Callable<Void>>of(() -> replace(pods.get(0), 11), () -> replace(pods.get(1), 12)))) {
                update.get();
            }
            editors.shutdown();
            String last = "versions: v" + shell(pods.get(0), "sed -n 's/.*Version: \\([0-9]*\\).*/\\1/p' /usr/src/wordpress/wp-content/plugins/probe/probe.php").strip();
            awaitEverywhere(last, CODE_FOLLOWS);
            assertThat(readers.seen()).as("what requests saw").contains(last).isSubsetOf("versions: v10", "versions: v11", "versions: v12");
        }
    }

    @Test
    @Order(1)
    @DisplayName("a pod that was cut off from an update serves the former version whole, and catches up")
    void podCatchesUp() throws Exception {
        Pod writer = release.pods("wordpress").get(0);
        Pod cut = release.pods("wordpress").get(1);
        install(writer, 13);
        var faults = new Faults(release);
        faults.pause(Pods.name(cut), List.of("code"), nodes);
        try (var readers = new Versions()) {
            replace(writer, 14);
            Await.until("the writer has the new version", CODE_FOLLOWS, () -> assertThat(release.site(writer).get("/?probe=1").text()).isEqualTo("versions: v14"));
            assertThat(release.site(cut).get("/?probe=1").text()).isEqualTo("versions: v13");
            faults.resume(Pods.name(cut), List.of("code"), nodes);
            Figures.record("content/cut-off-pod caught-up-after=" + Gaps.seconds(awaitEverywhere("versions: v14", CODE_FOLLOWS)));
            assertThat(readers.seen()).as("what requests saw").containsExactlyInAnyOrder("versions: v13", "versions: v14");
            // It was stopped for longer than a volume may be silent.
            Await.until("the pod looks at the volume again", CODE_FOLLOWS, () -> shell(cut, "test -e /code/volume"));
        }
    }

    private String shell(Pod pod, String script) {
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "code", Duration.ofMinutes(5), "bash", "-c", script);
    }

    /** Every pod has the plugin in this version, and not what an earlier test wrote. */
    private void install(Pod writer, int version) throws Exception {
        shell(writer, "rm -f /usr/src/wordpress/wp-content/mu-plugins/written.php; bash /etc/wordpress-web/sync-code.sh publish");
        replace(writer, version);
        awaitEverywhere("versions: v" + version, PATIENCE);
    }

    /** Installs the plugin in this version through one pod. */
    private Void replace(Pod pod, int version) throws Exception {
        php(pod, probe(), String.valueOf(version));
        return null;
    }

    private static String probe() throws IOException {
        return Files.readString(PROBE).replaceFirst("<\\?php", "");
    }

    /** What a page says of the plugin; anything but a page of the site is told as it is. */
    private static String versions(Page page) {
        if (page.status() != 200) {
            return page.status() + " " + page.text();
        }
        return page.text().contains("</html>") ? NO_PLUGIN : page.text();
    }

    private void php(Pod pod, String script, String... arguments) {
        Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "php", Duration.ofMinutes(2),
            Stream.concat(Stream.of("php", "-r", script), Stream.of(arguments)).toArray(String[]::new));
    }

    private Duration awaitEverywhere(String answer, Duration atMost) {
        Instant start = Instant.now();
        for (Pod pod : release.pods("wordpress")) {
            Await.until(answer + " through " + Pods.name(pod), atMost.minus(Duration.between(start, Instant.now())),
                () -> assertThat(versions(release.site(pod).get("/?probe=1"))).isEqualTo(answer));
        }
        return Duration.between(start, Instant.now());
    }

    @Test
    @Order(2)
    @DisplayName("the server's node dies and stays dead: the server moves by itself; the node returns: nothing doubles")
    void nodeDies() throws Exception {
        String dead = moves("node-dies", nodes::kill, DEAD);
        nodes.start(dead);
        thereIsOneServer();
    }

    @Test
    @Order(3)
    @DisplayName("the server's node is cut off and runs on: the former server gives way before the next one serves")
    void nodeIsCut() throws Exception {
        String cut = moves("node-cut", nodes::cut, CUT);
        nodes.heal(cut);
        thereIsOneServer();
    }

    @Test
    @Order(4)
    @DisplayName("the server hangs for a minute: who asks for no new file sees nothing of it")
    void serverHangs() {
        String pod = Pods.name(server());
        Faults faults = new Faults(release);
        outage("server-hangs", start -> {
            faults.pause(pod, List.of("nfs"), nodes);
            unreadFilesAreRefused();
            Await.until("a minute has passed", PATIENCE, () -> assertThat(Duration.between(start, Instant.now())).isGreaterThan(Duration.ofMinutes(1)));
            faults.resume(pod, List.of("nfs"), nodes);
        });
    }

    @Test
    @Order(5)
    @DisplayName("the volume is full: an upload says so, and all else works")
    void volumeIsFull() {
        Pod pod = release.pods("wordpress").get(0);
        String filler = "/usr/src/wordpress/wp-content/uploads/filler";
        outage("volume-full", start -> {
            shell(pod, "! dd if=/dev/zero of=%s bs=1M 2>/tmp/dd && grep -q 'No space left' /tmp/dd".formatted(filler));
            Page answer = upload(pod);
            assertThat(answer.status()).as(answer.text()).isBetween(400, 599);
            assertThat(answer.json().path("message").asText()).as("what the dashboard shows").isNotEmpty();
            shell(pod, "rm " + filler);
        });
    }

    @Test
    @Order(6)
    @DisplayName("the volume is read-only for half a minute: an upload says so, and all else works")
    void volumeIsReadOnly() {
        Faults faults = new Faults(release);
        outage("volume-read-only", start -> {
            remountContent(faults, true);
            for (Pod pod : release.pods("wordpress")) {
                Page answer = upload(pod);
                assertThat(answer.status()).as(answer.text()).isBetween(400, 599);
                assertThat(answer.json().path("message").asText()).as("what the dashboard shows").isNotEmpty();
            }
            Await.until("half a minute has passed", PATIENCE, () -> assertThat(Duration.between(start, Instant.now())).isGreaterThan(Duration.ofSeconds(30)));
            remountContent(faults, false);
        });
    }

    private void remountContent(Faults faults, boolean readOnly) {
        for (Pod pod : release.pods("wordpress")) {
            for (String container : List.of("php", "code")) {
                Await.until("no file is open for writing", PATIENCE,
                    () -> faults.remount(Pods.name(pod), container, "/usr/src/wordpress/wp-content", readOnly, nodes));
            }
        }
    }

    @Test
    @Order(7)
    @Tag("full")
    @DisplayName("20,000 files of plugins, 500 MB: a new pod's time until it is ready, its memory and disk; a change of one file copies one file")
    void manyFiles() {
        Pod writer = release.pods("wordpress").get(0);
        shell(writer, "cd /usr/src/wordpress/wp-content/plugins && mkdir large && head -c 24500 /dev/urandom >large/file && cd large"
            + " && for d in $(seq 100); do mkdir $d; done && seq 20000 | xargs -P 8 -n 200 sh -c 'for i; do cp file $((i % 100 + 1))/$i.php; done' sh"
            + " && bash /etc/wordpress-web/sync-code.sh publish");
        String have = "find /code/current/plugins/large -type f | wc -l";
        release.pods("wordpress").forEach(pod -> Await.until(Pods.name(pod) + " has all files", PATIENCE, () -> assertThat(shell(pod, have)).startsWith("20001")));
        Instant start = Instant.now();
        new Faults(release).delete(Pods.name(writer));
        Await.until("another pod is ready", PATIENCE, () -> assertThat(release.pods("wordpress")).filteredOn(Readiness::isPodReady).hasSize(2)
            .noneSatisfy(pod -> assertThat(Pods.uid(pod)).isEqualTo(Pods.uid(writer))));
        Pod fresh = release.pods("wordpress").stream().max(Comparator.comparing(pod -> pod.getMetadata().getCreationTimestamp())).orElseThrow();
        assertThat(shell(fresh, have)).startsWith("20001");
        Figures.record("content/many-files new-pod-ready=%s disk=%s memory=%s".formatted(Gaps.seconds(Duration.between(start, Instant.now())),
            shell(fresh, "du -sh /code | cut -f1").strip(),
            shell(fresh, "numfmt --to=iec $(cat /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory/memory.usage_in_bytes 2>/dev/null | head -1)").strip()));
        shell(fresh, "echo '<?php return 1;' >/usr/src/wordpress/wp-content/plugins/large/1/100.php; bash /etc/wordpress-web/sync-code.sh publish");
        Await.until("the change has arrived", PATIENCE, () -> assertThat(shell(fresh, "cat /code/current/plugins/large/1/100.php")).contains("return 1"));
        String log = release.kubernetes().pods().inNamespace(release.namespace()).withName(Pods.name(fresh)).inContainer("code").getLog();
        Figures.record("content/many-files one-change " + log.lines().filter(line -> line.contains("files were copied")).reduce((one, next) -> next).orElseThrow());
        assertThat(log).contains(": 1 files were copied");
    }

    private interface Fault {
        void happen(String node);
    }

    private interface Outage {
        void last(Instant start) throws Exception;
    }

    /** Uploads while the fault happens to the server's node, for {@code away}, in which the server is elsewhere and takes files. Returns the node. */
    private String moves(String name, Fault fault, Duration away) throws Exception {
        String node = Pods.node(server());
        String before = Pods.uid(server());
        var uploads = new Uploads(release, release.pods("wordpress").stream().map(pod -> release.site(pod).address()).toList(), Integer.MAX_VALUE);
        try (uploads) {
            uploads.awaitOneSince(Instant.now(), PATIENCE);
            outage(name, start -> {
                fault.happen(node);
                unreadFilesAreRefused();
                uploadsAreRefused();
                Await.until("the server is elsewhere", PATIENCE, () -> assertThat(release.pods("nfs")).anySatisfy(pod -> {
                    assertThat(Pods.uid(pod)).isNotEqualTo(before);
                    assertThat(Pods.node(pod)).isNotNull().isNotEqualTo(node);
                    assertThat(Readiness.isPodReady(pod)).isTrue();
                }));
                Duration moved = Duration.between(start, Instant.now());
                Figures.record("content/%s server-moved=%s".formatted(name, Gaps.seconds(moved)));
                assertThat(moved).isLessThan(MOVED);
                uploads.awaitOneSince(Instant.now(), PATIENCE);
                Await.until("the node has been away for long", away.plus(PATIENCE), () -> assertThat(Duration.between(start, Instant.now())).isGreaterThan(away));
            });
        }
        Figures.record("content/%s upload-gap=%s uploads=%d".formatted(name, Gaps.seconds(uploads.longestGap()), uploads.stored().size()));
        uploads.areReadEverywhere(release);
        return node;
    }

    /** People work on the site meanwhile: once the outage is noticed, no request of theirs fails. Afterwards files are taken again. */
    private void outage(String name, Outage outage) {
        Story story = Story.write(release, "Before " + name);
        var errands = new Errands(release, story);
        Instant start = Instant.now();
        try (errands) {
            outage.last(start);
            Await.until("files are taken", PATIENCE, () -> release.pods("wordpress").forEach(pod -> assertThat(upload(pod).status()).isEqualTo(201)));
        } catch (Exception e) {
            throw new IllegalStateException(name, e);
        }
        Figures.record("content/%s errands %s".formatted(name, errands.figures()));
        assertThat(errands.failedSince(start.plus(NOTICED))).isEmpty();
        story.isReadEverywhere(release);
    }

    /** A file that no pod has read yet: at once, with the time of another try. */
    private void unreadFilesAreRefused() {
        for (Pod pod : release.pods("wordpress")) {
            Await.until(Pods.name(pod) + " refuses a file that it has not", PATIENCE, () -> {
                Instant begin = Instant.now();
                Page answer = release.site(pod).get("/wp-content/uploads/unread-%d.txt".formatted(System.nanoTime()));
                assertThat(answer.status()).isEqualTo(503);
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
                assertThat(Duration.between(begin, Instant.now())).isLessThan(REFUSED);
            });
        }
    }

    /** With a sentence that the dashboard shows. */
    private void uploadsAreRefused() {
        for (Pod pod : release.pods("wordpress")) {
            Await.until(Pods.name(pod) + " says that it takes no file", PATIENCE, () -> {
                Instant begin = Instant.now();
                assertThat(upload(pod).json().path("message").asText()).contains("does not answer just now");
                assertThat(Duration.between(begin, Instant.now())).isLessThan(SENTENCE);
            });
        }
    }

    private Page upload(Pod pod) {
        return editor.at(release.site(pod)).offer("a-file.txt", "text/plain", "A line of a file\n".repeat(200_000).getBytes(StandardCharsets.UTF_8));
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

    /** Visitors of each pod who ask which versions of the plugin they see. */
    private final class Versions implements AutoCloseable {

        private final Set<String> seen = ConcurrentHashMap.newKeySet();
        private volatile boolean closed;

        Versions() {
            for (Pod pod : release.pods("wordpress")) {
                Site site = release.site(pod);
                var visitor = new Thread(() -> {
                    while (!closed) {
                        seen.add(versions(site.get("/?probe=" + ThreadLocalRandom.current().nextInt(1_000_000))));
                    }
                }, "versions-" + Pods.name(pod));
                visitor.setDaemon(true);
                visitor.start();
            }
        }

        Set<String> seen() {
            return Set.copyOf(seen);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
