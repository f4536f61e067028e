package io.github.wordpressha.cluster;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Clients who ask for a page again as soon as they have an answer, whatever it is. */
final class Callers implements AutoCloseable {

    private static final Duration PAUSE = Duration.ofMillis(200);

    private final ExecutorService threads;
    private volatile boolean closed;

    Callers(Site site, int count, String path, Map<String, String> headers) {
        threads = Executors.newFixedThreadPool(count, work -> {
            var thread = new Thread(work, "caller");
            thread.setDaemon(true);
            return thread;
        });
        for (int i = 0; i < count; i++) {
            threads.execute(() -> {
                while (!closed) {
                    call(site, path, headers);
                }
            });
        }
    }

    private static void call(Site site, String path, Map<String, String> headers) {
        try {
            site.request("GET", path, headers);
            Await.pass(PAUSE);
        } catch (RuntimeException e) {
            // No answer is an answer, too. Closing ends a pause.
        }
    }

    @Override
    public void close() {
        closed = true;
        threads.shutdownNow();
    }
}
