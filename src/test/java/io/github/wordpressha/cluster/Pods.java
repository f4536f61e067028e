package io.github.wordpressha.cluster;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** What tests ask of single pods. */
final class Pods {

    private Pods() {
    }

    static String name(Pod pod) {
        return pod.getMetadata().getName();
    }

    /** What tells it from another pod of the same name. */
    static String uid(Pod pod) {
        return pod.getMetadata().getUid();
    }

    static String node(Pod pod) {
        return pod.getSpec().getNodeName();
    }

    /** The pod's port of this name, of any of its containers. */
    static int port(Pod pod, String portName) {
        return Stream.concat(pod.getSpec().getContainers().stream(), pod.getSpec().getInitContainers().stream())
            .map(Container::getPorts)
            .flatMap(ports -> ports.stream())
            .filter(port -> portName.equals(port.getName()))
            .mapToInt(ContainerPort::getContainerPort)
            .findFirst()
            .orElseThrow(() -> new IllegalStateException(name(pod) + " has no port " + portName));
    }

    /** How often the pod's containers, and its sidecars, were restarted. */
    static int restarts(Pod pod) {
        return Stream.concat(
                pod.getStatus().getContainerStatuses().stream(), pod.getStatus().getInitContainerStatuses().stream())
            .mapToInt(ContainerStatus::getRestartCount).sum();
    }

    /**
     * Runs a command in a container.
     *
     * @return what it wrote to its standard output
     * @throws ExecFailed when it ended with another status than 0, did not end in time, or the way to it broke
     */
    static String exec(KubernetesClient client, String namespace, String pod, String container, Duration timeout, String... command) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        try (ExecWatch watch = client.pods().inNamespace(namespace).withName(pod).inContainer(container)
                .writingOutput(out).writingError(err).exec(command)) {
            int status = watch.exitCode().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
            if (status != 0) {
                throw new ExecFailed(pod, container, "ended with status " + status + ": " + err.toString(StandardCharsets.UTF_8), null);
            }
            return out.toString(StandardCharsets.UTF_8);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExecFailed(pod, container, "was interrupted", e);
        } catch (ExecutionException e) {
            throw new ExecFailed(pod, container, "was lost", e);
        } catch (TimeoutException e) {
            throw new ExecFailed(pod, container, "did not end within " + timeout, e);
        }
    }

    /** A command that did not run to its end, or failed. */
    static final class ExecFailed extends IllegalStateException {
        private static final long serialVersionUID = 1;

        ExecFailed(String pod, String container, String what, Throwable cause) {
            super("the command in " + pod + "/" + container + " " + what, cause);
        }
    }
}
