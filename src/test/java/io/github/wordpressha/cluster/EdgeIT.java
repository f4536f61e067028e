package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.github.wordpressha.cluster.RawHttp.Answer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The profile {@code production} behind Traefik, with certificates of cert-manager: first by its Ingress, then by an HTTPRoute. The servers
 * inside have certificates of a ClusterIssuer.
 */
@Tag("edge")
@Tag("effects")
@Tag("named")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EdgeIT {

    private static final Duration PATIENCE = Duration.ofMinutes(6);
    private static final Duration EDGE = Duration.ofMinutes(1);
    private static final Duration COMMAND = Duration.ofMinutes(1);
    private static final int PER_SECOND = 8;
    private static final String HOST = "www.example.com";
    private static final String SITE = "https://" + HOST;

    /** Small enough for a test cluster. Traefik has an address in the nodes' network. */
    private static final String VALUES = """
        networkPolicy:
          from: {site: [{ipBlock: {cidr: %1$s}}]}
        tls:
          enabled: true
          issuer: {name: edge, kind: ClusterIssuer}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 2
          resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
          content: {storageClass: shared, size: 1Gi}
          trustedProxies: ["%1$s"]
          ingress:
            className: edge
            annotations: {cert-manager.io/issuer: visitors}
        """;
    private static final String TWO_HOSTS = """
        wordpress:
          ingress:
            hosts: [www.example.com, shop.example.com]
            annotations: {traefik.ingress.kubernetes.io/router.entrypoints: websecure}
        """;
    private static final String ROUTE = """
        wordpress:
          ingress: {enabled: false}
          httpRoute:
            enabled: true
            annotations: {edge.example/owner: platform}
            parentRefs: [{name: public}]
        """;
    private static final String ROUTE_OF_TWO_HOSTS = """
        wordpress:
          httpRoute:
            hostnames: [www.example.com, blog.gateway.example]
        """;

    private final Addons addons;
    private final Release release;
    private Visitor visitor;

    EdgeIT(ClusterUnderTest cluster, Release release) {
        this.addons = new Addons(cluster, release.namespace());
        this.release = release.named(Release.LONGEST_NAME).withProfile("production").with(VALUES.formatted(new Nodes(cluster).network()));
    }

    @BeforeAll
    void install() {
        Instant start = Instant.now();
        addons.start();
        visitor = addons.visitor();
        Figures.record("edge/addons ready=" + Gaps.seconds(Duration.between(start, Instant.now())));
        release.installReady();
        Figures.record("edge/install all-ready=" + Gaps.seconds(Duration.between(start, Instant.now())));
    }

    @AfterAll
    void close() {
        addons.close();
    }

    // --- Ingress ------------------------------------------------------------------------------------------------------

    @Test
    @Order(1)
    @DisplayName("an Ingress brings visitors of the site's name to the site, over HTTPS, and no others")
    void ingress() {
        serves(SITE);
        assertThat(visitor.getAs(HOST, "https://shop.example.com/").status()).as("a host that the Ingress does not have").isEqualTo(404);
    }

    @Test
    @Order(2)
    @DisplayName("who comes by http is sent to https once; pages and forms have https links; a login works and its cookies are for https alone")
    void https() {
        speaksHttps();
    }

    @Test
    @Order(3)
    @DisplayName("hosts and annotations of the Ingress take effect: two hosts, one entry point")
    void ingressOfTwoHosts() {
        release.with(TWO_HOSTS).upgrade();
        Await.until("the second host has a certificate and leads to the site", EDGE,
            () -> assertThat(visitor.get("https://shop.example.com/wp-login.php").text()).contains("user_login"));
        Await.until("http is closed", EDGE, () -> assertThat(visitor.get("http://" + HOST + "/").status()).isEqualTo(404));
        serves(SITE);
    }

    // --- HTTPRoute ----------------------------------------------------------------------------------------------------

    @Test
    @Order(4)
    @DisplayName("an HTTPRoute brings visitors of the site's name to the site through its Gateway, and no others")
    void httpRoute() {
        release.with(ROUTE).upgrade();
        // The Ingress had no http.
        Await.until("the Gateway has taken over", EDGE, () -> assertThat(visitor.get("http://" + HOST + "/").status()).isEqualTo(301));
        serves(SITE);
        speaksHttps();
        assertThat(visitor.get("https://blog.gateway.example/").status()).as("a host that the route does not have").isEqualTo(404);
        assertThat(release.kubernetes().network().v1().ingresses().inNamespace(release.namespace()).list().getItems()).isEmpty();
        assertThat(addons.route(release.fullname()).getMetadata().getAnnotations()).containsEntry("edge.example/owner", "platform");
    }

    @Test
    @Order(5)
    @DisplayName("hostnames of the HTTPRoute take effect")
    void httpRouteOfTwoHosts() {
        release.with(ROUTE).with(ROUTE_OF_TWO_HOSTS).upgrade();
        Await.until("the second host leads to the site", EDGE,
            () -> assertThat(visitor.get("https://blog.gateway.example/wp-login.php").text()).contains("user_login"));
        serves(SITE);
    }

    @Test
    @Order(6)
    @DisplayName("no visitor behind the Gateway sees a failed request while all web pods are replaced")
    void podsAreReplaced() {
        Set<String> before = release.pods("wordpress").stream().map(Pods::uid).collect(toSet());
        try (var visits = new Visits(visitor, SITE, PER_SECOND)) {
            release.kubernetes().apps().deployments().inNamespace(release.namespace()).withName(release.fullname()).rolling().restart();
            Await.until("all web pods are new", PATIENCE, () -> {
                release.awaitReady(Duration.ofSeconds(1));
                assertThat(release.pods("wordpress")).hasSize(2).extracting(Pods::uid).doesNotContainAnyElementsOf(before);
            });
            visits.close();
            Figures.record("edge/replaced requests=%d failed=%d".formatted(visits.count(), visits.failed().size()));
            assertThat(visits.count()).isGreaterThan(PER_SECOND * 10);
            assertThat(visits.failed()).isEmpty();
        }
    }

    private void serves(String site) {
        Await.until(site + " shows the front page", EDGE, () -> {
            Answer page = visitor.get(site + "/");
            assertThat(page.status()).isEqualTo(200);
            assertThat(page.text()).contains("</html>");
        });
    }

    private void speaksHttps() {
        Answer plain = visitor.get("http://" + HOST + "/wp-login.php");
        assertThat(plain.status()).isEqualTo(301);
        assertThat(plain.header("Location")).isEqualTo(SITE + "/wp-login.php");
        Answer form = visitor.get(SITE + "/wp-login.php");
        assertThat(form.status()).isEqualTo(200);
        assertThat(form.text()).contains("action=\"" + SITE + "/wp-login.php\"").doesNotContain("http://" + HOST);

        Answer login = visitor.post(SITE + "/wp-login.php", Map.of("log", "admin", "pwd", release.secret(release.fullname() + "-wordpress", "admin-password"),
            "testcookie", "1"), Session.TEST_COOKIE);
        assertThat(login.status()).isEqualTo(302);
        assertThat(login.header("Location")).isEqualTo(SITE + "/wp-admin/");
        assertThat(login.text().lines().filter(line -> line.toLowerCase().startsWith("set-cookie: wordpress_sec_"))).isNotEmpty()
            .allMatch(line -> line.toLowerCase().contains("; secure"));
    }

    // --- tls.issuer ---------------------------------------------------------------------------------------------------

    @Test
    @Order(7)
    @DisplayName("etcd and the database show certificates of the ClusterIssuer")
    void certificatesOfTheIssuer() {
        Await.until("every server shows a certificate of the issuer", EDGE, () -> assertThat(shown()).hasSize(9)
            .allSatisfy(said -> assertThat(said).contains("Verify return code: 0 (ok)").containsPattern("issuer=CN ?= ?authority")));
    }

    /** What openssl, which trusts the issuer's authority alone, says of every server. The policies let a member ask itself alone on port 3306. */
    private List<String> shown() {
        Stream<Supplier<String>> etcd = release.pods("etcd").stream()
            .map(pod -> () -> shown(release.pods("database").get(0), pod.getStatus().getPodIP() + ":2379"));
        Stream<Supplier<String>> database = release.pods("database").stream()
            .flatMap(pod -> Stream.of("localhost:3306 -starttls mysql", "localhost:4567").map(server -> () -> shown(pod, server)));
        return Stream.concat(etcd, database).parallel().map(Supplier::get).toList();
    }

    private String shown(Pod member, String server) {
        return on(member, "timeout 5 openssl s_client -connect " + server + " -CAfile <(echo \"$1\") -cert /tls/tls.crt -key /tls/tls.key </dev/null 2>&1 || true", addons.authority());
    }

    @Test
    @Order(8)
    @DisplayName("etcd answers no client without such a certificate, and the database none that does not encrypt")
    void strangersAreRefused() {
        Pod member = release.pods("database").get(0);
        String ask = "curl -sS -m 5 --cacert /tls/ca.crt %s https://" + release.fullname() + "-etcd-client." + release.namespace() + ".svc:2379/version 2>&1 || true";
        assertThat(on(member, ask.formatted(""))).as("without a certificate").contains("certificate required").doesNotContain("etcdserver");
        assertThat(on(member, ask.formatted("--cert /tls/tls.crt --key /tls/tls.key"))).as("with one").contains("etcdserver");
        Pod wordpress = release.pods("wordpress").get(0);
        assertThat(release.pods("database")).allSatisfy(pod ->
            assertThat(release.askInTheClear(wordpress, pod.getStatus().getPodIP(), "SELECT 'in'")).contains("insecure transport"));
    }

    private String on(Pod member, String script, String... arguments) {
        String[] command = Stream.concat(Stream.of("bash", "-c", script, "ask"), Stream.of(arguments)).toArray(String[]::new);
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(member), "mysql", COMMAND, command);
    }
}
