package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Certificates and their authority change while servers are killed, and every acknowledged row stays. ClockIT gives a member a wrong clock, and
 * CertificatesTest the renewal.
 */
@Tag("closed")
@Tag("tls")
@Tag("cluster")
@Tag("named")
@OnCluster(THREE_NODES)
@Isolated("its limits are seconds that tests beside it would take")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class CertificateStormIT {

    private static final Duration PATIENCE = Duration.ofMinutes(8);
    private static final Duration LIFE = Duration.ofMinutes(6);
    /** The limit is that of nodes with cores of their own; where all nodes share a few, a multiple is allowed. */
    private static final Duration FAILOVER = Duration.ofSeconds(15).multipliedBy(Boolean.getBoolean("drills.full") ? 1 : 3);
    private static final Path SHORT_CERTIFICATES = Path.of("src/test/resources/cluster/short-certificates.sh").toAbsolutePath();
    private static final String VALUES = """
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress: {replicas: 2, autoscaling: {enabled: false}, content: {storageClass: shared, size: 1Gi}}
        """;

    private final Release release;
    private final Galera galera;
    private final Faults faults;
    private final Manual manual;
    private final Certificates certificates;

    CertificateStormIT(Release release) {
        this.release = release.with(VALUES);
        this.galera = new Galera(this.release.members());
        this.faults = new Faults(this.release);
        this.manual = new Manual(this.release, "SECURITY.md");
        this.certificates = Certificates.ofGalera(this.release);
    }

    @BeforeAll
    void install() {
        release.install();
        drill("install").whole();
    }

    @Test
    @Order(1)
    @DisplayName("certificates that are about to end are renewed in time while servers are killed, and servers that come back later are let in")
    void certificatesEnd() throws Exception {
        Outcome outcome = drill("certificates-end").run((writers, reader) -> {
            Map<String, String> whole = certificates.shown();
            Instant end = Instant.now().plus(LIFE);
            manual.run("bash %s %s %s %d".formatted(SHORT_CERTIFICATES, release.namespace(), release.fullname(), LIFE.toSeconds()));
            certificates.awaitOthersThan(whole, LIFE);
            Map<String, String> ending = certificates.shown();

            manual.run("kubectl -n %s create job renew-in-a-storm --from=cronjob/%s-tls".formatted(release.namespace(), release.fullname()));
            killServers();
            certificates.awaitOthersThan(ending, Duration.between(Instant.now(), end));
            Figures.record("tls/certificates-end renewed-before-the-end=" + Gaps.seconds(Duration.between(Instant.now(), end)));

            Await.until("the former certificates have ended", LIFE, () -> assertThat(Instant.now()).isAfter(end));
            drill("renewed").whole();
            writers.awaitAckSince(end, FAILOVER);
            killServers();
        });
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(FAILOVER);
        assertThat(outcome.failedReads()).isEmpty();
    }

    @Test
    @Order(2)
    @DisplayName("the authority is replaced, as SECURITY.md says, while servers are killed after each step")
    void authorityIsReplaced() throws Exception {
        String old = certificates.authority();
        Outcome outcome = drill("new-authority-in-a-storm").run((writers, reader) -> {
            manual.follow("Trust both:");
            certificates.awaitTrusted(old.strip() + "\n" + manual.run("cat new.crt"));
            killServers();
            drill("storm").whole();
            Map<String, String> before = certificates.shown();
            manual.follow("Certify with the new authority:");
            killServers();
            drill("storm").whole();
            certificates.awaitOthersThan(before, PATIENCE);
            manual.follow("Drop the old authority:");
            certificates.awaitTrusted(manual.run("cat new.crt"));
            killServers();
            drill("storm").whole();
        });
        assertThat(certificates.authority()).isNotEqualTo(old);
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(FAILOVER);
        assertThat(outcome.failedReads()).isEmpty();
    }

    /** Kills one member of etcd and the member of the database that takes the writes, and waits until there are pods in their places. */
    private void killServers() {
        for (String pod : new String[] {release.fullname() + "-etcd-0", galera.writable()}) {
            String uid = Pods.uid(release.pod(pod));
            faults.kill(pod);
            faults.awaitAnother(pod, uid);
        }
    }

    private Drill drill(String name) {
        return new Drill(release, galera, "tls/" + name, 3, PATIENCE);
    }
}
