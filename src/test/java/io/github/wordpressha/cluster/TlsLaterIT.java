package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.authorization.v1.ResourceRule;
import io.fabric8.kubernetes.api.model.authorization.v1.SelfSubjectRulesReviewBuilder;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * A primary and its replicas that were installed without TLS and policies get both later, by the commands of SECURITY.md; between the two, their
 * authority is changed.
 */
@Tag("effects")
@Tag("tls")
@Tag("cluster")
@Tag("named") // each step restarts all members one by one
@OnCluster(THREE_NODES)
@Isolated("a replication's primary fences itself where tests beside it take all processors")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TlsLaterIT {

    private static final Duration PATIENCE = Duration.ofMinutes(8);
    private static final Duration COMMAND = Duration.ofMinutes(1);
    private static final Duration STUCK = Duration.ofSeconds(60);
    /** The limit is that of nodes with cores of their own; where all nodes share a few, a multiple is allowed. */
    private static final Duration FAILOVER = Duration.ofSeconds(15).multipliedBy(Boolean.getBoolean("drills.full") ? 1 : 3);
    private static final int PER_SECOND = 1;
    private static final String ELSEWHERE = "test-tls-later-elsewhere";
    private static final String VALUES = """
        tls: {enabled: false}
        networkPolicy: {enabled: false} # TLS alone has to refuse strangers
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {topology: replication, storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 1
          content: {storageClass: shared, size: 1Gi}
        """;
    private static final String SOURCE = """
        SELECT CONCAT_WS(' ', SUBSTRING_INDEX(HOST, '.', 1), SSL_ALLOWED, SSL_VERIFY_SERVER_CERTIFICATE, SSL_CA_FILE)
        FROM performance_schema.replication_connection_configuration""";
    /** Prints the first line that the server of clones says to a client: 32 hexadecimal digits. */
    private static final String GREETING = "timeout 10 socat -T 3 -u \"$0\" STDOUT 2>/dev/null | head -n 1 || true";

    private final Release plain;
    private final Release release;
    private final Replication replication;
    private final Members members;
    private final Faults faults;
    private final Manual manual;
    private final Certificates certificates;
    private Story story;

    TlsLaterIT(Release release) {
        this.plain = release.with(VALUES);
        this.release = plain.with("{tls: {enabled: true}}");
        this.replication = new Replication(this.release);
        this.members = this.release.members();
        this.faults = new Faults(this.release);
        this.manual = new Manual(this.release, "SECURITY.md");
        this.certificates = Certificates.ofReplication(this.release);
    }

    @BeforeAll
    void install() {
        plain.install();
        drill("install").whole();
        story = Story.write(plain, "Written without TLS");
    }

    @Test
    @Order(1)
    @DisplayName("a rolling upgrade to TLS stops at its first pod of etcd and of the database, and the site serves and writes on until it is taken back")
    void rollingUpgradeStops() throws Exception {
        List<String> others = Stream.of("etcd-0", "etcd-1", "mysql-0", "mysql-1").map(this::name).toList();
        Map<String, String> before = uids(others);
        Outcome outcome = drill("rolling-upgrade").run((writers, reader) -> {
            try (var load = Load.anonymous(plain, PER_SECOND, List.of("/?s=plain"))) {
                assertThat(release.upgrade()).contains("WHAT AN UPGRADE TO TLS NEEDS");
                Await.until("etcd says why it waits", PATIENCE, () -> assertThat(log(name("etcd-2"), "configure")).contains("founded with http, and tls.enabled now means https"));
                Await.until("the new member of the database waits for etcd", PATIENCE, () -> assertThat(log(name("mysql-2"), "elector")).contains("https://", "Nothing is decided without one"));
                plain.hasten();
                Await.pass(STUCK);
                writers.awaitAckSince(Instant.now(), COMMAND);
                assertThat(load.failed()).isEmpty();
            }
            assertThat(uids(others)).as("pods that were not to be replaced").isEqualTo(before);
            assertThat(others).allSatisfy(pod -> assertThat(release.pod(pod).getStatus().getContainerStatuses()).allMatch(status -> status.getReady()));
            plain.upgrade();
        });
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(FAILOVER);
    }

    @Test
    @Order(2)
    @DisplayName("with the interruption that SECURITY.md describes the site comes back with TLS and with all data")
    void movesWithAnInterruption() {
        Instant start = Instant.now();
        manual.follow("and upgrade.");
        release.upgrade();
        drill("moved").whole();
        Figures.record("tls/moved-with-an-interruption whole=" + Gaps.seconds(Duration.between(start, Instant.now())));
        Await.until("no pod from before is left", PATIENCE, () -> assertThat(release.pods("wordpress")).hasSize(1));
        story.isReadEverywhere(release);
        release.site().get("/?s=encrypted").expect(200);
    }

    @Test
    @Order(3)
    @DisplayName("a member refuses clients without TLS, and clones to members without a certificate; replicas check their source")
    void refusesPlainClients() {
        Pod wordpress = release.pods("wordpress").get(0);
        for (Pod pod : release.pods("database")) {
            String ip = pod.getStatus().getPodIP();
            assertThat(release.askInTheClear(wordpress, ip, "SELECT 'in'")).as("a client of %s without TLS", Pods.name(pod)).contains("insecure transport");
            String host = Pods.name(pod) + "." + name("mysql") + "." + release.namespace() + ".svc.cluster.local";
            assertThat(certificates.inMember(GREETING, "TCP:" + ip + ":4444")).as("a clone without TLS").isEmpty();
            assertThat(certificates.inMember(GREETING, "OPENSSL:" + host + ":4444,cafile=/tls/ca.crt")).as("a clone without a certificate").isEmpty();
            assertThat(certificates.inMember(GREETING, "OPENSSL:" + host + ":4444,cafile=/tls/ca.crt,cert=/tls/tls.crt,key=/tls/tls.key")).matches("[0-9a-f]{32}");
        }
        String primary = replication.writable();
        assertThat(replication.replicas()).hasSize(2).allSatisfy(replica -> assertThat(members.query(replica, SOURCE)).containsExactly(primary + " YES YES /tls/ca.crt"));
    }

    @Test
    @Order(4)
    @DisplayName("a member that loses its volume is cloned over TLS, from a replica")
    void isClonedFromAReplica() throws Exception {
        List<String> replicas = replication.replicas();
        drill("clone").run((writers, reader) -> {
            String uid = Pods.uid(release.pod(replicas.get(0)));
            faults.loseVolume(replicas.get(0));
            faults.awaitAnother(replicas.get(0), uid);
            Await.until("the clone is whole", PATIENCE, () -> assertThat(log(replicas.get(0), "elector")).contains(" is whole."));
        });
        assertThat(log(replicas.get(0), "elector")).contains("The clone from " + replicas.get(1) + " is whole.");
        assertThat(log(replicas.get(1), "xtrabackup")).contains("Served a clone of");
    }

    @Test
    @Order(5)
    @DisplayName("the account that renews certificates reads the authority, reads and changes the certificates, and may do nothing else")
    void renewalHasFewRights() {
        assertThat(rightsOf(name("tls"))).containsExactly(
            "[get, patch] [secrets] [" + name("etcd-tls") + ", " + name("mysql-tls") + "]",
            "[get] [secrets] [" + name("authority") + "]");
    }

    @Test
    @Order(6)
    @DisplayName("the authority is changed under writes, as SECURITY.md says, and every server shows a certificate of the new one")
    void authorityIsChanged() throws Exception {
        Map<String, String> before = certificates.shown();
        assertThat(before).hasSize(12);
        String old = certificates.authority();
        Instant start = Instant.now();
        Outcome outcome = drill("new-authority").run((writers, reader) -> {
            manual.follow("Trust both:");
            certificates.awaitTrusted(old.strip() + "\n" + manual.run("cat new.crt"));
            manual.follow("Certify with the new authority:");
            certificates.awaitOthersThan(before, PATIENCE);
            manual.follow("Drop the old authority:");
            certificates.awaitTrusted(manual.run("cat new.crt"));
        });
        Figures.record("tls/new-authority took=" + Gaps.seconds(Duration.between(start, Instant.now())));
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(FAILOVER);
        assertThat(certificates.authority()).isNotEqualTo(old);
        drill("after").whole();
    }

    @Test
    @Order(7)
    @DisplayName("network policies are turned on under writes, as operations.md says: no pod is replaced, and strangers no longer reach the database")
    void policiesAreTurnedOn() throws Exception {
        Map<String, String> before = uids(Release.names(release.pods()));
        Pod stranger = Strangers.start(release, ELSEWHERE, "stranger", Map.of());
        Map<String, String> targets = Map.of("database", release.pods("database").get(0).getStatus().getPodIP() + " 3306");
        try {
            assertThat(Strangers.reached(release, stranger, Strangers.CONTAINER, targets)).containsExactly("database");
            Outcome outcome = drill("policies").run((writers, reader) -> {
                release.with("networkPolicy: {enabled: true}").upgrade();
                Await.until("strangers are kept out", PATIENCE, () -> assertThat(Strangers.reached(release, stranger, Strangers.CONTAINER, targets)).isEmpty());
            });
            assertThat(outcome.writeGap()).isLessThanOrEqualTo(FAILOVER);
            assertThat(outcome.failedReads()).isEmpty();
        } finally {
            release.kubernetes().namespaces().withName(ELSEWHERE).delete();
        }
        assertThat(uids(Release.names(release.pods()))).isEqualTo(before);
    }

    /** The rights of a service account, but for those that everybody has: to ask for its own. */
    private List<String> rightsOf(String account) {
        String user = "system:serviceaccount:" + release.namespace() + ":" + account;
        var config = new ConfigBuilder(release.kubernetes().getConfiguration())
            .withImpersonateUsername(user).withImpersonateGroups("system:serviceaccounts", "system:authenticated").build();
        try (var client = new KubernetesClientBuilder().withConfig(config).build()) {
            var review = client.authorization().v1().selfSubjectRulesReview().create(
                new SelfSubjectRulesReviewBuilder().withNewSpec().withNamespace(release.namespace()).endSpec().build());
            return review.getStatus().getResourceRules().stream()
                .filter(rule -> !List.of("authorization.k8s.io", "authentication.k8s.io").containsAll(rule.getApiGroups()))
                .map(TlsLaterIT::text).sorted().toList();
        }
    }

    private static String text(ResourceRule rule) {
        return new TreeSet<>(rule.getVerbs()) + " " + rule.getResources() + " " + new TreeSet<>(rule.getResourceNames());
    }

    private Map<String, String> uids(List<String> pods) {
        return pods.stream().collect(toMap(pod -> pod, pod -> Pods.uid(release.pod(pod))));
    }

    private String log(String pod, String container) {
        return release.kubernetes().pods().inNamespace(release.namespace()).withName(pod).inContainer(container).getLog();
    }

    private String name(String suffix) {
        return release.fullname() + "-" + suffix;
    }

    private Drill drill(String name) {
        return new Drill(release, replication, "tls/" + name, 3, PATIENCE);
    }
}
