package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.cluster.Members.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A fault under load: writers on every WordPress pod and a reader of the front page run while something is broken and mended. In the
 * end every tier must be whole, and every acknowledged row must be on every member exactly once.
 *
 * @param name for people, for example {@code galera/kill-writer}
 * @param members how many members the database has when it is whole
 * @param patience how long the site may take to be whole again
 */
record Drill(Release release, String name, int members, Duration patience) {

    private static final Duration STEADY = Duration.ofSeconds(60);
    /** That one of nine pages is missing after so many is a matter of one in ten thousand. */
    private static final int WARM_READS = 100;
    private static final Duration APPLIED = Duration.ofSeconds(60);

    /** What a drill does, with the load at hand. */
    @FunctionalInterface
    interface Fault {
        void happen(Writers writers, Reader reader) throws Exception;
    }

    /** Runs the drill; prints its figures; fails when the site does not become whole, or a row is lost. */
    Outcome run(Fault fault) throws Exception {
        return run(members, fault);
    }

    /** As {@link #run(Fault)}, when the database has another number of members before the drill than after it. */
    Outcome run(int membersBefore, Fault fault) throws Exception {
        new Drill(release, name, membersBefore, patience).whole();
        String run = name.replace('/', '-') + "-" + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);
        var ledger = new Ledger(release.members(), run);
        ledger.prepare();
        Duration recovered;
        var writers = new Writers(release, run);
        var reader = new Reader(release.cluster().addressesOf(release.namespace(), release.name()));
        try (writers; reader) {
            steady(writers, Instant.now());
            warm(reader);
            Instant start = Instant.now();
            fault.happen(writers, reader);
            whole();
            steady(writers, Instant.now());
            recovered = Duration.between(start, Instant.now());
        }
        nothingIsLost(ledger, writers.acks());
        var outcome = new Outcome(
            writers.acks().size(), writers.longestGap(), reader.longestGap(), reader.failed(), reader.rerouted(), recovered);
        Figures.record(name + " " + outcome.figures());
        writers.interruptions().forEach(System.out::println);
        outcome.failedReads().forEach(read -> System.out.println("failed read: " + read));
        outcome.reroutedReads().forEach(read -> System.out.println("rerouted read: " + read));
        return outcome;
    }

    /** A failure here is written down: a drill that missed a limit may be repeated, but a lost row is never forgiven (ci/test). */
    void nothingIsLost(Ledger ledger, List<Writer.Ack> acks) {
        try {
            awaitEveryRow(ledger, acks);
        } catch (RuntimeException | AssertionError e) {
            Figures.record(name + " NOT-SHOWN-TO-BE-WHOLE");
            throw e;
        }
    }

    /** A member may apply the last rows a little later than another; but a lost row never comes, and one too many never goes. */
    private void awaitEveryRow(Ledger ledger, List<Writer.Ack> acks) {
        Await.until("every acknowledged row is on every member exactly once, and the members agree", APPLIED, () -> {
            assertThat(ledger.wrong(acks)).as("acknowledged rows that are not exactly once on every member").isEmpty();
            List<String> names = release.members().names();
            assertThat(names).hasSize(members);
            assertThat(names).allSatisfy(name -> assertThat(ledger.rows(name)).isEqualTo(ledger.rows(names.get(0))));
        });
    }

    /**
     * Waits until every pod has the page in its cache under the name of every node: pods times nodes, drawn by chance. A page that
     * is in no cache needs the database, and may fail with it.
     */
    private void warm(Reader reader) {
        Await.until("the caches are warm", STEADY, () -> assertThat(reader.count()).isGreaterThanOrEqualTo(WARM_READS));
    }

    /** Waits until every pod writes, as it does when nothing is wrong. */
    private void steady(Writers writers, Instant since) {
        Await.until("every WordPress pod writes", STEADY, () -> assertThat(writers.allWroteSince(since)).isTrue());
    }

    /** Waits until all workloads are ready and all members have one history, are Synced, and see one another. */
    void whole() {
        release.awaitReady(patience);
        Members database = release.members();
        Await.until("one view of " + members + " Synced members", patience, () -> {
            List<Status> states = database.names().stream().map(database::status).toList();
            assertThat(states).hasSize(members).allMatch(state ->
                state.component().equals("Primary") && state.state().equals("Synced") && state.size() == members);
            assertThat(states).extracting(Status::uuid).containsOnly(states.get(0).uuid());
        });
    }
}
