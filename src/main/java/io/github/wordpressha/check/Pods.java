package io.github.wordpressha.check;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PodAffinityTerm;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.github.wordpressha.manifest.Manifest;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How many pods a workload has, and where they may be. */
public final class Pods {

  public static final String HOST = "kubernetes.io/hostname";
  public static final String ZONE = "topology.kubernetes.io/zone";

  private Pods() {}

  /** The autoscaler of a workload. */
  public static Optional<Map.Entry<Manifest, HorizontalPodAutoscaler>> autoscaler(Objects objects, Workload workload) {
    return objects.all(HorizontalPodAutoscaler.class)
        .filter(e -> workload.kind().equals(e.getValue().getSpec().getScaleTargetRef().getKind()))
        .filter(e -> workload.name().equals(e.getValue().getSpec().getScaleTargetRef().getName()))
        .findFirst();
  }

  /** The least number of pods that are always asked for: the autoscaler's minimum where there is one. */
  public static int minimum(Objects objects, Workload workload) {
    return autoscaler(objects, workload)
        .map(e -> e.getValue().getSpec().getMinReplicas() == null ? 1 : e.getValue().getSpec().getMinReplicas())
        .orElse(workload.replicas());
  }

  /** The greatest number of pods. */
  public static int maximum(Objects objects, Workload workload) {
    return autoscaler(objects, workload).map(e -> e.getValue().getSpec().getMaxReplicas()).filter(java.util.Objects::nonNull).orElse(workload.replicas());
  }

  /** The budgets that cover a workload's pods. */
  public static List<Map.Entry<Manifest, PodDisruptionBudget>> budgets(Objects objects, Workload workload) {
    return objects.all(PodDisruptionBudget.class)
        .filter(e -> Objects.matches(e.getValue().getSpec().getSelector(), workload.labels()))
        .toList();
  }

  /** How many of {@code pods} pods a budget lets go at the same time. */
  public static int allowed(PodDisruptionBudget budget, int pods) {
    IntOrString unavailable = budget.getSpec().getMaxUnavailable();
    if (unavailable != null) {
      return number(unavailable, pods, true);
    }
    IntOrString available = budget.getSpec().getMinAvailable();
    return available == null ? pods : Math.max(0, pods - number(available, pods, true));
  }

  private static int number(IntOrString value, int of, boolean up) {
    if (value.getIntVal() != null) {
      return value.getIntVal();
    }
    if (!value.getStrVal().matches("\\d+%")) {
      return 1; // Said to be wrong where budgets are checked.
    }
    double part = of * Double.parseDouble(value.getStrVal().replace("%", "")) / 100;
    return (int) (up ? Math.ceil(part) : Math.floor(part));
  }

  /**
   * Whether no two pods of a workload can be in the same domain ({@link #HOST}, {@link #ZONE}), or a spread rule that
   * blocks scheduling keeps them level.
   */
  public static boolean keptApart(Workload workload, String topologyKey) {
    return apartByAffinity(workload, topologyKey) || spread(workload, topologyKey).filter(c -> "DoNotSchedule".equals(c.getWhenUnsatisfiable())).isPresent();
  }

  /** Required anti-affinity of the pods among themselves: at most one in each domain. */
  public static boolean apartByAffinity(Workload workload, String topologyKey) {
    var affinity = workload.pod().getAffinity();
    return affinity != null && affinity.getPodAntiAffinity() != null
        && affinity.getPodAntiAffinity().getRequiredDuringSchedulingIgnoredDuringExecution().stream()
            .anyMatch(term -> covers(workload, term, topologyKey));
  }

  /** Whether the scheduler at least tries to keep the pods apart. */
  public static boolean preferablyApart(Workload workload, String topologyKey) {
    var affinity = workload.pod().getAffinity();
    boolean preferred = affinity != null && affinity.getPodAntiAffinity() != null
        && affinity.getPodAntiAffinity().getPreferredDuringSchedulingIgnoredDuringExecution().stream()
            .anyMatch(term -> covers(workload, term.getPodAffinityTerm(), topologyKey));
    return preferred || keptApart(workload, topologyKey) || spread(workload, topologyKey).isPresent();
  }

  private static Optional<TopologySpreadConstraint> spread(Workload workload, String topologyKey) {
    return workload.pod().getTopologySpreadConstraints().stream()
        .filter(c -> topologyKey.equals(c.getTopologyKey()) && Objects.matches(c.getLabelSelector(), workload.labels()))
        .findFirst();
  }

  private static boolean covers(Workload workload, PodAffinityTerm term, String topologyKey) {
    return topologyKey.equals(term.getTopologyKey()) && Objects.matches(term.getLabelSelector(), workload.labels());
  }
}
