package io.github.wordpressha.check;

import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The labels by which people find things: an object, its pods and its claims say the same of what they belong to. */
public final class LabelCheck implements Check {

  private static final List<String> BELONGS_TO = List.of("app.kubernetes.io/name", "app.kubernetes.io/instance", "app.kubernetes.io/component");

  @Override
  public String rule() {
    return "label";
  }

  @Override
  public String description() {
    return "Name, instance and component are the same on an object, its pods and its claims.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      BELONGS_TO.forEach(key -> workload.manifest().label(key).ifPresent(value ->
          same(workload, "spec.template.metadata.labels", "its pods", key, workload.labels(), value, problems)));
      workload.claims().forEach(claim -> {
        Map<String, String> labels = claim.getMetadata() == null || claim.getMetadata().getLabels() == null ? Map.of() : claim.getMetadata().getLabels();
        BELONGS_TO.stream().filter(workload.labels()::containsKey).forEach(key ->
            same(workload, "spec.volumeClaimTemplates", "its claims", key, labels, workload.labels().get(key), problems));
      });
    }
    return problems;
  }

  private void same(Workload workload, String path, String what, String key, Map<String, String> labels, String value, List<Problem> problems) {
    String other = labels.get(key);
    if (other != null && !other.equals(value)) {
      problems.add(Problem.error(rule(), workload.manifest(), path,
          what + " are labelled " + key + "=" + other + ", and it is " + value + ": whoever looks for them by label misses them.",
          "Write " + value + " in both places."));
    }
  }
}
