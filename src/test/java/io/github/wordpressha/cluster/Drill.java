package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * A fault under load: writers on every WordPress pod and a reader of the front page run while something is broken and mended. In the
 * end every tier must be whole, and every acknowledged row must be on every member exactly once.
 *
 * @param topology what the database is
 * @param name for people, for example {@code galera/kill-writer}
 * @param members how many members the database has when it is whole
 * @param patience how long the site may take to be whole again
 */
record Drill(Release release, Topology topology, String name, int members, Duration patience) {

    private static final Duration STEADY = Duration.ofSeconds(60);
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
        new Drill(release, topology, name, membersBefore, patience).whole();
        String run = name.replace('/', '-') + "-" + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX);
        var ledger = new Ledger(topology, run);
        ledger.prepare();
        Duration recovered;
        warm();
        var writers = new Writers(release, run);
        var reader = new Reader(release.addresses(), release.host());
        try (writers; reader) {
            steady(writers, Instant.now());
            Instant start = Instant.now();
            fault.happen(writers, reader);
            whole();
            steady(writers, Instant.now());
            recovered = Duration.between(start, Instant.now());
        }
        nothingIsLost(ledger, writers.acks());
        var outcome = new Outcome(
            writers.acks().size(), writers.longestGap(), reader.longestGap(), reader.failed(), reader.rerouted(), recovered,
            ledger.accepted());
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
            List<String> names = topology.members().names();
            assertThat(names).hasSize(members);
            assertThat(ledger.disagreements()).as("rows that another member has and this one has not, or not as often").isEmpty();
        });
    }

    /** Puts the page into every pod's cache. A page that is in no cache needs the database, and may fail with it. */
    private void warm() {
        Await.until("the caches are warm", STEADY, () -> release.pods("wordpress").stream().filter(pod -> !pod.isMarkedForDeletion())
            .forEach(pod -> release.site(pod).get("/").expect(200)));
    }

    /** Waits until every pod writes, as it does when nothing is wrong. */
    private void steady(Writers writers, Instant since) {
        Await.until("every WordPress pod writes", STEADY, () -> assertThat(writers.allWroteSince(since)).isTrue());
    }

    /** Waits until all workloads are ready and the database is whole. */
    void whole() {
        release.awaitReady(patience);
        Await.until("a whole database of " + members, patience, () -> topology.assertWhole(members));
    }
}
