package io.github.wordpressha.image;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.Profiles;
import io.github.wordpressha.TextFiles;
import io.github.wordpressha.image.Fact.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the chart relies on in each image is known for every container, and docs/images.md lists it. */
@Tag("images")
class ImageUsesTest {

  private static final Path DOCUMENT = Path.of("docs/images.md");
  private static final String START = "<!-- table of facts: mvn test -Dtest=ImageUsesTest -Dgolden.update=true -->\n";
  private static final String END = "<!-- end of facts -->";
  private static final Pattern BY_HAND = Pattern.compile("-c (\\w+) -- bash (/scripts/[\\w.]+)");

  private static List<ImageUse> uses;

  @BeforeAll
  static void read() throws IOException {
    uses = WriteImageUses.read(Profiles.CHART_DIRECTORY, Profiles.VALUES_DIRECTORY);
  }

  @Test
  @DisplayName("each container of each profile relies on something, and leaving out repeats loses no fact of an image")
  void everyContainerHasFacts() {
    assertThat(uses).isNotEmpty().allMatch(use -> !use.facts().isEmpty());
    assertThat(facts(ImageUses.withoutRepeats(uses.stream()).stream())).isEqualTo(facts(uses.stream()));
  }

  @Test
  @DisplayName("programs come from the scripts that a container reaches, and from no other")
  void programsAreReached() {
    assertThat(programs("library/nginx")).containsExactlyInAnyOrder("nginx", "rm", "sh", "sleep", "touch");
    assertThat(programs("sig-storage/nfs-provisioner")).contains("/nfs-provisioner", "bash", "rpcinfo", "ln").doesNotContain("curl");
    assertThat(programs("percona/percona-xtrabackup")).contains("xtrabackup", "xbstream", "socat", "mysqlbinlog", "mkfifo").doesNotContain("mysqld", "mysql", "jq");
    assertThat(programs("library/mysql")).contains("mysqld", "mysql", "docker-entrypoint.sh", "openssl", "base64").doesNotContain("jq", "curl", "socat");
    assertThat(programs("percona/percona-xtradb-cluster")).contains("mysqld", "/entrypoint.sh", "jq", "curl", "socat", "getent");
    assertThat(programs("library/wordpress")).contains("php", "php-fpm", "cp", "xargs", "timeout", "stat");
  }

  @Test
  @DisplayName("each script that the documents start by hand is checked in the container that they name")
  void scriptsForPeopleAreReached() throws IOException {
    try (Stream<Path> files = Stream.concat(Files.walk(Path.of("docs")), Stream.of(Path.of("SECURITY.md")))) {
      List<MatchResult> named = files.filter(f -> f.toString().endsWith(".md")).flatMap(f -> BY_HAND.matcher(TextFiles.read(f)).results()).toList();
      assertThat(named).isNotEmpty().allMatch(n -> uses.stream().anyMatch(
          u -> u.container().equals(n.group(1)) && u.facts().stream().anyMatch(f -> f.kind() == Kind.SCRIPT && f.subject().equals(n.group(2)))));
    }
  }

  @Test
  @DisplayName("ci/images digests prints the digest of every image, and refuses an image that one platform lacks")
  void digestsOfEveryImage(@TempDir Path directory) throws Exception {
    prepareCrane(directory);
    List<String> images = uses.stream().map(ImageUse::image).distinct().sorted().toList();
    assertThat(images(directory, "none", "digests")).isEqualTo(images.stream().map(i -> i + "@sha256:1\n").collect(joining()));
    assertThat(images(directory, images.get(1), "digests")).contains("there is no " + images.get(1) + " for linux/arm64");
  }

  @Test
  @DisplayName("ci/images pin writes the digest of every image into the values, so that a release of the chart names none by its tag")
  void releasesNameDigests(@TempDir Path directory) throws Exception {
    prepareCrane(directory);
    Path values = Files.copy(Path.of("charts/wordpress-ha/values.yaml"), directory.resolve("values.yaml"));
    assertThat(images(directory, "none", "pin", values.toString())).isEmpty();
    String pinned = Files.readString(values);
    assertThat(pinned).doesNotContain("digest: \"\"");
    assertThat(pinned.replace("digest: sha256:1", "digest: \"\"")).as("all else").isEqualTo(Files.readString(Path.of("charts/wordpress-ha/values.yaml")));

    Files.writeString(values, pinned.replaceAll("tag: .*", "tag: unknown"));
    assertThat(images(directory, "none", "pin", values.toString())).contains("is not among the values");
  }

