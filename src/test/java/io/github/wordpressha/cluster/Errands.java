package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What people do on a site all the time, 20 requests a second through the web pods in turn: they read stored pages, pages that are in no
 * store and pictures that were read before, log in, work in the dashboard, publish and comment. No request is sent a second time.
 */
final class Errands implements AutoCloseable {

    private static final int PER_SECOND = 20;
    /** An answer that comes later is none. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final int REQUESTS_OF_A_LOGIN = 3;
    /** The chart's own limit is 30 a minute. */
    private static final int SECONDS_BETWEEN_LOGINS = 4;

    private final Release release;
    private final Session editor;
    private final List<Site> pods;
    private final Story story;
    private final List<Errand> second = new ArrayList<>();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService people = Executors.newCachedThreadPool();
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicLong slowest = new AtomicLong();
    private final List<Failure> failures = new CopyOnWriteArrayList<>();

    private record Errand(String name, int requests, Step step) {

        /** Of a person, for each page. */
        Duration patience() {
            return PATIENCE.multipliedBy(requests);
        }
    }

    @FunctionalInterface
    private interface Step {
        void run(Site site, int number);
    }

    private record Failure(String errand, Instant at, Duration after, String why) {

        @Override
        public String toString() {
            return "%s %s after %s: %.200s".formatted(at.truncatedTo(ChronoUnit.MILLIS), errand, Gaps.seconds(after), why);
        }
    }

    /**
     * @param release that has an administrator, and takes comments
     * @param story whose picture they see, and whose post they comment; each errand is done once through each pod before the clock starts
     */
    Errands(Release release, Story story) {
        this.release = release;
        this.editor = release.logIn();
        this.pods = release.pods("wordpress").stream().map(release::site).toList();
        this.story = story;
        // Six of twenty need PHP. With more of them, two slow cores would be busy with the visitors alone, and the outage would not be seen.
        add(8, "stored page", (site, number) -> whole(site.get("/")));
        add(6, "picture", this::seePicture);
        add(2, "search", (site, number) -> whole(site.get("/?s=errand" + number)));
        add(1, "dashboard", (site, number) -> whole(editor.at(site).get("/wp-admin/")));
        add(1, "publish", (site, number) -> editor.at(site).publish("Errand " + number, "<p>Published</p>"));
        add(1, "comment", this::comment);
        second.add(new Errand("log in", REQUESTS_OF_A_LOGIN, this::logIn));
        assertThat(second).hasSize(PER_SECOND);
        Collections.shuffle(second, new Random(1));
        pods.forEach(site -> second.forEach(errand -> errand.step().run(site, 0)));
        clock.scheduleAtFixedRate(this::next, 0, TimeUnit.SECONDS.toMillis(1) / PER_SECOND, TimeUnit.MILLISECONDS);
    }

    private void add(int perSecond, String name, Step step) {
        second.addAll(Collections.nCopies(perSecond, new Errand(name, 1, step)));
    }

    private static void whole(Page page) {
        assertThat(page.expect(200).text()).contains("</html>");
    }

    private void seePicture(Site site, int number) {
        String path = story.post().image().path();
        switch (number % 3) {
            case 0 -> assertThat(site.get(path).expect(200).bytes()).isEqualTo(story.image());
            case 1 -> assertThat(site.get(path, Map.of("Range", "bytes=10-19")).expect(206).bytes()).isEqualTo(Arrays.copyOfRange(story.image(), 10, 20));
            default -> assertThat(site.request("HEAD", path, Map.of()).expect(200).headers().firstValue("Content-Type")).hasValue("image/png");
        }
    }

    private void comment(Site site, int number) {
        site.postForm("/wp-comments-post.php", Map.of("comment_post_ID", String.valueOf(story.post().id()), "comment", "Errand %d %d".formatted(number, System.nanoTime())),
            Map.of("Cookie", editor.cookies())).expect(302);
    }

    private void logIn(Site site, int number) {
        if (number / PER_SECOND % SECONDS_BETWEEN_LOGINS == 0) {
            release.logIn(site);
        } else {
            whole(site.get("/wp-login.php"));
        }
    }

    private void next() {
        int number = begun.getAndIncrement();
        // Each errand comes to the next pod a second later, also where the number of pods divides that of the errands.
        people.execute(() -> run(second.get(number % PER_SECOND), pods.get((number + number / PER_SECOND) % pods.size()), number));
    }

    private void run(Errand errand, Site site, int number) {
        Instant start = Instant.now();
        String why = "";
        try {
            errand.step().run(site, number);
        } catch (RuntimeException | AssertionError e) {
            why = e.toString().lines().findFirst().orElse("");
        }
        Duration after = Duration.between(start, Instant.now());
        if (why.isEmpty() && after.compareTo(errand.patience()) > 0) {
            why = "too late";
        }
        if (why.isEmpty()) {
            slowest.accumulateAndGet(after.toMillis(), Math::max);
        } else {
            failures.add(new Failure(errand.name(), start, after, why));
        }
        done.incrementAndGet();
    }

    /** Those that began after this moment and failed. */
    List<String> failedSince(Instant moment) {
        return failures.stream().filter(failure -> failure.at().isAfter(moment)).map(Failure::toString).toList();
    }

    /** How many requests there were, and which of them failed. */
    String figures() {
        var failed = new TreeMap<>(failures.stream().collect(groupingBy(Failure::errand, counting())));
        return "requests=%d failed=%s slowest=%s".formatted(done.get(), failed.isEmpty() ? 0 : failed, Gaps.seconds(Duration.ofMillis(slowest.get())));
    }

    /** Sends no more, and waits for the answers that are due. */
    @Override
    public void close() {
        clock.shutdownNow();
        people.shutdown();
        try {
            assertThat(people.awaitTermination(2, TimeUnit.MINUTES)).as("all requests have ended").isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
