package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodList;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.PodResource;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** What can go wrong in a release, short of its nodes. */
record Faults(Release release) {

    private static final Duration KUBERNETES = Duration.ofMinutes(2);
    /** A pod may use all the time that it is given to end. */
    private static final Duration REPLACED = Duration.ofMinutes(5);

    /** Deletes a pod as a person or a drain does: it gets its time. */
    void delete(String pod) {
        pods().withName(pod).delete();
    }

    /** Deletes a pod as a person or a drain does, and waits until there is another one in its place. */
    void replace(String pod) {
        String uid = Pods.uid(release.pod(pod));
        delete(pod);
        awaitAnother(pod, uid);
    }

    /** Waits until a pod is another one than that which had this uid. */
    void awaitAnother(String pod, String uid) {
        Await.until("another " + pod, REPLACED, () -> assertThat(Pods.uid(release.pod(pod))).isNotEqualTo(uid));
    }

    /** The pod is gone at once: its processes are killed, nothing is told to stop. */
    void kill(String pod) {
        pods().withName(pod).withGracePeriod(0).delete();
    }

    /** kill -9 of a container's first process, and so of all of its processes, which cannot be done from inside; until it is seen to have died. */
    void killContainer(String pod, String container, Nodes nodes) {
        ContainerStatus before = status(pod, container);
        signal(pod, container, nodes, "--signal", "SIGKILL");
        Await.until("another start of " + pod + "/" + container, KUBERNETES,
            () -> assertThat(status(pod, container).getRestartCount()).isGreaterThan(before.getRestartCount()));
    }

    /**
     * kill -9 of the victim's container, as often as it is said; each time {@code served} returns first. A pod is replaced after three restarts,
     * as the kubelet delays each further one for longer.
     */
    void killAgainAndAgain(Supplier<String> victim, String container, int times, Nodes nodes, Runnable served) {
        for (int i = 0; i < times; i++) {
            String pod = victim.get();
            killContainer(pod, container, nodes);
            served.run();
            if (status(pod, container).getRestartCount() >= 3) {
                replace(pod);
                served.run();
            }
        }
    }

    /** SIGSTOP of all processes of these containers, as on a host that hangs, until they are {@link #resume resumed}. */
    void pause(String pod, List<String> containers, Nodes nodes) {
        containers.parallelStream().forEach(container -> signal(pod, container, nodes, "--all", "--signal", "SIGSTOP"));
    }

    /** SIGCONT after {@link #pause}. */
    void resume(String pod, List<String> containers, Nodes nodes) {
        containers.parallelStream().forEach(container -> signal(pod, container, nodes, "--all", "--signal", "SIGCONT"));
    }

    /**
     * Makes the mount of a container read-only, as a file system does after an error of its disk, or writable again. By the system's calls, as the
     * container's image may have no program that mounts; refused while a file there is open for writing.
     */
    void remount(String pod, String container, String path, boolean readOnly, Nodes nodes) {
        String remount = "my ($none, $path) = ('', $ARGV[1]); open(my $mounts, '<', \"/proc/$ARGV[0]/ns/mnt\") or die;"
            + " syscall(308, fileno($mounts), 0) == 0 or die \"setns: $!\";"
            + " syscall(165, $none, $path, $none, 32 | 4096 | $ARGV[2], 0) == 0 or die \"mount: $!\"";
        nodes.run(Pods.node(release.pod(pod)), "sh", "-ec", "pid=$(ctr --namespace k8s.io task list | awk -v id=\"$1\" '$1 == id { print $2 }'); perl -e \"$2\" \"$pid\" \"$3\" \"$4\"",
            "remount", id(pod, container), remount, path, readOnly ? "1" : "0");
    }

    private String id(String pod, String container) {
        return status(pod, container).getContainerID().replaceFirst("^containerd://", "");
    }

    private void signal(String pod, String container, Nodes nodes, String... options) {
        var command = new ArrayList<>(List.of("ctr", "--namespace", "k8s.io", "task", "kill"));
        command.addAll(List.of(options));
        command.add(id(pod, container));
        nodes.run(Pods.node(release.pod(pod)), command.toArray(String[]::new));
    }

    private ContainerStatus status(String pod, String container) {
        PodStatus status = release.pod(pod).getStatus();
        return Stream.concat(status.getContainerStatuses().stream(), status.getInitContainerStatuses().stream())
            .filter(one -> one.getName().equals(container))
            .findFirst().orElseThrow();
    }

    /** The pod's volume is lost, and the pod with it; what comes in its place has an empty volume. */
    void loseVolume(String pod) {
        var claim = kubernetes().persistentVolumeClaims().inNamespace(release.namespace()).withName("data-" + pod);
        PersistentVolumeClaim lost = claim.require();
        claim.delete();
        kill(pod);
        Await.until("the claim of " + pod + " is gone", KUBERNETES, () -> {
            PersistentVolumeClaim now = claim.get();
            assertThat(now == null || !Objects.equals(now.getMetadata().getUid(), lost.getMetadata().getUid())).isTrue();
        });
    }

