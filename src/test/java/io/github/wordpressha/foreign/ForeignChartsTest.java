package io.github.wordpressha.foreign;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.diff.UpgradeDiff;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.manifest.KubernetesSchema;
import io.github.wordpressha.manifest.Problem;
import io.github.wordpressha.report.ResilienceReport;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Charts of other shapes: the tools neither break on them nor call sound objects wrong. */
@Tag("render")
class ForeignChartsTest {

  @ParameterizedTest
  @ValueSource(strings = {"webapp", "blog"})
  @DisplayName("a chart of another shape has no false error on any Kubernetes version")
  void hasNoFalseError(String name) {
    for (int minor : KubernetesSchema.MINORS) {
      Rendering rendering = render(name, new Release("demo", "team-a", "1." + minor));
      var verdict = Checks.verify(rendering, Cluster.ofThree(minor));
      assertThat(verdict.errors()).isEmpty();
      assertThat(ResilienceReport.of(verdict.objects(), Cluster.ofThree(minor)).outcomes()).isNotEmpty();
      assertThat(UpgradeDiff.between(rendering.manifests(), rendering.manifests())).isEmpty();
    }
  }

  @Test
  @DisplayName("what they are known for is found: root, no limits, images that change")
  void findsWhatIsTrue() {
    var verdict = Checks.verify(render("webapp", new Release("demo", "team-a", "1.34")), Cluster.ofThree(34));
    assertThat(verdict.problems()).extracting(Problem::message).anyMatch(m -> m.contains("may run as root"))
        .anyMatch(m -> m.contains("has no memory limit"))
        .anyMatch(m -> m.contains("\"busybox\" may be another image tomorrow"));
  }

  @Test
  @DisplayName("the blog's one database pod is seen as what takes the writers down")
  void seesTheSinglePoint() {
    var objects = Checks.verify(render("blog", new Release("demo", "team-a", "1.34")), Cluster.ofThree(34)).objects();
    var report = ResilienceReport.of(objects, Cluster.ofThree(34));
    assertThat(report.outcomes()).filteredOn(o -> o.fault().equals("one volume of primary")).singleElement()
        .satisfies(o -> assertThat(o.data()).isEqualTo(io.github.wordpressha.report.Outcome.Data.LOST));
  }

  private static Rendering render(String name, Release release) {
    return Chart.open(Path.of("src/test/resources/foreign", name)).render(release, Values.none());
  }
}
