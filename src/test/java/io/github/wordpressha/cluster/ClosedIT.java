package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.List;
import java.util.Map;
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

    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final Duration POLICIES = Duration.ofMinutes(1);
    private static final String ELSEWHERE = "test-closed-elsewhere";
    private static final int FEWEST_REQUESTS = 30;
    private static final int FILE_REQUESTS = 5;
    private static final String VALUES = """
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        nfs: {storage: {size: 2Gi}}
        wordpress: {content: {size: 1Gi}, resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}}
        """;

    private final ClusterUnderTest cluster;
    private final Nodes nodes;
    private final Release release;
    private final PortScan scan;
    private final HostileRequests hostile;
    private Pod stranger;
    private Pod strangerWithFiles;
    private String enforcement;

    ClosedIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.nodes = new Nodes(cluster);
        this.release = release.with(VALUES).with(PortScan.namesOf(nodes));
        this.scan = new PortScan(this.release, nodes);
        this.hostile = new HostileRequests(this.release, "galera");
    }

    @BeforeAll
    void install() {
        String notes = release.installReady();
        assertThat(notes).doesNotContain("WHAT IS OPEN");
        enforcement = notes.lines().filter(line -> line.contains("/dev/tcp/")).findFirst().orElseThrow().strip();
        stranger = Strangers.start(release, ELSEWHERE, "stranger", release.pods("wordpress").get(0).getMetadata().getLabels());
        strangerWithFiles = Strangers.startWithPhp(release, ELSEWHERE, "stranger-with-files", Map.of());
    }

    @AfterAll
    void removeStranger() {
        cluster.client().namespaces().withName(ELSEWHERE).delete();
    }

    @Test
    @Order(1)
    @DisplayName("a pod of another namespace, with the labels of a WordPress pod, reaches the site's port and no other of any pod and Service")
    void anotherNamespace() {
        assertThat(scan.tiers()).containsExactlyInAnyOrder("etcd", "database", "nfs", "wordpress");
        int ports = scan.fromPod(stranger);
        assertThat(runs(enforcement)).as("what the command in the notes prints where policies are enforced").isNotEqualTo("0");
        Figures.record("closed/another-namespace ports=" + ports);
    }

    @Test
    @Order(1)
    @DisplayName("from outside, nodes lead to the site only, and no pod's port answers but the site's")
    void outside() {
        scan.fromOutside();
    }

    @Test
    @Order(1)
    @DisplayName("a pod of another namespace with an NFS client of its own neither lists nor mounts nor reads nor writes")
    void filesAreClosed() {
        assertThat(asksForFiles()).hasSize(FILE_REQUESTS).allMatch(answer -> answer.startsWith("refused "));
    }

    @Test
    @Order(1)
    @DisplayName("the command in SECURITY.md prints the nodes that mount from the NFS server")
    void clientsAreListed() {
        var manual = new Manual(release, "SECURITY.md");
        List<String> clients = manual.run(manual.commandsBelow("is 10.0.0.11):").get(0)).lines().toList();
        List<String> addresses = nodes.names().stream().map(nodes::address).map(ClosedIT::hexadecimal).toList();
        assertThat(clients).anyMatch(client -> addresses.stream().anyMatch(client::endsWith));
    }

    /** As Linux writes an address into /proc/net/tcp. */
    private static String hexadecimal(String address) {
        return Stream.of(address.split("\\.")).map(number -> "%02X".formatted(Integer.parseInt(number))).reduce("", (last, first) -> first + last);
    }

    @Test
    @Order(2)
    @DisplayName("where no policies are enforced, hostile requests to each port are refused, and change nothing")
    void withoutPolicies() {
        String network = "etcd: " + address("etcd");
        release.with("networkPolicy: {enabled: false}").upgrade();
        Await.until("the policies are gone", POLICIES, () ->
            assertThat(Strangers.reached(release, stranger, Strangers.CONTAINER, Map.of(network, address("etcd") + " 2379"))).containsExactly(network));
        Await.until("the command in the notes tells that no policies are enforced", POLICIES, () -> assertThat(runs(enforcement)).isEqualTo("0"));
        Map<String, String> before = hostile.state();
        List<String> answers = hostile.from(stranger);
        assertThat(answers).hasSizeGreaterThan(FEWEST_REQUESTS).allMatch(answer -> answer.startsWith("refused "));
        assertThat(hostile.state()).isEqualTo(before);
        release.site().get("/?s=still-there").expect(200);
        assertThat(asksForFiles()).as("NFS has no passwords, so these requests are good; SECURITY.md says so").allMatch(answer -> answer.startsWith("ACCEPTED "));
        Figures.record("closed/hostile requests=%d".formatted(answers.size()));
    }

    @Test
    @Order(3)
    @DisplayName("the same questions succeed with a member's certificate, so it is the certificate that is asked for")
    void membersAreLetIn() {
        assertThat(hostile.fromMember()).hasSize(3).allMatch(answer -> answer.startsWith("ACCEPTED "));
    }

    /** What the pod with an NFS client is told by the server that holds the site's content. */
    private List<String> asksForFiles() {
        var claim = cluster.client().persistentVolumeClaims().inNamespace(release.namespace()).withName(release.fullname() + "-content").require();
        String export = cluster.client().persistentVolumes().withName(claim.getSpec().getVolumeName()).require().getSpec().getNfs().getPath();
        String script = HostileRequests.read("nfs.php");
        return Pods.exec(release.kubernetes(), ELSEWHERE, Pods.name(strangerWithFiles), Strangers.CONTAINER, COMMAND,
            "php", "-r", script.replaceFirst("^<\\?php", ""), address("nfs"), export).lines().toList();
    }

    /** The last line that a command prints. */
    private String runs(String command) {
        return new Manual(release, "SECURITY.md").run(command).strip().replaceFirst("(?s).*\n", "");
    }

    private String address(String tier) {
        return release.pods(tier).get(0).getStatus().getPodIP();
    }
}