    /** Stops or starts all pods of a Deployment or StatefulSet; volumes stay. */
    void scale(String workload, int replicas) {
        var deployment = kubernetes().apps().deployments().inNamespace(release.namespace()).withName(workload);
        if (deployment.get() != null) {
            deployment.scale(replicas);
        } else {
            kubernetes().apps().statefulSets().inNamespace(release.namespace()).withName(workload).scale(replicas);
        }
    }

    /** Takes a StatefulSet away and leaves its pods: one that is deleted now is not replaced until the {@link #controller} is back. */
    StatefulSet withoutController(String statefulSet) {
        var resource = kubernetes().apps().statefulSets().inNamespace(release.namespace()).withName(statefulSet);
        StatefulSet taken = resource.require();
        resource.withPropagationPolicy(DeletionPropagation.ORPHAN).delete();
        Await.until("the StatefulSet is gone", KUBERNETES, () -> assertThat(resource.get()).isNull());
        return taken;
    }

    /** Brings it back, with so many replicas, as an object of Helm's: its next upgrade would meet a conflict. */
    void controller(StatefulSet taken, int replicas) {
        kubernetes().resource(new StatefulSetBuilder(taken)
            .editMetadata().withResourceVersion(null).withUid(null).withCreationTimestamp(null).withManagedFields().endMetadata()
            .editSpec().withReplicas(replicas).endSpec().withStatus(null).build()).fieldManager("helm").forceConflicts().serverSideApply();
    }

    /** Waits until the tier has no pod left. */
    void awaitNone(String component) {
        Await.until("no pod of " + component + " is left", KUBERNETES, () -> assertThat(Release.names(release.pods(component))).isEmpty());
    }

    /** Fills the pod's volume to the last byte, until it is closed. */
    FullDisk fillDisk(String pod) {
        return fillDisk(pod, 0);
    }

    /** Fills the pod's volume, but for so many percent of its size, until it is closed. */
    FullDisk fillDisk(String pod, int percentLeft) {
        return new FullDisk(release, pods().withName(pod).require(), percentLeft);
    }

    /** What {@code kubectl drain} does: the node takes no more pods, and those that it has are evicted as their budgets allow. */
    void drain(String node, Duration atMost) {
        cordon(node, true);
        Await.until("node " + node + " is drained", atMost, () -> {
            List<Pod> left = release.pods().stream().filter(pod -> node.equals(Pods.node(pod))).toList();
            left.stream().filter(pod -> !pod.isMarkedForDeletion()).forEach(pod -> kubernetes().pods().resource(pod).evict());
            assertThat(Release.names(left)).isEmpty();
        });
    }

    /** Lets a node take pods again. */
    void uncordon(String node) {
        cordon(node, false);
    }

    private void cordon(String node, boolean unschedulable) {
        kubernetes().nodes().withName(node).edit(one -> {
            one.getSpec().setUnschedulable(unschedulable);
            return one;
        });
    }

    private NonNamespaceOperation<Pod, PodList, PodResource> pods() {
        return kubernetes().pods().inNamespace(release.namespace());
    }

    private KubernetesClient kubernetes() {
        return release.kubernetes();
    }

    /** A volume that is full. A pod beside its owner holds the file that takes the room. */
    static final class FullDisk implements AutoCloseable {

        private final Release release;
        private final Pod filler;

        FullDisk(Release release, Pod owner, int percentLeft) {
            this.release = release;
            var database = owner.getSpec().getContainers().get(0);
            this.filler = release.kubernetes().resource(new PodBuilder()
                .withNewMetadata().withName("filler").withNamespace(release.namespace()).endMetadata()
                .withNewSpec()
                .withNodeName(Pods.node(owner))
                .withTerminationGracePeriodSeconds(0L)
                .withNewSecurityContext().withRunAsUser(owner.getSpec().getSecurityContext().getRunAsUser()).endSecurityContext()
                .addNewContainer()
                .withName("filler")
                .withImage(database.getImage())
                // In one step where the file system can, as writing gigabytes takes minutes on a slow disk; to the last byte, what is left is written.
                .withCommand("bash", "-c", "cd /volume/state; fallocate -l $(($(stat -f -c \"%a * %S - %b * %S * $0 / 100\" .))) filler;"
                    + " [ $0 -gt 0 ] || dd if=/dev/zero of=filler bs=64K oflag=append conv=notrunc 2>&1 | tail -1; touch /tmp/full; sleep infinity",
                    String.valueOf(percentLeft))
                .addNewVolumeMount().withName("volume").withMountPath("/volume").endVolumeMount()
                .endContainer()
                .addNewVolume().withName("volume").withNewPersistentVolumeClaim("data-" + Pods.name(owner), false).endVolume()
                .endSpec().build()).create();
            try {
                Await.until("the disk is full", KUBERNETES, () -> exec("test", "-e", "/tmp/full"));
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        private void exec(String... command) {
            Pods.exec(release.kubernetes(), release.namespace(), Pods.name(filler), "filler", Duration.ofSeconds(10), command);
        }

        /** Makes room. */
        @Override
        public void close() {
            try {
                exec("rm", "-f", "/volume/state/filler");
            } finally {
                var pod = release.kubernetes().resource(filler);
                pod.delete();
                Await.until("the filler is gone", KUBERNETES, () -> assertThat(pod.get()).isNull());
            }
        }
    }
}
