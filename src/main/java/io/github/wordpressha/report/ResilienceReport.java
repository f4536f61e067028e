package io.github.wordpressha.report;

import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.check.Workload;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.report.Outcome.Data;
import io.github.wordpressha.report.Outcome.Healing;
import io.github.wordpressha.report.Outcome.Readers;
import io.github.wordpressha.report.Outcome.Writers;
import io.github.wordpressha.report.Tier.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the loss of each node, pair of nodes, zone, volume and tier does to a site. Read from the rendered objects (replicas, spreading
 * rules, volumes, settings), not from the values: it holds for what is installed, whoever wrote the values.
 *
 * <p>It assumes the worst placement that the rules allow, and that a volume can be attached on another node, as network
 * storage can. A volume on a node's own disk is lost with the node: read "a volume" together with "a node" then.
 *
 * @param cluster what it is computed for
 * @param tiers the site's workloads
 * @param outcomes one for each fault
 * @param remarks what weakens the promises, and what was assumed
 */
public record ResilienceReport(Cluster cluster, List<Tier> tiers, List<Outcome> outcomes, List<String> remarks) {

  private static final Pattern FLUSH = Pattern.compile("(?m)^\\s*(?:loose[-_])?innodb[-_]flush[-_]log[-_]at[-_]trx[-_]commit\\s*=\\s*(\\d)");
  private static final Pattern CACHE = Pattern.compile("(?m)^\\s*fastcgi_cache_use_stale\\b[^;]*\\berror\\b");

  /** Brings the code of the shared volume into each web pod. */
  private static final String COPIER = "/sync-code.sh";

  public ResilienceReport {
    tiers = List.copyOf(tiers);
    outcomes = List.copyOf(outcomes);
    remarks = List.copyOf(remarks);
  }

  /** Computes the report. */
  public static ResilienceReport of(Objects objects, Cluster cluster) {
    List<Tier> tiers = objects.workloads().stream()
        .filter(w -> !w.isHook() && (w.kind().equals("Deployment") || w.kind().equals("StatefulSet")))
        .map(w -> Tier.of(objects, w, cluster))
        .toList();
    return new Builder(objects, cluster, tiers).build();
  }

  /** Puts the outcomes together. */
  private static final class Builder {

    private final Objects objects;
    private final Cluster cluster;
    private final List<Tier> tiers;
    private final boolean durable;
    private final boolean pageCache;
    private final boolean localCode;

    Builder(Objects objects, Cluster cluster, List<Tier> tiers) {
      this.objects = objects;
      this.cluster = cluster;
      this.tiers = tiers;
      this.durable = setting(FLUSH).map(v -> v.equals("1")).orElse(true);
      this.pageCache = objects.manifests().stream().filter(m -> m.kind().equals("ConfigMap")).anyMatch(m -> CACHE.matcher(text(m)).find());
      this.localCode = objects.workloads().stream().flatMap(Workload::running)
          .anyMatch(p -> p.container().getCommand().stream().anyMatch(word -> word.endsWith(COPIER)));
    }

    ResilienceReport build() {
      var outcomes = new ArrayList<Outcome>();
      for (Tier tier : tiers) {
        if (tier.kind() != Kind.OTHER) {
          outcomes.add(lost("one " + tier.name() + " pod", t -> t == tier ? 1 : 0, true));
        }
      }
      outcomes.add(lost("any one node", Tier::perNode, false));
      String single = tiers.stream().filter(Builder::isNeededSingle).map(Tier::name).collect(Collectors.joining(" and "));
      if (cluster.nodes() > 1 && !single.isEmpty()) {
        outcomes.add(lost("a node without " + single, t -> isNeededSingle(t) ? 0 : t.perNode(), false));
      }
      if (cluster.nodes() > 2) {
        outcomes.add(lost("any two nodes", t -> Math.min(t.pods(), 2 * t.perNode()), false));
      }
      if (cluster.zones() > 1) {
        outcomes.add(lost("any one zone", Tier::perZone, false));
      }
      outcomes.add(lost("all nodes at once, volumes kept (power loss)", Tier::pods, true));
      for (Tier tier : tiers) {
        if (tier.kind() != Kind.OTHER && tier.pods() > 1) {
          outcomes.add(lost("all pods of " + tier.name(), t -> t == tier ? t.pods() : 0, true));
        }
        if (tier.ownVolumes() || tier.kind() == Kind.FILES) {
          outcomes.add(volume(tier, 1));
          if (tier.pods() > 2) {
            outcomes.add(volume(tier, tier.pods() - 1));
          }
          if (tier.pods() > 1) {
            outcomes.add(volume(tier, tier.pods()));
          }
        }
      }
      return new ResilienceReport(cluster, tiers, outcomes, remarks());
    }

