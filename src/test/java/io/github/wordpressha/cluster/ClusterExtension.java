package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.testcontainers.DockerClientFactory;

/**
 * Finds the cluster for a test class, gives the class a release in an empty namespace {@code test-<class>}, dumps the
 * namespace when a test fails, and removes everything in the end, volumes included.
 */
final class ClusterExtension implements ExecutionCondition, ParameterResolver, AfterAllCallback,
        TestExecutionExceptionHandler, LifecycleMethodExecutionExceptionHandler {

    static {
        // Sites are asked by other names than their addresses. Java's client reads this once in a process, whichever class uses it first.
        System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host,connection");
    }

    private static final Namespace STORE = Namespace.create(ClusterExtension.class);
    private static final Duration CLEANING = Duration.ofMinutes(3);

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return context.getElement().map(element -> element.getAnnotation(OnCluster.class))
            .flatMap(annotation -> whyNot(annotation.value()))
            .map(ConditionEvaluationResult::disabled)
            .orElse(ConditionEvaluationResult.enabled("there is a cluster"));
    }

    private static Optional<String> whyNot(OnCluster.Needs needs) {
        return switch (needs) {
            case ANY -> kubeconfig().isPresent() ? Optional.empty() : whyNoDocker("KUBECONFIG is not set, and Docker does not answer");
            case K3S -> whyNoDocker("k3s runs in Docker, which does not answer");
            case THREE_NODES -> whyNoDrills();
        };
    }

    private static Optional<String> whyNoDocker(String reason) {
        return DockerClientFactory.instance().isDockerAvailable() ? Optional.empty() : Optional.of(reason);
    }

    private static Optional<String> whyNoDrills() {
        if (kubeconfig().isEmpty() || Nodes.tool().isEmpty()) {
            return Optional.of("fault drills need a cluster whose nodes may be broken: KUBECONFIG, and CLUSTER, the tool that breaks them");
        }
        try (var cluster = new KubeconfigCluster(kubeconfig().get())) {
            return cluster.size() >= 3 ? Optional.empty() : Optional.of("fault drills need three nodes; there are " + cluster.size());
        }
    }

    private static Optional<Path> kubeconfig() {
        return Optional.ofNullable(System.getenv("KUBECONFIG")).filter(file -> !file.isBlank()).map(Path::of);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return List.of(ClusterUnderTest.class, Release.class).contains(parameter.getParameter().getType());
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        ClusterUnderTest cluster = cluster(context);
        if (parameter.getParameter().getType() == ClusterUnderTest.class) {
            return cluster;
        }
        String namespace = namespace(context);
        clean(cluster.client(), namespace);
        cluster.client().resource(new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build()).create();
        return new Release(cluster, namespace);
    }

    /** One cluster of each kind a run, which JUnit closes in the end; but k3s beside another one, with its share of the cores, ends with its class. */
    private static ClusterUnderTest cluster(ExtensionContext context) {
        boolean onlyK3s = context.getRequiredTestClass().getAnnotation(OnCluster.class).value() == OnCluster.Needs.K3S;
        boolean k3s = onlyK3s || kubeconfig().isEmpty();
        ExtensionContext until = onlyK3s && kubeconfig().isPresent() ? classOf(context) : context.getRoot();
        return until.getStore(STORE).getOrComputeIfAbsent(k3s ? "k3s" : "kubeconfig",
            key -> k3s ? new K3sCluster() : new KubeconfigCluster(kubeconfig().get()), ClusterUnderTest.class);
    }

    private static ExtensionContext classOf(ExtensionContext context) {
        return context.getTestMethod().isEmpty() ? context : classOf(context.getParent().orElseThrow());
    }

    private static String namespace(ExtensionContext context) {
        return "test-" + context.getRequiredTestClass().getSimpleName().replaceFirst("IT$", "").toLowerCase(Locale.ROOT);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        clean(cluster(context).client(), namespace(context));
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        dump(context, context.getRequiredTestMethod().getName());
        throw failure;
    }

    @Override
    public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        dump(context, "before-all");
        throw failure;
    }

    private static void dump(ExtensionContext context, String what) {
        Path directory = new Diagnostics(cluster(context).client(), namespace(context)).dump(what);
        System.out.println("what the cluster looked like: " + directory);
    }

    /** Removes a namespace with its volumes, and what a release in it has outside of it. Nothing of it is to be kept, so no pod gets time. */
    private static void clean(KubernetesClient client, String namespace) {
        Namespaces.remove(client, namespace, CLEANING);
        clusterWide(client)
            .filter(object -> namespace.equals(annotation(object, "meta.helm.sh/release-namespace")))
            .forEach(object -> client.resource(object).delete());
        // The in-chart NFS server is gone, and with it the provisioner that would remove its volumes.
        volumes(client, namespace)
            .filter(volume -> volume.getSpec().getNfs() != null || "Retain".equals(volume.getSpec().getPersistentVolumeReclaimPolicy()))
            .forEach(volume -> client.resource(volume).delete());
        Await.until("the volumes of " + namespace + " are gone", CLEANING,
            () -> assertThat(volumes(client, namespace).map(volume -> volume.getMetadata().getName())).isEmpty());
    }

    private static Stream<PersistentVolume> volumes(KubernetesClient client, String namespace) {
        return client.persistentVolumes().list().getItems().stream()
            .filter(volume -> volume.getSpec().getClaimRef() != null)
            .filter(volume -> namespace.equals(volume.getSpec().getClaimRef().getNamespace()));
    }

    private static Stream<HasMetadata> clusterWide(KubernetesClient client) {
        return Stream.of(
                client.rbac().clusterRoles().list().getItems(),
                client.rbac().clusterRoleBindings().list().getItems(),
                client.storage().v1().storageClasses().list().getItems())
            .flatMap(List::stream)
            .map(HasMetadata.class::cast);
    }

    private static String annotation(HasMetadata object, String key) {
        return Optional.ofNullable(object.getMetadata().getAnnotations()).map(annotations -> annotations.get(key)).orElse("");
    }
}
