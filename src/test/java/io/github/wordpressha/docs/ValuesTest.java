package io.github.wordpressha.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.ValueSpace;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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
      if (!path.contains("[]") && !freeForm && !shown.contains(child) && !space.isStandard(child)) {
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
  @DisplayName("the schema refuses null for a block, by name, as templates read its keys")
  void blocksAreRequired() {
    assertThat(optionalBlocks(Profiles.chart().defaults(), "")).isEmpty();
    assertThatThrownBy(() -> Profiles.render("wordpress: {cron: null}")).isInstanceOf(RenderException.class).hasMessageContaining("missing property 'cron'");
  }

  /** Null takes away what the chart has: its requests and limits, for example. */
  private List<String> optionalBlocks(ObjectNode values, String path) {
    var found = new ArrayList<String>();
    values.properties().forEach(field -> {
      if (field.getValue() instanceof ObjectNode block && !block.isEmpty() && !Set.of("resources", "labels").contains(field.getKey())) {
        String child = path.isEmpty() ? field.getKey() : path + "." + field.getKey();
        JsonNode required = space.objects().get(path).path("required");
        if (StreamSupport.stream(required.spliterator(), false).noneMatch(name -> name.asText().equals(field.getKey()))) {
          found.add(child);
        }
        found.addAll(optionalBlocks(block, child));
      }
    });
    return found;
  }

  @ParameterizedTest
  @ValueSource(strings = {
      "{commonLabels: null, commonAnnotations: null, pods: {podLabels: null, podAnnotations: null, nodeSelector: null, tolerations: null}}",
      "{etcd: {resources: null, podAnnotations: null}, nfs: {resources: null}, tools: {image: {digest: null}}}",
      "wordpress: {constants: null, php: {ini: null}, autoscaling: {behavior: null}, resources: {limits: null}}",
      "{wordpress: {resources: null, autoscaling: {enabled: false}}}"})
  @DisplayName("null is nothing, where nothing is possible")
  void nullIsNothing(String values) throws JsonProcessingException {
    assertThat(Profiles.render(values).manifests()).isNotEmpty();
  }

  @Test
  @DisplayName("null where a server needs a size is refused with a sentence")
  void nullSize() {
    assertThatThrownBy(() -> Profiles.render("database: {resources: null}")).isInstanceOf(RenderException.class)
        .hasMessageContaining("database.resources.limits.memory: the server sizes its buffers by it");
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
