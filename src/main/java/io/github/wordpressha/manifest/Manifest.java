package io.github.wordpressha.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.Optional;

/**
 * One rendered Kubernetes object.
 *
 * @param file the template that it came from, as Helm names it: {@code wordpress-ha/templates/etcd/statefulset.yaml}
 * @param tree the object as written
 * @param object the same, typed; null where the text does not fit the type ({@link Decoder} says why), or where no type is
 *     known
 */
public record Manifest(String file, ObjectNode tree, HasMetadata object) {

  public Manifest(String file, ObjectNode tree) {
    this(file, tree, null);
  }

  public Manifest withObject(HasMetadata typed) {
    return new Manifest(file, tree, typed);
  }

  public String apiVersion() {
    return tree.path("apiVersion").asText();
  }

  public String kind() {
    return tree.path("kind").asText();
  }

  public String name() {
    return tree.path("metadata").path("name").asText();
  }

  /** The namespace that the object itself names; empty where it leaves that to Helm. */
  public String namespace() {
    return tree.path("metadata").path("namespace").asText("");
  }

  /** Group, version and kind as a person would say them: {@code apps/v1 Deployment}. */
  public String type() {
    return apiVersion() + " " + kind();
  }

  /** Kind and name, which is how people speak of objects: {@code Deployment/wordpress-ha}. */
  public String id() {
    return kind() + "/" + name();
  }

  public Optional<String> annotation(String key) {
    return text(tree.path("metadata").path("annotations").get(key));
  }

  public Optional<String> label(String key) {
    return text(tree.path("metadata").path("labels").get(key));
  }

  private static Optional<String> text(JsonNode node) {
    return node == null || node.isNull() ? Optional.empty() : Optional.of(node.asText());
  }

  @Override
  public String toString() {
    return type() + "/" + name();
  }
}
