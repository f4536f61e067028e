package io.github.wordpressha.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.IntNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.wordpressha.manifest.Manifest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("render")
class ChartTest {

  private static final Path SAMPLE = Path.of("src/test/resources/charts/sample");
  private final Chart chart = Chart.open(SAMPLE);
  private final Release release = new Release("shop", "websites", "1.33.1");

  @Test
  @DisplayName("shows objects, hooks and notes, with the files that they come from")
  void showsEverything() {
    Rendering rendering = chart.render(release, Values.none());

    assertThat(rendering.manifests()).extracting(Manifest::id)
        .contains("Deployment/shop-web", "StatefulSet/shop-db", "Service/shop-web", "ConfigMap/shop-web", "Job/shop-setup")
        .doesNotHaveDuplicates();
    assertThat(rendering.manifests()).filteredOn(m -> m.annotation(Chart.HOOK).isPresent())
        .singleElement()
        .satisfies(job -> {
          assertThat(job.file()).isEqualTo("sample/templates/job.yaml");
          assertThat(job.annotation(Chart.HOOK)).hasValue("pre-install");
        });
    assertThat(rendering.notes()).isEqualTo("Installed shop into websites: \"2\" pods.\n");
    assertThat(rendering.problems()).isEmpty();
  }

  @Test
  @DisplayName("gives the Kubernetes version to the templates")
  void knowsTheKubernetesVersion() {
    assertThat(version(chart.render(release, Values.none()))).isEqualTo("v1.33.1");
    assertThat(version(chart.render(release.withKubeVersion("1.31"), Values.none()))).isEqualTo("v1.31.0");
  }

  @Test
  @DisplayName("reports what the schema and the chart's own version limit refuse, in Helm's words")
  void reportsRefusals() {
    assertThatThrownBy(() -> chart.render(release, Values.of("replicas", TextNode.valueOf("three"))))
        .isInstanceOf(RenderException.class)
        .hasMessageContaining("/replicas").hasMessageContaining("got string, want integer");
    assertThatThrownBy(() -> chart.render(release, Values.of("replica", IntNode.valueOf(3))))
        .isInstanceOf(RenderException.class)
        .hasMessageContaining("additional properties 'replica' not allowed");
    assertThatThrownBy(() -> chart.render(release.withKubeVersion("1.29"), Values.none()))
        .isInstanceOf(RenderException.class)
        .hasMessageContaining("1.29");
  }

  @Test
  @DisplayName("renders the same from many threads at once")
  void isSafeInParallel() {
    List<String> texts = IntStream.rangeClosed(1, 200).parallel()
        .mapToObj(i -> chart.render(release, Values.of("replicas", IntNode.valueOf(i))))
        .map(r -> r.manifests().stream().filter(m -> m.kind().equals("Deployment")).findFirst().orElseThrow())
        .map(m -> m.tree().path("spec").path("replicas").asText())
        .toList();
    assertThat(texts).isEqualTo(IntStream.rangeClosed(1, 200).mapToObj(String::valueOf).toList());
  }

  @Test
  @DisplayName("packs the same bytes each time, without what .helmignore names, and opens what it packed")
  void packsReproducibly(@TempDir Path first, @TempDir Path second) throws Exception {
    Path one = pack(first);
    Thread.sleep(1100); // Archives keep whole seconds: only a second later would a stamped time differ.
    Path two = pack(second);

    assertThat(Files.readAllBytes(one)).isEqualTo(Files.readAllBytes(two));
    assertThat(ChartArchive.read(one).keySet())
        .contains("sample/Chart.yaml", "sample/values.yaml", "sample/templates/web.yaml")
        .doesNotContain("sample/ignored.txt");
    assertThat(ChartArchive.read(one).get("sample/Chart.yaml")).isEqualTo(Files.readAllBytes(SAMPLE.resolve("Chart.yaml")));
    assertThat(Chart.open(one).render(release, Values.none()).text()).isEqualTo(chart.render(release, Values.none()).text());
  }

  @Test
  @DisplayName("says so when there is no chart")
  void refusesOtherDirectories(@TempDir Path empty) {
    assertThatThrownBy(() -> Chart.open(empty)).hasMessageContaining("no chart here");
  }

  private static Path pack(Path target) {
    new com.marcnuri.helm.Helm(SAMPLE).packageIt().withDestination(target).call();
    Path archive = target.resolve("sample-1.2.3.tgz");
    ChartArchive.normalize(archive, SAMPLE);
    return archive;
  }

  private static String version(Rendering rendering) {
    return rendering.manifests().stream().filter(m -> m.id().equals("ConfigMap/shop-web")).findFirst().orElseThrow()
        .tree().path("data").path("version").asText();
  }
}
