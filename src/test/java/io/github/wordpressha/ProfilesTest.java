package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.manifest.KubernetesSchema;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every profile must do, whatever it is about. A new file in values/ is tested without a change here. */
@Tag("render")
class ProfilesTest {

  static Stream<Profile> profiles() {
    return Profiles.all();
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("renders objects that every supported Kubernetes accepts and that fit together")
  void isSound(Profile profile) {
    for (int minor : KubernetesSchema.MINORS) {
      Rendering rendering = render(profile, Release.standard().withKubeVersion("1." + minor));
      assertThat(rendering.manifests()).as("objects").isNotEmpty();
      assertThat(Checks.verify(rendering, Cluster.ofThree(minor)).errors())
          .as("errors of profile %s on Kubernetes 1.%d", profile, minor)
          .isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("renders the same bytes each time")
  void isDeterministic(Profile profile) {
    assertThat(render(profile, Release.standard()).text()).isEqualTo(render(profile, Release.standard()).text());
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("works under another release name and namespace")
  void isNotBoundToAName(Profile profile) {
    var release = new Release("blog", "websites", Release.DEFAULT_KUBE_VERSION);
    Rendering rendering = render(profile, release);
    assertThat(Checks.verify(rendering, Cluster.ofThree(34)).errors()).isEmpty();
    assertThat(rendering.manifests()).allSatisfy(m -> assertThat(m.name()).contains("blog"));
    assertThat(rendering.manifests()).allSatisfy(m -> assertThat(m.namespace()).isIn("", "websites"));
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("tells people what they got")
  void hasNotes(Profile profile) {
    Rendering rendering = render(profile, Release.standard());
    assertThat(rendering.notes()).contains("wordpress-ha");
    assertThat(rendering.manifests()).as("a helm test").anyMatch(m -> m.annotation("unhooked.helm.sh/hook").equals(java.util.Optional.of("test")));
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("names every object once")
  void hasNoObjectTwice(Profile profile) {
    List<String> ids = render(profile, Release.standard()).manifests().stream().map(m -> m.namespace() + " " + m).toList();
    assertThat(ids).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("writes no empty list and no null: the API keeps neither, so a server-side apply would find a difference each time")
  void writesNothingThatIsDropped(Profile profile) {
    assertThat(render(profile, Release.standard()).manifests().stream().flatMap(m -> dropped(m.id(), m.tree()))).isEmpty();
  }

  private static Stream<String> dropped(String path, JsonNode node) {
    if (node.isNull() || (node.isArray() && node.isEmpty())) {
      return Stream.of(path);
    }
    return node.isArray()
        ? StreamSupport.stream(node.spliterator(), false).flatMap(item -> dropped(path + "[]", item))
        : node.properties().stream().flatMap(field -> dropped(path + "." + field.getKey(), field.getValue()));
  }

  private static Rendering render(Profile profile, Release release) {
    return Profiles.chart().render(release, profile.values());
  }
}
