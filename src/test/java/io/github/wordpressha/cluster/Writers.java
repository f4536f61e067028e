package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.github.wordpressha.cluster.Writer.Ack;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/** A {@link Writer} on every WordPress pod, also on those that come later. */
final class Writers implements AutoCloseable {

    /** A writer that says nothing for so long lost its pod: each of its statements ends, well or not, within a minute. */
    private static final Duration SILENCE = Duration.ofSeconds(75);

    /** A page that takes as long is slow. */
    private static final Duration NOTICED = Duration.ofSeconds(1);

    private final Release release;
    private final String run;
    private final List<Writer> writers = new CopyOnWriteArrayList<>();
    private final List<Writer> direct = new CopyOnWriteArrayList<>();
    private final Set<String> lostNodes = ConcurrentHashMap.newKeySet();
    private final AtomicInteger numbers = new AtomicInteger();
    private final ScheduledExecutorService supervisor = Executors.newSingleThreadScheduledExecutor();

    Writers(Release release, String run) {
        this.release = release;
        this.run = run;
        supervisor.scheduleWithFixedDelay(this::supervise, 0, 1, TimeUnit.SECONDS);
    }

    private void supervise() {
        try {
            writers.stream()
                .filter(writer -> !writer.ended() && writer.lastHeard().plus(SILENCE).isBefore(Instant.now()))
                .forEach(Writer::close);
            Set<String> occupied = writers.stream().filter(writer -> !writer.ended()).map(Writer::podUid).collect(toSet());
            for (Pod pod : release.pods("wordpress")) {
                if (!occupied.contains(pod.getMetadata().getUid()) && runs(pod) && !lostNodes.contains(Pods.node(pod))) {
                    writers.add(new Writer(release.kubernetes(), pod, run, numbers.incrementAndGet()));
                }
            }
        } catch (RuntimeException e) {
            // A pod that has just gone, or a node that does not answer: the next round sees. Whatever is thrown here would end all rounds.
            System.out.println(Instant.now() + " no writer was started: " + e);
        }
    }

    private static boolean runs(Pod pod) {
        return !pod.isMarkedForDeletion() && Pods.node(pod) != null && pod.getStatus().getContainerStatuses().stream()
            .anyMatch(status -> status.getName().equals("php") && status.getState().getRunning() != null);
    }

    /** The node loses its power: writers there end, without an interruption of the site, and none starts until it is back. */
    void nodeLost(String node) {
        lostNodes.add(node);
        on(node).forEach(Writer::close);
    }

    /** The node loses its way to the others: writers there go on, but their interruptions are none of the site. */
    void nodeCut(String node) {
        on(node).forEach(Writer::doNotCount);
    }

    /** A lost node has its power again. */
    void nodeBack(String node) {
        lostNodes.remove(node);
    }

    /**
     * Writes straight into one member from a WordPress pod, past the site's routing, as a client with an old connection does. Returns with
     * the first row. The rows count, interruptions are none of the site.
     */
    void writeDirectly(Pod from, Pod member) {
        var writer = new Writer(release.kubernetes(), from, run, numbers.incrementAndGet(), member.getStatus().getPodIP());
        direct.add(writer);
        Await.until(Pods.name(member) + " takes writes past the routing", SILENCE, () -> assertThat(writer.acks()).isNotEmpty());
    }

    /** Those that are on one node. */
    List<Writer> on(String node) {
        return writers.stream().filter(writer -> writer.node().equals(node)).toList();
    }

    /** Every acknowledged row, of every writer. */
    List<Ack> acks() {
        return Stream.concat(writers.stream(), direct.stream()).flatMap(writer -> writer.acks().stream()).toList();
    }

    private List<Instant> acksOfSite() {
        return writers.stream().flatMap(writer -> writer.acks().stream()).map(Ack::at).toList();
    }

    /** The last acknowledgement that the site had, or the epoch. */
    Instant lastAck() {
        return acksOfSite().stream().max(Instant::compareTo).orElse(Instant.EPOCH);
    }

    /** Waits until the site has had a row acknowledged after a moment. */
    void awaitAckSince(Instant moment, Duration atMost) {
        Await.until("the site takes writes", atMost, () -> assertThat(lastAck()).isAfter(moment));
    }

    /** Whether each WordPress pod that runs has had a row acknowledged since then. */
    boolean allWroteSince(Instant moment) {
        Set<String> wrote = writers.stream()
            .filter(writer -> !writer.ended() && writer.acks().stream().anyMatch(ack -> ack.at().isAfter(moment)))
            .map(Writer::podUid).collect(toSet());
        return release.pods("wordpress").stream().map(pod -> pod.getMetadata().getUid()).allMatch(wrote::contains);
    }

    /** The longest interruption of writing: of the site as a whole, or of any one pod as long as it lived. */
    Duration longestGap() {
        Duration ofSite = Gaps.longest(acksOfSite());
        return writers.stream().filter(Writer::counted)
            .map(writer -> Gaps.longest(writer.acks().stream().map(Ack::at).toList()))
            .reduce(ofSite, Gaps::longer);
    }

    /** Each interruption that somebody would notice, with its time, its length and its pod: for people who look for its cause. */
    List<String> interruptions() {
        return writers.stream().flatMap(writer -> Gaps.between(writer.acks().stream().map(Ack::at).toList())
            .filter(gap -> gap.length().compareTo(NOTICED) > 0)
            .map(gap -> "%s %s: no write for %s".formatted(gap.from(), writer.pod(), Gaps.seconds(gap.length())))).sorted().toList();
    }

    @Override
    public void close() {
        supervisor.shutdownNow();
        writers.forEach(Writer::close);
        direct.forEach(Writer::close);
    }
}
