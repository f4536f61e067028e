package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.ANY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.publish.FileServer;
import io.github.wordpressha.publish.Gpg;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * The way of a release to people: what {@code mvn deploy} does at its end publishes the packaged chart, signed, to the OCI registry that
 * {@code REGISTRY} names and to a static repository; the {@code helm} program pulls, verifies and installs it from there.
 */
@Tag("publish")
@Tag("cluster")
@OnCluster(ANY)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PublishIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Path CHART = Path.of(System.getProperty("wordpressha.chart", "none")).toAbsolutePath();

    @TempDir
    private static Path directory;

    private final ClusterUnderTest cluster;
    private final Release release;
    private String remote;
    private String version;
    private Path publicKeys;

    PublishIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.release = release;
    }

    @BeforeAll
    void publish() throws Exception {
        String registry = System.getenv("REGISTRY");
        assumeTrue(registry != null && !registry.isBlank(), "REGISTRY names no registry to publish to");
        for (String program : List.of("helm", "mvn", "gpg")) {
            assumeTrue(Programs.onPath(program), "no " + program + " on the PATH");
        }
        remote = "oci://" + registry + "/published/" + System.currentTimeMillis();
        version = Chart.open(CHART).version();
        try (var gpg = new Gpg(directory.resolve("gnupg"))) {
            Path keyring = gpg.secretKeys(directory.resolve("secret.gpg"));
            publicKeys = gpg.publicKeys(directory.resolve("public.gpg"));
            // Only the last step of the life cycle: the steps before it have made what is tested here, and are running it.
            run("mvn", "--offline", "--batch-mode", "--quiet", "properties:read-project-properties@chart-version", "exec:exec@publish",
                "-Dpublish.oci=" + remote, "-Dpublish.plainHttp=true", "-Dpublish.repository=" + directory.resolve("repository"),
                "-Dpublish.keyring=" + keyring, "-Dpublish.key=" + Gpg.ADDRESS);
        }
    }

    @Test
    @Order(1)
    @DisplayName("helm pull brings the very archive from the registry, and its signature is good")
    void isPulledFromTheRegistry() throws Exception {
        Path target = Files.createDirectory(directory.resolve("pulled"));
        run("helm", "pull", remote + "/wordpress-ha", "--version", version, "--plain-http", "--destination", target.toString(),
            "--verify", "--keyring", publicKeys.toString());
        assertThat(target.resolve(CHART.getFileName())).hasSameBinaryContentAs(CHART);
    }

    @Test
    @Order(1)
    @DisplayName("what helm push takes to the registry, helm pull brings back")
    void isPushedByHelm() throws Exception {
        Path target = Files.createDirectory(directory.resolve("pushed"));
        run("helm", "push", CHART.toString(), remote + "/by-helm", "--plain-http");
        run("helm", "pull", remote + "/by-helm/wordpress-ha", "--version", version, "--plain-http", "--destination", target.toString());
        assertThat(target.resolve(CHART.getFileName())).hasSameBinaryContentAs(CHART);
    }

    @Test
    @Order(2)
    @DisplayName("helm install takes the chart from the static repository, and the site is there")
    void isInstalledFromTheRepository() throws Exception {
        Instant start = Instant.now();
        try (var server = new FileServer(directory.resolve("repository"))) {
            run("helm", "--kubeconfig", cluster.kubeconfig().toString(), "install", release.name(), "wordpress-ha",
                "--repo", server.url().toString(), "--version", version, "--verify", "--keyring", publicKeys.toString(),
                "--namespace", release.namespace(), "--values", "values/minimal.yaml", "--timeout", PATIENCE.toSeconds() + "s");
        }
        release.awaitReady(PATIENCE);
        Await.until("the front page is there", PATIENCE, () -> release.site().get("/").expect(200));
        Figures.record("publish/install-from-repository first-page=" + Gaps.seconds(Duration.between(start, Instant.now())));
    }

    /** Helm keeps what it downloads in a place of the test's own. */
    private static void run(String... command) throws IOException, InterruptedException {
        Programs.run(Map.of(
            "HELM_CACHE_HOME", directory.resolve("cache").toString(),
            "HELM_CONFIG_HOME", directory.resolve("config").toString(),
            "HELM_DATA_HOME", directory.resolve("data").toString()), PATIENCE, command);
    }
}
