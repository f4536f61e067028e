package io.github.wordpressha.metrics;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A metric that alerts and dashboards rely on.
 *
 * @param name as it is scraped; of a histogram, without {@code _bucket}, {@code _sum} and {@code _count}
 * @param labels beside those of the target
 * @param tiers where it is served
 * @param meaning one sentence
 */
public record Metric(String name, Type type, Set<String> labels, Set<Tier> tiers, String meaning) {

  /** Prometheus's types. */
  public enum Type { COUNTER, GAUGE, HISTOGRAM }

  /** Where a metric comes from: a kind of pod in one of the topologies, or the cluster around it. */
  public enum Tier {
    /** Web pods, in every topology. */
    WORDPRESS("web pods"),
    /** Web pods with a router to the database. */
    ROUTER("web pods with a router"),
    /** Members of a Galera cluster. */
    GALERA("database pods, topology galera"),
    /** Members of a replication group. */
    REPLICATION("database pods, topology replication"),
    /** The server of the topology standalone. */
    STANDALONE("database pod, topology standalone"),
    /** Members of etcd. */
    ETCD("etcd pods"),
    /** Database and etcd pods with {@code tls.enabled}. */
    TLS("database and etcd pods with TLS"),
    /** kubelet, kube-state-metrics and Prometheus itself. */
    CLUSTER("the cluster: kubelet, kube-state-metrics, Prometheus");

    private final String place;

    Tier(String place) {
      this.place = place;
    }

    /** For a table's column. */
    public String place() {
      return place;
    }
  }

  static Metric counter(String name, String meaning, Set<Tier> tiers, String... labels) {
    return new Metric(name, Type.COUNTER, Set.of(labels), tiers, meaning);
  }

  static Metric gauge(String name, String meaning, Set<Tier> tiers, String... labels) {
    return new Metric(name, Type.GAUGE, Set.of(labels), tiers, meaning);
  }

  static Metric histogram(String name, String meaning, Set<Tier> tiers, String... labels) {
    return new Metric(name, Type.HISTOGRAM, Set.of(labels), tiers, meaning);
  }

  /** Whether samples of this name are of this metric. */
  public boolean covers(String sample) {
    return sample.equals(name) || type == Type.HISTOGRAM && sample.matches(name + "_(?:bucket|sum|count)");
  }

  String row() {
    String where = Arrays.stream(Tier.values()).filter(tiers::contains).map(Tier::place).collect(Collectors.joining("; "));
    String by = labels.stream().sorted().map(label -> "`" + label + "`").collect(Collectors.joining(", "));
    return "| `%s` | %s | %s | %s | %s |\n".formatted(name, type.name().toLowerCase(java.util.Locale.ROOT), by, where, meaning);
  }
}
