package io.github.wordpressha.docs;

import static java.util.Comparator.comparing;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The chart takes no image whose line is out of support, unless images-support.yaml says why; docs/images.md shows the dates. */
@Tag("render")
class ImagesTest {

  private static final Path DATES = Path.of("src/test/resources/images-support.yaml");
  private static final Path DOCUMENT = Path.of("docs/images.md");
  private static final String START = "<!-- table of images: mvn test -Dtest=ImagesTest -Dgolden.update=true -->\n";
  private static final String END = "<!-- end -->";
  private static final String HEAD = "| image | line | supported until | source | exception |\n|---|---|---|---|---|\n";
  private static final int WARNING_DAYS = 60;

  /** An image's repository and tag, as values.yaml has them. */
  private record Image(String repository, String tag) {}

  /**
   * A release line.
   *
   * @param until the last day of its support
   * @param exception why it stays beyond that day; empty: it must not
   */
  private record Line(String image, String line, LocalDate until, String source, String note, String exception) {

    boolean covers(Image other) {
      return image.equals(other.repository())
          && Arrays.stream(other.tag().replaceFirst("^v", "").split("-")).anyMatch(part -> part.equals(line) || part.startsWith(line + "."));
    }

    boolean hasEnded(LocalDate day) {
      return day.isAfter(until);
    }

    boolean endsSoon(LocalDate day) {
      return !hasEnded(day) && day.isAfter(until.minusDays(WARNING_DAYS));
    }

    String row() {
      return "| `%s` | %s | %s | [source](%s): %s | %s |\n".formatted(image, line, until, source, note, exception.isEmpty() ? "" : "past its end: " + exception);
    }
  }

  private final List<Image> images = images(Yaml.readObject(Profiles.CHART_DIRECTORY.resolve("values.yaml"))).distinct().toList();
  private final List<Line> lines = lines();

  @Test
  @DisplayName("each image of values.yaml has the date of its line, and no date is of another line")
  void everyImageHasADate() {
    assertThat(images).isNotEmpty().allMatch(image -> lines.stream().anyMatch(line -> line.covers(image)), "has a line in " + DATES);
    assertThat(lines).allMatch(line -> images.stream().anyMatch(line::covers), "is the line of an image in values.yaml");
  }

  @Test
  @DisplayName("no image is past its end of support without a reason; 60 days before, the build warns")
  void imagesAreSupported() {
    LocalDate today = LocalDate.now();
    lines.stream().filter(line -> line.endsSoon(today))
        .forEach(line -> System.out.printf("warning: support of %s %s ends on %s: see docs/images.md%n", line.image(), line.line(), line.until()));
    assertThat(lines.stream().filter(line -> line.hasEnded(today) && line.exception().isEmpty()))
        .as("out of support: change the tag in values.yaml, or write an exception in %s", DATES).isEmpty();
    assertThat(lines.stream().filter(line -> !line.hasEnded(today) && !line.exception().isEmpty()))
        .as("exceptions that are not needed").isEmpty();
  }

  @Test
  @DisplayName("a line is supported up to its last day, with a warning in the last 60 days; a tag belongs to one line")
  void judgesDates() {
    var line = new Line("library/nginx", "1.28", LocalDate.of(2026, 4, 14), "", "", "");
    assertThat(line.endsSoon(LocalDate.of(2026, 2, 13))).isFalse();
    assertThat(line.endsSoon(LocalDate.of(2026, 2, 14))).isTrue();
    assertThat(line.endsSoon(LocalDate.of(2026, 4, 14))).isTrue();
    assertThat(line.hasEnded(LocalDate.of(2026, 4, 14))).isFalse();
    assertThat(line.hasEnded(LocalDate.of(2026, 4, 15))).isTrue();
    assertThat(line.covers(new Image("library/nginx", "v1.28.3-alpine"))).isTrue();
    assertThat(line.covers(new Image("library/nginx", "1.280-alpine"))).isFalse();
  }

  @Test
  @DisplayName("docs/images.md has the table of these dates (refresh: mvn test -Dtest=ImagesTest -Dgolden.update=true)")
  void documentIsUpToDate() throws IOException {
    String document = Files.readString(DOCUMENT);
    String table = HEAD + lines.stream().map(Line::row).collect(joining());
    String updated = document.substring(0, document.indexOf(START) + START.length()) + "\n" + table + "\n" + document.substring(document.indexOf(END));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(DOCUMENT, updated);
    }
    assertThat(updated).isEqualTo(Files.readString(DOCUMENT));
  }

  private static Stream<Image> images(JsonNode node) {
    Stream<Image> here = node.has("repository") && node.has("tag")
        ? Stream.of(new Image(node.path("repository").asText(), node.path("tag").asText()))
        : Stream.empty();
    return Stream.concat(here, StreamSupport.stream(node.spliterator(), false).flatMap(ImagesTest::images));
  }

  private static List<Line> lines() {
    return StreamSupport.stream(Yaml.readObject(DATES).path("images").spliterator(), false)
        .map(node -> new Line(node.path("image").asText(), node.path("line").asText(), LocalDate.parse(node.path("until").asText()),
            node.path("source").asText(), node.path("note").asText(), node.path("exception").asText("")))
        .sorted(comparing(Line::image)).toList();
  }
}
