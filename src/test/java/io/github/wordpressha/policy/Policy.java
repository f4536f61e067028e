package io.github.wordpressha.policy;

import static java.util.function.Predicate.not;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.check.Workload;
import io.github.wordpressha.check.Workload.Placed;
import io.github.wordpressha.manifest.Manifest;
import java.util.List;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A rule of Kyverno's policy library (github.com/kyverno/policies: pod-security, best-practices), under its name there. It reads objects as
 * the API server gets them, so that it shares no code with the verifier's own rules.
 */
record Policy(String name, Function<Objects, Stream<String>> violations) {

  private static final Set<String> VOLUMES = Set.of("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "name");
  private static final Set<String> SECCOMP = Set.of("RuntimeDefault", "Localhost");
  private static final Set<String> SELINUX = Set.of("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t");
  private static final Set<String> SYSCTLS = Set.of("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
      "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range");

  static final List<Policy> ALL = List.of(
      // Pod security, baseline.
      pods("disallow-host-namespaces", pod -> !isTrue(pod, "hostNetwork") && !isTrue(pod, "hostPID") && !isTrue(pod, "hostIPC")),
      pods("disallow-host-path", pod -> list(pod.path("volumes")).noneMatch(volume -> volume.has("hostPath"))),
      pods("restrict-sysctls", pod -> list(pod.at("/securityContext/sysctls")).allMatch(sysctl -> SYSCTLS.contains(sysctl.path("name").asText()))),
      containers("disallow-privileged-containers", (pod, container) -> !isTrue(container.path("securityContext"), "privileged")),
      containers("disallow-host-ports", (pod, container) -> list(container.path("ports")).noneMatch(port -> port.path("hostPort").asInt() != 0)),
      containers("disallow-host-process", (pod, container) -> !isTrue(effective(pod, container, "windowsOptions"), "hostProcess")),
      containers("disallow-proc-mount", (pod, container) -> container.at("/securityContext/procMount").asText("Default").equals("Default")),
      containers("disallow-selinux", (pod, container) -> SELINUX.contains(effective(pod, container, "seLinuxOptions").path("type").asText())),
      containers("restrict-apparmor-profiles", (pod, container) -> !effective(pod, container, "appArmorProfile").path("type").asText().equals("Unconfined")),
      // Pod security, restricted.
      pods("restrict-volume-types", pod -> list(pod.path("volumes")).allMatch(volume -> VOLUMES.containsAll(names(volume)))),
      containers("disallow-capabilities-strict", (pod, container) -> texts(container.at("/securityContext/capabilities/drop")).anyMatch("ALL"::equals)
          && texts(container.at("/securityContext/capabilities/add")).allMatch("NET_BIND_SERVICE"::equals)),
      containers("disallow-privilege-escalation", (pod, container) -> isFalse(container.path("securityContext"), "allowPrivilegeEscalation")),
      containers("require-run-as-nonroot", (pod, container) -> effective(pod, container, "runAsNonRoot").asBoolean()),
      containers("require-run-as-non-root-user", (pod, container) -> effective(pod, container, "runAsUser").asLong(1) > 0),
      containers("restrict-seccomp-strict", (pod, container) -> SECCOMP.contains(effective(pod, container, "seccompProfile").path("type").asText())),
      // Best practices.
      containers("disallow-latest-tag", (pod, container) -> container.path("image").asText().matches(".+(?:@sha256:[0-9a-f]{64}|:(?!latest$)[\\w][\\w.-]*)")),
      containers("require-ro-rootfs", (pod, container) -> container.at("/securityContext/readOnlyRootFilesystem").asBoolean()),
      containers("require-pod-requests-limits", (pod, container) -> Stream.of("/requests/cpu", "/requests/memory", "/limits/memory")
          .noneMatch(path -> container.path("resources").at(path).isMissingNode())),
      containers("disallow-cri-sock-mount", (pod, container) -> list(container.path("volumeMounts")).noneMatch(mount -> mount.path("mountPath").asText().endsWith(".sock"))),
      // As there: of the containers that are no sidecars.
      new Policy("require-probes", objects -> objects.workloads().stream().filter(Workload::isService).flatMap(workload -> workload.containers().stream()
          .filter(placed -> !placed.init() && hasNoProbe(tree(workload, placed))).map(placed -> id(workload, placed)))),
      new Policy("require-labels", objects -> objects.workloads().stream().filter(workload -> !workload.labels().containsKey("app.kubernetes.io/name"))
          .map(workload -> workload.manifest().id())),
      new Policy("disallow-naked-pods", objects -> objects.workloads().stream().filter(workload -> workload.kind().equals("Pod") && !workload.isHook())
          .map(workload -> workload.manifest().id())),
      objects("disallow-default-namespace", "", manifest -> !manifest.tree().at("/metadata/namespace").asText().equals("default")),
      objects("restrict-node-port", "Service", manifest -> !manifest.tree().at("/spec/type").asText().equals("NodePort")),
      objects("restrict-service-external-ips", "Service", manifest -> manifest.tree().at("/spec/externalIPs").isEmpty()),
      objects("disallow-empty-ingress-host", "Ingress", manifest -> list(manifest.tree().at("/spec/rules")).noneMatch(rule -> rule.path("host").asText().isEmpty())));

  /** Which policies a release breaks, and where. */
  static Stream<String> violations(Objects objects) {
    return ALL.stream().flatMap(policy -> policy.violations().apply(objects).map(where -> policy.name() + ": " + where));
  }

  private static Policy pods(String name, Predicate<JsonNode> holds) {
    return new Policy(name, objects -> objects.workloads().stream().filter(workload -> !holds.test(pod(workload))).map(workload -> workload.manifest().id()));
  }

  /** Init containers included. */
  private static Policy containers(String name, BiPredicate<JsonNode, JsonNode> holds) {
    return new Policy(name, objects -> objects.workloads().stream().flatMap(workload -> workload.containers().stream()
        .filter(placed -> !holds.test(pod(workload), tree(workload, placed))).map(placed -> id(workload, placed))));
  }

  private static Policy objects(String name, String kind, Predicate<Manifest> holds) {
    return new Policy(name, objects -> objects.manifests().stream().filter(manifest -> kind.isEmpty() || manifest.kind().equals(kind))
        .filter(not(holds)).map(Manifest::id));
  }

  private static String id(Workload workload, Placed placed) {
    return workload.manifest().id() + " " + placed.container().getName();
  }

  private static JsonNode pod(Workload workload) {
    return workload.manifest().tree().at("/" + workload.podPath().replace('.', '/'));
  }

  private static JsonNode tree(Workload workload, Placed placed) {
    return workload.manifest().tree().at("/" + placed.path().replaceAll("[.\\[]", "/").replace("]", ""));
  }

  private static boolean hasNoProbe(JsonNode container) {
    return Stream.of("livenessProbe", "readinessProbe", "startupProbe").noneMatch(container::has);
  }

  /** What holds for a container: its own setting, else the pod's. */
  private static JsonNode effective(JsonNode pod, JsonNode container, String field) {
    return Stream.of(container, pod).map(node -> node.path("securityContext").path(field)).filter(not(JsonNode::isMissingNode)).findFirst().orElse(MissingNode.getInstance());
  }

  private static boolean isTrue(JsonNode node, String field) {
    return node.path(field).asBoolean(false);
  }

  private static boolean isFalse(JsonNode node, String field) {
    return !node.path(field).asBoolean(true);
  }

  private static Stream<JsonNode> list(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }

  private static Stream<String> texts(JsonNode list) {
    return list(list).map(JsonNode::asText);
  }

  private static List<String> names(JsonNode object) {
    return object.properties().stream().map(java.util.Map.Entry::getKey).toList();
  }
}
