package io.github.wordpressha.wordpress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each web pod runs its own copy of the code: whole, from one moment, and soon after a change. */
@Tag("render")
class SyncCodeTest {

  private static final Path SCRIPT = Path.of("charts/wordpress-ha/files/wordpress/sync-code.sh").toAbsolutePath();
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int FILES = 200;

  @TempDir Path directory;
  private Path shared;
  private final List<Process> processes = new ArrayList<>();
  private final Map<String, String> settings = new HashMap<>(Map.of("LEASE", "60", "KEPT", "60", "CHECK_SECONDS", "3600", "SETTLE_SECONDS", "1"));

  @BeforeEach
  void volume() throws IOException {
    shared = Files.createDirectories(directory.resolve("shared"));
    write(shared.resolve("index.php"), "<?php // Silence is golden.");
    write(shared.resolve("themes/theme/style.css"), "theme");
    write(shared.resolve("uploads/2026/picture.jpg"), "picture");
    write(shared.resolve("mu-plugins/with a space/and\na line.php"), "strange");
    Files.createDirectories(shared.resolve("plugins/shop/empty"));
    release(1);
  }

  @AfterEach
  void end() {
    processes.forEach(SyncCodeTest::kill);
  }

  @Test
  @DisplayName("a pod starts with all code as files of its own, and all else as links to the volume; equal code has one name in all pods")
  void first() throws Exception {
    settings.put("SHARED_DIRECTORIES", "plugins/shop/cache");
    write(shared.resolve("plugins/shop/cache/old.css"), "cached");
    write(shared.resolve("plugins/shop/.nfs0001"), "deleted");
    Pod pod = pod("pod");
    pod.first();
    Path content = pod.content();
    assertThat(content.resolve("mu-plugins/with a space/and\na line.php")).isRegularFile();
    assertThat(content.resolve("plugins/shop/empty")).isDirectory();
    assertThat(content.resolve("plugins/shop/.nfs0001")).doesNotExist();
    assertThat(pod.versions()).containsExactly("1");
    assertThat(linked(content)).containsExactlyInAnyOrder("cache", "upgrade", "upgrade-temp-backup", "uploads");
    assertThat(content.resolve("uploads/2026/picture.jpg")).hasContent("picture");
    write(content.resolve("plugins/shop/cache/new.css"), "written by a request");
    assertThat(shared.resolve("plugins/shop/cache/new.css")).exists();

    Pod other = pod("other");
    other.first();
    assertThat(other.generation()).isEqualTo(pod.generation());
  }

  @Test
  @DisplayName("an update that removes a shared directory with its plugin gets it back; a plugin that is not there gets none")
  void sharedDirectoryOutlivesAnUpdate() throws Exception {
    settings.put("SHARED_DIRECTORIES", "plugins/shop/cache plugins/none/cache");
    Pod pod = pod("pod");
    pod.first();
    pod.follow();
    String change = begin();
    Files.delete(shared.resolve("plugins/shop/cache"));
    release(2);
    finish(change);
    pod.awaitVersion(2, SOON);
    write(pod.content().resolve("plugins/shop/cache/new.css"), "written by a request");
    assertThat(shared.resolve("plugins/shop/cache/new.css")).exists();
    assertThat(shared.resolve("plugins/none")).doesNotExist();
  }

  @Test
  @DisplayName("updates under readers in three pods: each request sees one version, and all pods have the new one within 5 s")
  void updatesAreWhole() throws Exception {
    List<Pod> pods = List.of(pod("one"), pod("two"), pod("three"));
    for (Pod pod : pods) {
      pod.first();
      pod.follow();
    }
    var reading = new AtomicBoolean(true);
    var mixed = new HashSet<Set<String>>();
    var readers = CompletableFuture.runAsync(() -> {
      while (reading.get()) {
        pods.stream().map(Pod::versions).filter(versions -> versions.size() != 1).forEach(mixed::add);
      }
    });
    for (int version = 2; version <= 5; version++) {
      String change = begin();
      release(version);
      finish(change);
      Instant ended = Instant.now();
      for (Pod pod : pods) {
        pod.awaitVersion(version, SOON);
      }
      System.out.printf("update %d: in all pods after %d ms%n", version, Duration.between(ended, Instant.now()).toMillis());
    }
    reading.set(false);
    readers.get(30, TimeUnit.SECONDS);
    assertThat(mixed).isEmpty();
  }

