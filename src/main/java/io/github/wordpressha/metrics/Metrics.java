package io.github.wordpressha.metrics;

import static io.github.wordpressha.metrics.Metric.Tier.CLUSTER;
import static io.github.wordpressha.metrics.Metric.Tier.ETCD;
import static io.github.wordpressha.metrics.Metric.Tier.GALERA;
import static io.github.wordpressha.metrics.Metric.Tier.REPLICATION;
import static io.github.wordpressha.metrics.Metric.Tier.ROUTER;
import static io.github.wordpressha.metrics.Metric.Tier.STANDALONE;
import static io.github.wordpressha.metrics.Metric.Tier.TLS;
import static io.github.wordpressha.metrics.Metric.Tier.WORDPRESS;
import static io.github.wordpressha.metrics.Metric.counter;
import static io.github.wordpressha.metrics.Metric.gauge;
import static io.github.wordpressha.metrics.Metric.histogram;

import io.github.wordpressha.metrics.Metric.Tier;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** The metrics that alerts and dashboards rely on. Each pod serves more; docs/metrics.md shows these. */
public final class Metrics {

  private static final Set<Tier> WEB = Set.of(WORDPRESS);
  private static final Set<Tier> ROUTERS = Set.of(ROUTER);
  private static final Set<Tier> DATABASES = Set.of(GALERA, REPLICATION, STANDALONE);
  private static final Set<Tier> REPLICAS = Set.of(REPLICATION);
  private static final Set<Tier> MEMBERS = Set.of(GALERA);
  private static final Set<Tier> ARBITERS = Set.of(ETCD);
  private static final Set<Tier> AROUND = Set.of(CLUSTER);

