package io.github.wordpressha.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.ValueSpace;
import io.github.wordpressha.helm.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** values.yaml, its schema, the templates and the README agree on which values there are. */
@Tag("render")
class ValuesTest {

  private final ValueSpace space = new ValueSpace();

  @Test
  @DisplayName("every value is described: by a comment that begins with # --, or by one on its block")
  void everyValueIsDocumented() {
    assertThat(space.entries()).filteredOn(e -> e.description().isBlank()).extracting(ValuesReference.Entry::path).isEmpty();
  }

  @Test
  @DisplayName("every value has a type in the schema, and the schema has no value that values.yaml does not show")
  void everyValueIsTyped() {
    assertThat(space.entries())
        .filteredOn(e -> space.typeOf(e.path()).filter(t -> t.has("type") || t.has("enum") || t.has("anyOf") || t.has("oneOf")).isEmpty())
        .extracting(ValuesReference.Entry::path)
        .isEmpty();
    Set<String> shown = new TreeSet<>();
    space.entries().forEach(e -> {
      for (String path = e.path(); !path.isEmpty(); path = path.contains(".") ? path.substring(0, path.lastIndexOf('.')) : "") {
        shown.add(path);
      }
    });
    Set<String> untold = new TreeSet<>();
    space.objects().forEach((path, object) -> object.path("properties").fieldNames().forEachRemaining(name -> {
      String child = path.isEmpty() ? name : path + "." + name;
      boolean freeForm = shown.contains(path) && space.entries().stream().anyMatch(e -> e.path().equals(path));
      if (!path.contains("[]") && !freeForm && !shown.contains(child) && !isStandard(child)) {
        untold.add(child);
      }
    }));
    assertThat(untold).as("in the schema, but not in values.yaml").isEmpty();
  }

  @Test
  @DisplayName("the schema refuses unknown keys everywhere")
  void noUnknownKeys() {
    assertThat(space.objects()).allSatisfy((path, object) ->
        assertThat(object.path("additionalProperties").isBoolean() && !object.path("additionalProperties").asBoolean())
            .as("additionalProperties: false at %s", path.isEmpty() ? "the root" : path)
            .isTrue());
  }

  @Test
  @DisplayName("the templates read no value that values.yaml does not have")
  void templatesReadKnownValues() throws IOException {
    ObjectNode defaults = Profiles.chart().defaults();
    Set<String> unknown = new TreeSet<>();
    var used = Pattern.compile("\\.Values\\.([A-Za-z0-9_.]+)");
    try (Stream<Path> files = Files.walk(Profiles.CHART_DIRECTORY.resolve("templates"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        var matcher = used.matcher(Files.readString(file));
        while (matcher.find()) {
          if (!exists(defaults, matcher.group(1))) {
            unknown.add(file.getFileName() + ": .Values." + matcher.group(1));
          }
        }
      }
    }
    assertThat(unknown).isEmpty();
  }

  @Test
  @DisplayName("the README's table of values is up to date (refresh: mvn test -Dtest=ValuesTest -Dgolden.update=true)")
  void readmeIsUpToDate() throws IOException {
    Path readme = Profiles.CHART_DIRECTORY.resolve("README.md");
    assertThat(readme).exists();
    String text = Files.readString(readme);
    String fresh = ValuesReference.withTable(text, ValuesReference.table(space.entries()));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(readme, fresh);
    } else {
      assertThat(text).isEqualTo(fresh);
    }
  }

  /** A standard key, or a part of one: StandardKeysTest sees that each is described once, and in the table of docs/standard-keys.md. */
  private boolean isStandard(String path) {
    return space.referenceOf(path).filter(reference -> reference.startsWith("#/definitions/standard/")).isPresent()
        || path.contains(".") && isStandard(path.substring(0, path.lastIndexOf('.')));
  }

  private static boolean exists(ObjectNode defaults, String path) {
    JsonNode node = defaults;
    for (String key : path.split("\\.")) {
      if (node.isObject() && node.isEmpty()) {
        return true; // Free-form: the keys are the user's.
      }
      node = node.path(key);
      if (node.isMissingNode()) {
        return false;
      }
    }
    return true;
  }
}