  @Test
  @DisplayName("two changes at once: nothing is taken over before both have ended")
  void twoAtOnce() throws Exception {
    Pod pod = pod("pod");
    pod.first();
    pod.follow();
    String slow = begin();
    write(shared.resolve("plugins/slow/half.php"), "half");
    String quick = begin();
    release(2);
    finish(quick);
    pod.stays(Duration.ofSeconds(3));
    write(shared.resolve("plugins/slow/rest.php"), "rest");
    finish(slow);
    pod.awaitVersion(2, SOON);
    assertThat(pod.content().resolve("plugins/slow/rest.php")).exists();
  }

  @Test
  @DisplayName("a change whose process was killed blocks the next one for no longer than its lease")
  void killedChange() throws Exception {
    settings.put("LEASE", "3");
    Pod pod = pod("pod");
    pod.first();
    pod.follow();
    begin();
    String next = begin();
    release(2);
    finish(next);
    pod.stays(Duration.ofSeconds(2));
    pod.awaitVersion(2, PATIENCE);
  }

  @Test
  @DisplayName("a rollback brings the former generation back; a generation that no request uses any more is removed, and PHP is told")
  void rollback() throws Exception {
    settings.put("KEPT", "2");
    Pod pod = pod("pod");
    pod.first();
    pod.follow();
    String former = pod.generation();
    Path kept = Files.createDirectories(directory.resolve("kept"));
    Files.move(shared.resolve("plugins/shop"), kept.resolve("shop"));
    String change = begin();
    release(2);
    finish(change);
    pod.awaitVersion(2, SOON);
    Awaitility.await("the former generation is gone").atMost(PATIENCE).until(() -> Files.exists(pod.run.resolve("retired-" + former)));
    assertThat(pod.code.resolve(former)).doesNotExist();

    change = begin();
    Files.move(shared.resolve("plugins/shop"), kept.resolve("later"));
    Files.move(kept.resolve("shop"), shared.resolve("plugins/shop"));
    finish(change);
    pod.awaitVersion(1, SOON);
    assertThat(pod.generation()).isEqualTo(former);
  }

  @Test
  @DisplayName("a change by hand that was not announced is taken over when it stands still")
  void unannounced() throws Exception {
    settings.put("CHECK_SECONDS", "1");
    Pod pod = pod("pod");
    pod.first();
    pod.follow();
    release(2);
    pod.awaitVersion(2, PATIENCE);
  }

