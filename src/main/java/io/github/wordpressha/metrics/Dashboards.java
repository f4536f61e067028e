package io.github.wordpressha.metrics;

import static io.github.wordpressha.metrics.Dashboard.Panel.atLeast;
import static io.github.wordpressha.metrics.Dashboard.Panel.below;
import static io.github.wordpressha.metrics.Dashboard.Panel.lines;
import static io.github.wordpressha.metrics.Dashboard.Panel.table;

import io.github.wordpressha.metrics.Dashboard.Panel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.Stream;

/**
 * The chart's dashboards: one that says on one screen whether the site is well and how far it is from not being well, and one a tier. {@code
 * $web}, {@code $database} and {@code $etcd} stand for the labels of a tier's pods.
 */
public final class Dashboards {

  private static final String WEB = "namespace=\"$namespace\",pod=~\"$fullname-[a-z0-9]+-[a-z0-9]{5}\"";
  private static final String DATABASE = "namespace=\"$namespace\",pod=~\"$fullname-mysql-[0-9]+\"";
  private static final String ETCD = "namespace=\"$namespace\",pod=~\"$fullname-etcd-[0-9]+\"";

  private static final List<Panel> SYMPTOMS = List.of(
      atLeast("Web pods that answer", "none", 2, "sum(wordpress_ha_source_up{$web,source=\"nginx\"})"),
      below("Requests that fail", "percentunit", 0.01,
          "(sum(rate(wordpress_ha_http_requests_total{$web,code=~\"5..\"}[5m])) or vector(0)) / sum(rate(wordpress_ha_http_requests_total{$web}[5m]))"),
      below("Expired pages a second", "reqps", 0.01, "sum(rate(wordpress_ha_stale_pages_total{$web}[5m]))"),
      atLeast("Pods that reach the database", "percentunit", 1, "avg(wordpress_ha_source_up{$web,source=\"database\"})"),
      atLeast("Pods that reach the content", "percentunit", 1, "avg(wordpress_ha_source_up{$web,source=\"content\"})"),
      below("Oldest due event", "s", 300, "min(wordpress_ha_cron_lag_seconds{$web})"));

  private static final List<Panel> GALERA_REDUNDANCY = List.of(
      atLeast("Database members that take writes", "none", 3, "sum(wordpress_ha_member_takes_writes{$database})"));

  private static final List<Panel> REPLICATION_REDUNDANCY = List.of(
      atLeast("Primaries", "none", 1, "sum(wordpress_ha_member_takes_writes{$database})"),
      atLeast("Replicas in sync", "none", 2, "sum(wordpress_ha_member_in_sync{$database})"));

  private static final List<Panel> STANDALONE_REDUNDANCY = List.of(
      atLeast("Database servers that take writes", "none", 1, "sum(wordpress_ha_member_takes_writes{$database})"));

  private static final List<Panel> ETCD_REDUNDANCY = List.of(
      atLeast("etcd members with a leader", "none", 3, "sum(etcd_server_has_leader{$etcd})"));

  private static final List<Panel> ROOM = List.of(
      below("PHP workers in use", "percentunit", 0.9, "sum(phpfpm_active_processes{$web}) / (sum(phpfpm_active_processes{$web}) + sum(phpfpm_idle_processes{$web}))"),
      atLeast("Room for content", "percentunit", 0.1, "min(wordpress_ha_content_available_bytes{$web} / wordpress_ha_content_size_bytes{$web})"));

  private static final List<Panel> TRAFFIC = List.of(
      lines("Requests by what answers", "reqps", "{{from}}", "sum by (from) (rate(wordpress_ha_http_requests_total{$web}[$__rate_interval]))"),
      lines("Requests by status", "reqps", "{{code}}", "sum by (code) (rate(wordpress_ha_http_requests_total{$web}[$__rate_interval]))"));

  private static final List<Panel> WORDPRESS = List.of(
      lines("Mean time of an answer", "s", "{{from}}",
          "sum by (from) (rate(wordpress_ha_http_request_duration_seconds_sum{$web}[$__rate_interval])) / sum by (from) (rate(wordpress_ha_http_request_duration_seconds_count{$web}[$__rate_interval]))"),
      lines("Share of pages from the cache", "percentunit", "hit ratio",
          "sum(rate(wordpress_ha_http_requests_total{$web,from=\"cache\"}[$__rate_interval])) / sum(rate(wordpress_ha_http_requests_total{$web,from=~\"cache|php\"}[$__rate_interval]))"),
      lines("Busy PHP workers", "none", "{{pod}} {{pool}}", "phpfpm_active_processes{$web}"),
      lines("Requests that wait for a worker", "none", "{{pod}} {{pool}}", "phpfpm_listen_queue{$web}"),
      lines("Slow requests", "reqps", "{{pod}}", "sum by (pod) (rate(phpfpm_slow_requests_total{$web}[$__rate_interval]))"),
      lines("Logins refused", "reqps", "{{pod}}", "rate(wordpress_ha_logins_refused_total{$web}[$__rate_interval])"),
      lines("Connections of visitors", "none", "{{pod}}", "nginx_connections_active{$web}"),
      lines("Parts of each pod that answer", "none", "{{pod}} {{source}}", "wordpress_ha_source_up{$web}"));