    /** Pods go, volumes stay. */
    private Outcome lost(String fault, ToIntFunction<Tier> loss, boolean elsewhere) {
      var effect = new Effect();
      for (Tier tier : tiers) {
        int lost = Math.min(tier.pods(), loss.applyAsInt(tier));
        if (lost > 0) {
          effect.losses.add(tier.name() + ": " + lost + " of " + tier.pods());
          effect.of(tier, lost);
          effect.healing(tier, lost, elsewhere);
        }
      }
      boolean all = tiers.stream().filter(Builder::isData).allMatch(t -> loss.applyAsInt(t) >= t.pods()) && tiers.stream().anyMatch(Builder::isData);
      if (all && !durable) {
        effect.data(Data.AT_RISK, "innodb_flush_log_at_trx_commit is not 1: up to a second of acknowledged writes is in no log yet.");
      }
      return effect.outcome(fault);
    }

    /** Volumes go, and the pods with them; other members' volumes stay. */
    private Outcome volume(Tier tier, int lost) {
      var effect = new Effect();
      effect.losses.add(tier.name() + ": " + lost + " of " + tier.pods() + (lost == 1 ? " volume" : " volumes"));
      effect.of(tier, lost);
      boolean allGone = lost >= tier.pods();
      switch (tier.kind()) {
        case GALERA -> {
          if (allGone) {
            effect.data(Data.LOST, "No member has the data any more: only a backup does.");
            effect.heals(Healing.BY_A_PERSON, "Restore the backup.");
          } else if (tier.works(lost)) {
            effect.heals(Healing.BY_ITSELF, "An empty member joins and copies all data from another (state transfer).");
          } else {
            effect.heals(Healing.BY_A_PERSON, "Too few members are left to know that theirs is the newest data; the pods say so, and name the command that overrides it.");
          }
        }
        case REPLICATION -> {
          if (allGone) {
            effect.data(Data.LOST, "No member has the data any more: only a backup does.");
            effect.heals(Healing.BY_A_PERSON, "Restore the backup.");
          } else if (lost > 1) {
            effect.data(Data.AT_RISK, "An acknowledged write is on two volumes, and both may be among the lost.");
            effect.heals(Healing.BY_A_PERSON, "Somebody must accept what may be lost.");
          } else {
            effect.heals(Healing.BY_ITSELF, "A replica is promoted; the empty member clones a neighbour.");
          }
        }
        case DATABASE -> {
          effect.data(Data.LOST, "There is one copy of the database; its storage alone replicates it, if it does.");
          effect.heals(Healing.BY_A_PERSON, "Restore the backup.");
        }
        case FILES -> {
          effect.data(Data.LOST, "There is one copy of the uploads; its storage alone replicates it, if it does.");
          effect.heals(Healing.BY_A_PERSON, "Restore the backup.");
        }
        case COORDINATION -> {
          if (tier.works(lost)) {
            effect.heals(Healing.BY_ITSELF, "The member is removed and joins anew.");
          } else if (allGone) {
            effect.heals(Healing.BY_ITSELF, "The members found themselves anew; a database that runs registers itself again.");
          } else {
            effect.heals(Healing.BY_A_PERSON, "The majority is gone for good; what it knew can be rebuilt from the database members.");
          }
        }
        default -> effect.heals(Healing.BY_ITSELF, "");
      }
      return effect.outcome((lost == 1 ? "one volume" : lost + (allGone ? " (all)" : "") + " volumes") + " of " + tier.name());
    }

    private List<String> remarks() {
      var remarks = new ArrayList<String>();
      for (Tier tier : tiers) {
        if (tier.pods() > 1 && !tier.apart() && tier.kind() != Kind.OTHER) {
          remarks.add(tier.workload() + ": its pods are kept apart by preference only; a full cluster may put up to " + tier.pods() + " on one node.");
        }
        if (tier.pods() > 1 && (tier.kind() == Kind.GALERA || tier.kind() == Kind.COORDINATION) && tier.pods() % 2 == 0) {
          remarks.add(tier.workload() + ": " + tier.pods() + " members survive no more losses than " + (tier.pods() - 1) + " would.");
        }
        if (tier.pods() > 1 && tier.perNode() >= tier.pods() && tier.kind() != Kind.OTHER) {
          remarks.add(tier.workload() + ": nothing keeps its pods on different nodes, so one node may be all of it.");
        }
      }
      if (!durable) {
        remarks.add("innodb_flush_log_at_trx_commit is not 1: a power loss of all nodes may lose a second of writes.");
      }
      if (!pageCache) {
        remarks.add("No page cache serves stale pages: a database outage is an outage for every visitor.");
      }
      if (tiers.stream().noneMatch(Builder::isData)) {
        remarks.add("The database is outside of this release: its resilience is not covered here.");
      }
      return remarks;
    }

    /** One pod that everybody needs: only one of the nodes has it, and the others can be lost with less harm. */
    private static boolean isNeededSingle(Tier tier) {
      return tier.pods() == 1 && (tier.kind() == Kind.FILES || tier.kind() == Kind.DATABASE);
    }

