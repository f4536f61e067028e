package io.github.wordpressha;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.wordpressha.docs.ValuesReference;
import io.github.wordpressha.helm.Yaml;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What values.schema.json says of each value: its type, and other values that it may have. */
public final class ValueSpace {

  private final JsonNode schema = Yaml.readObject(Profiles.CHART_DIRECTORY.resolve("values.schema.json"));

  /** The values of values.yaml, in its order. */
  public List<ValuesReference.Entry> entries() {
    return ValuesReference.entries(Profiles.CHART_DIRECTORY.resolve("values.yaml"));
  }

  /** The schema of a value, references followed; empty if it has none of its own. */
  public Optional<JsonNode> typeOf(String path) {
    JsonNode node = schema;
    for (String key : path.split("\\.")) {
      node = resolve(node).path("properties").path(key);
      if (node.isMissingNode()) {
        return Optional.empty();
      }
    }
    return Optional.of(resolve(node));
  }

  /** Every object in the schema that has properties, by path. */
  public Map<String, JsonNode> objects() {
    var objects = new LinkedHashMap<String, JsonNode>();
    collect("", schema, objects);
    return objects;
  }

  /** Booleans with both values, and enums with all of theirs: the switches of the chart. */
  public Map<String, List<JsonNode>> switches() {
    var switches = new LinkedHashMap<String, List<JsonNode>>();
    for (ValuesReference.Entry entry : entries()) {
      typeOf(entry.path()).ifPresent(type -> {
        if (type.path("type").asText().equals("boolean")) {
          switches.put(entry.path(), List.of(BooleanNode.TRUE, BooleanNode.FALSE));
        } else if (type.has("enum")) {
          var values = new ArrayList<JsonNode>();
          type.path("enum").forEach(values::add);
          switches.put(entry.path(), values);
        }
      });
    }
    return switches;
  }

  /** Values of the right type that differ from the default. */
  public List<JsonNode> others(String path, JsonNode current) {
    JsonNode type = typeOf(path).orElse(JsonNodeFactory.instance.objectNode());
    var candidates = new ArrayList<JsonNode>();
    type.path("enum").forEach(candidates::add);
    for (String name : types(type)) {
      switch (name) {
        case "boolean" -> candidates.addAll(List.of(BooleanNode.TRUE, BooleanNode.FALSE));
        case "integer", "number" -> {
          long minimum = type.path("minimum").asLong(1);
          long maximum = type.path("maximum").asLong(Integer.MAX_VALUE);
          for (long value : new long[] {current.asLong() + 1, current.asLong() - 1, minimum, minimum + 1, maximum, 30123}) {
            if (value >= minimum && value <= maximum) {
              candidates.add(value == (int) value ? IntNode.valueOf((int) value) : LongNode.valueOf(value));
            }
          }
        }
        case "string" -> texts(type).forEach(candidates::add);
        case "array" -> candidates.addAll(lists(type, path));
        case "object" -> candidates.addAll(maps(path));
        default -> { }
      }
    }
    candidates.removeIf(current::equals);
    return candidates;
  }

  private static List<String> types(JsonNode type) {
    JsonNode names = type.path("type");
    if (names.isArray()) {
      var all = new ArrayList<String>();
      names.forEach(n -> all.add(n.asText()));
      return all;
    }
    return names.isTextual() ? List.of(names.asText()) : List.of();
  }

  /** Texts of many forms; those that fit the pattern are used. */
  private static List<JsonNode> texts(JsonNode type) {
    String pattern = type.path("pattern").asText("");
    return List.of("x", "other", "3Gi", "48M", "https://other.example.com", "a@b.example.com", "/other/%postname%/", "/other", "de_DE", "sha256:" + "a".repeat(64),
            "20m", "*/5 * * * *", "10.1.0.0/16", "db.example.com", "30s", "11:15PM", "Local", "OTHER").stream()
        .filter(t -> pattern.isEmpty() || java.util.regex.Pattern.compile(pattern).matcher(t).find())
        .filter(t -> t.length() >= type.path("minLength").asInt(0))
        .map(TextNode::valueOf)
        .map(JsonNode.class::cast)
        .toList();
  }

