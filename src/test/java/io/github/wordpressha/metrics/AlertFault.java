package io.github.wordpressha.metrics;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What is made to fail on a cluster, and the alerts that must fire then: these, and no others. docs/runbooks/README.md shows it as a table. */
public enum AlertFault {
  /** One of three. */
  DATABASE_MEMBER("galera", 4, "One database member is scaled away.", "WordPressGaleraMemberLost"),
  /** With a web pod, a database member and a member of etcd. */
  NODE("galera", 8, "A node with a web pod, a database member and an etcd member loses power.",
      "WordPressGaleraMemberLost", "WordPressEtcdMemberLost", "WordPressPodsMissing", "WordPressTargetDown"),
  /** Of a database member. */
  VOLUME("galera", 6, "The volume of a database member is filled to 95 %.", "WordPressVolumeFilling"),
  /** One of three. */
  ETCD_MEMBER("galera", 4, "One etcd member is scaled away.", "WordPressEtcdMemberLost"),
  /** Every member. */
  ETCD("galera", 4, "All etcd members are scaled away.", "WordPressEtcdNoLeader"),
  /** The chart's own Job makes it. */
  CERTIFICATE("galera", 8, "The database's certificate is renewed for 6 days.", "WordPressCertificateEnding"),
  /** With an event that is due. */
  CRON("galera", 5, "The CronJob is suspended, and an event has been due for 17 minutes.", "WordPressCronStalled"),
  /** More requests than workers, all the time. */
  PHP("galera", 5, "10 clients keep 4 PHP workers of a web pod busy.", "WordPressPhpSaturated", "WordPressSlow"),
  /** Without a queue. */
  SLOW_PAGES("galera", 5, "Each page of some clients takes 6 s, while PHP workers are idle.", "WordPressSlow"),
  /** Of a plugin. */
  ERRORS("galera", 4, "A plugin answers requests with status 500.", "WordPressErrors"),
  /** The in-chart NFS server. */
  FILE_SERVER("galera", 5, "The NFS server is scaled away.", "WordPressContentUnreachable"),
  /** With visitors, who get stored pages. */
  DATABASE("galera", 5, "All database members are scaled away, while visitors read the front page.",
      "WordPressDatabaseNoWriter", "WordPressDatabaseUnreachable", "WordPressStalePages"),
  /** Of the account that metrics are read with. */
  MONITOR_PASSWORD("galera", 4, "The account `monitor` gets another password.", "WordPressDatabaseExporterDown"),
  /** Of the site's account. */
  SITE_PASSWORD("galera", 4, "The site's account gets another password.", "WordPressDatabaseUnreachable"),
  /** Five a second. */
  SLOW_STATEMENTS("galera", 5, "One client runs 5 slow statements a second.", "WordPressDatabaseSlowQueries"),
  /** A tag that no registry has. */
  IMAGE("galera", 5, "A rollout names an nginx tag that does not exist.", "WordPressContainerWaiting"),
  /** Every one. */
  WEB_PODS("galera", 4, "All web pods are scaled away.", "WordPressDown"),
  /** A pod that no node takes. */
  NO_ROOM("galera", 5, "A web pod is deleted, while no node takes new pods.", "WordPressPodsMissing"),
  /** A process that hangs. */
  TARGET("galera", 4, "The container `metrics` of a web pod is stopped by SIGSTOP.", "WordPressTargetDown"),
  /** Of one replica. */
  REPLICA_LAG("replication", 5, "A table lock on a replica blocks its applier.", "WordPressReplicationLag"),
  /** One of two. */
  REPLICA("replication", 5, "One replica is scaled away.", "WordPressReplicationMemberLost");

  private final String topology;
  private final Duration within;
  private final String how;
  private final Set<String> alerts;

  AlertFault(String topology, int minutes, String how, String... alerts) {
    this.topology = topology;
    this.within = Duration.ofMinutes(minutes);
    this.how = how;
    this.alerts = new TreeSet<>(Set.of(alerts));
  }

  /** The faults of one topology of the database, in order. */
  public static Stream<AlertFault> of(String topology) {
    return Arrays.stream(values()).filter(fault -> fault.topology.equals(topology));
  }

  /** The value of {@code database.topology} that it is drilled with. */
  public String topology() {
    return topology;
  }

  /** How long the alerts may take to fire, with the durations that {@code Prometheus} gives them. */
  public Duration within() {
    return within;
  }

  /** One sentence. */
  public String how() {
    return how;
  }

  /** Those that must fire. */
  public Set<String> alerts() {
    return alerts;
  }

  /** Those that may fire besides, while what was away comes back: members start one after the other. */
  public Set<String> whileHealing() {
    return switch (this) {
      case DATABASE -> Set.of("WordPressGaleraMemberLost");
      case ETCD -> Set.of("WordPressEtcdMemberLost");
      case WEB_PODS -> Set.of("WordPressPodsMissing");
      default -> Set.of();
    };
  }

  /** The table of docs/runbooks/README.md. */
  public static String table() {
    return Arrays.stream(values()).map(AlertFault::row)
        .collect(Collectors.joining("", "| fault | topology | fires | may fire during recovery | within |\n|---|---|---|---|---|\n", ""));
  }

  private String row() {
    return "| %s | %s | %s | %s | %d min |\n".formatted(how, topology, links(alerts), links(whileHealing()), within.toMinutes());
  }

  private static String links(Set<String> alerts) {
    return alerts.stream().map(alert -> "[%1$s](%1$s.md)".formatted(alert)).collect(Collectors.joining(", "));
  }

  /** The sentence of a runbook on its drills. */
  public static String drillsOf(String alert) {
    String faults = Arrays.stream(values()).filter(fault -> fault.alerts.contains(alert)).map(fault -> "- " + fault.how + "\n").collect(Collectors.joining());
    return faults.isEmpty() ? "No drill on a cluster makes its fault yet.\n" : """
        On a cluster, each of these faults fires it, and no alert but those of the [table](README.md#drills):

        """ + faults;
  }
}
