package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toCollection;
import static java.util.stream.Collectors.toMap;

import io.github.wordpressha.cluster.Writer.Ack;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The table that writers fill, and what each member has of it. */
record Ledger(Topology topology, String run) {

    /** Makes the table, where it does not exist yet. Nothing in it keeps a row from being there twice. */
    void prepare() {
        topology.members().query(topology.writable(), """
            CREATE TABLE IF NOT EXISTS wordpress.drill_writes (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
            run VARCHAR(64) NOT NULL, writer INT NOT NULL, seq INT NOT NULL, accepted_by VARCHAR(64) NOT NULL DEFAULT '', accepted_at DATETIME(6), KEY row_of_run (run, writer, seq)) ENGINE=InnoDB""");
    }

    /** Which acknowledged rows are not exactly once on a member, by member; empty when all is well. */
    Map<String, List<String>> wrong(Collection<Ack> acks) {
        var wrong = new TreeMap<String, List<String>>();
        for (String member : topology.members().names()) {
            Map<String, Integer> rows = rows(member);
            List<String> here = acks.stream()
                .filter(ack -> rows.getOrDefault(ack.row(), 0) != 1)
                .map(ack -> "row %s at %s is there %d times".formatted(ack.row(), ack.at(), rows.getOrDefault(ack.row(), 0)))
                .toList();
            if (!here.isEmpty()) {
                wrong.put(member, here);
            }
        }
        return wrong;
    }

    /**
     * Which rows are not as often on a member as on the first one, by member; empty when the members agree. A row that is just being written
     * is on one member before it is on the others, so a row counts when it is found a second time.
     */
    Map<String, List<String>> disagreements() {
        Map<String, List<String>> found = disagreementsNow();
        if (!found.isEmpty()) {
            Map<String, List<String>> again = disagreementsNow();
            found.forEach((member, rows) -> rows.retainAll(again.getOrDefault(member, List.of())));
            found.values().removeIf(List::isEmpty);
        }
        return found;
    }

    private Map<String, List<String>> disagreementsNow() {
        List<String> members = topology.members().names();
        Map<String, Integer> first = rows(members.get(0));
        var found = new TreeMap<String, List<String>>();
        for (String member : members) {
            Map<String, Integer> here = rows(member);
            found.put(member, Stream.concat(first.keySet().stream(), here.keySet().stream()).distinct().sorted()
                .filter(row -> !Objects.equals(first.get(row), here.get(row)))
                .map(row -> "row %s is there %d times, on %s %d times".formatted(row, here.getOrDefault(row, 0), members.get(0), first.getOrDefault(row, 0)))
                .collect(toCollection(ArrayList::new)));
        }
        found.values().removeIf(List::isEmpty);
        return found;
    }

    /** The rows of this run, by the time at which a member accepted them. */
    List<Accepted> accepted() {
        String sql = "SELECT accepted_by, UNIX_TIMESTAMP(accepted_at) FROM wordpress.drill_writes WHERE run = '%s' ORDER BY accepted_at".formatted(run);
        return topology.members().query(topology.writable(), sql).stream()
            .map(line -> line.split("\t"))
            .map(pair -> new Accepted(pair[0], Instant.EPOCH.plus(new BigDecimal(pair[1]).movePointRight(6).longValue(), ChronoUnit.MICROS)))
            .toList();
    }

    /** How often each row of this run is on a member. Members must agree about all of it, acknowledged or not. */
    Map<String, Integer> rows(String member) {
        String sql = "SELECT CONCAT(writer, ' ', seq), COUNT(*) FROM wordpress.drill_writes WHERE run = '%s' GROUP BY writer, seq".formatted(run);
        return topology.members().query(member, sql).stream()
            .map(line -> line.split("\t"))
            .collect(toMap(pair -> pair[0], pair -> Integer.parseInt(pair[1])));
    }

    /** A row that is there: the member that accepted it first, and when, by that member's clock. */
    record Accepted(String member, Instant at) {
    }
}
