package io.github.wordpressha.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every relative link of the documents, and every anchor, leads somewhere. */
@Tag("render")
class LinksTest {

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
  private static final Pattern OUTSIDE = Pattern.compile("^[a-z]+:.*");
  private static final Pattern FENCED = Pattern.compile("(?ms)^```.*?^```$");

  @Test
  @DisplayName("each relative link and anchor of the documents leads somewhere")
  void linksLeadSomewhere() {
    assertThat(documents()).contains(Path.of("README.md"), Path.of("docs/operations.md"));
    assertThat(documents().stream().flatMap(LinksTest::deadLinks)).isEmpty();
  }

  @Test
  @DisplayName("a missing file, a missing anchor and an anchor in a block of code are found")
  void findsDeadLinks(@TempDir Path directory) throws IOException {
    Path document = directory.resolve("a.md");
    Files.writeString(document, """
        # One title, with `code`
        [there](b.md) [gone](gone.md) [heading](#one-title-with-code) [no heading](#two) [code](#three) [web](https://example.com)

        ```
        # Three
        ```
        """);
    Files.writeString(directory.resolve("b.md"), "");
    assertThat(deadLinks(document)).containsExactly(document + ": gone.md", document + ": #two", document + ": #three");
  }

  private static Stream<String> deadLinks(Path document) {
    return LINK.matcher(FENCED.matcher(SourceFiles.read(document)).replaceAll("")).results()
        .map(link -> link.group(1))
        .filter(link -> !OUTSIDE.matcher(link).matches() && !leadsSomewhere(document, link))
        .map(link -> document + ": " + link);
  }

  private static boolean leadsSomewhere(Path document, String link) {
    String[] parts = link.split("#", 2);
    Path target = parts[0].isEmpty() ? document : Optional.ofNullable(document.getParent()).orElse(Path.of("")).resolve(parts[0]);
    return Files.exists(target) && (parts.length == 1 || anchors(target).anyMatch(parts[1]::equals));
  }

  /** As GitHub makes them of headings. */
  private static Stream<String> anchors(Path document) {
    return FENCED.matcher(SourceFiles.read(document)).replaceAll("").lines()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("^#+ +", "").toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'));
  }

  private static List<Path> documents() {
    return Stream.of(Path.of(""), Path.of("docs"), Path.of("charts"), Path.of("values"), Path.of(".github"))
        .filter(Files::exists).flatMap(LinksTest::markdownIn).distinct().toList();
  }

  /** Of the repository's root its own files only: what lies below is no document of it. */
  private static Stream<Path> markdownIn(Path directory) {
    return SourceFiles.of(directory, directory.toString().isEmpty() ? 1 : Integer.MAX_VALUE).filter(file -> file.toString().endsWith(".md"));
  }
}
