package io.github.wordpressha;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.manifest.Manifest;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/** What a release consists of, for a reviewer: a line for each object, and one for each container. */
final class Inventory {

  private static final String CAPABILITIES = "/securityContext/capabilities";

  private Inventory() {}

  static String of(List<Manifest> manifests) {
    return manifests.stream().map(Inventory::entry).sorted().collect(Collectors.joining("\n", "", "\n"));
  }

  private static String entry(Manifest manifest) {
    JsonNode tree = manifest.tree();
    JsonNode spec = tree.path("spec");
    String facts = switch (manifest.kind()) {
      case "Deployment", "StatefulSet" -> "replicas " + text(spec.path("replicas"), "by the autoscaler") + claims(spec) + pod(spec.at("/template/spec"));
      case "Job" -> pod(spec.at("/template/spec"));
      case "CronJob" -> text(spec.path("schedule"), "") + pod(spec.at("/jobTemplate/spec/template/spec"));
      case "Pod" -> pod(spec);
      case "Service" -> text(spec.path("clusterIP"), text(spec.path("type"), "ClusterIP")) + ": " + each(spec.path("ports"), Inventory::port);
      case "PersistentVolumeClaim" -> claim(tree);
      case "HorizontalPodAutoscaler" -> spec.path("minReplicas").asText() + " to " + spec.path("maxReplicas").asText();
      case "PodDisruptionBudget" -> "maxUnavailable " + text(spec.path("maxUnavailable"), "none, minAvailable " + spec.path("minAvailable").asText());
      case "Role", "ClusterRole" -> each(tree.path("rules"), Inventory::rule);
      case "ConfigMap" -> names(tree.path("data"));
      case "Secret" -> names(tree.path("data")) + names(tree.path("stringData"));
      case "StorageClass" -> tree.path("provisioner").asText();
      default -> "";
    };
    // Jobs have names with a hash of what they do.
    String name = manifest.kind() + " " + (manifest.kind().equals("Job") ? manifest.name().replaceFirst("-[0-9a-f]{8}$", "") : manifest.name());
    return facts.isEmpty() ? name : name + ":" + (facts.startsWith("\n") ? "" : " ") + facts.replaceFirst("^, ", "");
  }

  private static String pod(JsonNode spec) {
    String account = text(spec.path("serviceAccountName"), "default");
    return (account.equals("default") ? "" : ", account " + account)
        + Stream.of("initContainers", "containers").flatMap(list -> stream(spec.path(list))).map(container -> container(spec, container)).collect(Collectors.joining())
        + "\n    volumes: " + each(spec.path("volumes"), Inventory::volume);
  }

  private static String container(JsonNode pod, JsonNode container) {
    String user = text(container.at("/securityContext/runAsUser"), text(pod.at("/securityContext/runAsUser"), "the image's"));
    return "\n    %s: %s as %s%s%s%s, requests %s, limits %s".formatted(container.path("name").asText(), container.path("image").asText(), user,
        container.at(CAPABILITIES + "/add").isEmpty() ? "" : " with " + each(container.at(CAPABILITIES + "/add"), JsonNode::asText),
        container.at("/securityContext/readOnlyRootFilesystem").asBoolean() ? "" : ", writes to its root",
        container.path("ports").isEmpty() ? "" : ", ports " + each(container.path("ports"), port -> port.path("containerPort").asText() + protocol(port)),
        resources(container.at("/resources/requests")), resources(container.at("/resources/limits")));
  }

  private static String volume(JsonNode volume) {
    String kind = volume.properties().stream().map(field -> field.getKey()).filter(key -> !key.equals("name")).findFirst().orElse("");
    return volume.path("name").asText() + " (" + kind + ")";
  }

  private static String claims(JsonNode spec) {
    return stream(spec.path("volumeClaimTemplates")).map(claim -> ", claim " + claim.at("/metadata/name").asText() + " " + claim(claim)).collect(Collectors.joining());
  }

  private static String claim(JsonNode claim) {
    return claim.at("/spec/resources/requests/storage").asText() + " " + each(claim.at("/spec/accessModes"), JsonNode::asText)
        + " of class " + text(claim.at("/spec/storageClassName"), "default");
  }

  private static String port(JsonNode port) {
    return port.path("port").asText() + protocol(port) + (port.has("nodePort") ? " on node port " + port.path("nodePort").asText() : "");
  }

  private static String protocol(JsonNode port) {
    return port.path("protocol").asText().equals("UDP") ? "/UDP" : "";
  }

  private static String rule(JsonNode rule) {
    String only = rule.path("resourceNames").isEmpty() ? "" : " " + each(rule.path("resourceNames"), JsonNode::asText);
    return each(rule.path("verbs"), JsonNode::asText) + " of " + each(rule.path("resources"), JsonNode::asText) + only;
  }

  private static String resources(JsonNode resources) {
    return resources.isEmpty() ? "none" : resources.properties().stream().map(field -> field.getValue().asText() + " " + field.getKey()).collect(Collectors.joining(" "));
  }

  private static String names(JsonNode data) {
    return data.properties().stream().map(field -> field.getKey()).sorted().collect(Collectors.joining(" "));
  }

  private static String text(JsonNode node, String otherwise) {
    return node.isMissingNode() || node.asText().isEmpty() ? otherwise : node.asText();
  }

  private static String each(JsonNode list, Function<JsonNode, String> form) {
    return stream(list).map(form).collect(Collectors.joining(" "));
  }

  private static Stream<JsonNode> stream(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }
}
