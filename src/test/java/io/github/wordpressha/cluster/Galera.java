package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;

/** Members that are all equal. Whole: one history, every one of them Synced, and in one view with all others. */
record Galera(Members members) implements Topology {

    @Override
    public String writable() {
        return members.names().get(0);
    }

    @Override
    public void assertWhole(int size) {
        List<Status> states = members.names().stream().map(this::status).toList();
        assertThat(states).hasSize(size).allMatch(state ->
            state.component().equals("Primary") && state.state().equals("Synced") && state.size() == size);
        assertThat(states).extracting(Status::uuid).containsOnly(states.get(0).uuid());
    }

    /** What one member knows about the cluster. */
    Status status(String member) {
        Map<String, String> values = members.query(member, "SHOW GLOBAL STATUS LIKE 'wsrep\\_%'").stream()
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
