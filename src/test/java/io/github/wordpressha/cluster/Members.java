package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toMap;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The database's members, asked one by one, each at its own socket and not through what WordPress uses. */
record Members(Release release) {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    /** The names of the pods that the database has now. */
    List<String> names() {
        return Release.names(release.pods("database"));
    }

    /**
     * Runs SQL on one member as root.
     *
     * @return the rows: columns separated by tabs, without a header
     */
    List<String> query(String member, String sql) {
        return Pods.exec(release.kubernetes(), release.namespace(), member, "mysql", TIMEOUT, "/scripts/mysql", "-N", "-e", sql)
            .lines().toList();
    }

    /** What one member knows about the cluster. */
    Status status(String member) {
        Map<String, String> values = query(member, "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'").stream()
            .map(line -> line.split("\t", 2))
            .collect(toMap(pair -> pair[0], pair -> pair.length > 1 ? pair[1] : ""));
        return new Status(member, values.get("wsrep_cluster_state_uuid"), values.get("wsrep_cluster_status"),
            values.get("wsrep_local_state_comment"), Integer.parseInt(values.get("wsrep_cluster_size")));
    }

    /**
     * A member's view.
     *
     * @param uuid of the history that it has
     * @param component {@code Primary} when it may take writes
     * @param state {@code Synced} when it has everything
     * @param size how many members it sees, itself included
     */
    record Status(String member, String uuid, String component, String state, int size) {
    }
}
