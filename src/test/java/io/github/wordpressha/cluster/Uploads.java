package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;

/** People who upload files all the time, each through the given addresses in turn. What the site has acknowledged must be there. */
final class Uploads implements AutoCloseable {

    private static final int BYTES = 48 * 1024;
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration READ = Duration.ofSeconds(60);

    private final Session session;
    private final List<URI> addresses;
    private final String run = Long.toString(System.nanoTime(), Character.MAX_RADIX);
    private final ConcurrentLinkedQueue<Stored> stored = new ConcurrentLinkedQueue<>();
    private final List<Thread> people = new ArrayList<>();
    private volatile boolean closed;

    /** An acknowledged file: where visitors find it, what is in it, and when it was acknowledged. */
    record Stored(String path, byte[] bytes, Instant at) {
    }

    /**
     * @param release whose administrator they are
     * @param addresses of the site, or of its pods
     * @param most files that each of them uploads at most
     */
    Uploads(Release release, List<URI> addresses, int most) {
        this.session = release.logIn();
        this.addresses = List.copyOf(addresses);
        for (int person = 0; person < addresses.size(); person++) {
            int number = person;
            var thread = new Thread(() -> upload(number, most), "uploads-" + person);
            thread.setDaemon(true);
            people.add(thread);
            thread.start();
        }
    }

    private void upload(int person, int most) {
        for (int file = 0; file < most && !closed; file++) {
            byte[] bytes = text(person * 100_003L + file);
            String name = "file-%s-%d-%d.txt".formatted(run, person, file);
            try {
                URI address = addresses.get((person + file) % addresses.size());
                stored.add(new Stored(session.through(address).upload(name, "text/plain", bytes).path(), bytes, Instant.now()));
                Thread.sleep(PAUSE.toMillis());
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                // Not acknowledged: nobody was promised anything.
                System.out.println("%s upload %s was not acknowledged: %.200s".formatted(Instant.now(), name, e.getMessage()));
            }
        }
    }

    /** WordPress looks into files: what it takes for text has to be text. */
    private static byte[] text(long seed) {
        byte[] random = new byte[BYTES];
        new Random(seed).nextBytes(random);
        return Base64.getMimeEncoder().encode(random);
    }

    /** Waits until each of them has uploaded all of theirs. */
    Uploads await(Duration atMost) {
        Await.until("all files are uploaded", atMost, () -> assertThat(people).noneMatch(Thread::isAlive));
        return this;
    }

    List<Stored> stored() {
        return List.copyOf(stored);
    }

    Duration longestGap() {
        return Gaps.longest(stored.stream().map(Stored::at).toList());
    }

    void awaitOneSince(Instant moment, Duration atMost) {
        Await.until("an upload is acknowledged", atMost, () -> assertThat(stored).anyMatch(one -> one.at().isAfter(moment)));
    }

    /** Every acknowledged file has the same bytes through every WordPress pod. */
    void areReadEverywhere(Release release) {
        for (Pod pod : release.pods("wordpress")) {
            Site site = release.site(pod);
            for (Stored one : stored) {
                Await.until(one.path() + " through " + Pods.name(pod), READ, () -> assertThat(site.get(one.path()).expect(200).bytes())
                    .as("bytes of %s", one.path()).isEqualTo(one.bytes()));
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        people.forEach(thread -> {
            try {
                thread.join(Duration.ofMinutes(1).toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }
}