  /** A registry's client that knows one digest, and finds no image for arm64 that has the name in LACKING. */
  private static void prepareCrane(Path directory) throws IOException {
    Path crane = Files.writeString(directory.resolve("crane"), "#!/bin/sh\n[ \"$*\" != \"digest --platform linux/arm64 $LACKING\" ] && echo sha256:1\n");
    assertThat(crane.toFile().setExecutable(true)).isTrue();
    WriteImageUses.write(ImageUses.withoutRepeats(uses.stream()), directory.resolve("uses"));
  }

  private static String images(Path directory, String lacking, String... arguments) throws IOException {
    var builder = new ProcessBuilder(Stream.concat(Stream.of("ci/images"), Stream.of(arguments)).toList()).redirectErrorStream(true);
    builder.environment().putAll(Map.of("PATH", directory + ":" + System.getenv("PATH"), "IMAGE_USES", directory.resolve("uses").toString(), "LACKING", lacking));
    return new String(builder.start().getInputStream().readAllBytes());
  }

  @Test
  @DisplayName("docs/images.md has the table of facts (refresh: mvn test -Dtest=ImageUsesTest -Dgolden.update=true)")
  void documentIsUpToDate() throws IOException {
    String document = Files.readString(DOCUMENT);
    String updated = document.substring(0, document.indexOf(START) + START.length()) + "\n" + table() + "\n" + document.substring(document.indexOf(END));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(DOCUMENT, updated);
    }
    assertThat(updated).isEqualTo(Files.readString(DOCUMENT));
  }

  /** One row for each image and kind; options by program. */
  private static String table() {
    var rows = new TreeMap<String, Set<String>>(Comparator.naturalOrder());
    var where = new TreeMap<String, Set<String>>();
    for (ImageUse use : uses) {
      for (Fact fact : use.facts()) {
        String row = use.repository() + "\t" + fact.kind() + (fact.kind() == Kind.OPTION ? "\t" + fact.subject() : "");
        rows.computeIfAbsent(row, r -> new TreeSet<>()).add(words(fact));
        where.computeIfAbsent(row, r -> new TreeSet<>()).add(use.container());
      }
    }
    return "| image | fact | containers that rely on it | check |\n|---|---|---|---|\n" + rows.entrySet().stream().map(e -> {
      String[] parts = e.getKey().split("\t");
      Kind kind = Kind.valueOf(parts[1]);
      String meaning = kind.meaning() + (parts.length > 2 ? " `" + parts[2] + "`" : "");
      return "| `%s` | %s: %s | %s | %s |\n".formatted(parts[0], meaning, e.getValue().stream().collect(joining("`, `", "`", "`")),
          String.join(", ", where.get(e.getKey())), kind.check());
    }).collect(joining());
  }

  private static String words(Fact fact) {
    return switch (fact.kind()) {
      case OPTION -> fact.detail();
      case SCRIPT -> fact.subject().substring(fact.subject().lastIndexOf('/') + 1);
      case PROGRAM, EXTENSION, READABLE, WRITABLE -> fact.subject();
      case USER, ACCEPTS, STARTS -> fact.subject() + " " + fact.detail();
    };
  }

  private static Map<String, Set<Fact>> facts(Stream<ImageUse> uses) {
    return uses.flatMap(u -> u.facts().stream().map(f -> Map.entry(u.image(), f)))
        .collect(groupingBy(Map.Entry::getKey, TreeMap::new, mapping(Map.Entry::getValue, toCollection(TreeSet::new))));
  }

  private static Set<String> programs(String repository) {
    return uses.stream().filter(u -> u.repository().equals(repository)).flatMap(u -> u.facts().stream())
        .filter(f -> f.kind() == Kind.PROGRAM).map(Fact::subject).collect(toCollection(TreeSet::new));
  }
}
