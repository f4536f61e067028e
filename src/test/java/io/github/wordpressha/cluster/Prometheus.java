package io.github.wordpressha.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.wordpressha.Ports;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.metrics.Haste;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * A Prometheus on this machine that scrapes a namespace's pods as the chart's PodMonitors say, the kubelets, which must answer strangers, and a
 * kube-state-metrics beside it. It evaluates the rules twice: as they are, and in a {@link Haste hurry}.
 */
final class Prometheus implements AutoCloseable {

    private static final Duration START = Duration.ofMinutes(1);
    private static final Duration REQUEST = Duration.ofSeconds(20);
    private static final String STATE_METRICS = "kube-state-metrics";
    private static final String CONFIGURATION = """
        global: {scrape_interval: 5s, evaluation_interval: 5s}
        rule_files: [rules.yaml, hastened.yaml]
        scrape_configs:
          - job_name: pods
            honor_labels: true
            kubernetes_sd_configs:
              - {role: pod, kubeconfig_file: "%1$s", namespaces: {names: [%2$s]}}
            relabel_configs:
              # With TLS, etcd's pods serve the end of their certificate on the port "status".
              - {source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_component, __meta_kubernetes_pod_container_port_name], regex: .*;metrics|etcd;status, action: keep}
              - {source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_container_port_number], separator: ":", target_label: __address__}
              - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
              - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
          - job_name: kubelets
            scheme: https
            tls_config: {insecure_skip_verify: true}
            honor_labels: true
            kubernetes_sd_configs:
              - {role: node, kubeconfig_file: "%1$s"}
            metric_relabel_configs:
              - {source_labels: [__name__], regex: kubelet_volume_stats_.*, action: keep}
          - job_name: kube-state-metrics
            honor_labels: true
            static_configs: [{targets: ["127.0.0.1:%3$d"]}]
        """;

    private final HttpClient http = HttpClient.newHttpClient();
    private final List<Process> processes = new ArrayList<>();
    private final URI address;

    /** Where the programs cannot be built, the test is skipped. */
    Prometheus(ClusterUnderTest cluster, String namespace, JsonNode rules) {
        Path programs = Programs.built("ci/tools", "prometheus", STATE_METRICS);
        int port = Ports.free();
        int statePort = Ports.free();
        address = URI.create("http://127.0.0.1:" + port);
        try {
            Path directory = Files.createTempDirectory("prometheus");
            Path configuration = Files.writeString(directory.resolve("prometheus.yaml"), CONFIGURATION.formatted(cluster.kubeconfig(), namespace, statePort));
            Files.writeString(directory.resolve("rules.yaml"), Yaml.MAPPER.writeValueAsString(rules));
            Files.writeString(directory.resolve("hastened.yaml"), Yaml.MAPPER.writeValueAsString(Haste.hastened(rules)));
            start(directory, programs.resolve(STATE_METRICS), "--kubeconfig=" + cluster.kubeconfig(), "--namespaces=" + namespace, "--host=127.0.0.1", "--port=" + statePort,
                "--telemetry-host=127.0.0.1", "--telemetry-port=" + Ports.free(), "--resources=pods,deployments,statefulsets,horizontalpodautoscalers");
            start(directory, programs.resolve("prometheus"), "--config.file=" + configuration, "--storage.tsdb.path=" + directory.resolve("data"), "--web.listen-address=127.0.0.1:" + port);
            Await.until("Prometheus is ready", START, () -> get("/-/ready"));
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private void start(Path directory, Path program, String... options) throws IOException {
        List<String> command = Stream.concat(Stream.of(program.toString()), Stream.of(options)).toList();
        processes.add(new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(directory.resolve(program.getFileName() + ".log").toFile()).start());
    }

    /** The samples of an expression, now. */
    JsonNode query(String expression) {
        return json("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8)).at("/data/result");
    }

    /** The names of all metrics that it has. */
    Set<String> names() {
        var names = new TreeSet<String>();
        json("/api/v1/label/__name__/values").path("data").forEach(name -> names.add(name.asText()));
        return names;
    }

    /** The alerts in a hurry that fire now. */
    Set<String> firing() {
        return alerts("ALERTS{alertstate=\"firing\",hastened=\"true\"}");
    }

    /** The alerts in a hurry that fired at any time since then. */
    Set<String> firedSince(Instant start) {
        return firedSince(start, "true");
    }

    /** The alerts as the chart has them that fired at any time since then. */
    Set<String> firedUnhurriedSince(Instant start) {
        return firedSince(start, "");
    }

    private Set<String> firedSince(Instant start, String hastened) {
        return alerts("max_over_time(ALERTS{alertstate=\"firing\",hastened=\"%s\"}[%ds])".formatted(hastened, Math.max(1, Duration.between(start, Instant.now()).toSeconds())));
    }

    private Set<String> alerts(String expression) {
        return new TreeSet<>(query(expression).findValuesAsText("alertname"));
    }

    /** The targets that it cannot scrape, with the reason. */
    List<String> failures() {
        return json("/api/v1/targets?state=active").findValuesAsText("lastError").stream().filter(error -> !error.isEmpty()).toList();
    }

    private JsonNode json(String path) {
        try {
            return new ObjectMapper().readTree(get(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String get(String path) {
        try {
            HttpResponse<String> answer = http.send(HttpRequest.newBuilder(address.resolve(path)).timeout(REQUEST).build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new AssertionError(path + " answers " + answer.statusCode() + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException e) {
            throw new AssertionError(path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    @Override
    public void close() {
        processes.forEach(Process::destroyForcibly);
    }
}
