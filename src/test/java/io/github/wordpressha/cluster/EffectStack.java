package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A site on a primary without replicas, behind policies, with an autoscaler; its objects have other names than the release ({@code effects/stack.yaml}). */
final class EffectStack {

    static final String FULLNAME = "stack";
    private static final String NAME = "site-of-effects";
    private static final Path FILES = Path.of("src/test/resources/cluster/effects");
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final Duration COMMAND = Duration.ofSeconds(30);
    private static final String AFFINITY = """
        {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [%s]}]}]}}}""";

    private final ClusterUnderTest cluster;
    private final Release release;
    private final String node;

    EffectStack(ClusterUnderTest cluster, Release beside) {
        this.cluster = cluster;
        this.node = new Nodes(cluster).names().get(2);
        ImageCopy.ofTier("tools", "effects/tools");
        caller(beside, "allowed", "visitor");
        caller(beside, "caller", "stranger");
        Await.until("the callers run", PATIENCE, () -> assertThat(List.of("allowed", "caller")).allMatch(name ->
            cluster.client().pods().inNamespace(beside.namespace()).withName(name).isReady()));
        certificates(beside);
        this.release = beside.named(NAME).with(values(beside.pod("allowed").getStatus().getPodIP()));
    }

    private String values(String allowed) {
        return read("stack.yaml")
            .replace("AFFINITY", AFFINITY.formatted(node).strip())
            .replace("NODES", new Nodes(cluster).network())
            .replace("NODE", node)
            .replace("ALLOWED", allowed)
            .replace("TOOLS_DIGEST", ImageCopy.ofTier("tools", "effects/tools"))
            .replace("MYSQL_DIGEST", ImageCopy.ofTier("database/mysql", "effects/mysql"))
            .replace("WORDPRESS_DIGEST", ImageCopy.ofTier("wordpress", "effects/wordpress"))
            .replace("HAPROXY_DIGEST", ImageCopy.ofTier("router", "effects/haproxy"));
    }

    /** A pod that tries connections, and listens on port 8001 itself. */
    private static void caller(Release beside, String name, String label) {
        beside.kubernetes().resource(new PodBuilder().withNewMetadata().withName(name).withNamespace(beside.namespace()).withLabels(Map.of("effects", label)).endMetadata()
            .withNewSpec().withTerminationGracePeriodSeconds(0L)
            .addNewContainer().withName("tools")
            .withImage("docker.io/effects/tools:" + ImageCopy.TAG)
            .withCommand("socat", "TCP-LISTEN:8001,fork,reuseaddr", "EXEC:true").endContainer()
            .endSpec().build()).create();
    }

    /** Secrets as a team makes them that has an authority of its own. */
    private static void certificates(Release beside) {
        String make = read("certificates.sh");
        in(beside, "bash", "-c", make, "certificates.sh", beside.namespace() + ".svc.cluster.local");
        Pods.exec(beside.kubernetes(), beside.namespace(), "caller", "tools", COMMAND, "bash", "-c", "cat >/tmp/ca.crt <<<\"$0\"", in(beside, "cat", "/tmp/ca.crt"));
        for (String tier : List.of("etcd", "mysql")) {
            beside.kubernetes().resource(new SecretBuilder().withNewMetadata().withName("own-" + tier).withNamespace(beside.namespace()).endMetadata()
                .withStringData(Map.of("ca.crt", in(beside, "cat", "/tmp/ca.crt"), "tls.crt", in(beside, "cat", "/tmp/" + tier + ".crt"),
                    "tls.key", in(beside, "cat", "/tmp/" + tier + ".key"))).build()).create();
        }
    }

    private static String in(Release beside, String... command) {
        return Pods.exec(beside.kubernetes(), beside.namespace(), "allowed", "tools", COMMAND, command);
    }

    private static String read(String file) {
        try {
            return Files.readString(FILES.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void install() {
        ImageCopy.ofTier("etcd", "effects/etcd");
        ImageCopy.ofTier("database/replication/xtrabackup", "effects/xtrabackup");
        ImageCopy.ofTier("wordpress/nginx", "effects/nginx");
        release.installReady();
    }

    Release release() {
        return release;
    }

    ClusterUnderTest cluster() {
        return cluster;
    }

    String node() {
        return node;
    }

    /** A node's address in the cluster's network. */
    String address(String name) {
        return new Nodes(cluster).address(name);
    }

    Pod pod(String component) {
        return release.pods(component).get(0);
    }

    /** The site as one of its pods serves it. */
    Site site() {
        Pod pod = pod("wordpress");
        return Site.at(cluster.addressOf(pod, Pods.port(pod, "http")));
    }

    String shell(Pod pod, String container, String script) {
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), container, COMMAND, "sh", "-c", script).strip();
    }

    /** Gives the caller another label; policies go by it. */
    void callAs(String label) {
        release.kubernetes().pods().inNamespace(release.namespace()).withName("caller")
            .edit(pod -> new PodBuilder(pod).editMetadata().addToLabels("effects", label).endMetadata().build());
    }

    /** What a command says in the caller. */
    String call(String script) {
        return Pods.exec(release.kubernetes(), release.namespace(), "caller", "tools", COMMAND, "bash", "-c", script).strip();
    }

    /** Whether a connection comes about. What is forbidden is dropped. */
    boolean reaches(String pod, String container, String address, int port) {
        return Pods.exec(release.kubernetes(), release.namespace(), pod, container, COMMAND,
            "bash", "-c", "timeout 2 bash -c 'exec 3<>/dev/tcp/%s/%d' 2>/dev/null && echo yes || echo no".formatted(address, port)).strip().equals("yes");
    }

    String callerAddress() {
        return release.pod("caller").getStatus().getPodIP();
    }
}
