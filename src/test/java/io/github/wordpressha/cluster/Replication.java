package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * A primary and its replicas. Whole: one member takes writes, and it has the lease; all others refuse them, follow it by GTID, acknowledge
 * its writes, have what it has, and nothing else.
 */
record Replication(Release release) implements Topology {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final int CATCH_UP_SECONDS = 5;
    private static final String RECEIVES = """
        SELECT CONCAT_WS(' ', SUBSTRING_INDEX(c.HOST, '.', 1), c.AUTO_POSITION, s.SERVICE_STATE, a.SERVICE_STATE)
        FROM performance_schema.replication_connection_configuration c
        JOIN performance_schema.replication_connection_status s USING (CHANNEL_NAME)
        JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME)""";

    @Override
    public Members members() {
        return release.members();
    }

    /** The primary, by its lease. */
    @Override
    public String writable() {
        return new Registry(release).primary();
    }

    /** All members but the primary. */
    List<String> replicas() {
        String primary = writable();
        return members().names().stream().filter(member -> !member.equals(primary)).toList();
    }

    @Override
    public void assertWhole(int size) {
        List<String> names = members().names();
        assertThat(names).hasSize(size);
        assertThat(names.stream().filter(member -> !ask(member, "SELECT @@GLOBAL.super_read_only").equals("1")))
            .as("members that take writes").containsExactly(writable());
        String primary = writable();
        List<String> replicas = names.stream().filter(member -> !member.equals(primary)).toList();
        assertThat(replicas).allSatisfy(replica -> assertThat(members().query(replica, RECEIVES)).containsExactly(primary + " 1 ON ON"));
        if (size > 1) {
            assertThat(ask(primary, "SHOW STATUS LIKE 'Rpl_semi_sync_source_status'")).endsWith("ON");
            assertThat(ask(primary, "SHOW STATUS LIKE 'Rpl_semi_sync_source_clients'")).endsWith("\t" + (size - 1));
        }
        String written = executed(primary);
        assertThat(replicas).allSatisfy(replica -> {
            assertThat(ask(replica, "SELECT WAIT_FOR_EXECUTED_GTID_SET('%s', %d)".formatted(written, CATCH_UP_SECONDS)))
                .as("%s has what the primary has", replica).isEqualTo("0");
            assertThat(ask(primary, "SELECT GTID_SUBTRACT('%s', @@GLOBAL.gtid_executed)".formatted(executed(replica))))
                .as("what %s alone has", replica).isEmpty();
        });
    }

    /** The transactions that a member has. */
    String executed(String member) {
        return ask(member, "SELECT REPLACE(@@GLOBAL.gtid_executed, '\\n', '')");
    }

    private String ask(String member, String sql) {
        return members().query(member, sql).stream().findFirst().orElse("");
    }

    /** Whether the member's data directory was copied from another one by xtrabackup, as it says itself. */
    boolean isClone(String member) {
        return !in(member, "ls /var/lib/mysql | grep -x xtrabackup_info || true").isEmpty();
    }

    /** What a command of the shell prints in the elector's container, which sees all of the member's volume. */
    String in(String member, String command) {
        return in(member, TIMEOUT, command);
    }

    /** As {@link #in(String, String)}, when it may take longer. */
    String in(String member, Duration atMost, String command) {
        return Pods.exec(release.kubernetes(), release.namespace(), member, "elector", atMost, "bash", "-c", command).strip();
    }

    /** Whether the member's server answers. */
    boolean serves(String member) {
        try {
            return members().query(member, "SELECT 1").equals(List.of("1"));
        } catch (IllegalStateException e) {
            return false;
        }
    }

    /** The lines that a container of the member has logged and that contain some words, oldest first. */
    List<String> logged(String member, String container, String words) {
        String log = release.kubernetes().pods().inNamespace(release.namespace()).withName(member).inContainer(container).getLog();
        return Stream.of(log.split("\n")).filter(line -> line.contains(words)).toList();
    }
}
