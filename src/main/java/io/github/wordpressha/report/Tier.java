package io.github.wordpressha.report;

import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.check.Pods;
import io.github.wordpressha.check.Workload;
import java.util.Locale;

/**
 * One workload of the site, as far as losing a part of it matters.
 *
 * @param name of the tier: its label app.kubernetes.io/component, else the workload's name
 * @param workload the object behind it
 * @param kind what it does for the site
 * @param pods that are always asked for
 * @param perNode the most pods that one node can have by the rules of the pod template
 * @param perZone the most pods that one zone can have
 * @param apart whether that bound is enforced, or only what the scheduler tries
 * @param ownVolumes whether each pod has a volume of its own
 */
public record Tier(
    String name, String workload, Kind kind, int pods, int perNode, int perZone, boolean apart, boolean ownVolumes) {

  /** What a tier does, which decides what its loss means. */
  public enum Kind {
    /** Serves pages; each pod is as good as another. */
    WEB,
    /** Galera: each member has all data; a majority must be there. */
    GALERA,
    /** One primary takes writes, replicas follow; a write is acknowledged when two volumes have it. */
    REPLICATION,
    /** One database pod. */
    DATABASE,
    /** Decides who may start or lead; a majority must be there to decide. */
    COORDINATION,
    /** One file server for uploads. */
    FILES,
    /** Anything that the site does without. */
    OTHER
  }

  static Tier of(Objects objects, Workload workload, Cluster cluster) {
    String name = workload.labels().getOrDefault("app.kubernetes.io/component", workload.name());
    int pods = Math.max(Pods.minimum(objects, workload), 1);
    int perNode = most(workload, Pods.HOST, pods, cluster.nodes());
    return new Tier(
        name,
        workload.manifest().id(),
        kind(workload, name, pods),
        pods,
        perNode,
        Math.min(most(workload, Pods.ZONE, pods, cluster.zones()), perNode * share(cluster.nodes(), cluster.zones())),
        Pods.keptApart(workload, Pods.HOST) || pods == 1,
        !workload.claims().isEmpty());
  }

  /** With a rule, even shares; without one, the worst that the scheduler may do. A zone has no more than its nodes have. */
  private static int most(Workload workload, String topology, int pods, int domains) {
    if (Pods.apartByAffinity(workload, topology)) {
      return 1;
    }
    return Pods.preferablyApart(workload, topology) ? share(pods, domains) : pods;
  }

  private static int share(int pods, int domains) {
    return (pods + domains - 1) / domains;
  }

  private static Kind kind(Workload workload, String component, int pods) {
    // Of the containers that do the work: sidecars may be of any image.
    String images = workload.running().filter(p -> !p.init()).map(p -> String.valueOf(p.container().getImage())).reduce("", (a, b) -> a + " " + b).toLowerCase(Locale.ROOT);
    boolean stateful = workload.kind().equals("StatefulSet");
    if (component.equals("etcd") || stateful && images.contains("/etcd")) {
      return Kind.COORDINATION;
    }
    if (component.equals("nfs") || images.contains("nfs-")) {
      return Kind.FILES;
    }
    if (component.equals("database") || images.matches("(?s).*(mysql|mariadb|percona).*") && stateful) {
      if (images.contains("xtradb-cluster") || images.contains("galera")) {
        return pods > 1 ? Kind.GALERA : Kind.DATABASE;
      }
      return pods > 1 ? Kind.REPLICATION : Kind.DATABASE;
    }
    return component.equals("wordpress") || images.contains("wordpress") ? Kind.WEB : Kind.OTHER;
  }

  /** Whether what is left after a loss can still do the tier's work. */
  boolean works(int lost) {
    int left = pods - lost;
    return switch (kind) {
      case GALERA, COORDINATION -> left > pods / 2;
      default -> left > 0;
    };
  }
}