  @Test
  @DisplayName("20,000 files: a pod that is killed while it copies starts anew, and one changed file is the only one that is copied")
  void manyFiles() throws Exception {
    for (int file = 0; file < 20_000; file++) {
      write(shared.resolve("plugins/large/%d/%d.php".formatted(file / 100, file)), "code " + file);
    }
    Pod pod = pod("pod");
    Process copy = pod.start("first");
    Awaitility.await("the copy has begun").atMost(PATIENCE).pollInterval(Duration.ofMillis(1)).until(() -> Files.exists(pod.code.resolve(".new/plugins/large")));
    kill(copy);
    assertThat(pod.code.resolve("current")).doesNotExist();
    Instant begin = Instant.now();
    pod.first();
    System.out.printf("20,000 files: first copy after %d ms%n", Duration.between(begin, Instant.now()).toMillis());

    pod.follow();
    Path former = pod.content();
    String change = begin();
    write(shared.resolve("plugins/large/7/777.php"), "changed");
    finish(change);
    begin = Instant.now();
    Awaitility.await("the change").atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).until(() -> !pod.content().equals(former));
    System.out.printf("20,000 files: one changed file after %d ms%n", Duration.between(begin, Instant.now()).toMillis());
    assertThat(pod.content().resolve("plugins/large/7/777.php")).hasContent("changed");
    assertThat(Files.isSameFile(pod.content().resolve("plugins/large/7/778.php"), former.resolve("plugins/large/7/778.php"))).isTrue();
    assertThat(former.resolve("plugins/large/7/777.php")).hasContent("code 777");
  }

  @Test
  @DisplayName("a volume that hangs is taken away from PHP within seconds, and given back when it answers")
  void volumeHangs() throws Exception {
    Path hang = directory.resolve("hang");
    write(directory.resolve("bin/ls"), "#!/bin/sh\nwhile [ -e %s ]; do sleep 0.1; done\nexec /bin/ls \"$@\"\n".formatted(hang));
    assertThat(directory.resolve("bin/ls").toFile().setExecutable(true)).isTrue();
    settings.put("PATH", directory.resolve("bin") + ":" + System.getenv("PATH"));
    Pod pod = pod("pod");
    pod.first();
    pod.follow();
    assertThat(pod.content().resolve("uploads/2026")).exists();
    write(hang, "");
    Awaitility.await("PHP gets an error instead of a hang").atMost(Duration.ofSeconds(10)).until(() -> !Files.exists(pod.content().resolve("uploads")));
    assertThat(pod.versions()).containsExactly("1");
    Files.delete(hang);
    Awaitility.await("the volume is back").atMost(SOON).until(() -> Files.exists(pod.content().resolve("uploads/2026")));
  }

  /** All files of the plugin in one version, with a file that only this version has. */
  private void release(int version) throws IOException {
    Path plugin = shared.resolve("plugins/shop");
    for (int file = 0; file < FILES; file++) {
      write(plugin.resolve("part-%d/file-%d.php".formatted(file % 7, file)), String.valueOf(version));
    }
    write(plugin.resolve("only-%d.php".formatted(version)), String.valueOf(version));
    Files.deleteIfExists(plugin.resolve("only-%d.php".formatted(version - 1)));
  }

  /** As code.php does. */
  private String begin() throws IOException {
    String id = UUID.randomUUID().toString();
    write(shared.resolve(".wordpress-ha-code/changing/" + id), "");
    return id;
  }

  private void finish(String change) throws IOException {
    Files.delete(shared.resolve(".wordpress-ha-code/changing/" + change));
    write(shared.resolve(".wordpress-ha-code/changed"), change + "\n");
  }

  private Pod pod(String name) throws IOException {
    return new Pod(Files.createDirectories(directory.resolve(name + "/code")), Files.createDirectories(directory.resolve(name + "/run")));
  }

  /** A pod's emptyDirs, and the script in its containers. */
  private final class Pod {

    private final Path code;
    private final Path run;

    private Pod(Path code, Path run) {
      this.code = code;
      this.run = run;
    }

    Process start(String command) throws IOException {
      var builder = new ProcessBuilder("bash", SCRIPT.toString(), command).redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(run.resolve("log").toFile()));
      builder.environment().putAll(settings);
      builder.environment().putAll(Map.of("SHARED", shared.toString(), "VOLUME", shared.toString(), "CODE", code.toString(), "RUN", run.toString()));
      Process process = builder.start();
      processes.add(process);
      return process;
    }

    void first() throws Exception {
      Process process = start("first");
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("the end of the first copy").isTrue();
      assertThat(process.exitValue()).as(Files.readString(run.resolve("log"))).isZero();
    }

    void follow() throws IOException {
      start("follow");
    }

    String generation() {
      return content().getFileName().toString();
    }

    Path content() {
      try {
        return code.resolve(Files.readSymbolicLink(code.resolve("current")));
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    /** The versions that a request sees which reads all files of the plugin. */
    Set<String> versions() {
      Path plugin = content().resolve("plugins/shop");
      try (Stream<Path> files = Files.walk(plugin)) {
        var versions = new HashSet<String>();
        for (Path file : files.filter(path -> path.toString().endsWith(".php")).toList()) {
          versions.add(Files.readString(file));
        }
        return versions;
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    void awaitVersion(int version, Duration patience) {
      Awaitility.await("version " + version).atMost(patience).pollInterval(Duration.ofMillis(20)).until(() -> versions().equals(Set.of(String.valueOf(version))));
      assertThat(content().resolve("plugins/shop/only-%d.php".formatted(version))).exists();
    }

    void stays(Duration time) {
      Path former = content();
      Awaitility.await("no switch").during(time).atMost(time.plusSeconds(1)).until(() -> content().equals(former));
    }
  }

  private static List<String> linked(Path content) throws IOException {
    try (Stream<Path> all = Files.list(content)) {
      return all.filter(Files::isSymbolicLink).map(path -> path.getFileName().toString()).toList();
    }
  }

  private static void kill(Process process) {
    List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    all.forEach(one -> one.onExit().join());
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
