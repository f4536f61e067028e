package io.github.wordpressha.cluster;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** A Prometheus on this machine that scrapes a namespace's pods as the chart's PodMonitors say, and watches its alerts. */
final class Prometheus implements AutoCloseable {

    private static final Duration START = Duration.ofSeconds(30);
    private static final String CONFIGURATION = """
        global: {scrape_interval: 5s, evaluation_interval: 5s}
        rule_files: [rules.yaml]
        scrape_configs:
          - job_name: pods
            honor_labels: true
            kubernetes_sd_configs:
              - {role: pod, kubeconfig_file: "%s", namespaces: {names: [%s]}}
            relabel_configs:
              - {source_labels: [__meta_kubernetes_pod_container_port_name], regex: metrics, action: keep}
              - {source_labels: [__meta_kubernetes_pod_ip, __meta_kubernetes_pod_container_port_number], separator: ":", target_label: __address__}
              - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
              - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
        """;

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI address;
    private final Process process;

    /** Needs the program on the PATH: it skips the test where there is none. */
    Prometheus(ClusterUnderTest cluster, String namespace, JsonNode rules) {
        assumeTrue(Programs.onPath("prometheus"), "no prometheus on the PATH");
        try (var socket = new ServerSocket(0)) {
            int port = socket.getLocalPort();
            socket.close();
            Path directory = Files.createTempDirectory("prometheus");
            Files.writeString(directory.resolve("prometheus.yaml"), CONFIGURATION.formatted(cluster.kubeconfig(), namespace));
            Files.writeString(directory.resolve("rules.yaml"), Yaml.MAPPER.writeValueAsString(rules));
            address = URI.create("http://127.0.0.1:" + port);
            process = new ProcessBuilder("prometheus", "--config.file=" + directory.resolve("prometheus.yaml"), "--storage.tsdb.path=" + directory.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port).redirectErrorStream(true).redirectOutput(directory.resolve("log").toFile()).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Await.until("Prometheus is ready", START, () -> get("/-/ready"));
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

    /** The alerts that fire now. */
    Set<String> firing() {
        return new TreeSet<>(query("ALERTS{alertstate=\"firing\"}").findValuesAsText("alertname"));
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
            HttpResponse<String> answer = http.send(HttpRequest.newBuilder(address.resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
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
        process.destroyForcibly();
    }
}
