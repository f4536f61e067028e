package io.github.wordpressha.cluster;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/**
 * Asks each member five times a second, inside of its own pod, whether it takes writes ({@code read_only} is off), as long as it is
 * open. Times are those of the member's own clock; all nodes of a test cluster have one. A member whose server is gone takes none; one that is stopped says nothing.
 */
final class Watch implements AutoCloseable {

    /** The loop ends when its input does: a process in a container outlives the connection that started it. */
    private static final String PROGRAM = """
        goes_on() { read -rt 0.2 _; [ $? -gt 128 ]; }
        while goes_on; do
          while goes_on; do echo 'SELECT UNIX_TIMESTAMP(SYSDATE(6)), @@GLOBAL.read_only;'; done |
            bash /scripts/mysql --skip-column-names --batch --unbuffered 2>/dev/null
          echo "$EPOCHREALTIME 1"
        done
        """;

    private final Map<String, List<Look>> looks = new ConcurrentHashMap<>();
    private final List<ExecWatch> watches = new CopyOnWriteArrayList<>();

    Watch(Release release) {
        for (Pod pod : release.pods("database")) {
            ExecWatch watch = release.kubernetes().pods().resource(pod).inContainer("mysql").redirectingInput().redirectingOutput()
                .exec("bash", "-c", PROGRAM);
            watches.add(watch);
            var listener = new Thread(() -> listen(Pods.name(pod), watch), "watch-" + Pods.name(pod));
            listener.setDaemon(true);
            listener.start();
        }
    }

    private void listen(String member, ExecWatch watch) {
        List<Look> seen = looks.computeIfAbsent(member, name -> new CopyOnWriteArrayList<>());
        try (var lines = new BufferedReader(new InputStreamReader(watch.getOutput(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split("\\s");
                Instant at = Instant.EPOCH.plus(Long.parseLong(words[0].replace(".", "")), ChronoUnit.MICROS);
                seen.add(new Look(at, words[1].equals("0")));
            }
        } catch (IOException e) {
            // The pod or its node is gone.
        }
    }

    /** When a member took writes for the last time that was seen. */
    Optional<Instant> lastWritable(String member) {
        return of(member).filter(Look::writable).map(Look::at).max(Instant::compareTo);
    }

    /** When a member was seen to take no writes for the first time after a moment. */
    Optional<Instant> fenced(String member, Instant since) {
        return of(member).filter(look -> !look.writable()).map(Look::at).filter(since::isBefore).min(Instant::compareTo);
    }

    /** When a member was seen to take writes for the first time. */
    Optional<Instant> firstWritable(String member) {
        return of(member).filter(Look::writable).map(Look::at).min(Instant::compareTo);
    }

    /** The members that were seen to take writes. */
    List<String> writable() {
        return looks.keySet().stream().filter(member -> firstWritable(member).isPresent()).sorted().toList();
    }

    private Stream<Look> of(String member) {
        return looks.getOrDefault(member, List.of()).stream();
    }

    @Override
    public void close() {
        watches.forEach(ExecWatch::close);
    }

    private record Look(Instant at, boolean writable) {
    }
}
