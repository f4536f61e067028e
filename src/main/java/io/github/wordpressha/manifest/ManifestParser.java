package io.github.wordpressha.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Problem.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts the output of {@code helm template} or {@code kustomize build} into objects. */
public final class ManifestParser {

  private static final Pattern SEPARATOR = Pattern.compile("(?m)^---(?:[ \\t].*)?$\\R?");
  private static final Pattern SOURCE = Pattern.compile("(?m)\\A\\s*# Source: (\\S+)");

  /**
   * @param manifests the objects, in order
   * @param problems what was no object
   */
  public record Result(List<Manifest> manifests, List<Problem> problems) {}

  private ManifestParser() {}

  /** Reads a stream of YAML documents. {@code # Source:} comments give the file of what follows them. */
  public static Result parse(String text) {
    var manifests = new ArrayList<Manifest>();
    var problems = new ArrayList<Problem>();
    for (String document : SEPARATOR.split(text)) {
      Matcher source = SOURCE.matcher(document);
      String file = source.find() ? source.group(1) : "";
      try {
        JsonNode tree = Yaml.parse(document);
        if (tree.isMissingNode() || tree.isNull()) {
          continue;
        }
        if (tree instanceof ObjectNode object && object.path("kind").isTextual() && object.path("apiVersion").isTextual()) {
          add(manifests, file, object);
        } else {
          problems.add(new Problem(Severity.ERROR, "syntax", file, "", "",
              "the document is no Kubernetes object: " + shortened(document), "Give it apiVersion, kind and metadata.name."));
        }
      } catch (JsonProcessingException e) {
        problems.add(new Problem(Severity.ERROR, "syntax", file, "", "", Yaml.where(e) + firstLine(e.getOriginalMessage()), ""));
      }
    }
    return new Result(manifests, problems);
  }

  /** A {@code v1 List} stands for its items. */
  private static void add(List<Manifest> manifests, String file, ObjectNode object) {
    if (object.path("kind").asText().equals("List") && object.path("items").isArray()) {
      object.path("items").forEach(item -> add(manifests, file, (ObjectNode) item));
    } else {
      manifests.add(new Manifest(file, withoutNulls(object)));
    }
  }

  /** The API server treats a null field as absent, and so do we. */
  private static ObjectNode withoutNulls(ObjectNode node) {
    prune(node);
    return node;
  }

  private static void prune(JsonNode node) {
    if (node instanceof ObjectNode object) {
      var names = new ArrayList<String>();
      for (Map.Entry<String, JsonNode> field : object.properties()) {
        if (field.getValue().isNull()) {
          names.add(field.getKey());
        }
      }
      object.remove(names);
    }
    node.forEach(ManifestParser::prune);
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }

  private static String shortened(String text) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() > 60 ? line.substring(0, 60) + "..." : line;
  }
}
