package io.github.wordpressha.helm;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.ManifestParser;
import io.github.wordpressha.manifest.Problem;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What one release would create.
 *
 * @param chart what was rendered
 * @param release for whom
 * @param values with which values, on top of the defaults
 * @param manifests every object, hooks and tests included, in Helm's order
 * @param notes what {@code helm install} would print, or an empty text
 * @param problems documents that are no Kubernetes object: no YAML, a repeated key, no kind
 */
public record Rendering(
    Chart chart, Release release, ObjectNode values, List<Manifest> manifests, String notes, List<Problem> problems) {

  public Rendering {
    manifests = List.copyOf(manifests);
    problems = List.copyOf(problems);
  }

  static Rendering of(Chart chart, Release release, ObjectNode values, String text) {
    ManifestParser.Result parsed = ManifestParser.parse(text);
    String notes = parsed.manifests().stream()
        .filter(Chart::isNotes)
        .map(m -> m.tree().path("text").asText())
        .findFirst()
        .orElse("");
    List<Manifest> objects = parsed.manifests().stream().filter(m -> !Chart.isNotes(m)).toList();
    return new Rendering(chart, release, values, objects, notes, parsed.problems());
  }

  /** All objects as one YAML text, each with the file that it came from. */
  public String text() {
    return manifests.stream()
        .map(m -> "---\n# Source: " + m.file() + "\n" + Yaml.write(m.tree()))
        .collect(Collectors.joining());
  }
}
