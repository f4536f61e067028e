package io.github.wordpressha.cluster;

import io.github.wordpressha.cluster.RawHttp.Answer;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Visitors at the edge who come at a steady rate, each over a new connection; the page cache has half of what they ask for. */
final class Visits implements AutoCloseable {

    private static final int AT_ONCE = 8;

    private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(AT_ONCE);
    private final Visitor visitor;
    private final String site;
    private final AtomicInteger count = new AtomicInteger();
    private final List<String> failed = new CopyOnWriteArrayList<>();

    Visits(Visitor visitor, String site, int perSecond) {
        this.visitor = visitor;
        this.site = site;
        for (String path : List.of("/", "/?s=never-cached")) {
            for (int i = 0; i < AT_ONCE / 2; i++) {
                clock.scheduleAtFixedRate(() -> visit(path), i * 1000L / perSecond, AT_ONCE * 1000L / perSecond, TimeUnit.MILLISECONDS);
            }
        }
    }

    private void visit(String path) {
        Instant start = Instant.now();
        try {
            Answer page = visitor.get(site + path);
            if (page.status() != 200 || !page.text().contains("</html>")) {
                failed.add("%s %s %.200s".formatted(start, path, page.text()));
            }
        } catch (RuntimeException e) {
            failed.add("%s %s %s".formatted(start, path, e));
        }
        count.incrementAndGet();
    }

    int count() {
        return count.get();
    }

    /** What was not a whole page. */
    List<String> failed() {
        return List.copyOf(failed);
    }

    @Override
    public void close() {
        clock.shutdown();
        try {
            clock.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
