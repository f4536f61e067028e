package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What planned moves do to replicated pods: budgets, spreading over nodes, rollouts, autoscaling. */
public final class DisruptionCheck implements Check {

  @Override
  public String rule() {
    return "disruption";
  }

  @Override
  public String description() {
    return "Replicated pods have one budget that lets a node be drained, are kept on different nodes, and fit the cluster.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    var problems = new ArrayList<Problem>();
    for (Workload workload : objects.workloads()) {
      if (workload.kind().equals("Deployment") || workload.kind().equals("StatefulSet")) {
        budget(objects, workload, problems);
        spreading(objects, workload, cluster, problems);
        scaling(objects, workload, problems);
        rollout(objects, workload, problems);
      }
    }
    objects.all(PodDisruptionBudget.class).forEach(e -> wellFormed(e.getKey(), e.getValue(), problems));
    return problems;
  }

  private void budget(Objects objects, Workload workload, List<Problem> problems) {
    int pods = Pods.minimum(objects, workload);
    List<Map.Entry<Manifest, PodDisruptionBudget>> budgets = Pods.budgets(objects, workload);
    if (budgets.isEmpty() && pods > 1) {
      problems.add(Problem.warning(rule(), workload.manifest(), "spec.replicas",
          pods + " pods without a PodDisruptionBudget: draining nodes may stop all of them at once.",
          "Add a PodDisruptionBudget with maxUnavailable: 1."));
    }
    if (budgets.size() > 1) {
      problems.add(Problem.error(rule(), workload.manifest(), "",
          "several budgets cover its pods (" + String.join(", ", budgets.stream().map(b -> b.getKey().name()).toList())
              + "): Kubernetes then refuses every eviction.", "Keep one."));
    }
    for (var budget : budgets) {
      int allowed = Pods.allowed(budget.getValue(), pods);
      if (allowed < 1) {
        problems.add(Problem.error(rule(), budget.getKey(), "spec",
            "it lets none of the " + pods + " pods of " + workload.manifest().id() + " go: no node that runs one can ever be drained.",
            "Use maxUnavailable: 1."));
      } else if (allowed >= pods && pods > 1) {
        problems.add(Problem.error(rule(), budget.getKey(), "spec",
            "it lets all " + pods + " pods of " + workload.manifest().id() + " go at once, so it protects nothing.", "Use maxUnavailable: 1."));
      } else if (workload.kind().equals("StatefulSet") && pods > 2 && pods - allowed <= pods / 2) {
        problems.add(Problem.error(rule(), budget.getKey(), "spec",
            "it lets " + allowed + " of " + pods + " members go: the rest is no majority.", "Use maxUnavailable: 1."));
      }
    }
  }

  private void spreading(Objects objects, Workload workload, Cluster cluster, List<Problem> problems) {
    int pods = workload.replicas();
    if (Pods.apartByAffinity(workload, Pods.HOST) && Pods.maximum(objects, workload) > cluster.nodes()) {
      problems.add(Problem.error(rule(), workload.manifest(), workload.podPath() + ".affinity",
          "up to " + Pods.maximum(objects, workload) + " pods must be on different nodes, and there are " + cluster.nodes()
              + ": the rest stays Pending.", "Spread by preference (spread: preferred), or add nodes."));
    } else if (Pods.apartByAffinity(workload, Pods.ZONE) && Pods.maximum(objects, workload) > cluster.zones()) {
      problems.add(Problem.error(rule(), workload.manifest(), workload.podPath() + ".affinity",
          "up to " + Pods.maximum(objects, workload) + " pods must be in different zones, and there are " + cluster.zones()
              + ": the rest stays Pending.", "Spread over zones with topologySpreadConstraints."));
    }
    if (pods > 1 && cluster.nodes() > 1 && !Pods.preferablyApart(workload, Pods.HOST)) {
      problems.add(Problem.warning(rule(), workload.manifest(), workload.podPath() + ".affinity",
          "nothing keeps its " + pods + " pods on different nodes: one node may take all of them.",
          "Add anti-affinity or a topology spread constraint on " + Pods.HOST + "."));
    }
  }

