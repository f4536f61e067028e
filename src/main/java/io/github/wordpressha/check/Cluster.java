package io.github.wordpressha.check;

/**
 * The cluster that a release is meant for.
 *
 * @param nodes worker nodes that may run its pods
 * @param zones failure zones that these nodes are spread over, evenly
 * @param kubeMinor 33 for Kubernetes 1.33
 */
public record Cluster(int nodes, int zones, int kubeMinor) {

  public Cluster {
    if (nodes < 1 || zones < 1 || zones > nodes) {
      throw new IllegalArgumentException(
          "a cluster has at least one node and one zone, and no more zones than nodes: nodes " + nodes + ", zones " + zones);
    }
  }

  /** Three nodes in one zone. */
  public static Cluster ofThree(int kubeMinor) {
    return new Cluster(3, 1, kubeMinor);
  }
}
