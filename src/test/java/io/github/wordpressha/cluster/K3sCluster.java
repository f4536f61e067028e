package io.github.wordpressha.cluster;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.LocalPortForward;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.k3s.K3sContainer;
import org.testcontainers.utility.DockerImageName;

/**
 * One node of k3s in Docker. The container's network is not reached from everywhere that Docker runs, so ports are
 * forwarded through the API server. {@code K3S_IMAGE} names another image; {@code REGISTRY} (host:port, plain HTTP) is a mirror that has all images.
 */
final class K3sCluster implements ClusterUnderTest {

    private static final String IMAGE = "rancher/k3s:v1.34.1-k3s1";

    private final K3sContainer container;
    private final Path kubeconfig;
    private final KubernetesClient client;
    private final Deque<LocalPortForward> forwards = new ArrayDeque<>();

    K3sCluster() {
        container = new K3sContainer(DockerImageName
            .parse(Optional.ofNullable(System.getenv("K3S_IMAGE")).orElse(IMAGE))
            .asCompatibleSubstituteFor("rancher/k3s"));
        Optional.ofNullable(System.getenv("REGISTRY")).ifPresent(registry -> container.withCopyToContainer(
            Transferable.of("""
                mirrors:
                  "*":
                    endpoint:
                      - "http://%s"
                """.formatted(registry)),
            "/etc/rancher/k3s/registries.yaml"));
        container.start();
        try {
            kubeconfig = Files.writeString(Files.createTempFile("k3s", ".kubeconfig"), container.getKubeConfigYaml());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        client = new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(kubeconfig.toFile())).build();
    }

    @Override
    public KubernetesClient client() {
        return client;
    }

    @Override
    public Path kubeconfig() {
        return kubeconfig;
    }

    @Override
    public List<URI> addressesOf(String namespace, String name) {
        Service service = client.services().inNamespace(namespace).withName(name).require();
        Pod pod = client.pods().inNamespace(namespace).withLabels(service.getSpec().getSelector()).list().getItems().stream()
            .filter(Readiness::isPodReady)
            .findFirst()
            .orElseThrow(() -> new IllegalStateException("Service " + name + " has no ready pod"));
        return List.of(addressOf(pod, targetPort(service, pod)));
    }

    @Override
    public URI addressOf(Pod pod, int port) {
        LocalPortForward forward = client.pods().resource(pod).portForward(port);
        forwards.push(forward);
        return URI.create("http://127.0.0.1:" + forward.getLocalPort());
    }

    @Override
    public void close() {
        forwards.forEach(K3sCluster::closeQuietly);
        client.close();
        container.stop();
        try {
            Files.delete(kubeconfig);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int targetPort(Service service, Pod pod) {
        IntOrString target = service.getSpec().getPorts().get(0).getTargetPort();
        return target.getIntVal() != null ? target.getIntVal() : Pods.port(pod, target.getStrVal());
    }

    private static void closeQuietly(LocalPortForward forward) {
        try {
            forward.close();
        } catch (IOException e) {
            // Its pod is gone: so is the connection.
        }
    }
}
