package io.github.wordpressha.cluster;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Anonymous visitors who read the front page all the time, each over a new connection, through the nodes in turn, all under the site's one
 * name. As a load balancer does, it asks another node when one does not answer; it notes that as rerouted. A page has failed when every node
 * failed, or when one answered with anything but 200.
 */
final class Reader implements AutoCloseable {

    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Duration CONNECT = Duration.ofSeconds(1);
    private static final Duration ANSWER = Duration.ofSeconds(5);

    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT).build();
    private final List<URI> addresses;
    private final String name;
    private final List<Instant> read = new CopyOnWriteArrayList<>();
    private final List<String> failed = new CopyOnWriteArrayList<>();
    private final List<String> rerouted = new CopyOnWriteArrayList<>();
    private final Thread thread = new Thread(this::run, "reader");

    Reader(List<URI> addresses, String name) {
        this.addresses = addresses;
        this.name = name;
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        try {
            for (int turn = 0; ; turn++) {
                read(turn);
                Thread.sleep(PAUSE.toMillis());
            }
        } catch (InterruptedException e) {
            // Closed.
        }
    }

    private void read(int turn) throws InterruptedException {
        for (int i = 0; i < addresses.size(); i++) {
            URI address = addresses.get((turn + i) % addresses.size());
            var request = HttpRequest.newBuilder(address.resolve("/")).header("Host", name).header("Connection", "close").build();
            try {
                // A request's own timeout would end with the answer's first line; a page may stop half way.
                HttpResponse<String> response = client.sendAsync(request, BodyHandlers.ofString()).get(ANSWER.toMillis(), TimeUnit.MILLISECONDS);
                if (response.statusCode() == 200 && response.body().contains("</html>")) {
                    read.add(Instant.now());
                } else {
                    failed.add("%s %s answered %d".formatted(Instant.now(), address, response.statusCode()));
                }
                return;
            } catch (ExecutionException | TimeoutException e) {
                rerouted.add("%s %s: %s".formatted(Instant.now(), address, e));
            }
        }
        failed.add("%s no node answers".formatted(Instant.now()));
    }

    /** How many pages were read. */
    int count() {
        return read.size();
    }

    /** Failed pages, with time and reason. */
    List<String> failed() {
        return List.copyOf(failed);
    }

    /** Requests that a node did not answer, with time and reason. */
    List<String> rerouted() {
        return List.copyOf(rerouted);
    }

    /** The last page, or the epoch. */
    Instant lastRead() {
        return read.isEmpty() ? Instant.EPOCH : read.get(read.size() - 1);
    }

    Duration longestGap() {
        return Gaps.longest(read);
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
