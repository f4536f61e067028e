package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A release works under a name of any length: each is installed, tested, and loses one pod of each tier. No name is used twice, as the
 * volumes of a release outlive it.
 */
@Tag("names")
@Tag("cluster")
@OnCluster(THREE_NODES)
class NamesIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final int MEMBERS = 3;
    private static final String VALUES = """
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {topology: %s, storage: {size: 1Gi}, resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 1Gi}}}
        wordpress: {replicas: 1, autoscaling: {enabled: false}, content: {size: 256Mi}}
        """;
    private static final String CLASS = "{nfs: {enabled: false}, wordpress: {content: {storageClass: shared}}}";
    private static final String SERVER = "{nfs: {storage: {size: 1Gi}}}";

    private final Release namespace;
    private Release release;

    NamesIT(Release release) {
        this.namespace = release;
    }

    @AfterEach
    void uninstall() {
        release.uninstall();
    }

    @Test
    @DisplayName("the longest name, with the in-chart NFS server")
    void longestName() {
        works("galera", Release.LONGEST_NAME, SERVER);
    }

    @Tag("named")
    @ParameterizedTest(name = "{0} {1}")
    @DisplayName("names of 2, 11, 24, 33 and 53 characters")
    @CsvSource({
        "galera, my",
        "galera, my-magazine",
        "galera, my-company-blog-and-news",
        "galera, the-magazine-of-my-company-and-me",
        "replication, us",
        "replication, our-journal",
        "replication, our-company-blog-and-faq",
        "replication, the-journals-of-my-company-and-us",
        "replication, the-news-of-my-company-and-of-all-of-its-subsidiaries"})
    void everyLength(String topology, String name) {
        works(topology, name, CLASS);
    }

    private void works(String topology, String name, String content) {
        release = namespace.named(name).with(VALUES.formatted(topology)).with(content);
        Topology database = topology.equals("galera") ? new Galera(release.members()) : new Replication(release);
        Instant start = Instant.now();
        release.install();
        Await.until("the front page is there", PATIENCE, () -> release.site().get("/").expect(200));
        Duration firstPage = Duration.between(start, Instant.now());
        awaitWhole(database);
        Duration whole = Duration.between(start, Instant.now());
        release.test();

        Instant killed = Instant.now();
        killOneOfEachTier();
        awaitWhole(database);
        release.site().get("/").expect(200);
        Figures.record("names/%s-%d first-page=%s whole=%s whole-after-kill=%s".formatted(
            topology, name.length(), Gaps.seconds(firstPage), Gaps.seconds(whole), Gaps.seconds(Duration.between(killed, Instant.now()))));
    }

    private void awaitWhole(Topology database) {
        release.awaitReady(PATIENCE);
        Await.until("a whole database", PATIENCE, () -> database.assertWhole(MEMBERS));
    }

    /** Kills the first pod of each tier, all at once, and waits for others in their places. */
    private void killOneOfEachTier() {
        List<Pod> victims = Stream.of("etcd", "database", "nfs", "wordpress").flatMap(tier -> release.pods(tier).stream().limit(1)).toList();
        Set<String> dead = victims.stream().map(Pods::uid).collect(toSet());
        int all = release.pods().size();
        var faults = new Faults(release);
        victims.forEach(victim -> faults.kill(Pods.name(victim)));
        Await.until("as many pods without those that were killed", PATIENCE,
            () -> assertThat(release.pods()).hasSize(all).extracting(Pods::uid).doesNotContainAnyElementsOf(dead));
    }
}
