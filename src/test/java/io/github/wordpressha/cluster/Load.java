package io.github.wordpressha.cluster;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/**
 * Visitors who come at a steady rate, however long their answers take: each asks one node, over a new connection, for one of some
 * pages. Nothing is asked a second time: an answer that is not good, or does not come, is a failed request.
 */
final class Load implements AutoCloseable {

    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final Site site;
    private final List<URI> addresses;
    private final List<String> paths;
    private final Map<String, String> headers;
    private final Predicate<HttpResponse<String>> good;
    private final AtomicInteger asked = new AtomicInteger();
    private final AtomicInteger answered = new AtomicInteger();
    private final AtomicLong slowest = new AtomicLong();
    private final List<String> failed = new CopyOnWriteArrayList<>();

    /**
     * @param perSecond requests in a second
     * @param good whether an answer is what the visitor came for
     */
    Load(Site site, List<URI> addresses, int perSecond, List<String> paths, Map<String, String> headers, Predicate<HttpResponse<String>> good) {
        this.site = site;
        this.addresses = addresses;
        this.paths = paths;
        this.headers = headers;
        this.good = good;
        clock.scheduleAtFixedRate(this::ask, 0, TimeUnit.SECONDS.toMicros(1) / perSecond, TimeUnit.MICROSECONDS);
    }

    /** Anonymous visitors of these pages. */
    static Load anonymous(Release release, int perSecond, List<String> paths) {
        return new Load(release.site(), release.addresses(), perSecond, paths, Map.of(), Load::isWholePage);
    }

    /** Somebody who is logged in, and is still known on each page. */
    static Load loggedIn(Release release, Session session, int perSecond, List<String> paths) {
        return new Load(release.site(), release.addresses(), perSecond, paths, Map.of("Cookie", session.cookies()),
            answer -> isWholePage(answer) && answer.body().contains("wpadminbar"));
    }

    private static boolean isWholePage(HttpResponse<String> answer) {
        return answer.statusCode() == 200 && answer.body().contains("</html>");
    }

    private void ask() {
        int number = asked.getAndIncrement();
        URI address = addresses.get(number % addresses.size());
        String path = paths.get(ThreadLocalRandom.current().nextInt(paths.size()));
        var request = HttpRequest.newBuilder(address.resolve(path)).timeout(PATIENCE)
            .header("Host", site.host()).header("Connection", "close");
        headers.forEach(request::header);
        Instant start = Instant.now();
        client.sendAsync(request.build(), BodyHandlers.ofString())
            .whenComplete((answer, failure) -> note(start, address + path, answer, failure));
    }

    private void note(Instant start, String what, HttpResponse<String> answer, Throwable failure) {
        long millis = Duration.between(start, Instant.now()).toMillis();
        if (failure == null && good.test(answer)) {
            slowest.accumulateAndGet(millis, Math::max);
        } else {
            failed.add("%s %s after %d ms: %s".formatted(start.truncatedTo(ChronoUnit.MILLIS), what, millis, failure != null ? failure
                : answer.statusCode() + " " + answer.headers().firstValue("X-Cache").orElse("") + " " + beginning(answer.body())));
        }
        answered.incrementAndGet();
    }

    private static String beginning(String text) {
        return text.substring(0, Math.min(200, text.length())).replace('\n', ' ');
    }

    /** How many answers came, good or not. */
    int count() {
        return answered.get();
    }

    /** The requests that failed, with time and reason. */
    List<String> failed() {
        return List.copyOf(failed);
    }

    String figures() {
        return "requests=%d failed=%d slowest=%s".formatted(count(), failed.size(), Gaps.seconds(Duration.ofMillis(slowest.get())));
    }

    /** Sends no more, and waits for the answers that are due. */
    @Override
    public void close() {
        clock.shutdownNow();
        try {
            clock.awaitTermination(1, TimeUnit.SECONDS);
            Instant deadline = Instant.now().plus(PATIENCE).plus(CONNECT);
            while (answered.get() < asked.get() && Instant.now().isBefore(deadline)) {
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