  private static final List<Panel> SERVERS = List.of(
      table("What each member does, and why", "wordpress_ha_member_info{$database}"),
      lines("Members that take writes", "none", "{{pod}}", "wordpress_ha_member_takes_writes{$database}"),
      lines("Statements", "ops", "{{pod}}", "rate(mysql_global_status_queries{$database}[$__rate_interval])"),
      lines("Connections", "none", "{{pod}}", "mysql_global_status_threads_connected{$database}"),
      lines("Slow statements", "ops", "{{pod}}", "rate(mysql_global_status_slow_queries{$database}[$__rate_interval])"));

  private static final List<Panel> GALERA = List.of(
      lines("Members that each one sees", "none", "{{pod}}", "mysql_global_status_wsrep_cluster_size{$database}"),
      lines("Time in which flow control stops writes", "percentunit", "{{pod}}", "rate(mysql_global_status_wsrep_flow_control_paused_ns{$database}[$__rate_interval]) / 1e9"),
      lines("Write sets to apply", "none", "{{pod}}", "mysql_global_status_wsrep_local_recv_queue{$database}"),
      lines("Number of the view", "none", "{{pod}}", "wordpress_ha_member_view{$database}"));

  private static final List<Panel> REPLICATION = List.of(
      lines("Lag", "s", "{{pod}}", "wordpress_ha_member_lag_seconds{$database}"),
      lines("Replicas in sync", "none", "{{pod}}", "wordpress_ha_member_in_sync{$database}"),
      lines("Term of the primary", "none", "{{pod}}", "wordpress_ha_member_term{$database}"),
      lines("Roles", "none", "{{pod}} {{role}}", "wordpress_ha_member_role{$database}"));

  private static final List<Panel> ARBITERS = List.of(
      lines("Members with a leader", "none", "{{pod}}", "etcd_server_has_leader{$etcd}"),
      lines("Changes of the leader", "none", "{{pod}}", "etcd_server_leader_changes_seen_total{$etcd}"),
      lines("Data, of the quota", "percentunit", "{{pod}}", "etcd_mvcc_db_total_size_in_bytes{$etcd} / etcd_server_quota_backend_bytes{$etcd}"),
      lines("Time in which the disk takes a write, 99 %", "s", "{{pod}}",
          "histogram_quantile(0.99, sum by (pod, le) (rate(etcd_disk_wal_fsync_duration_seconds_bucket{$etcd}[$__rate_interval])))"));

  private Dashboards() {}

  /** All of them; a topology has its own overview, and its own page about the database. */
  public static List<Dashboard> all() {
    return List.of(
        dashboard("overview-galera", "WordPress: overview (galera)", SYMPTOMS, GALERA_REDUNDANCY, ETCD_REDUNDANCY, ROOM, TRAFFIC),
        dashboard("overview-replication", "WordPress: overview (replication)", SYMPTOMS, REPLICATION_REDUNDANCY, ETCD_REDUNDANCY, ROOM, TRAFFIC),
        dashboard("overview-standalone", "WordPress: overview (standalone)", SYMPTOMS, STANDALONE_REDUNDANCY, ROOM, TRAFFIC),
        dashboard("overview-external", "WordPress: overview (external)", SYMPTOMS, ROOM, TRAFFIC),
        dashboard("wordpress", "WordPress: web pods", TRAFFIC, WORDPRESS),
        dashboard("database-galera", "WordPress: Galera", SERVERS, GALERA),
        dashboard("database-replication", "WordPress: replication", SERVERS, REPLICATION),
        dashboard("database-standalone", "WordPress: database", SERVERS),
        dashboard("etcd", "WordPress: etcd", ARBITERS));
  }

  @SafeVarargs
  private static Dashboard dashboard(String name, String title, List<Panel>... panels) {
    return new Dashboard(name, title, Stream.of(panels).flatMap(List::stream).map(Dashboards::resolved).toList());
  }

  private static Panel resolved(Panel panel) {
    var queries = new LinkedHashMap<String, String>();
    panel.queries().forEach((legend, query) -> queries.put(legend, query.replace("$web", WEB).replace("$database", DATABASE).replace("$etcd", ETCD)));
    return new Panel(panel.kind(), panel.title(), panel.unit(), panel.colors(), queries);
  }
}
