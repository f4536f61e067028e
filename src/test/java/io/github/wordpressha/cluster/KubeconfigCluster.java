package io.github.wordpressha.cluster;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.net.URI;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/** The cluster of a kubeconfig file. This machine reaches its nodes and its pods. */
record KubeconfigCluster(Path kubeconfig, KubernetesClient client) implements ClusterUnderTest {

    KubeconfigCluster(Path kubeconfig) {
        this(kubeconfig, new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(kubeconfig.toFile())).build());
    }

    @Override
    public List<URI> addressesOf(String namespace, String service) {
        int port = client.services().inNamespace(namespace).withName(service).require()
            .getSpec().getPorts().get(0).getNodePort();
        return client.nodes().list().getItems().stream()
            .sorted(Comparator.comparing(node -> node.getMetadata().getName()))
            .map(node -> http(internalAddress(node), port))
            .toList();
    }

    @Override
    public URI addressOf(Pod pod, int port) {
        return http(pod.getStatus().getPodIP(), port);
    }

    @Override
    public void close() {
        client.close();
    }

    private static String internalAddress(Node node) {
        return node.getStatus().getAddresses().stream()
            .filter(address -> address.getType().equals("InternalIP"))
            .map(NodeAddress::getAddress)
            .findFirst().orElseThrow();
    }

    private static URI http(String host, int port) {
        return URI.create("http://" + host + ":" + port);
    }
}
