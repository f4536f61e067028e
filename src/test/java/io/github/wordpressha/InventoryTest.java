package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.publish.Sbom;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What reviewers see of a change: the inventory of each profile, and the configuration files of two. {@code ci/diff} shows all that a change
 * does to rendered objects. After a change that is meant, {@code mvn test -Dtest=InventoryTest -Dgolden.update=true} writes the files anew.
 */
@Tag("render")
class InventoryTest {

  private static final Path DIRECTORY = Path.of("src/test/resources/inventory");
  /** Profiles whose configuration files are kept, and those files. A file that both have alike is kept of the first. */
  private static final List<String> CONFIGURED = List.of("defaults", "replication-xtrabackup-nfs");
  private static final String CONFIGURATION = ".*\\.cnf|haproxy\\.cfg|nginx\\.conf|php-fpm\\.conf";

  @Test
  @DisplayName("each profile consists of what was reviewed, and is configured as was reviewed")
  void isAsReviewed() throws IOException {
    Map<String, String> files = files();
    if (Boolean.getBoolean("golden.update")) {
      for (Path former : kept()) {
        Files.delete(former);
      }
      for (var file : files.entrySet()) {
        Files.createDirectories(DIRECTORY.resolve(file.getKey()).getParent());
        Files.writeString(DIRECTORY.resolve(file.getKey()), file.getValue());
      }
    }
    assertThat(kept().stream().map(file -> DIRECTORY.relativize(file).toString())).containsExactlyInAnyOrderElementsOf(files.keySet());
    for (var file : files.entrySet()) {
      assertThat(file.getValue()).as(file.getKey()).isEqualTo(Files.readString(DIRECTORY.resolve(file.getKey())));
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

  /** By name below the directory. */
  private static Map<String, String> files() {
    var files = new TreeMap<String, String>();
    Profiles.all().forEach(profile -> files.put(profile.name() + ".txt", Inventory.of(render(profile))));
    for (String name : CONFIGURED) {
      Profile profile = Profiles.all().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
      configuration(profile).filter(file -> CONFIGURED.stream().noneMatch(other -> file.getValue().equals(files.get(other + "/" + file.getKey()))))
          .forEach(file -> files.put(name + "/" + file.getKey(), file.getValue()));
    }
    return files;
  }

  /** Without comments: those are reviewed where they are written. */
  private static Stream<Map.Entry<String, String>> configuration(Profile profile) {
    return render(profile).stream().filter(manifest -> manifest.kind().equals("ConfigMap"))
        .flatMap(manifest -> manifest.tree().path("data").properties().stream().filter(file -> file.getKey().matches(CONFIGURATION))
            .map(file -> Map.entry(manifest.name() + "/" + file.getKey(), file.getValue().asText().replaceAll("(?m)^\\s*(?:[#;].*)?\\R", ""))));
  }

  private static List<Manifest> render(Profile profile) {
    return Profiles.chart().render(Release.standard(), profile.values()).manifests();
  }

  private static List<Path> kept() throws IOException {
    try (Stream<Path> files = Files.walk(DIRECTORY)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