  private List<JsonNode> lists(JsonNode type, String path) {
    var factory = JsonNodeFactory.instance;
    JsonNode items = resolve(type.path("items"));
    var lists = new ArrayList<JsonNode>();
    if (types(items).contains("object")) {
      for (String item : List.of(
          "{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}",
          "{name: other, mountPath: /other}",
          "{name: OTHER, value: x}",
          "{name: other, image: 'docker.io/library/busybox:1.37.0', command: [sleep, '1']}",
          "{name: other, emptyDir: {}}",
          "{key: other, operator: Exists}",
          "{maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway}",
          "{name: other, namespace: gateways}",
          "{server: other.example.com, path: /other}",
          "{slug: other, version: 1.0.1}",
          "{ports: [9200]}")) {
        lists.add(factory.arrayNode().add(parse(item)));
      }
    } else if (types(items).contains("integer")) {
      lists.add(factory.arrayNode().add(8443));
    } else {
      texts(items).forEach(t -> lists.add(factory.arrayNode().add(t)));
    }
    return lists;
  }

  private static List<JsonNode> maps(String path) {
    if (path.endsWith("resources")) {
      return List.of(parse("{requests: {cpu: 77m, memory: 77Mi}, limits: {memory: 777Mi}}"));
    }
    if (path.endsWith("ffinity")) {
      return List.of(parse("{nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: other, operator: Exists}]}}]}}"));
    }
    if (path.endsWith("Probe")) {
      return List.of(parse("{timeoutSeconds: 77}"));
    }
    if (path.endsWith("behavior")) {
      return List.of(parse("{scaleDown: {stabilizationWindowSeconds: 77}}"));
    }
    return List.of(parse("{other: \"1\"}"), parse("{OTHER: other}"));
  }

  private static JsonNode parse(String yaml) {
    try {
      return Yaml.parse(yaml);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalArgumentException(yaml, e);
    }
  }

  private void collect(String path, JsonNode node, Map<String, JsonNode> objects) {
    JsonNode resolved = resolve(node);
    if (resolved.has("properties")) {
      objects.put(path, resolved);
      resolved.path("properties").properties().forEach(f -> collect(path.isEmpty() ? f.getKey() : path + "." + f.getKey(), f.getValue(), objects));
    }
    if (resolved.has("items")) {
      collect(path + "[]", resolved.path("items"), objects);
    }
  }

  /** The keys that tiers and Jobs have in common, with what the schema says of them, in its order. */
  public JsonNode standardKeys() {
    return schema.at("/definitions/standard/properties");
  }

  /** The definition that a value refers to, as written, for example {@code #/definitions/map}; empty if it is typed in its place. */
  public Optional<String> referenceOf(String path) {
    int last = path.lastIndexOf('.');
    JsonNode parent = last < 0 ? schema : typeOf(path.substring(0, last)).orElse(JsonNodeFactory.instance.objectNode());
    return Optional.ofNullable(parent.path("properties").path(path.substring(last + 1)).get("$ref")).map(JsonNode::asText);
  }

  /** Whether a value is a standard key, or a part of one: StandardKeysTest shows what each does, and that it is described once. */
  public boolean isStandard(String path) {
    return referenceOf(path).filter(reference -> reference.startsWith("#/definitions/standard/")).isPresent()
        || path.contains(".") && isStandard(path.substring(0, path.lastIndexOf('.')));
  }

  private JsonNode resolve(JsonNode node) {
    JsonNode current = node;
    for (int depth = 0; current.has("$ref") && depth < 10; depth++) {
      ObjectNode merged = ((ObjectNode) schema.at(current.path("$ref").asText().substring(1))).deepCopy();
      for (var field : current.properties()) {
        if (!field.getKey().equals("$ref")) {
          merged.set(field.getKey(), field.getValue());
        }
      }
      current = merged;
    }
    return current;
  }
}
