package io.github.wordpressha.helm;

import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** YAML as Kubernetes reads it (YAML 1.1 scalars), but with a duplicate key as an error instead of a silent loss. */
public final class Yaml {

  /** Reads and writes; thread-safe. */
  public static final YAMLMapper MAPPER = mapper();

  private static final Pattern ANCHOR = Pattern.compile("(?m)^[^#\"']*[\\s\\[{]&[\\w-]+(?=[\\s]|$)");

  private Yaml() {}

  private static YAMLMapper mapper() {
    var loader = new LoaderOptions();
    loader.setCodePointLimit(64 << 20);
    return new YAMLMapper(YAMLFactory.builder()
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        .enable(YAMLParser.Feature.EMPTY_STRING_AS_NULL)
        .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
        .disable(YAMLGenerator.Feature.SPLIT_LINES)
        .loaderOptions(loader)
        .build());
  }

  /**
   * Reads one document; an empty one is a missing node.
   *
   * @throws JsonProcessingException if the text is no YAML or repeats a key
   */
  public static JsonNode parse(String text) throws JsonProcessingException {
    JsonNode node = ANCHOR.matcher(text).find() ? withAnchors(text) : MAPPER.readTree(text);
    return node == null ? JsonNodeFactory.instance.missingNode() : node;
  }

  /** Jackson takes an alias ({@code *name}) for a text; SnakeYAML puts in what the anchor stands for. */
  private static JsonNode withAnchors(String text) throws JsonProcessingException {
    var options = new LoaderOptions();
    options.setAllowDuplicateKeys(false);
    try {
      return MAPPER.valueToTree(new org.yaml.snakeyaml.Yaml(new SafeConstructor(options)).load(text));
    } catch (YAMLException e) {
      throw new JsonParseException(null, e.getMessage(), e);
    }
  }

  /**
   * Reads a file that must hold a map; an empty file is an empty map.
   *
   * @throws IllegalArgumentException naming the file, if it holds something else or repeats a key
   */
  public static ObjectNode readObject(Path file) {
    try {
      JsonNode node = parse(Files.readString(file));
      if (node.isMissingNode() || node.isNull()) {
        return JsonNodeFactory.instance.objectNode();
      }
      if (node instanceof ObjectNode object) {
        return object;
      }
      throw new IllegalArgumentException(file + ": expected a map of values, found " + node.getNodeType());
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + ": " + where(e) + e.getOriginalMessage(), e);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new IllegalArgumentException(file + ": no such file", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@code line 3, column 5: } of a parse error, or nothing where it is unknown. */
  public static String where(JsonProcessingException e) {
    var location = e.getLocation();
    return location == null ? "" : "line " + location.getLineNr() + ", column " + location.getColumnNr() + ": ";
  }

  /** The node as YAML text. */
  public static String write(JsonNode node) {
    try {
      return MAPPER.writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