    private static boolean isData(Tier tier) {
      return tier.kind() == Kind.GALERA || tier.kind() == Kind.REPLICATION || tier.kind() == Kind.DATABASE;
    }

    private Optional<String> setting(Pattern pattern) {
      return objects.manifests().stream()
          .filter(m -> m.kind().equals("ConfigMap"))
          .map(m -> pattern.matcher(text(m)))
          .filter(Matcher::find)
          .map(m -> m.group(1))
          .reduce((a, b) -> b);
    }

    private static String text(Manifest manifest) {
      var text = new StringBuilder();
      manifest.tree().path("data").forEach(v -> text.append(v.asText()).append('\n'));
      return text.toString();
    }

    /** What adds up while the tiers are looked at. */
    private final class Effect {

      private final List<String> losses = new ArrayList<>();
      private final Map<String, Boolean> because = new LinkedHashMap<>();
      private Readers readers = Readers.SERVED;
      private Writers writers = Writers.SERVED;
      private Data data = Data.KEPT;
      private Healing healing = Healing.BY_ITSELF;

      void of(Tier tier, int lost) {
        boolean works = tier.works(lost);
        switch (tier.kind()) {
          case WEB -> {
            if (!works) {
              readers(Readers.DOWN, "No web pod is left.");
              writers(Writers.DOWN, "");
            } else {
              because("The Service sends visitors to the " + (tier.pods() - lost) + " web pods that are left.");
            }
          }
          case GALERA, REPLICATION, DATABASE -> database(tier, lost, works);
          case COORDINATION -> because(works
              ? "The members left are a majority and decide as before."
              : "Without a majority nobody decides: what runs goes on, but no member bootstraps or is promoted until it is back.");
          case FILES -> files();
          default -> { }
        }
      }

      private void files() {
        if (localCode) {
          writers(Writers.FAILOVER, "Web pods have their own copies of the code and of the media that were read; only new files wait for the file server.");
          return;
        }
        readers(pageCache ? Readers.CACHED : Readers.DOWN, "Files on the file server wait until it is back (hard mounts); cached pages do not need them.");
        writers(Writers.DOWN, "");
      }

      private void database(Tier tier, int lost, boolean works) {
        if (works) {
          writers(Writers.FAILOVER, tier.kind() == Kind.GALERA
              ? "Every member has every acknowledged write; HAProxy takes the next healthy one."
              : "A replica that has every acknowledged write is promoted.");
          if (tier.kind() == Kind.REPLICATION && tiers.stream().anyMatch(t -> t.kind() == Kind.COORDINATION) && tier.pods() - lost < 2) {
            because("One copy is left: writes wait for a second one, as they are acknowledged by two.");
          }
        } else {
          readers(pageCache ? Readers.CACHED : Readers.DOWN, pageCache
              ? "Without a database the page cache goes on serving what it has."
              : "Without a database no page can be made.");
          writers(Writers.DOWN, "");
        }
      }

      /** Pods come back on other nodes where the controller may move them; a majority that never left needs no vote. */
      void healing(Tier tier, int lost, boolean elsewhere) {
        if (elsewhere) {
          because(tier.kind() == Kind.GALERA && !tier.works(lost)
              ? "All members publish how far they got; the most advanced one starts the cluster, the others join."
              : "Its controller starts the pod again" + (tier.ownVolumes() ? ", on its own volume." : "."));
          return;
        }
        boolean room = !tier.apart() || tier.pods() + lost <= cluster.nodes();
        if (!tier.works(lost)) {
          heals(room && !tier.ownVolumes() ? Healing.BY_ITSELF : Healing.WHEN_BACK,
              tier.ownVolumes() ? "A StatefulSet's pod is started elsewhere only when Kubernetes knows that its node is gone for good."
                  : "Kubernetes starts a Deployment's pod elsewhere once it has heard nothing from the node for a minute.");
        } else if (!room || tier.ownVolumes()) {
          because(tier.name() + " is short of " + lost + " until the node is back or replaced.");
        }
      }

      void readers(Readers worst, String why) {
        readers = worst.compareTo(readers) > 0 ? worst : readers;
        because(why);
      }

      void writers(Writers worst, String why) {
        writers = worst.compareTo(writers) > 0 ? worst : writers;
        because(why);
      }

      void data(Data worst, String why) {
        data = worst.compareTo(data) > 0 ? worst : data;
        because(why);
      }

      void heals(Healing worst, String why) {
        healing = worst.compareTo(healing) > 0 ? worst : healing;
        because(why);
      }

      private void because(String why) {
        if (!why.isEmpty()) {
          because.put(why, true);
        }
      }

      Outcome outcome(String fault) {
        return new Outcome(fault, losses, readers, writers, data, healing, new ArrayList<>(because.keySet()));
      }
    }
  }

  /** The outcome of a fault, for those who look one up. */
  public Optional<Outcome> outcome(String fault) {
    return outcomes.stream().filter(o -> o.fault().equals(fault)).findFirst();
  }
}
