package io.github.wordpressha.docs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Yaml;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What Artifact Hub shows of the chart: https://artifacthub.io/docs/topics/annotations/helm/ */
@Tag("render")
class ArtifactHubTest {

  private static final String PREFIX = "artifacthub.io/";
  private static final Set<String> DOCUMENTED = Set.of("alternativeName", "category", "changes", "containsSecurityUpdates", "crds", "crdsExamples",
      "images", "license", "links", "maintainers", "operator", "operatorCapabilities", "prerelease", "recommendations", "screenshots", "signKey");
  private static final String[] NEEDED = {"category", "changes", "containsSecurityUpdates", "images", "license", "links", "operator", "prerelease"};

  private final JsonNode chart = Yaml.readObject(Profiles.CHART_DIRECTORY.resolve("Chart.yaml"));

  @Test
  @DisplayName("Chart.yaml has the annotations that describe this chart, none misspelled, and all are texts")
  void annotationsAreComplete() {
    JsonNode annotations = chart.path("annotations");
    assertThat(annotations.fieldNames()).toIterable()
        .allMatch(name -> name.startsWith(PREFIX) && DOCUMENTED.contains(name.substring(PREFIX.length())), "is documented");
    assertThat(NEEDED).allMatch(name -> annotations.path(PREFIX + name).isTextual());
  }

  @Test
  @DisplayName("Chart.yaml names home, sources, keywords and maintainers")
  void chartIsDescribed() {
    assertThat(new String[] {"home", "sources", "keywords", "maintainers", "description"}).noneMatch(name -> chart.path(name).isEmpty() && chart.path(name).asText().isEmpty());
  }
}
