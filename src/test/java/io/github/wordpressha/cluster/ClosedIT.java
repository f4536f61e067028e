package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
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
 * The default install with the nodes' addresses named: only the site's own port answers a stranger, inside the cluster and outside. And
 * where the network enforces no policies, each port asks for a certificate or a password.
 */
@Tag("closed")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ClosedIT {

    private static final Duration TO_ALL_READY = Duration.ofMinutes(5);
    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final Duration POLICIES = Duration.ofMinutes(1);
    private static final int CONNECT_MILLIS = 3000;
    private static final String ELSEWHERE = "test-closed-elsewhere";
    /** In each tier a container with a shell, which shares the pod's network with the others. */
    private static final Map<String, String> SHELLS = Map.of("etcd", "status", "database", "mysql", "nfs", "nfs", "wordpress", "php");
    private static final int LISTENS = 0x0A;
    private static final int FEWEST_REQUESTS = 30;
    private static final String VALUES = """
        networkPolicy: {from: {nodes: [%s]}}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        nfs: {storage: {size: 2Gi}}
        wordpress: {content: {size: 1Gi}, resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}}
        """;

    private final ClusterUnderTest cluster;
    private final Nodes nodes;
    private final Release release;
    private Pod stranger;
    private String enforcement;

    ClosedIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.nodes = new Nodes(cluster);
        this.release = release.with(VALUES.formatted(nodes.names().stream()
            .map(node -> "{ipBlock: {cidr: %s/32}}".formatted(nodes.address(node))).collect(joining(", "))));
    }

    @BeforeAll
    void install() {
        String notes = release.install();
        assertThat(notes).doesNotContain("WHAT IS OPEN");
        enforcement = notes.lines().filter(line -> line.contains("/dev/tcp/")).findFirst().orElseThrow().strip();
        release.awaitReady(TO_ALL_READY);
        stranger = Strangers.start(release, ELSEWHERE, "stranger", release.pods("wordpress").get(0).getMetadata().getLabels());
    }

    @AfterAll
    void removeStranger() {
        cluster.client().namespaces().withName(ELSEWHERE).delete();
    }

    @Test
    @Order(1)
    @DisplayName("a pod of another namespace, with the labels of a WordPress pod, reaches the site's port and no other of any pod and Service")
    void anotherNamespace() {
        Map<String, String> targets = targets();
        assertThat(targets.keySet()).anyMatch(name -> name.startsWith("etcd")).anyMatch(name -> name.startsWith("database")).anyMatch(name -> name.startsWith("nfs"));
        assertThat(Strangers.reached(release, stranger, Strangers.CONTAINER, targets)).containsExactlyInAnyOrderElementsOf(ofTheSite(targets));
        assertThat(runs(enforcement)).as("what the command in the notes prints where policies are enforced").isNotEqualTo("0");
        Figures.record("closed/another-namespace ports=%d reached=%d".formatted(targets.size(), ofTheSite(targets).size()));
    }

    @Test
    @Order(1)
    @DisplayName("from outside, nodes lead to the site only, and no pod's port answers but the site's")
    void outside() {
        assertThat(release.addresses()).allSatisfy(address -> Site.at(address).get("/").expect(200));
        Map<String, String> targets = targets();
        // Addresses of Services mean something inside of the cluster only.
        targets.keySet().removeIf(name -> name.startsWith("service: "));
        cluster.client().services().inNamespace(release.namespace()).list().getItems().forEach(service -> service.getSpec().getPorts().stream()
            .filter(port -> port.getNodePort() != null)
            .forEach(port -> nodes.names().forEach(node ->
                targets.put("node port of %s on %s".formatted(service.getMetadata().getName(), node), nodes.address(node) + " " + port.getNodePort()))));
        List<String> allowed = Stream.concat(ofTheSite(targets).stream(),
            targets.keySet().stream().filter(name -> name.startsWith("node port of " + release.fullname() + " on "))).toList();
        assertThat(connected(targets)).isSubsetOf(allowed);
    }

    @Test
    @Order(2)
    @DisplayName("where no policies are enforced, hostile requests to each port are refused, and change nothing")
    void withoutPolicies() throws IOException {
        String network = "etcd: " + address("etcd");
        release.with("networkPolicy: {enabled: false}").upgrade();
        Await.until("the policies are gone", POLICIES, () ->
            assertThat(Strangers.reached(release, stranger, Strangers.CONTAINER, Map.of(network, address("etcd") + " 2379"))).containsExactly(network));
        Await.until("the command in the notes tells that no policies are enforced", POLICIES, () -> assertThat(runs(enforcement)).isEqualTo("0"));
        Map<String, String> before = state();
        List<String> answers = hostile(ELSEWHERE, Pods.name(stranger), Strangers.CONTAINER, "");
        assertThat(answers).hasSizeGreaterThan(FEWEST_REQUESTS).allMatch(answer -> answer.startsWith("refused "));
        assertThat(state()).isEqualTo(before);
        release.site().get("/?s=still-there").expect(200);
        Figures.record("closed/hostile requests=%d".formatted(answers.size()));
    }

    @Test
    @Order(3)
    @DisplayName("the same questions succeed with a member's certificate, so it is the certificate that is asked for")
    void membersAreLetIn() throws IOException {
        List<String> answers = hostile(release.namespace(), release.members().names().get(0), "mysql", "CERTIFICATE=/tls/tls.crt KEY=/tls/tls.key");
        assertThat(answers).hasSize(3).allMatch(answer -> answer.startsWith("ACCEPTED "));
    }

    /** The last line that a command prints. */
    private String runs(String command) {
        return new Manual(release, "SECURITY.md").run(command).strip().replaceFirst("(?s).*\n", "");
    }

    private List<String> hostile(String namespace, String pod, String container, String variables) throws IOException {
        String script = Files.readString(Path.of("src/test/resources/cluster/closed/hostile.sh"));
        String secret = release.fullname() + "-database";
        return Pods.exec(release.kubernetes(), namespace, pod, container, COMMAND, "bash", "-c", "env " + variables + " bash -c \"$0\" \"$@\"", script, "hostile",
            address("etcd"), address("database"), release.secret(secret, "password"), release.secret(secret, "root-password"), release.secret(secret, "monitor-password"))
            .lines().toList();
    }

    private String address(String tier) {
        return release.pods(tier).get(0).getStatus().getPodIP();
    }

    /** What must not change: etcd's lasting keys and members, the database's members and accounts, and the pods. */
    private Map<String, String> state() {
        String member = release.members().names().get(0);
        String ask = "curl -sf --cacert /tls/ca.crt --cert /tls/tls.crt --key /tls/tls.key https://%s-etcd-client.%s.svc.cluster.local:2379/v3/%%s -d '%%s' | jq -c '%%s'"
            .formatted(release.fullname(), release.namespace());
        return Map.of(
            "keys", shell(member, ask.formatted("kv/range", "{\"key\": \"AA==\", \"range_end\": \"AA==\"}", "[.kvs[] | select(.lease == null) | [.key, .value]]")),
            "members of etcd", shell(member, ask.formatted("cluster/member/list", "{}", "[.members[].ID] | sort")),
            "alarms of etcd", shell(member, ask.formatted("maintenance/alarm", "{}", ".alarms")),
            "members", release.members().query(member, "SHOW STATUS LIKE 'wsrep_cluster_size'").toString(),
            "accounts", release.members().query(member, "SELECT user, host FROM mysql.user ORDER BY 1, 2").toString(),
            "pods", release.pods().stream().map(pod -> Pods.uid(pod) + " " + Pods.restarts(pod)).toList().toString());
    }

    private String shell(String pod, String script) {
        return Pods.exec(release.kubernetes(), release.namespace(), pod, "mysql", COMMAND, "bash", "-o", "pipefail", "-c", script);
    }

    /** Every port on which anything in a pod of the release listens for others, and every port of a Service: "address port" by a name. */
    private Map<String, String> targets() {
        var targets = new TreeMap<String, String>();
        for (Pod pod : release.pods()) {
            String tier = pod.getMetadata().getLabels().get("app.kubernetes.io/component");
            Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), SHELLS.get(tier), COMMAND, "cat", "/proc/net/tcp", "/proc/net/tcp6").lines()
                .map(String::strip).filter(line -> line.matches("\\d+: .*")).map(line -> line.split(" +")).filter(ClosedIT::listensForOthers)
                .map(columns -> Integer.parseInt(columns[1].split(":")[1], 16)).distinct()
                .forEach(port -> targets.put("%s: %s %d".formatted(tier, Pods.name(pod), port), pod.getStatus().getPodIP() + " " + port));
        }
        cluster.client().services().inNamespace(release.namespace()).list().getItems().stream()
            .filter(service -> service.getSpec().getClusterIP() != null && !service.getSpec().getClusterIP().equals("None"))
            .forEach(service -> service.getSpec().getPorts().stream().filter(port -> !"UDP".equals(port.getProtocol())).forEach(port ->
                targets.put("service: %s %d".formatted(service.getMetadata().getName(), port.getPort()), service.getSpec().getClusterIP() + " " + port.getPort())));
        return targets;
    }

    /** A line of /proc/net/tcp: a listener whose address is not of the loopback device. */
    private static boolean listensForOthers(String[] columns) {
        String address = columns[1].split(":")[0];
        boolean loopback = address.length() == 8 ? address.endsWith("7F") : address.equals("0".repeat(24) + "01000000") || address.matches("0{16}FFFF0000.*7F");
        return Integer.parseInt(columns[3], 16) == LISTENS && !loopback;
    }

    private List<String> ofTheSite(Map<String, String> targets) {
        return targets.keySet().stream().filter(name -> name.matches("wordpress: .* 8080") || name.startsWith("service: " + release.fullname() + " ")).toList();
    }

    /** Which of the targets this machine connects to. */
    private static Set<String> connected(Map<String, String> targets) {
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            List<CompletableFuture<String>> tries = targets.entrySet().stream()
                .map(target -> CompletableFuture.supplyAsync(() -> connects(target.getValue()) ? target.getKey() : "", threads)).toList();
            return tries.stream().map(CompletableFuture::join).filter(name -> !name.isEmpty()).collect(Collectors.toSet());
        } finally {
            threads.shutdown();
        }
    }

    private static boolean connects(String target) {
        String[] parts = target.split(" ");
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(parts[0], Integer.parseInt(parts[1])), CONNECT_MILLIS);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
