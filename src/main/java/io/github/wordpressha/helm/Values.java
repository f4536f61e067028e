package io.github.wordpressha.helm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;

/** Trees of values, combined as Helm combines them. */
public final class Values {

  private Values() {}

  /** No values of one's own: the chart's defaults. */
  public static ObjectNode none() {
    return JsonNodeFactory.instance.objectNode();
  }

  /** Values files in the order of {@code helm -f a -f b}: the last one wins. */
  public static ObjectNode read(List<Path> files) {
    return files.stream().map(Yaml::readObject).reduce(none(), Values::merge);
  }

  /**
   * The overrides on top of the base: maps are merged, everything else is replaced, {@code null} removes a key.
   * Neither argument is changed.
   */
  public static ObjectNode merge(ObjectNode base, ObjectNode overrides) {
    ObjectNode result = base.deepCopy();
    overrides.properties().forEach(field -> {
      JsonNode old = result.get(field.getKey());
      JsonNode value = field.getValue();
      if (value.isNull()) {
        // Kept, so that a further merge or Helm itself still removes the chart's default.
        result.set(field.getKey(), value);
      } else if (old instanceof ObjectNode oldMap && value instanceof ObjectNode map) {
        result.set(field.getKey(), merge(oldMap, map));
      } else {
        result.set(field.getKey(), value.deepCopy());
      }
    });
    return result;
  }

  /** A tree with one value in it: {@code of("database.replicas", 3)}. A dot separates keys. */
  public static ObjectNode of(String path, JsonNode value) {
    ObjectNode result = none();
    ObjectNode parent = result;
    String[] keys = path.split("\\.");
    for (int i = 0; i < keys.length - 1; i++) {
      parent = parent.putObject(keys[i]);
    }
    parent.set(keys[keys.length - 1], value);
    return result;
  }

  /** Removes the keys whose value is {@code null}, at any depth of maps, from a copy. */
  public static ObjectNode withoutNulls(ObjectNode values) {
    ObjectNode result = none();
    values.properties().forEach(field -> {
      JsonNode value = field.getValue();
      if (!value.isNull()) {
        result.set(field.getKey(), value instanceof ObjectNode map ? withoutNulls(map) : value.deepCopy());
      }
    });
    return result;
  }
}
