package io.github.wordpressha.helm;

/**
 * What Helm knows about an installation apart from its values.
 *
 * @param name the release's name
 * @param namespace the namespace that it is installed into
 * @param kubeVersion the cluster's Kubernetes version, such as {@code 1.33.0}
 */
public record Release(String name, String namespace, String kubeVersion) {

  /** The version that is assumed where nobody says otherwise: the newest that we have an API description of. */
  public static final String DEFAULT_KUBE_VERSION = "1.34.0";

  public Release {
    if (kubeVersion.chars().filter(c -> c == '.').count() == 1) {
      kubeVersion += ".0";
    }
  }

  /** The release that the README installs: {@code helm install wordpress-ha}. */
  public static Release standard() {
    return new Release("wordpress-ha", "default", DEFAULT_KUBE_VERSION);
  }

  public Release withKubeVersion(String version) {
    return new Release(name, namespace, version);
  }

  public Release withName(String newName) {
    return new Release(newName, namespace, kubeVersion);
  }

  /** Minor version of the cluster, 33 for {@code 1.33.2}. */
  public int kubeMinor() {
    return Integer.parseInt(kubeVersion.replaceFirst("^v", "").split("\\.")[1]);
  }
}
