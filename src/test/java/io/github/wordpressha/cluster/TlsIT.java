package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** The reference stack with {@code tls.enabled}: who speaks plainly is refused on each port, and certificates are renewed under load. */
@Tag("security")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class TlsIT {

    private static final Duration RENEWAL = Duration.ofMinutes(3);
    private static final Duration REJOIN = Duration.ofMinutes(3);
    private static final int PER_SECOND = 2;
    private static final String VALUES = """
        networkPolicy: {enabled: false} # TLS alone has to refuse strangers
        nfs: {enabled: false}
        etcd:
          service: {type: NodePort}
          image: {repository: effects/etcd, tag: no-such-tag, digest: "%s"}
          storage: {size: 256Mi}
          resources: {requests: {cpu: 20m, memory: 64Mi}}
          # In the place of one node for each member.
          affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
            {matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%s]}]}]}}}
        database:
          service: {type: NodePort}
          galera: {image: {registry: galera.effects.example, repository: effects/galera, tag: effects, pullPolicy: Always}}
          storage: {size: 2Gi}
          resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 2
          content: {storageClass: shared, size: 1Gi}
        """;

    private final List<String> etcdNodes;
    private final String nodeAddress;
    private final Release release;
    private final String last;
    private final Certificates certificates;
    private String notes;

    /** Under the longest name: certificates, and all that checks them, have to do with the longest host names. */
    TlsIT(ClusterUnderTest cluster, Release release) {
        var nodes = new Nodes(cluster);
        this.etcdNodes = nodes.names().subList(0, 2);
        this.nodeAddress = nodes.address(etcdNodes.get(0));
        ImageCopy.ofTier("database/galera", "effects/galera");
        this.release = release.named(Release.LONGEST_NAME)
            .with(VALUES.formatted(ImageCopy.ofTier("etcd", "effects/etcd"), String.join(", ", etcdNodes)));
        this.last = this.release.fullname() + "-mysql-2";
        this.certificates = Certificates.ofGalera(this.release);
    }

    @BeforeAll
    void install() {
        Instant start = Instant.now();
        notes = release.installReady();
        Figures.record("security/tls-install all-ready=%ds".formatted(Duration.between(start, Instant.now()).toSeconds()));
    }

    @Test
    @Order(1)
    @DisplayName("the site serves, and the members are one component")
    void serves() {
        release.site().get("/?s=encrypted").expect(200);
        new Galera(release.members()).assertWhole(3);
    }

    @Test
    @Order(1)
    @DisplayName("images come from the registries and with the digests of the values, and etcd's members run where its affinity lets them")
    void imagesAndPlaces() {
        assertThat(release.pods("etcd")).hasSize(3).allSatisfy(pod -> {
            assertThat(Pods.node(pod)).isIn(etcdNodes);
            assertThat(container(pod, "etcd").getImage()).contains("/effects/etcd@sha256:");
        });
        assertThat(release.pods("database")).hasSize(3).allSatisfy(pod -> {
            assertThat(container(pod, "mysql").getImage()).isEqualTo("galera.effects.example/effects/galera:effects");
            assertThat(container(pod, "mysql").getImagePullPolicy()).isEqualTo("Always");
        });
    }

    private static Container container(Pod pod, String name) {
        return pod.getSpec().getContainers().stream().filter(one -> one.getName().equals(name)).findFirst().orElseThrow();
    }

    @Test
    @Order(2)
    @DisplayName("etcd answers neither plain requests nor clients without a certificate, on the clients' and on the members' port")
    void etcdRefuses() {
        for (Pod pod : release.pods("etcd")) {
            for (int port : new int[] {Pods.port(pod, "client"), Pods.port(pod, "peer")}) {
                RawHttp.Answer plain = RawHttp.send(URI.create("http://" + pod.getStatus().getPodIP() + ":" + port), "GET /version HTTP/1.0\r\n\r\n");
                assertThat(plain.status()).as("%s port %d says %s", Pods.name(pod), port, plain.text()).isNotEqualTo(200);
                assertThat(plain.text()).doesNotContain("etcdserver");
            }
            String ask = "curl -s -m 5 --cacert /tls/ca.crt %s https://" + Pods.name(pod) + "." + release.fullname() + "-etcd." + release.namespace() + ".svc.cluster.local:2379/version || echo refused $?";
            assertThat(certificates.inMember(ask.formatted(""))).as("without a certificate").contains("refused").doesNotContain("etcdserver");
            assertThat(certificates.inMember(ask.formatted("--cert /tls/tls.crt --key /tls/tls.key"))).as("with one").contains("etcdserver");
            assertThat(certificates.inMember(ask.replace(":2379", ":2380").formatted("--cert /tls/tls.crt --key /tls/tls.key"))).as("a client of etcd is no member").contains("refused");
        }
    }

    @Test
    @Order(3)
    @DisplayName("the database refuses clients and members that do not encrypt")
    void databaseRefuses() {
        Pod wordpress = release.pods("wordpress").get(0);
        for (Pod pod : release.pods("database")) {
            assertThat(release.askInTheClear(wordpress, pod.getStatus().getPodIP(), "SELECT 'in'")).as("a client of %s without TLS", Pods.name(pod)).contains("insecure transport");
            // A member that speaks plainly is greeted at once; one that encrypts waits for the other's first word, and answers no other.
            String address = pod.getStatus().getPodIP() + ":4567";
            assertThat(certificates.inMember("timeout 3 socat -u TCP:" + address + " STDOUT | wc -c")).as("greeting on %s", address).isEqualTo("0");
            assertThat(certificates.inMember(Certificates.SHOWN, address, "")).contains("serial=");
        }
    }

    @Test
    @Order(3)
    @DisplayName("on the nodes' ports, etcd wants a certificate and the database wants TLS, as the notes say")
    void nodePortsAsk() {
        assertThat(notes).contains("reach etcd; it wants a certificate of the release's authority", "reach the database; it wants a password over TLS");
        String etcd = release.fullname() + "-etcd-client." + release.namespace() + ".svc.cluster.local";
        String ask = "curl -s -m 5 --cacert /tls/ca.crt --resolve %1$s:%2$d:%3$s %%s https://%1$s:%2$d/version || echo refused $?"
            .formatted(etcd, nodePort("etcd"), nodeAddress);
        assertThat(certificates.inMember(ask.formatted(""))).as("without a certificate").contains("refused").doesNotContain("etcdserver");
        assertThat(certificates.inMember(ask.formatted("--cert /tls/tls.crt --key /tls/tls.key"))).as("with one").contains("etcdserver");
        String database = nodeAddress + ":" + nodePort("mysql");
        assertThat(release.askInTheClear(release.pods("wordpress").get(0), database, "SELECT 'in'")).as("without TLS").contains("insecure transport");
        assertThat(certificates.inMember(Certificates.SHOWN, database, "-starttls mysql")).contains("serial=");
    }

    private int nodePort(String tier) {
        return release.kubernetes().services().inNamespace(release.namespace()).withName(release.fullname() + "-" + tier + "-client").require()
            .getSpec().getPorts().get(0).getNodePort();
    }

    @Test
    @Order(4)
    @DisplayName("every certificate is renewed under load; no request fails, and no server is restarted")
    void renewsUnderLoad() {
        Map<String, String> before = certificates.shown();
        Map<String, Integer> restarts = restarts();
        assertThat(before.values()).containsOnly(certificates.serial("etcd"), certificates.serial("mysql"));
        try (var load = Load.anonymous(release, PER_SECOND, List.of("/?s=renewal"))) {
            Instant start = Instant.now();
            renew();
            certificates.awaitOthersThan(before, RENEWAL);
            Duration took = Duration.between(start, Instant.now());
            int count = load.count();
            Await.until("more answers", RENEWAL, () -> assertThat(load.count()).isGreaterThan(count + 20));
            assertThat(load.failed()).isEmpty();
            Figures.record("security/tls-renewal %s took=%ds".formatted(load.figures(), took.toSeconds()));
        }
        assertThat(restarts()).isEqualTo(restarts);
    }

    @Test
    @Order(5)
    @DisplayName("a member comes back with its new certificate, by an encrypted transfer")
    void comesBack() {
        release.kubernetes().pods().inNamespace(release.namespace()).withName(last).delete();
        Await.until("the member is back", REJOIN, () -> {
            release.awaitReady(Duration.ofSeconds(1));
            new Galera(release.members()).assertWhole(3);
        });
        String log = release.kubernetes().pods().inNamespace(release.namespace()).withName(last).inContainer("mysql").getLog();
        assertThat(log).containsPattern("ssl://[0-9.]+:4568").doesNotContain("tcp://10.");
    }

    /** As SECURITY.md says it. */
    private void renew() {
        Stream.of("-etcd-tls", "-mysql-tls").map(release.fullname()::concat).forEach(name -> release.kubernetes().secrets().inNamespace(release.namespace()).withName(name)
            .edit(secret -> new SecretBuilder(secret).editMetadata().addToAnnotations("wordpress-ha.github.io/renew", "now").endMetadata().build()));
        CronJob renewal = release.kubernetes().batch().v1().cronjobs().inNamespace(release.namespace()).withName(release.fullname() + "-tls").get();
        Job job = release.kubernetes().resource(new JobBuilder().withNewMetadata().withName("renew").withNamespace(release.namespace()).endMetadata()
            .withSpec(renewal.getSpec().getJobTemplate().getSpec()).build()).create();
        Await.until("the certificates are renewed", RENEWAL, () -> assertThat(release.kubernetes().resource(job).get().getStatus().getSucceeded()).isEqualTo(1));
    }

    private Map<String, Integer> restarts() {
        return Stream.of("etcd", "database").flatMap(tier -> release.pods(tier).stream()).collect(toMap(Pods::uid, Pods::restarts));
    }
}
