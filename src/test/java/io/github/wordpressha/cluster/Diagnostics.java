package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.readiness.Readiness;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Writes down what a namespace looks like when a test fails: {@code target/cluster-logs/<namespace>/<when>-<test>/}. */
record Diagnostics(KubernetesClient client, String namespace) {

    private static final Path ROOT = Path.of("target", "cluster-logs");

    /** Dumps pods, volumes' claims, events and every container's logs, and a line for each container that is not ready. What cannot be read is noted in its file. */
    Path dump(String test) {
        Path directory = ROOT.resolve(namespace).resolve(Instant.now().toString().substring(11, 19).replace(":", "") + "-" + test);
        write(directory.resolve("unready.txt"), this::unready);
        write(directory.resolve("pods.yaml"), () -> Serialization.asYaml(pods()));
        write(directory.resolve("claims.yaml"),
            () -> Serialization.asYaml(client.persistentVolumeClaims().inNamespace(namespace).list().getItems()));
        write(directory.resolve("events.txt"), this::events);
        Set<String> ready = client.nodes().list().getItems().stream().filter(Readiness::isNodeReady).map(node -> node.getMetadata().getName()).collect(toSet());
        for (Pod pod : pods()) {
            if (!ready.contains(Pods.node(pod))) {
                continue; // each question to a node that is lost takes a minute
            }
            Stream.concat(pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream())
                .map(Container::getName)
                .forEach(container -> logs(directory, Pods.name(pod), container));
        }
        return directory;
    }

    private List<Pod> pods() {
        return client.pods().inNamespace(namespace).list().getItems();
    }

    /** A pod whose work is done is not ready either, but nothing is wrong with it. */
    private String unready() {
        return pods().stream()
            .filter(pod -> !"Succeeded".equals(pod.getStatus().getPhase()))
            .flatMap(pod -> Stream.concat(pod.getStatus().getInitContainerStatuses().stream(), pod.getStatus().getContainerStatuses().stream())
                .filter(container -> !container.getReady())
                .map(container -> "%s on %s, %s: %d restarts, %s, last said: %s".formatted(Pods.name(pod), pod.getSpec().getNodeName(), container.getName(),
                    container.getRestartCount(), state(container.getState()), lastLine(Pods.name(pod), container.getName()))))
            .collect(joining("\n"));
    }

    private static String state(ContainerState state) {
        if (state.getWaiting() != null) {
            return "waiting (%s)".formatted(state.getWaiting().getReason());
        }
        return state.getRunning() != null ? "running" : "ended";
    }

    private String lastLine(String pod, String container) {
        try {
            return Optional.ofNullable(client.pods().inNamespace(namespace).withName(pod).inContainer(container).tailingLines(1).getLog()).orElse("nothing").strip();
        } catch (KubernetesClientException e) {
            return "nothing";
        }
    }

    private String events() {
        return client.v1().events().inNamespace(namespace).list().getItems().stream()
            .sorted(Comparator.comparing(Diagnostics::time))
            .map(event -> "%s %s %s/%s: %s".formatted(time(event), event.getReason(),
                event.getInvolvedObject().getKind(), event.getInvolvedObject().getName(), event.getMessage()))
            .collect(joining("\n"));
    }

    private static String time(Event event) {
        return Stream.of(event.getLastTimestamp(), event.getFirstTimestamp(), event.getMetadata().getCreationTimestamp())
            .flatMap(time -> Optional.ofNullable(time).stream())
            .findFirst().orElse("");
    }

    private void logs(Path directory, String pod, String container) {
        var resource = client.pods().inNamespace(namespace).withName(pod).inContainer(container).usingTimestamps();
        write(directory.resolve(pod + "." + container + ".log"), resource::getLog);
        write(directory.resolve(pod + "." + container + ".previous.log"), () -> resource.terminated().getLog());
    }

    private static void write(Path file, Supplier<String> content) {
        String text;
        try {
            text = content.get();
        } catch (KubernetesClientException e) {
            if (file.toString().endsWith(".previous.log")) {
                return; // It was never restarted.
            }
            text = e.toString();
        }
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text == null ? "" : text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
