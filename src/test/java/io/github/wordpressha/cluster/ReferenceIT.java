package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.ANY;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The reference stack, as {@code helm install} gives it: from an empty namespace to a site that outlives its own uninstall. */
@Tag("reference")
@Tag("cluster")
@OnCluster(ANY)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ReferenceIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration TO_FIRST_PAGE = Duration.ofSeconds(180);
    /** etcd and the database spread over nodes; where there is one node, they cannot. */
    private static final String ON_ONE_NODE = "{etcd: {spread: preferred}, database: {spread: preferred}, wordpress: {spread: preferred}}";

    private final Release release;
    private final boolean severalNodes;
    private Duration toFirstPage;
    private Story story;

    ReferenceIT(ClusterUnderTest cluster, Release release) {
        this.severalNodes = cluster.size() >= 3;
        this.release = severalNodes ? release : release.with(ON_ONE_NODE);
    }

    @BeforeAll
    void install() {
        Instant start = Instant.now();
        String notes = release.install();
        Await.until("the front page is there", Release.TO_ALL_READY, () -> release.site().get("/").expect(200));
        toFirstPage = Duration.between(start, Instant.now());
        Figures.record("reference/install first-page=" + Gaps.seconds(toFirstPage));
        release.awaitReady(Release.TO_ALL_READY);
        Figures.record("reference/install all-ready=%ds".formatted(Duration.between(start, Instant.now()).toSeconds()));
        assertThat(notes).contains("admin-password");
    }

    @Test
    @Order(1)
    @DisplayName("from helm install to the first page takes less than three minutes")
    void firstPageComesSoon() {
        assertThat(toFirstPage).isLessThan(TO_FIRST_PAGE);
    }

    @Test
    @Order(1)
    @DisplayName("three etcd members, three synced database members on different nodes, three WordPress pods")
    void everythingIsThere() {
        assertThat(release.pods("etcd")).hasSize(3);
        assertThat(release.pods("wordpress")).hasSizeGreaterThanOrEqualTo(3);
        assertThat(release.pods("database")).hasSize(3);
        if (severalNodes) {
            assertThat(release.pods("database")).extracting(Pods::node).doesNotHaveDuplicates();
            assertThat(release.pods("etcd")).extracting(Pods::node).doesNotHaveDuplicates();
        }
        databaseIsWhole();
    }

    @Test
    @Order(2)
    @DisplayName("a person logs in, publishes a post with an image, and every pod serves both")
    void postIsReadThroughEveryPod() {
        story = Story.write(release, "Written on the first day");
        story.isReadEverywhere(release);
    }

    @Test
    @Order(2)
    @DisplayName("no port of a node leads to anything but the site")
    void onlyTheSiteIsOpen() {
        assertThat(release.kubernetes().services().inNamespace(release.namespace()).withLabels(release.labels()).list().getItems())
            .filteredOn(service -> service.getSpec().getPorts().stream().anyMatch(port -> port.getNodePort() != null))
            .extracting(service -> service.getMetadata().getName()).containsExactly(release.fullname());
    }

    @Test
    @Order(3)
    @DisplayName("the installer is closed: nobody can take the site over")
    void installerIsClosed() {
        assertThat(release.site().get("/wp-admin/install.php").status()).isEqualTo(404);
    }

    @Test
    @Order(4)
    @DisplayName("helm upgrade with the same values restarts no pod and changes no Secret")
    void upgradeWithSameValuesChangesNothing() {
        Map<String, String> podsBefore = podStates();
        Map<String, String> secretsBefore = secretStates();

        release.upgrade();
        release.awaitReady(PATIENCE);

        assertThat(podStates()).containsAllEntriesOf(podsBefore);
        assertThat(secretStates()).isEqualTo(secretsBefore);
    }

    @Test
    @Order(5)
    @DisplayName("helm test passes")
    void helmTestPasses() {
        release.test();
    }

    @ParameterizedTest(name = "{0}")
    @ValueSource(strings = {"database", "etcd", "wordpress"})
    @Order(6)
    @DisplayName("any one pod that is deleted comes back by itself, and nothing is lost")
    void deletedPodComesBack(String component) {
        List<Pod> pods = release.pods(component);
        int deleted = Boolean.getBoolean("drills.full") ? pods.size() : 1;
        for (Pod pod : pods.subList(0, deleted)) {
            Instant start = Instant.now();
            release.kubernetes().resource(pod).delete();
            endsByItself(pod, component, start);
            Await.until("another pod in place of " + Pods.name(pod), PATIENCE, () -> assertThat(release.pods(component))
                .hasSizeGreaterThanOrEqualTo(pods.size()).extracting(one -> one.getMetadata().getUid()).doesNotContain(pod.getMetadata().getUid()));
            release.awaitReady(PATIENCE);
            Figures.record("reference/delete-%s-pod ready=%ds".formatted(component, Duration.between(start, Instant.now()).toSeconds()));
            databaseIsWhole();
            story.isReadEverywhere(release);
        }
    }

    /** Each container obeys its image's stop signal: a pod with one that does not takes its whole grace period. */
    private void endsByItself(Pod pod, String component, Instant start) {
        Duration grace = Duration.ofSeconds(pod.getSpec().getTerminationGracePeriodSeconds());
        Await.until(Pods.name(pod) + " has ended", grace.plus(PATIENCE), () -> {
            Pod now = release.kubernetes().pods().inNamespace(release.namespace()).withName(Pods.name(pod)).get();
            assertThat(now == null || !Pods.uid(now).equals(Pods.uid(pod))).isTrue();
        });
        Duration took = Duration.between(start, Instant.now());
        Figures.record("reference/delete-%s-pod ended=%s".formatted(component, Gaps.seconds(took)));
        assertThat(took).as("of a grace period of " + grace).isLessThan(grace.dividedBy(2));
    }

    @Test
    @Order(7)
    @DisplayName("helm uninstall leaves the volumes, and installing again brings the same site back")
    void siteOutlivesItsUninstall() {
        List<String> claims = claims();

        release.uninstall();

        assertThat(claims()).isEqualTo(claims).isNotEmpty();
        Instant start = Instant.now();
        release.installReady();
        Figures.record("reference/install-again all-ready=%ds".formatted(Duration.between(start, Instant.now()).toSeconds()));
        databaseIsWhole();
        story.isReadEverywhere(release);
        assertThat(Story.write(release, "Written after the second installation")).isNotNull();
    }

    private void databaseIsWhole() {
        Await.until("three Synced database members in one Primary view", PATIENCE, () -> new Galera(release.members()).assertWhole(3));
    }

    private Map<String, String> podStates() {
        var states = new LinkedHashMap<String, String>();
        release.pods().forEach(pod -> states.put(Pods.name(pod),
            "%s, started %s, %d restarts".formatted(pod.getMetadata().getUid(), pod.getStatus().getStartTime(), Pods.restarts(pod))));
        return states;
    }

    /** All Secrets but Helm's own records of releases. */
    private Map<String, String> secretStates() {
        var states = new TreeMap<String, String>();
        release.kubernetes().secrets().inNamespace(release.namespace()).list().getItems().stream()
            .filter(secret -> !secret.getType().startsWith("helm.sh/"))
            .forEach(secret -> states.put(secret.getMetadata().getName(),
                secret.getMetadata().getResourceVersion() + " " + new TreeMap<>(secret.getData())));
        return states;
    }

    private List<String> claims() {
        return release.kubernetes().persistentVolumeClaims().inNamespace(release.namespace()).list().getItems().stream()
            .map(claim -> claim.getMetadata().getName() + " " + claim.getSpec().getVolumeName())
            .sorted().toList();
    }
}
