package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What keeps a new release from starting: {@code helm install} returns at once, the command in its notes says what is wrong within 30 s, and
 * {@code helm install --wait} fails and names what is not ready: with {@code -Ddrills.full=true} for each obstacle, else for one.
 */
@Tag("effects")
@Tag("cluster")
@OnCluster(THREE_NODES)
@Isolated("its faults are those of nodes that all share")
class ObstaclesIT {

    private static final boolean FULL = Boolean.getBoolean("drills.full");
    private static final Duration AT_ONCE = Duration.ofSeconds(10);
    private static final Duration SOON = Duration.ofSeconds(30);
    /** Of {@code --wait}: what a person has patience for differs, and this is a test. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String SMALL = """
        database: {topology: standalone, storage: {size: 1Gi}}
        nfs: {enabled: false}
        wordpress:
          replicas: 1
          autoscaling: {enabled: false}
          content: {storageClass: shared, size: 1Gi}
        """;
    private static final String MOUNT_PROGRAM = "/sbin/mount.nfs";
    private static final String DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

    private final Nodes nodes;
    private final Release release;

    ObstaclesIT(ClusterUnderTest cluster, Release release) {
        this.nodes = new Nodes(cluster);
        this.release = release.with(SMALL);
    }

    /**
     * @param values what the release gets beside the small ones
     * @param said what the command says: a regular expression
     */
    record Obstacle(String name, String values, String said, Change come, Change go) {

        Obstacle(String name, String values, String said) {
            this(name, values, said, test -> {}, test -> {});
        }

        @Override
        public String toString() {
            return name;
        }
    }

    @FunctionalInterface
    private interface Change {
        void happen(ObstaclesIT test);
    }

    static Stream<Obstacle> obstacles() {
        return Stream.of(
            // Where nothing listens: a registry that does not answer is another obstacle.
            new Obstacle("image of the first Job", "tools: {image: {registry: '127.0.0.1:1', tag: no-such-tag}}", "secrets-.*Failed to pull image .127.0.0.1:1/"),
            new Obstacle("image of the site", "wordpress: {image: {registry: '127.0.0.1:1', tag: no-such-tag}}", "Failed to pull image .127.0.0.1:1/"),
            new Obstacle("image that is still being pulled", "wordpress: {image: {registry: 192.0.2.1, tag: no-such-tag}}", "Pulling image .192.0.2.1/"),
            new Obstacle("class that does not exist", "database: {storage: {storageClass: no-such-class}}", "ProvisioningFailed .*no-such-class"),
            new Obstacle("no default class", "{}", "FailedBinding .*data-.*no storage class is set",
                test -> test.defaultClass("false"), test -> test.defaultClass("true")),
            new Obstacle("all nodes tainted", "{}", "FailedScheduling .*untolerated taint",
                test -> test.nodes.taint("drill"), test -> test.nodes.untaint("drill")),
            new Obstacle("nodes without NFS client", "wordpress: {content: {storageClass: '', nfs: {server: 192.0.2.1, path: /srv}}}",
                "FailedMount .*(mount failed|mount.nfs)", test -> test.hideMountProgram(), test -> test.showMountProgram()));
    }

    /** With all that an uninstall keeps, and what Kubernetes has said so far. */
    @AfterEach
    void remove() {
        // What waits for a database would take its whole grace period to end, and what owns pods would make new ones.
        release.kubernetes().batch().v1().jobs().inNamespace(release.namespace()).delete();
        release.kubernetes().apps().deployments().inNamespace(release.namespace()).delete();
        release.kubernetes().apps().statefulSets().inNamespace(release.namespace()).delete();
        release.kubernetes().pods().inNamespace(release.namespace()).withGracePeriod(0).delete();
        release.uninstall();
        release.kubernetes().persistentVolumeClaims().inNamespace(release.namespace()).delete();
        release.kubernetes().v1().events().inNamespace(release.namespace()).delete();
        Await.until("no claim is left", Duration.ofMinutes(1),
            () -> assertThat(release.kubernetes().persistentVolumeClaims().inNamespace(release.namespace()).list().getItems()).isEmpty());
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("obstacles")
    @DisplayName("helm install returns at once, and the command in its notes says within 30 s what is wrong")
    void saysWhatIsWrong(Obstacle obstacle) {
        obstacle.come().happen(this);
        try {
            Instant start = Instant.now();
            String notes = release.with(obstacle.values()).install();
            Duration returned = Duration.between(start, Instant.now());
            var said = Pattern.compile(obstacle.said());
            Await.until("the command says what is wrong", SOON.plusSeconds(10), () -> assertThat(run(commandIn(notes))).containsPattern(said));
            Duration after = Duration.between(start, Instant.now());
            Figures.record("effects/obstacle-%s install-returns=%s command-says-it=%s".formatted(
                obstacle.name().replace(' ', '-'), Gaps.seconds(returned), Gaps.seconds(after)));
            assertThat(returned).isLessThan(AT_ONCE);
            assertThat(after).isLessThan(SOON);
        } finally {
            obstacle.go().happen(this);
        }
    }

    static Stream<Obstacle> waitedFor() {
        return FULL ? obstacles() : obstacles().limit(1);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("waitedFor")
    @DisplayName("helm install --wait fails, and names what is not ready")
    void waitFails(Obstacle obstacle) {
        obstacle.come().happen(this);
        try {
            Instant start = Instant.now();
            Throwable failure = catchThrowable(() -> release.with(obstacle.values()).installAndWait(PATIENCE));
            Figures.record("effects/obstacle-%s wait-fails=%s".formatted(obstacle.name().replace(' ', '-'), Gaps.seconds(Duration.between(start, Instant.now()))));
            System.out.println("helm install --wait says: " + failure.getMessage());
            assertThat(failure).isInstanceOf(Helm.HelmFailed.class).hasMessageContaining("not ready").hasMessageContaining(release.fullname());
        } finally {
            obstacle.go().happen(this);
        }
    }

    private static String commandIn(String notes) {
        return notes.lines().filter(line -> line.contains(" events ")).findFirst().orElseThrow().strip();
    }

    private String run(String command) throws IOException, InterruptedException {
        var builder = new ProcessBuilder("bash", "-c", command).redirectErrorStream(true);
        builder.environment().put("KUBECONFIG", release.cluster().kubeconfig().toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return output;
    }

    private void defaultClass(String isDefault) {
        release.kubernetes().storage().v1().storageClasses().withName("standard").edit(one -> {
            one.getMetadata().getAnnotations().put(DEFAULT_CLASS, isDefault);
            return one;
        });
    }

    /** In each node's own view of the file system. */
    private void hideMountProgram() {
        nodes.names().forEach(node -> nodes.run(node, "mount", "--bind", "/dev/null", MOUNT_PROGRAM));
    }

    private void showMountProgram() {
        nodes.names().forEach(node -> nodes.run(node, "umount", MOUNT_PROGRAM));
    }
}
