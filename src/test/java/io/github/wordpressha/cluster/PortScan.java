package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
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

/** A scan of every address and port of a release: only the site's own port may answer. */
record PortScan(Release release, Nodes nodes) {

    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final int CONNECT_MILLIS = 3000;
    /** In each tier a container with a shell, which shares the pod's network with the others. */
    private static final Map<String, String> SHELLS = Map.of("etcd", "status", "database", "mysql", "nfs", "nfs", "wordpress", "php");
    private static final int LISTENS = 0x0A;

    /** Values that name the nodes of the cluster: who mounts from the in-chart NFS server. */
    static String namesOf(Nodes nodes) {
        return "networkPolicy: {from: {nodes: [%s]}}".formatted(nodes.names().stream()
            .map(node -> "{ipBlock: {cidr: %s/32}}".formatted(nodes.address(node))).collect(Collectors.joining(", ")));
    }

    /**
     * Scans from a pod of another namespace; fails when it reaches more than the site.
     *
     * @return how many ports were tried
     */
    int fromPod(Pod stranger) {
        Map<String, String> targets = targets();
        assertThat(Strangers.reached(release, stranger, Strangers.CONTAINER, targets)).containsExactlyInAnyOrderElementsOf(ofTheSite(targets));
        return targets.size();
    }

    /** Scans from this machine, pods and the ports of nodes; fails when it reaches more than the site. */
    void fromOutside() {
        assertThat(release.addresses()).allSatisfy(address -> Site.at(address).get("/").expect(200));
        Map<String, String> targets = targets();
        // Addresses of Services mean something inside of the cluster only.
        targets.keySet().removeIf(name -> name.startsWith("service: "));
        release.kubernetes().services().inNamespace(release.namespace()).withLabels(release.labels()).list().getItems().forEach(service -> service.getSpec().getPorts().stream()
            .filter(port -> port.getNodePort() != null)
            .forEach(port -> nodes.names().forEach(node ->
                targets.put("node port of %s on %s".formatted(service.getMetadata().getName(), node), nodes.address(node) + " " + port.getNodePort()))));
        List<String> allowed = Stream.concat(ofTheSite(targets).stream(),
            targets.keySet().stream().filter(name -> name.startsWith("node port of " + release.fullname() + " on "))).toList();
        assertThat(connected(targets)).isSubsetOf(allowed);
    }

    /** The tiers that have a pod with a port. */
    Set<String> tiers() {
        return targets().keySet().stream().map(name -> name.replaceFirst(":.*", "")).filter(tier -> !tier.equals("service")).collect(Collectors.toSet());
    }

    /** Every port on which anything in a pod of the release listens for others, and every port of a Service: "address port" by a name. */
    private Map<String, String> targets() {
        var targets = new TreeMap<String, String>();
        for (Pod pod : release.pods()) {
            String tier = pod.getMetadata().getLabels().get("app.kubernetes.io/component");
            Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), SHELLS.get(tier), COMMAND, "cat", "/proc/net/tcp", "/proc/net/tcp6").lines()
                .map(String::strip).filter(line -> line.matches("\\d+: .*")).map(line -> line.split(" +")).filter(PortScan::listensForOthers)
                .map(columns -> Integer.parseInt(columns[1].split(":")[1], 16)).distinct()
                .forEach(port -> targets.put("%s: %s %d".formatted(tier, Pods.name(pod), port), pod.getStatus().getPodIP() + " " + port));
        }
        release.kubernetes().services().inNamespace(release.namespace()).withLabels(release.labels()).list().getItems().stream()
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

    /** Those of the targets that are the site. */
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
