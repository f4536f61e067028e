package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.K3S;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The profile {@code minimal} on one node of k3s: what a contributor with Docker alone can run. */
@Tag("minimal")
@Tag("cluster")
@OnCluster(K3S)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MinimalIT {

    private static final Duration TO_ALL_READY = Duration.ofMinutes(10); // images may come from the internet

    private final Release release;
    private Story story;

    MinimalIT(Release release) {
        this.release = release.withProfile("minimal");
    }

    @BeforeAll
    void install() {
        Instant start = Instant.now();
        release.install();
        release.awaitReady(TO_ALL_READY);
        Await.until("the front page is there", Duration.ofMinutes(2), () -> release.site().get("/").expect(200));
        Figures.record("minimal/install first-page=%ds".formatted(Duration.between(start, Instant.now()).toSeconds()));
    }

    @Test
    @Order(1)
    @DisplayName("one database and one WordPress pod, and nothing else")
    void nothingMoreThanNeeded() {
        assertThat(release.pods()).extracting(pod -> pod.getMetadata().getLabels().get("app.kubernetes.io/component"))
            .containsExactlyInAnyOrder("database", "wordpress");
    }

    @Test
    @Order(2)
    @DisplayName("a person logs in, publishes a post with an image, and the site shows both")
    void postIsRead() {
        story = Story.write(release, "Written on a laptop");
        story.isReadEverywhere(release);
    }

    @Test
    @Order(3)
    @DisplayName("the post is still there when all pods were deleted")
    void postOutlivesThePods() {
        for (Pod pod : release.pods()) {
            release.kubernetes().resource(pod).delete();
        }
        Await.until("other pods", TO_ALL_READY, () -> assertThat(release.pods()).hasSize(2).noneMatch(Pod::isMarkedForDeletion));
        release.awaitReady(TO_ALL_READY);
        story.isReadEverywhere(release);
    }

    @Test
    @Order(4)
    @DisplayName("a forwarded port shows the site, with links that lead back to it")
    void forwardedPortShowsTheSite() throws Exception {
        Pod pod = release.pods("wordpress").get(0);
        try (var forward = release.kubernetes().pods().resource(pod).portForward(Pods.port(pod, "http"))) {
            URI address = URI.create("http://127.0.0.1:" + forward.getLocalPort());
            assertThat(Site.at(address).get("/").expect(200).text()).contains("href=\"" + address);
        }
    }

    @Test
    @Order(5)
    @DisplayName("helm test passes")
    void helmTestPasses() {
        release.test();
    }
}
