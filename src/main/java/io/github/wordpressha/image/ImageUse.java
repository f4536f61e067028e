package io.github.wordpressha.image;

import java.util.List;
import java.util.Map;
import java.util.SortedSet;

/**
 * A container of the chart, as far as its image matters.
 *
 * @param container its name in its workload
 * @param user user and group, as {@code docker run --user} takes them
 * @param readOnly whether its root file system is
 * @param environment the variables with a literal value
 * @param mounts sorted, so that a directory comes before what is mounted in it
 */
public record ImageUse(
    String image, String container, String user, boolean readOnly, Map<String, String> environment, List<Mount> mounts, SortedSet<Fact> facts) {

  /** What kind of thing is mounted. */
  public enum Source { FILES, SECRET, DIRECTORY }

  /**
   * @param path where it is mounted
   * @param files name and content; only of {@link Source#FILES}. The name "" stands for a single file, mounted as {@code path}.
   */
  public record Mount(String path, Source source, Map<String, String> files) {

    /** The files under the paths that the container sees. */
    Map<String, String> paths() {
      var paths = new java.util.TreeMap<String, String>();
      files.forEach((name, content) -> paths.put(name.isEmpty() ? path : path + "/" + name, content));
      return paths;
    }
  }

  /** The image without registry and tag: {@code library/nginx}. */
  public String repository() {
    String path = image.replaceFirst("@.*", "").replaceFirst(":[^/:]*$", "");
    return path.substring(path.indexOf('/') + 1);
  }
}
