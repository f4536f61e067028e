package io.github.wordpressha.cluster;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/** A Kubernetes cluster that tests install the chart on, and the ways into it. */
interface ClusterUnderTest extends AutoCloseable {

    KubernetesClient client();

    /** The kubeconfig file that helm is given. */
    Path kubeconfig();

    /** Where a NodePort Service's first port is reached: one address a node, in the order of the nodes' names. */
    List<URI> addressesOf(String namespace, String service);

    /** Where a port of one pod is reached. */
    URI addressOf(Pod pod, int port);

    /** The number of nodes. */
    default int size() {
        return client().nodes().list().getItems().size();
    }

    @Override
    void close();
}
