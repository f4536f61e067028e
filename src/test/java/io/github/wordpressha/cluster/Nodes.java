package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.TaintBuilder;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Breaks the nodes of a test cluster and mends them, with the tool that {@code CLUSTER} names. Nodes are {@code node-1}, ... */
record Nodes(ClusterUnderTest cluster) {

    private static final String OUT_OF_SERVICE = "node.kubernetes.io/out-of-service";

    /** The tool, where the environment names one. */
    static Optional<Path> tool() {
        return Optional.ofNullable(System.getenv("CLUSTER")).filter(path -> !path.isBlank()).map(Path::of);
    }

    /** The names of all nodes, in order. */
    List<String> names() {
        return cluster.client().nodes().list().getItems().stream().map(node -> node.getMetadata().getName()).sorted().toList();
    }

    /** A node's address in the cluster's network. */
    String address(String node) {
        return cluster.client().nodes().withName(node).require().getStatus().getAddresses().stream()
            .filter(one -> one.getType().equals("InternalIP")).findFirst().orElseThrow().getAddress();
    }

    /** The network that the nodes share with this machine. */
    String network() {
        String address = address(names().get(0));
        return address.substring(0, address.lastIndexOf('.')) + ".0/24";
    }

    /** Power loss: every process of the node dies at once. */
    void kill(String node) {
        run("kill", List.of(number(node)));
    }

    /** Power loss of several nodes at the same moment. */
    void kill(List<String> all) {
        all.parallelStream().forEach(this::kill);
    }

    /** Boots the node. */
    void start(String node) {
        run("start", List.of(number(node)));
    }

    /**
     * Says of a node that is gone that it will not come back by itself: the taint that Kubernetes has for it, which node health
     * controllers and cloud providers set. Its pods are then replaced elsewhere, and their volumes with them.
     */
    void declareLost(String node) {
        taints(node, taints -> taints.add(new TaintBuilder().withKey(OUT_OF_SERVICE).withValue("nodeshutdown").withEffect("NoExecute").build()));
    }

    /** Undoes {@link #declareLost}. */
    void declareBack(String node) {
        taints(node, taints -> taints.removeIf(taint -> taint.getKey().equals(OUT_OF_SERVICE)));
    }

    /** No new pod is scheduled on any node. */
    void taint(String key) {
        names().forEach(node -> taints(node, taints -> taints.add(new TaintBuilder().withKey(key).withEffect("NoSchedule").build())));
    }

    /** Undoes {@link #taint}. */
    void untaint(String key) {
        names().forEach(node -> taints(node, taints -> taints.removeIf(taint -> taint.getKey().equals(key))));
    }

    private void taints(String node, Consumer<List<Taint>> change) {
        cluster.client().nodes().withName(node).edit(one -> {
            var taints = new ArrayList<>(one.getSpec().getTaints());
            change.accept(taints);
            one.getSpec().setTaints(taints);
            return one;
        });
    }

    /** The node no longer reaches anything, and runs on. */
    void cut(String node) {
        run("cut", List.of(number(node)));
    }

    /** The two nodes no longer reach one another. */
    void cut(String node, String other) {
        run("cut", List.of(number(node), number(other)));
    }

    /**
     * Runs a command on the node.
     *
     * @return what it printed
     */
    String run(String node, String... command) {
        var arguments = new ArrayList<>(List.of(number(node)));
        arguments.addAll(List.of(command));
        return run("run", arguments);
    }

    /** Undoes every cut of the node. */
    void heal(String node) {
        run("heal", List.of(number(node)));
    }

    /** Waits until every node is Ready. */
    void awaitReady(Duration atMost) {
        Await.until("all nodes are Ready", atMost, () -> assertThat(
            cluster.client().nodes().list().getItems()).allMatch(Readiness::isNodeReady));
    }

    private static String number(String node) {
        return node.replaceFirst("^node-", "");
    }

    private static String run(String verb, List<String> arguments) {
        var command = new ArrayList<>(List.of(tool().orElseThrow().toString(), "node", verb));
        command.addAll(arguments);
        try {
            // A node that is started inherits these streams and keeps them: they must not be pipes of ours.
            Path output = Files.createTempFile("node", ".log");
            output.toFile().deleteOnExit();
            Process process = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                .start();
            if (process.waitFor() != 0) {
                throw new IllegalStateException(String.join(" ", command) + " failed: " + Files.readString(output));
            }
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
