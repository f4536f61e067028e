package io.github.wordpressha.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;

/**
 * The Kubernetes API of one version, as OpenAPI definitions, and the check of an object against it: required fields,
 * enums, types, quantities, and list entries that repeat their key (two environment variables of one name).
 *
 * <p>Source: the JSON in {@code io.fabric8:kubernetes-model-validator}, which is the one on Maven Central that has the enums;
 * {@code schemas/extensions.json} adds the custom resources that it lacks. Immutable and thread-safe.
 */
public final class KubernetesSchema {

  /** The minor versions whose API is at hand. */
  public static final List<Integer> MINORS = List.of(31, 33, 34);

  private static final String QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
  private static final String INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
  private static final Pattern QUANTITY_TEXT = Pattern.compile("[+-]?(\\d+|\\d+\\.\\d*|\\.\\d+)([eE][+-]?\\d+|[KMGTPE]i|[numkMGTPE])?");
  private static final Map<Integer, KubernetesSchema> LOADED = new ConcurrentHashMap<>();
  private static final Map<String, String> GROUP_PACKAGES = Map.of(
      "snapshot.storage.k8s.io", "io.k8s.storage.snapshot",
      "stork.libopenstorage.org", "org.libopenstorage.stork",
      "monitoring.coreos.com", "com.coreos.monitoring",
      "cert-manager.io", "io.cert-manager",
      "apiextensions.k8s.io", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions");

  private final int minor;
  private final Map<String, JsonNode> definitions;

  private KubernetesSchema(int minor, Map<String, JsonNode> definitions) {
    this.minor = minor;
    this.definitions = definitions;
  }

  /**
   * The API of Kubernetes 1.{@code minor}, or of the nearest older version that is at hand (the oldest, if there is none): an
   * object that an older stable API accepts is accepted by the newer one.
   */
  public static KubernetesSchema of(int minor) {
    int best = MINORS.stream().filter(m -> m <= minor).max(Integer::compare).orElse(MINORS.get(0));
    return LOADED.computeIfAbsent(best, KubernetesSchema::load);
  }

  /** The minor version that this API belongs to. */
  public int minor() {
    return minor;
  }

  /** What the API server would refuse in this object. Kinds that the API does not describe pass. */
  public List<Problem> validate(Manifest manifest) {
    var problems = new ArrayList<Problem>();
    definition(manifest).ifPresent(schema -> new Walk(manifest, problems).node(schema, manifest.tree(), ""));
    return problems;
  }

  /** Whether objects of this kind are described. */
  public boolean describes(Manifest manifest) {
    return definition(manifest).isPresent();
  }

  private Optional<JsonNode> definition(Manifest manifest) {
    String[] api = manifest.apiVersion().split("/");
    String group = api.length == 2 ? api[0] : "core";
    String version = api[api.length - 1];
    String prefix = GROUP_PACKAGES.getOrDefault(group, "io.k8s.api." + group.replaceFirst("(\\.authorization)?\\.k8s\\.io$", ""));
    return Optional.ofNullable(definitions.get(prefix + "." + version + "." + manifest.kind()));
  }

  private static KubernetesSchema load(int minor) {
    var definitions = new java.util.HashMap<String, JsonNode>();
    read("/schemas/1." + minor + "/openshift-generated.json", definitions);
    read("/schemas/extensions.json", definitions);
    return new KubernetesSchema(minor, Map.copyOf(definitions));
  }

  private static void read(String resource, Map<String, JsonNode> definitions) {
    try (InputStream in = KubernetesSchema.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException(resource + " is missing: build with Maven, which unpacks it");
      }
      for (var definition : new ObjectMapper().readTree(in).path("definitions").properties()) {
        if (!definition.getKey().startsWith("io.openshift.")) {
          definitions.put(definition.getKey(), definition.getValue());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One walk through one object. */
  private final class Walk {

    private final Manifest manifest;
    private final List<Problem> problems;

    Walk(Manifest manifest, List<Problem> problems) {
      this.manifest = manifest;
      this.problems = problems;
    }

    void node(JsonNode schema, JsonNode value, String path) {
      String reference = schema.path("$ref").asText("").replace("#/definitions/", "");
      if (reference.equals(QUANTITY)) {
        quantity(value, path);
      } else if (reference.equals(INT_OR_STRING)) {
        intOrString(value, path);
      } else if (!reference.isEmpty()) {
        JsonNode target = definitions.get(reference);
        if (target != null) {
          node(target, value, path);
        }
      } else {
        typed(schema, value, path);
      }
    }

    private void typed(JsonNode schema, JsonNode value, String path) {
      String type = schema.path("type").asText("");
      switch (type) {
        case "object" -> object(schema, value, path);
        case "array" -> array(schema, value, path);
        case "string" -> {
          if (schema.path("format").asText().equals("int-or-string")) {
            intOrString(value, path);
          } else if (expect(value.isTextual(), "a text", value, path, "Put it in quotes.")) {
            enumeration(schema, value, path);
          }
        }
        case "integer" -> expect(value.isIntegralNumber(), "a whole number", value, path, "");
        case "number" -> expect(value.isNumber(), "a number", value, path, "");
        case "boolean" -> expect(value.isBoolean(), "true or false", value, path, "");
        default -> {
          // Any JSON.
        }
      }
    }

    private void object(JsonNode schema, JsonNode value, String path) {
      if (!expect(value.isObject(), "a map", value, path, "")) {
        return;
      }
      JsonNode properties = schema.path("properties");
      JsonNode others = schema.path("additionalProperties");
      for (JsonNode required : schema.path("required")) {
        if (!value.has(required.asText())) {
          add(path, "required field \"" + required.asText() + "\" is missing.", "");
        }
      }
      boolean closed = !properties.isEmpty() && !schema.path("x-kubernetes-preserve-unknown-fields").asBoolean();
      for (var field : value.properties()) {
        String child = path.isEmpty() ? field.getKey() : path + "." + field.getKey();
        if (properties.has(field.getKey())) {
          node(properties.get(field.getKey()), field.getValue(), child);
        } else if (others.isObject()) {
          node(others, field.getValue(), child);
        } else if (closed || others.isBoolean() && !others.asBoolean()) {
          unknown(properties, field.getKey(), child);
        }
      }
    }

    private void unknown(JsonNode properties, String name, String path) {
      List<String> known = StreamSupport.stream(((Iterable<String>) properties::fieldNames).spliterator(), false).toList();
      add(path, "unknown field \"" + name + "\".", Spelling.didYouMean(name, known));
    }

    private void array(JsonNode schema, JsonNode value, String path) {
      if (!expect(value.isArray(), "a list", value, path, "")) {
        return;
      }
      for (int i = 0; i < value.size(); i++) {
        node(schema.path("items"), value.get(i), path + "[" + i + "]");
      }
      uniqueKeys(schema.path("x-kubernetes-list-map-keys"), value, path);
    }

    private void uniqueKeys(JsonNode keys, JsonNode list, String path) {
      if (keys.isEmpty()) {
        return;
      }
      var seen = new HashSet<List<String>>();
      for (int i = 0; i < list.size(); i++) {
        JsonNode item = list.get(i);
        List<String> key = StreamSupport.stream(keys.spliterator(), false).map(k -> key(item, k.asText())).toList();
        if (!seen.add(key)) {
          add(path + "[" + i + "]", "there is another entry with the same " + keys + ": " + key + ".", "Remove one of the two.");
        }
      }
    }

    /** Two ports of one number and no protocol clash, as the protocol defaults to TCP. */
    private String key(JsonNode item, String name) {
      return item.path(name).asText(name.equals("protocol") ? "TCP" : "");
    }

    private void enumeration(JsonNode schema, JsonNode value, String path) {
      JsonNode allowed = schema.path("enum");
      if (allowed.isArray() && StreamSupport.stream(allowed.spliterator(), false).noneMatch(value::equals)) {
        List<String> names = StreamSupport.stream(allowed.spliterator(), false).map(JsonNode::asText).toList();
        add(path, "\"" + value.asText() + "\" is not allowed.", "Write one of " + String.join(", ", names) + ".");
      }
    }

    private void quantity(JsonNode value, String path) {
      boolean good = value.isNumber() || value.isTextual() && QUANTITY_TEXT.matcher(value.asText()).matches();
      expect(good, "a quantity such as 500m or 2Gi", value, path, "");
    }

    private void intOrString(JsonNode value, String path) {
      expect(value.isIntegralNumber() || value.isTextual(), "a whole number or a text", value, path, "");
    }

    private boolean expect(boolean good, String wanted, JsonNode value, String path, String advice) {
      if (!good) {
        add(path, "expected " + wanted + ", found " + shown(value) + ".", advice);
      }
      return good;
    }

    private String shown(JsonNode value) {
      String text = value.toString();
      return text.length() > 60 ? text.substring(0, 60) + "..." : text;
    }

    private void add(String path, String message, String advice) {
      problems.add(Problem.error("schema", manifest, path, message, advice));
    }
  }
}
