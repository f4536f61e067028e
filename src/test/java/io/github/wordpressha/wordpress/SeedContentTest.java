package io.github.wordpressha.wordpress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Shared content is begun once, by however many pods at once, whichever of them dies. */
@Tag("render")
class SeedContentTest {

  private static final Path SCRIPT = Path.of("charts/wordpress-ha/files/wordpress/seed-content.sh").toAbsolutePath();
  private static final int THEMES = 3;
  private static final int FILES = 150;

  @TempDir Path directory;
  private Path source;
  private Path content;
  private final List<Process> pods = new ArrayList<>();

  @BeforeEach
  void image() throws IOException {
    source = directory.resolve("source");
    content = Files.createDirectories(directory.resolve("content"));
    write(source.resolve("index.php"), "<?php // Silence is golden.");
    write(source.resolve("plugins/hello.php"), "<?php // Hello");
    for (int theme = 0; theme < THEMES; theme++) {
      for (int file = 0; file < FILES; file++) {
        write(source.resolve("themes/theme-%d/part-%d/file-%d.php".formatted(theme, file % 7, file)), "theme " + theme + " file " + file);
      }
    }
  }

  @AfterEach
  void end() {
    pods.forEach(SeedContentTest::kill);
  }

  @RepeatedTest(3)
  @DisplayName("three pods at once, one killed while it copies: the tree is complete and right, and nothing is left over")
  void threeAtOnceOneKilled() throws Exception {
    Process victim = start("victim");
    awaitWorkOf("victim");
    Process second = start("second");
    Process third = start("third");
    kill(victim);
    assertThat(status(second)).isZero();
    assertThat(status(third)).isZero();
    assertThat(tree(content.resolve("themes"))).isEqualTo(tree(source.resolve("themes")));
    assertThat(tree(content.resolve("plugins"))).isEqualTo(tree(source.resolve("plugins")));
    assertThat(names()).containsExactlyInAnyOrder(".wordpress-ha-seeded", "index.php", "plugins", "themes", "uploads");
  }

  @Test
  @DisplayName("a pod that still copies when another has completed the content, and removes what it takes for abandoned: nothing is left over")
  void removedWhileItCopies() throws Exception {
    Process slow = start("slow");
    awaitWorkOf("slow");
    stop(slow);
    assertThat(status(start("fast"))).isZero();
    // What a copy puts into a directory after the other has looked there.
    write(content.resolve(".removing-slow-left/themes/part"), "rest of a copy");
    resume(slow);
    assertThat(status(slow)).isZero();
    assertThat(names()).containsExactlyInAnyOrder(".wordpress-ha-seeded", "index.php", "plugins", "themes", "uploads");
  }

  @Test
  @DisplayName("what somebody deleted later stays deleted, and what was there before is not replaced")
  void onlyOnce() throws Exception {
    write(content.resolve("themes/theme-0/style.css"), "ours");
    assertThat(status(start("first"))).isZero();
    assertThat(tree(content.resolve("themes/theme-0"))).isEqualTo(Map.of("style.css", "ours"));
    Files.delete(content.resolve("plugins/hello.php"));
    assertThat(status(start("second"))).isZero();
    assertThat(content.resolve("plugins/hello.php")).doesNotExist();
  }

  private void awaitWorkOf(String pod) {
    Awaitility.await("the copy has begun").atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(1)).until(() -> {
      try (Stream<Path> begun = Files.list(content)) {
        return begun.anyMatch(path -> path.getFileName().toString().startsWith(".seeding-" + pod));
      }
    });
  }

  private static void stop(Process pod) throws Exception {
    signal(pod, "-STOP");
  }

  private static void resume(Process pod) throws Exception {
    signal(pod, "-CONT");
  }

  private static void signal(Process pod, String signal) throws Exception {
    var command = new ArrayList<>(List.of("kill", signal, String.valueOf(pod.pid())));
    pod.descendants().map(one -> String.valueOf(one.pid())).forEach(command::add);
    new ProcessBuilder(command).inheritIO().start().waitFor();
  }

  private Process start(String pod) throws IOException {
    var builder = new ProcessBuilder("bash", SCRIPT.toString()).redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log-" + pod).toFile()));
    builder.environment().putAll(Map.of("CONTENT", content.toString(), "SOURCE", source.toString(), "HOSTNAME", pod));
    Process process = builder.start();
    pods.add(process);
    return process;
  }

  private static void kill(Process pod) {
    List<ProcessHandle> all = Stream.concat(pod.descendants(), Stream.of(pod.toHandle())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(one -> one.onExit().join());
  }

  private static int status(Process pod) throws InterruptedException {
    assertThat(pod.waitFor(60, TimeUnit.SECONDS)).as("the end of the script").isTrue();
    return pod.exitValue();
  }

  private List<String> names() throws IOException {
    try (Stream<Path> all = Files.list(content)) {
      return all.map(path -> path.getFileName().toString()).toList();
    }
  }

  private static Map<String, String> tree(Path root) throws IOException {
    var tree = new TreeMap<String, String>();
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        tree.put(root.relativize(file).toString(), Files.readString(file));
      }
    }
    return tree;
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
