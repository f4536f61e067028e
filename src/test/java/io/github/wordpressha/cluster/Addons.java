package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.github.wordpressha.Ports;
import io.github.wordpressha.TextFiles;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What stands at the edge of a cluster: Traefik, for Ingresses and the Gateway API, and cert-manager. The programs that {@code ci/addons/build}
 * makes run on this machine; {@code edge.yaml} says what else there is. Logs are in {@code target/edge}.
 */
final class Addons implements AutoCloseable {

    /** The IngressClass, the GatewayClass and the ClusterIssuer. */
    static final String NAME = "edge";

    private static final String BUILD = "ci/addons/build";
    private static final Path OBJECTS = Path.of("src/test/resources/cluster/edge/edge.yaml");
    private static final Path LOGS = Path.of("target", "edge");
    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration END = Duration.ofSeconds(20);
    /** On CustomResourceDefinitions of this class; definitions of others are used, and stay. */
    private static final Map<String, String> OURS = Map.of("wordpress-ha.github.io/test", NAME);

    private final ClusterUnderTest cluster;
    private final String namespace;
    private final int http = Ports.free();
    private final int https = Ports.free();
    private final Deque<HasMetadata> created = new ArrayDeque<>();
    private final List<Process> running = new ArrayList<>();

    /** @param namespace the only one whose Ingresses and routes are served */
    Addons(ClusterUnderTest cluster, String namespace) {
        this.cluster = cluster;
        this.namespace = namespace;
    }

    /** Starts all of it, and waits until the issuers certify. Where the programs cannot be built, the tests are skipped. */
    void start() {
        Path programs = Programs.built(BUILD);
        define(definitions(programs.resolve("crds")));
        run(programs.resolve("bin/cert-manager"), List.of("--kubeconfig", cluster.kubeconfig().toString(), "--cluster-resource-namespace", namespace));
        run(programs.resolve("bin/traefik"), List.of(
            "--global.checknewversion=false",
            "--accesslog=true",
            "--entrypoints.web.address=127.0.0.1:" + http,
            "--entrypoints.websecure.address=127.0.0.1:" + https,
            "--entrypoints.websecure.http.tls=true",
            "--providers.kubernetesingress.ingressclass=" + NAME,
            "--providers.kubernetesingress.namespaces=" + namespace,
            "--providers.kubernetesgateway.namespaces=" + namespace));
        load(TextFiles.read(OBJECTS).replace("NAMESPACE", namespace).replace("HTTPS_PORT", "" + https).replace("HTTP_PORT", "" + http)).forEach(this::create);
        Await.until("cert-manager has certified the Gateway", START, () -> assertThat(secret("gateway", "tls.crt")).isNotEmpty());
    }

    /** A visitor who trusts the authority of the issuers. */
    Visitor visitor() {
        return Visitor.trusting(authority(), local(http), local(https));
    }

    /** The certificate of the authority that all issuers sign with. */
    String authority() {
        return secret("authority", "tls.crt");
    }

    /** The HTTPRoute of a release. */
    GenericKubernetesResource route(String name) {
        return client().genericKubernetesResources("gateway.networking.k8s.io/v1", "HTTPRoute").inNamespace(namespace).withName(name).require();
    }

    private String secret(String name, String key) {
        return new Release(cluster, namespace).secret(name, key);
    }

    @Override
    public void close() {
        running.forEach(Addons::stop);
        created.forEach(object -> client().resource(object).delete());
    }

    // --- programs -----------------------------------------------------------------------------------------------------

    private void run(Path program, List<String> options) {
        var command = new ArrayList<>(List.of(program.toString()));
        command.addAll(options);
        try {
            Files.createDirectories(LOGS);
            var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(LOGS.resolve(program.getFileName() + ".log").toFile());
            builder.environment().put("KUBECONFIG", cluster.kubeconfig().toString());
            Process process = builder.start();
            running.add(process);
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void stop(Process process) {
        process.destroy();
        try {
            if (!process.waitFor(END.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static URI local(int port) {
        return URI.create("http://127.0.0.1:" + port);
    }

    // --- objects ------------------------------------------------------------------------------------------------------

    /** Defines what the cluster does not know yet. What a run that was killed has left is replaced. */
    private void define(List<HasMetadata> definitions) {
        var known = client().apiextensions().v1().customResourceDefinitions();
        known.withLabels(OURS).delete();
        Await.until("definitions of an earlier run are gone", START, () -> assertThat(known.withLabels(OURS).list().getItems()).isEmpty());
        definitions.stream().filter(definition -> client().resource(definition).get() == null).forEach(this::create);
        Await.until("the API server knows the kinds", START, () -> assertThat(known.withLabels(OURS).list().getItems()).allMatch(Addons::isEstablished));
    }

    private static boolean isEstablished(CustomResourceDefinition definition) {
        return definition.getStatus().getConditions().stream().anyMatch(one -> one.getType().equals("Established") && one.getStatus().equals("True"));
    }

    private List<HasMetadata> definitions(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().flatMap(file -> load(TextFiles.read(file)).stream()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void create(HasMetadata object) {
        object.getMetadata().setLabels(OURS);
        created.push(client().resource(object).serverSideApply());
    }

    private List<HasMetadata> load(String yaml) {
        return client().load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))).items();
    }

    private KubernetesClient client() {
        return cluster.client();
    }
}
