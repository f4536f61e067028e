package io.github.wordpressha.wordpress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** nginx gets all of WordPress that is not PHP, and of PHP the names. */
@Tag("render")
class CopyStaticTest {

  private static final Path SCRIPT = Path.of("charts/wordpress-ha/files/wordpress/copy-static.sh").toAbsolutePath();
  private static final FileTime RELEASED = FileTime.from(Instant.parse("2026-01-02T03:04:05Z"));

  @TempDir Path directory;
  private Path source;
  private Path target;

  @BeforeEach
  void image() throws IOException {
    source = directory.resolve("source");
    target = Files.createDirectories(directory.resolve("static"));
    for (String file : new String[] {"index.php", "readme.html", "wp-admin/css/login.css", "wp-admin/a name with spaces.svg", "wp-admin/user/index.php",
        "wp-includes/js/tinymce/plugins/link/plugin.min.js", "wp-includes/Requests/src/Proxy/Http.php", "wp-content/themes/index.php"}) {
      Files.createDirectories(source.resolve(file).getParent());
      Files.writeString(source.resolve(file), "content of " + file);
      Files.setLastModifiedTime(source.resolve(file), RELEASED);
    }
  }

  @Test
  @DisplayName("files with their times, PHP files empty, also where a directory has nothing else, and no content of the site")
  void everyFileIsThere() throws Exception {
    copy();
    assertThat(files()).isEqualTo(Map.of(
        "index.php", "", "wp-admin/css/login.css", "content of wp-admin/css/login.css",
        "wp-admin/a name with spaces.svg", "content of wp-admin/a name with spaces.svg", "wp-admin/user/index.php", "",
        "wp-includes/js/tinymce/plugins/link/plugin.min.js", "content of wp-includes/js/tinymce/plugins/link/plugin.min.js",
        "wp-includes/Requests/src/Proxy/Http.php", ""));
    assertThat(Files.getLastModifiedTime(target.resolve("wp-admin/css/login.css"))).isEqualTo(RELEASED);
    assertThat(Files.readSymbolicLink(target.resolve("wp-content"))).hasToString("/code/current");
  }

  @Test
  @DisplayName("a copy that was cut short is completed by the next start")
  void halfACopyIsCompleted() throws Exception {
    copy();
    Map<String, String> whole = files();
    Files.writeString(target.resolve("wp-admin/css/login.css"), "cont");
    Files.delete(target.resolve("wp-includes/js/tinymce/plugins/link/plugin.min.js"));
    copy();
    assertThat(files()).isEqualTo(whole);
  }

  private void copy() throws Exception {
    var builder = new ProcessBuilder("bash", SCRIPT.toString()).inheritIO();
    builder.environment().putAll(Map.of("SOURCE", source.toString(), "TARGET", target.toString()));
    assertThat(builder.start().waitFor()).isZero();
  }

  private Map<String, String> files() throws IOException {
    var files = new TreeMap<String, String>();
    try (Stream<Path> all = Files.walk(target)) {
      for (Path file : (Iterable<Path>) all.filter(path -> Files.isRegularFile(path) && !Files.isSymbolicLink(path))::iterator) {
        files.put(target.relativize(file).toString(), Files.readString(file));
      }
    }
    return files;
  }
}
