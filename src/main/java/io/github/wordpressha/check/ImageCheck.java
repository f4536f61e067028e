package io.github.wordpressha.check;

import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Images that are not what they were yesterday, or that cannot be pulled at all. */
public final class ImageCheck implements Check {

  private static final Pattern REFERENCE = Pattern.compile(
      "(?<registry>[a-zA-Z0-9.-]+(:\\d+)?/)?(?<repository>[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*)"
          + "(:(?<tag>[\\w][\\w.-]{0,127}))?(@(?<digest>sha256:[0-9a-f]{64}))?");

  @Override
  public String rule() {
    return "image";
  }

  @Override
  public String description() {
    return "Every image is a well-formed reference with its registry and a fixed tag or a digest.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      for (Workload.Placed placed : workload.containers()) {
        check(workload, placed, problems);
      }
    }
    return problems;
  }

  private void check(Workload workload, Workload.Placed placed, List<Problem> problems) {
    String path = placed.path() + ".image";
    String image = placed.container().getImage();
    if (image == null || image.isEmpty()) {
      problems.add(Problem.error(rule(), workload.manifest(), path, "container \"" + placed.container().getName() + "\" has no image.", ""));
      return;
    }
    var match = REFERENCE.matcher(image);
    if (!match.matches()) {
      problems.add(Problem.error(rule(), workload.manifest(), path, "\"" + image + "\" is no image reference.",
          "Write registry/repository:tag or registry/repository@sha256:..."));
    } else if (match.group("digest") == null && (match.group("tag") == null || match.group("tag").equals("latest"))) {
      problems.add(Problem.warning(rule(), workload.manifest(), path, "\"" + image + "\" may be another image tomorrow.", "Fix a version or a digest."));
    } else if (match.group("registry") == null || !match.group("registry").matches(".*[.:].*|localhost/")) {
      problems.add(Problem.warning(rule(), workload.manifest(), path, "\"" + image + "\" leaves the registry to each node.", "Write the registry, too."));
    }
  }
}
