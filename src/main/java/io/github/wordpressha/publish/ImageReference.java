package io.github.wordpressha.publish;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/**
 * The parts of an image reference; parts that it does not have are empty.
 *
 * @param registry such as {@code docker.io}
 * @param repository such as {@code library/mysql}
 * @param tag such as {@code 8.4.11}
 * @param digest such as {@code sha256:...}
 */
public record ImageReference(String registry, String repository, String tag, String digest) {

  /** Reads {@code registry/repository:tag@digest}, with Docker Hub as the registry of those who name none. */
  public static ImageReference parse(String text) {
    String rest = text;
    String digest = "";
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = rest.substring(at + 1);
      rest = rest.substring(0, at);
    }
    String tag = "";
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = rest.substring(colon + 1);
      rest = rest.substring(0, colon);
    }
    int slash = rest.indexOf('/');
    String first = slash < 0 ? "" : rest.substring(0, slash);
    if (first.contains(".") || first.contains(":") || first.equals("localhost")) {
      return new ImageReference(first, rest.substring(slash + 1), tag, digest);
    }
    return new ImageReference("docker.io", slash < 0 ? "library/" + rest : rest, tag, digest);
  }

  /** The image as a package URL, type oci. */
  public String packageUrl() {
    String name = repository.substring(repository.lastIndexOf('/') + 1);
    String version = digest.isEmpty() ? "" : "@" + encode(digest);
    String url = "?repository_url=" + encode(registry + "/" + repository);
    return "pkg:oci/" + name + version + url + (tag.isEmpty() ? "" : "&tag=" + encode(tag));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