  private void scaling(Objects objects, Workload workload, List<Problem> problems) {
    Pods.autoscaler(objects, workload).ifPresent(e -> {
      var spec = e.getValue().getSpec();
      int minimum = spec.getMinReplicas() == null ? 1 : spec.getMinReplicas();
      if (minimum > spec.getMaxReplicas()) {
        problems.add(Problem.error(rule(), e.getKey(), "spec.minReplicas",
            "minimum " + minimum + " is above maximum " + spec.getMaxReplicas() + ".", ""));
      }
      boolean set = workload.manifest().tree().path("spec").has("replicas");
      if (set && (workload.replicas() < minimum || workload.replicas() > spec.getMaxReplicas())) {
        problems.add(Problem.warning(rule(), workload.manifest(), "spec.replicas",
            "every upgrade sets " + workload.replicas() + " pods, outside of what the autoscaler keeps (" + minimum + " to "
                + spec.getMaxReplicas() + ").", "Leave replicas out when there is an autoscaler."));
      }
      boolean cpu = spec.getMetrics().stream().anyMatch(m -> m.getResource() != null && "cpu".equals(m.getResource().getName()));
      workload.running().filter(p -> cpu).filter(p -> !requests(p, "cpu")).forEach(p -> problems.add(Problem.error(rule(),
          workload.manifest(), p.path() + ".resources.requests",
          "the autoscaler cannot compute a share of the CPU, as container \"" + p.container().getName() + "\" requests none.",
          "Give it resources.requests.cpu.")));
    });
  }

  private void rollout(Objects objects, Workload workload, List<Problem> problems) {
    var strategy = workload.manifest().tree().path("spec").path("strategy");
    if (workload.kind().equals("Deployment") && Pods.minimum(objects, workload) > 1 && strategy.path("type").asText().equals("Recreate")) {
      problems.add(Problem.warning(rule(), workload.manifest(), "spec.strategy.type",
          "Recreate stops all pods at every upgrade.", "Use RollingUpdate with maxUnavailable: 0."));
    }
    var update = workload.manifest().tree().path("spec").path("updateStrategy");
    if (workload.kind().equals("StatefulSet") && update.path("type").asText().equals("OnDelete")) {
      problems.add(Problem.warning(rule(), workload.manifest(), "spec.updateStrategy.type",
          "with OnDelete an upgrade changes no running pod.", "Use RollingUpdate."));
    }
    if (update.path("rollingUpdate").path("partition").asInt(0) > 0) {
      problems.add(Problem.warning(rule(), workload.manifest(), "spec.updateStrategy.rollingUpdate.partition",
          "pods below ordinal " + update.path("rollingUpdate").path("partition").asInt() + " never get an upgrade.", "Remove the partition."));
    }
  }

  private void wellFormed(Manifest manifest, PodDisruptionBudget budget, List<Problem> problems) {
    boolean both = budget.getSpec().getMinAvailable() != null && budget.getSpec().getMaxUnavailable() != null;
    if (both) {
      problems.add(Problem.error(rule(), manifest, "spec", "minAvailable and maxUnavailable exclude one another.", "Keep maxUnavailable."));
    }
    for (String field : List.of("minAvailable", "maxUnavailable")) {
      var value = manifest.tree().path("spec").path(field);
      if (value.isTextual() && !value.asText().matches("\\d+%")) {
        problems.add(Problem.error(rule(), manifest, "spec." + field,
            "\"" + value.asText() + "\" is neither a number nor a percentage.", "Write 1 or 50%."));
      }
    }
  }

  private static boolean requests(Workload.Placed placed, String resource) {
    var resources = placed.container().getResources();
    return resources != null && (has(resources.getRequests(), resource) || has(resources.getLimits(), resource));
  }

  private static boolean has(Map<String, ?> map, String key) {
    return map != null && map.containsKey(key);
  }
}
