package io.github.wordpressha.docs;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.comments.CommentLine;
import org.yaml.snakeyaml.comments.CommentType;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;

/**
 * The table of values in the chart's README, made from values.yaml: each value with its default and the comment above it
 * ({@code # -- text}). Values that are Kubernetes' own vocabulary need no comment.
 */
public final class ValuesReference {

  /** The README's table is between these two lines. */
  public static final String START = "<!-- values: start (generated from values.yaml) -->";
  public static final String END = "<!-- values: end -->";

  private static final Map<String, String> VOCABULARY = Map.ofEntries(
      Map.entry("registry", "Registry of the image"),
      Map.entry("repository", "Repository of the image"),
      Map.entry("tag", "Tag of the image"),
      Map.entry("digest", "Digest of the image, for example `sha256:...`; wins over the tag"),
      Map.entry("pullPolicy", "When nodes pull the image: Always, IfNotPresent or Never"),
      Map.entry("resources", "Requests and limits of the container"),
      Map.entry("affinity", "Kubernetes affinity of the pods"),
      Map.entry("nodeSelector", "Labels of the nodes that the pods may run on"),
      Map.entry("tolerations", "Taints of nodes that the pods accept"),
      Map.entry("topologySpreadConstraints", "Rules that spread the pods; without a labelSelector they select these pods"),
      Map.entry("priorityClassName", "PriorityClass of the pods"),
      Map.entry("podAnnotations", "Annotations of the pods"),
      Map.entry("annotations", "Annotations of the object"),
      Map.entry("enabled", "Switches it on"),
      Map.entry("size", "Size"),
      Map.entry("port", "Port of the Service"),
      Map.entry("className", "Class of the object"),
      Map.entry("loadBalancerClass", "Class of the load balancer"),
      Map.entry("loadBalancerSourceRanges", "Addresses that the load balancer lets in"),
      Map.entry("mountOptions", "Mount options of the volume"),
      Map.entry("minReplicas", "Least number of pods"),
      Map.entry("maxReplicas", "Greatest number of pods"),
      Map.entry("schedule", "When it runs, as in cron"));

  /**
   * One value.
   *
   * @param path such as {@code etcd.storage.size}
   * @param defaultValue as JSON
   * @param description for people; empty if there is none
   * @param own whether the description stands above the value itself, not above the map that it is in
   */
  public record Entry(String path, String defaultValue, String description, boolean own) {

    /** The last key of the path. */
    public String key() {
      return path.substring(path.lastIndexOf('.') + 1);
    }
  }

  private ValuesReference() {}

  /** Arguments: values.yaml, README.md. Writes the table into the README. */
  public static void main(String[] args) throws IOException {
    Path readme = Path.of(args[1]);
    Files.writeString(readme, withTable(Files.readString(readme), table(entries(Path.of(args[0])))));
  }

  /** The values in the order of the file: scalars, lists, empty maps, and maps whose meaning is one thing (resources). */
  public static List<Entry> entries(Path valuesFile) {
    var options = new LoaderOptions();
    options.setProcessComments(true);
    try (var reader = Files.newBufferedReader(valuesFile)) {
      var entries = new ArrayList<Entry>();
      collect("", new org.yaml.snakeyaml.Yaml(options).compose(reader), Yaml.readObject(valuesFile), "", entries);
      return entries;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The table as Markdown. */
  public static String table(List<Entry> entries) {
    return entries.stream()
        .map(e -> "| `" + e.path() + "` | " + code(e.defaultValue()) + " | " + cell(e.description()) + " |")
        .collect(Collectors.joining("\n", "| Value | Default | Meaning |\n|---|---|---|\n", "\n"));
  }

  /**
   * A README with its table replaced.
   *
   * @throws IllegalArgumentException if it does not have the two lines that mark the place
   */
  public static String withTable(String readme, String table) {
    int start = readme.indexOf(START);
    int end = readme.indexOf(END);
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("the README needs these two lines around its table of values:\n" + START + "\n" + END);
    }
    return readme.substring(0, start + START.length()) + "\n" + table + readme.substring(end);
  }

  private static void collect(String path, Node node, JsonNode value, String inherited, List<Entry> entries) {
    for (NodeTuple tuple : ((MappingNode) node).getValue()) {
      String key = ((ScalarNode) tuple.getKeyNode()).getValue();
      String child = path.isEmpty() ? key : path + "." + key;
      JsonNode childValue = value.path(key);
      Optional<String> marked = comment(tuple.getKeyNode(), true);
      boolean one = key.equals("resources") || marked.isPresent();
      if (childValue.isObject() && !childValue.isEmpty() && !one) {
        collect(child, tuple.getValueNode(), childValue, comment(tuple.getKeyNode(), false).orElse(""), entries);
      } else {
        String description = marked.or(() -> Optional.ofNullable(VOCABULARY.get(key))).orElse("");
        entries.add(new Entry(child, json(childValue), description.isEmpty() ? inherited : description, !description.isEmpty()));
      }
    }
  }

  /** The comment above a key: all of it, or from the last line that begins with {@code --} on. */
  private static Optional<String> comment(Node key, boolean markedOnly) {
    if (key.getBlockComments() == null) {
      return Optional.empty();
    }
    List<String> lines = key.getBlockComments().stream()
        .filter(c -> c.getCommentType() == CommentType.BLOCK)
        .map(CommentLine::getValue)
        .toList();
    int start = -1;
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().startsWith("--")) {
        start = i;
      }
    }
    if (start < 0) {
      return markedOnly || lines.isEmpty() ? Optional.empty() : Optional.of(String.join(" ", lines).replaceAll("\\s+", " ").strip());
    }
    return Optional.of(String.join(" ", lines.subList(start, lines.size())).replaceFirst("^\\s*--", "").replaceAll("\\s+", " ").strip());
  }

  private static String json(JsonNode value) {
    try {
      return new ObjectMapper().writeValueAsString(value);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String code(String text) {
    return "`" + text.replace("|", "\\|") + "`";
  }

  private static String cell(String text) {
    return text.replace("|", "\\|");
  }
}
