package io.github.wordpressha.check;

import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Restart policies that the API server refuses, by rules that no schema holds. */
public final class RestartCheck implements Check {

  private static final Set<String> ENDS = Set.of("Never", "OnFailure");

  @Override
  public String rule() {
    return "restart";
  }

  @Override
  public String description() {
    return "Pods that serve are always restarted, those of Jobs are not; an init container is a sidecar (Always), or has no policy.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      pod(workload, problems);
      workload.containers().stream().filter(Workload.Placed::init).forEach(placed -> initContainer(workload, placed, problems));
    }
    return problems;
  }

  private void pod(Workload workload, List<Problem> problems) {
    String policy = workload.pod().getRestartPolicy();
    String path = workload.podPath() + ".restartPolicy";
    if (workload.isService() && policy != null && !policy.equals("Always")) {
      problems.add(Problem.error(rule(), workload.manifest(), path, "\"" + policy + "\" is not allowed: a " + workload.kind() + "'s pods are always restarted.",
          "Leave it out."));
    }
    boolean ends = workload.kind().equals("Job") || workload.kind().equals("CronJob");
    if (ends && (policy == null || !ENDS.contains(policy))) {
      problems.add(Problem.error(rule(), workload.manifest(), path,
          (policy == null ? "it is missing, and the default" : "\"" + policy + "\"") + " is not allowed: a Job's pods end.", "Write Never or OnFailure."));
    }
  }

  private void initContainer(Workload workload, Workload.Placed placed, List<Problem> problems) {
    String policy = placed.container().getRestartPolicy();
    if (policy != null && !policy.equals("Always")) {
      problems.add(Problem.error(rule(), workload.manifest(), placed.path() + ".restartPolicy",
          "\"" + policy + "\" is not allowed for an init container.", "Write Always for a sidecar, or leave it out."));
    }
  }
}
