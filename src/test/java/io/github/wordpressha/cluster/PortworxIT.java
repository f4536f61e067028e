package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The profile {@code portworx} on a cluster without Portworx, its classes replaced by others that can do the same. */
@Tag("portworx")
@Tag("storage")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PortworxIT {

    private static final Duration PATIENCE = Duration.ofMinutes(6);

    private final Release release;

    PortworxIT(Release release) {
        this.release = release.withProfile("portworx").with("""
            database:
              storage: {size: 1Gi, storageClass: standard}
              resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 1Gi}}
            wordpress:
              content: {size: 256Mi, storageClass: shared}
              resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
            """);
    }

    @BeforeAll
    void install() {
        Instant start = Instant.now();
        release.installReady();
        Figures.record("portworx/install all-ready=%ds".formatted(Duration.between(start, Instant.now()).toSeconds()));
    }

    @Test
    @Order(1)
    @DisplayName("one database, three to ten WordPress pods, and uploads that are byte-identical through every pod, on a ReadWriteMany class")
    void uploadsOnAnyClass() {
        assertThat(release.pods("database")).hasSize(1);
        assertThat(release.pods("wordpress")).hasSizeBetween(3, 10);
        var claim = release.kubernetes().persistentVolumeClaims().inNamespace(release.namespace()).withName(release.fullname() + "-content").require();
        assertThat(claim.getSpec().getStorageClassName()).isEqualTo("shared");
        Story.write(release, "Kept in a class").isReadEverywhere(release);
    }
}
