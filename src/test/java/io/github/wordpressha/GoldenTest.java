package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.publish.Sbom;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What each profile renders, kept under review: a change of a template shows up as a diff of objects. After a change that is meant,
 * {@code mvn test -Dtest=GoldenTest -Dgolden.update=true} writes the files anew.
 */
@Tag("render")
class GoldenTest {

  private static final Path DIRECTORY = Path.of("src/test/resources/golden");

  static Stream<Profile> profiles() {
    return Profiles.all();
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("a profile renders what was reviewed")
  void rendersWhatWasReviewed(Profile profile) throws IOException {
    Path file = DIRECTORY.resolve(profile.name() + ".yaml");
    String rendered = stable(Profiles.chart().render(Release.standard(), profile.values()));
    if (Boolean.getBoolean("golden.update")) {
      Files.createDirectories(DIRECTORY);
      Files.writeString(file, rendered);
    } else {
      assertThat(file).as("run mvn test -Dtest=GoldenTest -Dgolden.update=true, and review the new file").exists();
      assertThat(rendered).isEqualTo(Files.readString(file));
    }
  }

  @Test
  @DisplayName("no file is left of a profile that is gone")
  void noLeftovers() throws IOException {
    List<String> names = Profiles.all().map(p -> p.name() + ".yaml").toList();
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      assertThat(files.map(f -> f.getFileName().toString())).allMatch(names::contains);
    }
  }

  @Test
  @DisplayName("Chart.yaml lists every image of every profile for chart catalogues")
  void imagesOfTheCatalogue() throws IOException {
    var images = new TreeSet<String>();
    Profiles.all().forEach(p -> images.addAll(Sbom.images(Checks.verify(Profiles.chart().render(Release.standard(), p.values()), Cluster.ofThree(34)).objects())));
    String block = images.stream()
        .map(i -> "    - name: %s\n      image: %s\n".formatted(i.replaceAll("^.*/|[:@].*$", ""), i))
        .collect(Collectors.joining());
    Path file = Profiles.CHART_DIRECTORY.resolve("Chart.yaml");
    String text = Files.readString(file);
    String fresh = text.replaceFirst("(?m)(^  artifacthub\\.io/images: \\|\\R)(?:    .*\\R)*", "$1" + Matcher.quoteReplacement(block));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(file, fresh);
    } else {
      assertThat(text).isEqualTo(fresh);
    }
  }

  /** Without what changes at each release or with each letter of a script; scripts have reviews and tests of their own. */
  private static String stable(Rendering rendering) {
    var text = new StringBuilder();
    for (Manifest manifest : rendering.manifests()) {
      ObjectNode tree = manifest.tree().deepCopy();
      if (manifest.kind().equals("ConfigMap") && tree.path("data") instanceof ObjectNode data) {
        data.properties().stream().filter(f -> f.getValue().asText().length() > 200).map(Map.Entry::getKey).toList()
            .forEach(name -> data.put(name, "(file)"));
      }
      text.append("---\n# Source: ").append(manifest.file()).append('\n').append(Yaml.write(tree));
    }
    return text.toString()
        .replaceAll("(?m)^ *helm\\.sh/chart: .*\\R", "")
        .replaceAll("(?m)^ *app\\.kubernetes\\.io/version: .*\\R", "")
        .replaceAll("(?m)^( *checksum/[^:]+): .*$", "$1: (checksum)");
  }
}
