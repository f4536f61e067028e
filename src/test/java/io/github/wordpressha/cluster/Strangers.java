package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Pods that are not of the release, and what pods reach. */
final class Strangers {

    static final String CONTAINER = "tools";
    private static final Duration COMMAND = Duration.ofMinutes(2);

    private Strangers() {
    }

    /** A pod with the tools' image, in a namespace that is made if there is none, when it runs. It listens on port 8000. */
    static Pod start(Release release, String namespace, String name, Map<String, String> labels) {
        return start(release, namespace, name, labels, toolsOf(release), "socat", "TCP-LISTEN:8000,fork,reuseaddr", "EXEC:true");
    }

    /** The tools' image: of etcd's pods, or where there are none of the Job that makes the Secrets. */
    private static String toolsOf(Release release) {
        Stream<Container> ofEtcd = release.pods("etcd").stream().flatMap(pod -> pod.getSpec().getInitContainers().stream());
        Stream<Container> ofJob = release.kubernetes().batch().v1().jobs().inNamespace(release.namespace()).withLabels(release.labels()).list().getItems().stream()
            .filter(job -> job.getMetadata().getName().startsWith(release.fullname() + "-secrets-"))
            .flatMap(job -> job.getSpec().getTemplate().getSpec().getContainers().stream());
        return Stream.concat(ofEtcd, ofJob).map(Container::getImage).findFirst().orElseThrow();
    }

    /** The same with PHP, which has clients for whatever a script speaks. */
    static Pod startWithPhp(Release release, String namespace, String name, Map<String, String> labels) {
        return start(release, namespace, name, labels, container(release.pods("wordpress").get(0), "php").getImage(), "sleep", "infinity");
    }

    private static Container container(Pod pod, String name) {
        return pod.getSpec().getContainers().stream().filter(one -> one.getName().equals(name)).findFirst().orElseThrow();
    }

    private static Pod start(Release release, String namespace, String name, Map<String, String> labels, String image, String... command) {
        if (release.kubernetes().namespaces().withName(namespace).get() == null) {
            release.kubernetes().resource(new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build()).create();
        }
        release.kubernetes().resource(new PodBuilder()
            .withNewMetadata().withName(name).withNamespace(namespace).withLabels(labels).endMetadata()
            .withNewSpec()
            .withTerminationGracePeriodSeconds(1L)
            .withAutomountServiceAccountToken(false)
            .withNewSecurityContext().withRunAsNonRoot(true).withRunAsUser(65532L).withNewSeccompProfile().withType("RuntimeDefault").endSeccompProfile().endSecurityContext()
            .addNewContainer().withName(CONTAINER).withImage(image)
            .withCommand(command)
            .withNewSecurityContext().withAllowPrivilegeEscalation(false).withNewCapabilities().withDrop("ALL").endCapabilities().endSecurityContext()
            .endContainer().endSpec().build()).serverSideApply();
        var pod = release.kubernetes().pods().inNamespace(namespace).withName(name);
        Await.until(name + " runs", Duration.ofMinutes(1), () -> assertThat(pod.require().getStatus().getContainerStatuses()).allMatch(one -> one.getReady()).isNotEmpty());
        return pod.require();
    }

    /**
     * Which targets answer: an open port, or one without a listener. What is forbidden is dropped, so nothing comes back.
     *
     * @param targets "address port" by a name for each
     */
    static Set<String> reached(Release release, Pod pod, String container, Map<String, String> targets) {
        String script = targets.entrySet().stream()
            .map(target -> "try '%s' %s &".formatted(target.getKey(), target.getValue()))
            .collect(joining("\n", """
                try() { local said; said=$(LC_ALL=C timeout 6 bash -c "exec 3<>/dev/tcp/$2/$3" 2>&1) && echo "yes $1" && return
                  case $said in *refused*) echo "yes $1" ;; *) echo "no $1" ;; esac; }
                """, "\nwait"));
        List<String> lines = Pods.exec(release.kubernetes(), pod.getMetadata().getNamespace(), Pods.name(pod), container, COMMAND, "bash", "-c", script).lines().toList();
        assertThat(lines).hasSize(targets.size());
        return lines.stream().filter(line -> line.startsWith("yes ")).map(line -> line.substring(4)).collect(toCollection(TreeSet::new));
    }
}
