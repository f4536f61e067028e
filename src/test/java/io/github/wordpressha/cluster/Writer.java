package io.github.wordpressha.cluster;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * One process in one WordPress pod that inserts numbered rows over the connection that the site itself uses
 * ({@code writer.php}). What the database acknowledged is noted here, outside of the cluster, so it outlives the pod.
 */
final class Writer implements AutoCloseable {

    private static final String PROGRAM = program();

    private final int number;
    private final String pod;
    private final String podUid;
    private final String node;
    private final ExecWatch exec;
    private final List<Ack> acks = new CopyOnWriteArrayList<>();
    private volatile Instant lastHeard = Instant.now();
    private volatile boolean ended;
    private volatile boolean counted = true;

    /** Writes as the site does. */
    Writer(KubernetesClient client, Pod pod, String run, int number) {
        this(client, pod, run, number, "");
    }

    /** Writes straight into the member at an address, past the site's routing. */
    Writer(KubernetesClient client, Pod pod, String run, int number, String address) {
        this.number = number;
        this.pod = Pods.name(pod);
        this.podUid = pod.getMetadata().getUid();
        this.node = Pods.node(pod);
        this.exec = client.pods().resource(pod).inContainer("php").redirectingInput().redirectingOutput()
            .exec("php", "-d", "display_errors=stderr", "-r", PROGRAM, run, String.valueOf(number), address);
        var listener = new Thread(this::listen, "writer-" + number);
        listener.setDaemon(true);
        listener.start();
    }

    private void listen() {
        int refused = 0;
        try (var lines = new BufferedReader(new InputStreamReader(exec.getOutput(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                lastHeard = Instant.now();
                String[] words = line.split(" ", 4);
                if (words[0].equals("ack")) {
                    Instant at = Instant.EPOCH.plus(Long.parseLong(words[2]), ChronoUnit.MICROS);
                    acks.add(new Ack(number, Integer.parseInt(words[1]), at));
                    if (refused > 0) {
                        say("writes again; rows that were refused: " + refused);
                    }
                    refused = 0;
                } else if (refused++ == 0) {
                    say(line);
                }
            }
        } catch (IOException e) {
            // The pod or its node is gone.
        } finally {
            ended = true;
        }
    }

    private void say(String what) {
        System.out.println(Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + pod + ": " + what);
    }

    String pod() {
        return pod;
    }

    String podUid() {
        return podUid;
    }

    String node() {
        return node;
    }

    List<Ack> acks() {
        return List.copyOf(acks);
    }

    /** Whether nothing more will come from it. */
    boolean ended() {
        return ended;
    }

    /** Whether its interruptions are interruptions of the site. */
    boolean counted() {
        return counted;
    }

    void doNotCount() {
        counted = false;
    }

    /** When it last said anything, good or bad. */
    Instant lastHeard() {
        return lastHeard;
    }

    /** Tells the process to end. Now and then the end of its input gets lost on the way, and it would write on: something to read ends it, too. */
    @Override
    public void close() {
        ended = true;
        try {
            exec.getInput().write('\n');
            exec.getInput().flush();
        } catch (IOException | KubernetesClientException e) {
            // The connection has gone, or the pod with all that ran in it.
        }
        exec.close();
    }

    private static String program() {
        try (var stream = Writer.class.getResourceAsStream("/cluster/writer.php")) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8).replaceFirst("^<\\?php", "");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A row that the database acknowledged, at the time of the pod's clock. */
    record Ack(int writer, int seq, Instant at) {
        String row() {
            return writer + " " + seq;
        }
    }
}
