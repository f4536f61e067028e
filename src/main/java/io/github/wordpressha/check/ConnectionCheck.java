package io.github.wordpressha.check;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * PHP's workers and the database's connections. Each worker of php-fpm holds one connection while it makes a page, and the routers lead all
 * of them to one server.
 */
public final class ConnectionCheck implements Check {

  /** A rolling upgrade's additional pod is not counted; runs of cron, the install Job and the chart's own accounts are. */
  private static final int OTHERS = 20;
  /** MySQL's default (https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_connections). */
  private static final int DEFAULT_CONNECTIONS = 151;
  /** Of each pool but the one of refresh.php, which does not connect to the database. */
  private static final Pattern WORKERS = Pattern.compile("(?ms)^\\[(?!changes\\])\\w+\\](?:(?!^\\[).)*?^pm\\.max_children *= *(\\d+|\\$\\{\\w+\\})");
  private static final Pattern CONNECTIONS = Pattern.compile("(?m)^(?:loose[-_])?max[-_]connections *= *\"?(\\d+)");

  @Override
  public String rule() {
    return "connections";
  }

  @Override
  public String description() {
    return "The workers of as many web pods as the autoscaler may start find a connection to the database each.";
  }

  @Override
  public List<Problem> run(Objects objects, Cluster cluster) {
    OptionalInt connections = connections(objects);
    if (connections.isEmpty()) {
      return List.of();
    }
    return objects.workloads().stream().filter(workload -> workload.kind().equals("Deployment"))
        .flatMap(workload -> tooMany(objects, workload, connections.getAsInt())).toList();
  }

  private Stream<Problem> tooMany(Objects objects, Workload workload, int connections) {
    int workers = workers(objects, workload);
    int pods = Pods.maximum(objects, workload);
    int needed = workers * pods + OTHERS;
    if (workers == 0 || needed <= connections) {
      return Stream.empty();
    }
    return Stream.of(Problem.warning(rule(), workload.manifest(), "spec.template.spec",
        "%d pods x %d workers + %d for others are %d connections, and the database takes %d.".formatted(pods, workers, OTHERS, needed, connections),
        "Raise max_connections (database.config) and the server's memory, or lower the number of pods or of workers."));
  }

  /** Of all pools of php-fpm in a pod. A number may be that of a container's variable. */
  private static int workers(Objects objects, Workload workload) {
    Map<String, String> variables = workload.containers().stream().flatMap(placed -> placed.container().getEnv().stream())
        .filter(variable -> variable.getValue() != null).collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue, (one, other) -> other));
    return workload.pod().getVolumes().stream().filter(volume -> volume.getConfigMap() != null)
        .flatMap(volume -> objects.find("ConfigMap", volume.getConfigMap().getName()).stream())
        .flatMap(ConnectionCheck::files).flatMap(file -> WORKERS.matcher(file.getValue().asText()).results())
        .map(found -> found.group(1)).map(number -> number.startsWith("$") ? variables.getOrDefault(number.replaceAll("\\W", ""), "0") : number)
        .mapToInt(Integer::parseInt).sum();
  }

  /** What the release's server is configured for, by the last of its files; empty: the release has no configuration of a server. */
  private static OptionalInt connections(Objects objects) {
    List<String> files = objects.manifests().stream().filter(manifest -> manifest.kind().equals("ConfigMap")).flatMap(ConnectionCheck::files)
        .filter(file -> file.getKey().endsWith(".cnf")).sorted(Map.Entry.comparingByKey()).map(file -> file.getValue().asText()).toList();
    return files.isEmpty() ? OptionalInt.empty() : OptionalInt.of(files.stream().flatMap(file -> CONNECTIONS.matcher(file).results())
        .mapToInt(found -> Integer.parseInt(found.group(1))).reduce(DEFAULT_CONNECTIONS, (former, last) -> last));
  }

  private static Stream<Map.Entry<String, JsonNode>> files(Manifest configMap) {
    return configMap.tree().path("data").properties().stream();
  }
}