  private static final List<Metric> ALL = List.of(
      // The site, as visitors see it.
      counter("wordpress_ha_http_requests_total", "Requests answered, by status and by what made the answer: cache, php or nginx.", WEB, "code", "from"),
      histogram("wordpress_ha_http_request_duration_seconds", "Time from the first byte of a request to the last of its answer.", WEB, "from"),
      counter("wordpress_ha_stale_pages_total", "Expired pages served because PHP or the database fails.", WEB),
      counter("wordpress_ha_logins_refused_total", "Attempts to log in beyond `wordpress.loginsPerMinute`.", WEB),
      gauge("wordpress_ha_source_up", "Whether a part of the pod answers: nginx, php, php-queries, router, database, content.", WEB, "source"),
      gauge("wordpress_ha_cron_due_events", "Points in time whose events are due.", WEB),
      gauge("wordpress_ha_cron_lag_seconds", "Time since the oldest due event should have begun.", WEB),
      gauge("wordpress_ha_content_size_bytes", "Size of the file system with the shared content.", WEB),
      gauge("wordpress_ha_content_available_bytes", "Room that is left on it.", WEB),
      gauge("wordpress_ha_clock_seconds", "The clock of the node, in seconds since 1970.", Set.of(WORDPRESS, GALERA, REPLICATION, STANDALONE)),
      // What serves it.
      gauge("nginx_connections_active", "Open connections of visitors.", WEB),
      counter("phpfpm_accepted_connections_total", "Requests that the pool has accepted.", WEB, "pool"),
      gauge("phpfpm_listen_queue", "Requests that wait for a worker of the pool.", WEB, "pool"),
      gauge("phpfpm_active_processes", "Busy workers of the pool.", WEB, "pool"),
      gauge("phpfpm_idle_processes", "Idle workers of the pool.", WEB, "pool"),
      counter("phpfpm_max_children_reached_total", "Times that the pool had no worker left to start.", WEB, "pool"),
      counter("phpfpm_slow_requests_total", "Requests that took longer than 5 s.", WEB, "pool"),
      gauge("haproxy_backend_active_servers", "Database members that take this pod's writes.", ROUTERS, "proxy"),
      gauge("haproxy_backend_current_sessions", "Connections to the database.", ROUTERS, "proxy"),
      counter("haproxy_backend_sessions_total", "Connections made to the database.", ROUTERS, "proxy"),
      counter("haproxy_backend_connection_errors_total", "Connections to the database that failed.", ROUTERS, "proxy"),
      gauge("haproxy_server_status", "The state in which the router sees a member: 1 for the one that holds.", ROUTERS, "proxy", "server", "state"),
      counter("haproxy_server_check_failures_total", "Checks of a member that failed.", ROUTERS, "proxy", "server"),
      // The database's members.
      gauge("wordpress_ha_agent_up", "Whether the check agent works and its notes are fresh.", DATABASES),
      gauge("wordpress_ha_member_takes_writes", "Whether routers may send writes to this member.", DATABASES),
      gauge("wordpress_ha_member_info", "What this member is doing, and why it takes writes or not.", DATABASES, "phase", "reason"),
      gauge("wordpress_ha_member_primary_component", "Whether this member is part of the Primary component.", MEMBERS),
      gauge("wordpress_ha_member_view", "Number of the view of the component.", MEMBERS),
      gauge("wordpress_ha_member_role", "The role of this member: primary, replica or none.", REPLICAS, "role"),
      gauge("wordpress_ha_member_term", "Number of the primary's term.", REPLICAS),
      gauge("wordpress_ha_member_receiving", "Whether this replica is connected to the primary.", REPLICAS),
      gauge("wordpress_ha_member_in_sync", "Whether this replica acknowledges writes.", REPLICAS),
      gauge("wordpress_ha_member_lag_seconds", "Age of the oldest write that this replica has received and not applied.", REPLICAS),
      gauge("mysql_up", "Whether mysqld_exporter can log in.", DATABASES),
      gauge("mysql_global_status_threads_connected", "Open connections.", DATABASES),
      gauge("mysql_global_status_threads_running", "Statements that run now.", DATABASES),
      counter("mysql_global_status_queries", "Statements run.", DATABASES),
      counter("mysql_global_status_slow_queries", "Statements that took longer than `long_query_time`.", DATABASES),
      gauge("mysql_global_variables_max_connections", "Connections that the server allows.", DATABASES),
      gauge("mysql_global_status_wsrep_cluster_size", "Members of the component.", MEMBERS),
      gauge("mysql_global_status_wsrep_local_state", "State of this member: 4 is synced, 2 a donor.", MEMBERS),
      gauge("mysql_global_status_wsrep_local_recv_queue", "Write sets that wait to be applied.", MEMBERS),
      counter("mysql_global_status_wsrep_flow_control_paused_ns", "Nanoseconds in which flow control has stopped writes.", MEMBERS),
      counter("mysql_global_status_wsrep_local_cert_failures", "Transactions that failed certification.", MEMBERS),
      // etcd's own.
      gauge("etcd_server_has_leader", "Whether this member knows a leader.", ARBITERS),
      counter("etcd_server_leader_changes_seen_total", "Changes of the leader.", ARBITERS),
      counter("etcd_server_proposals_failed_total", "Proposals that failed.", ARBITERS),
      gauge("etcd_server_quota_backend_bytes", "Largest size of the data, `etcd.quota`.", ARBITERS),
      gauge("etcd_mvcc_db_total_size_in_bytes", "Size of the data.", ARBITERS),
      histogram("etcd_disk_wal_fsync_duration_seconds", "Time in which the disk takes a write.", ARBITERS),
      // Certificates.
      gauge("wordpress_ha_certificate_expiry_timestamp_seconds", "When the certificate of this pod ends, in seconds since 1970.", Set.of(TLS)),
      // What only the cluster knows.
      gauge("up", "Whether the last scrape of a target worked.", AROUND),
      gauge("kubelet_volume_stats_available_bytes", "Room that is left on a volume.", AROUND, "persistentvolumeclaim"),
      gauge("kubelet_volume_stats_capacity_bytes", "Size of a volume.", AROUND, "persistentvolumeclaim"),
      counter("kube_pod_container_status_restarts_total", "Restarts of a container.", AROUND, "container"),
      counter("kube_pod_init_container_status_restarts_total", "Restarts of an init container or sidecar.", AROUND, "container"),
      gauge("kube_pod_container_status_last_terminated_reason", "Why a container ended last.", AROUND, "container", "reason"),
      gauge("kube_pod_init_container_status_last_terminated_reason", "Why an init container or sidecar ended last.", AROUND, "container", "reason"),
      gauge("kube_pod_container_status_waiting_reason", "Why a container does not run.", AROUND, "container", "reason"),
      gauge("kube_pod_init_container_status_waiting_reason", "Why an init container or sidecar does not run.", AROUND, "container", "reason"),
      gauge("kube_deployment_spec_replicas", "Web pods that there should be.", AROUND, "deployment"),
      gauge("kube_deployment_status_replicas_available", "Web pods that are ready.", AROUND, "deployment"),
      gauge("kube_statefulset_replicas", "Members that there should be.", AROUND, "statefulset"),
      gauge("kube_statefulset_status_replicas_ready", "Members that are ready.", AROUND, "statefulset"),
      gauge("kube_horizontalpodautoscaler_spec_max_replicas", "Most web pods.", AROUND, "horizontalpodautoscaler"),
      gauge("kube_horizontalpodautoscaler_status_current_replicas", "Web pods now.", AROUND, "horizontalpodautoscaler"));

  private Metrics() {}

  public static List<Metric> all() {
    return ALL;
  }

  /** Those that pods of these tiers serve. */
  public static List<Metric> of(Set<Tier> tiers) {
    return ALL.stream().filter(metric -> metric.tiers().stream().anyMatch(tiers::contains)).toList();
  }

  /** The table of docs/metrics.md. */
  public static String table() {
    return ALL.stream().map(Metric::row).collect(Collectors.joining("", "| metric | type | labels | where | meaning |\n|---|---|---|---|---|\n", ""));
  }
}
