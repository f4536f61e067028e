package io.github.wordpressha.nfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Pods of the NFS server that share a volume: one serves at a time, and it is the one that was started last. */
@Tag("render")
@Execution(ExecutionMode.CONCURRENT)
class NfsStartTest {

  private static final Path SCRIPT = Path.of("charts/wordpress-ha/files/nfs/start.sh").toAbsolutePath();
  private static final Path PROVISIONER = Path.of("src/test/resources/nfs/provisioner").toAbsolutePath();
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int STILL = 3;
  private static final int ABANDONED = 6;

  @TempDir Path directory;
  private final List<Pod> pods = new ArrayList<>();

  @AfterEach
  void endPods() {
    pods.forEach(Pod::kill);
  }

  @Test
  @DisplayName("one pod serves, and leaves nothing to wait for when it is told to stop")
  void servesAlone() throws Exception {
    Pod first = pod("a").start();
    first.awaitServing();
    first.signal("TERM");
    assertThat(first.process.waitFor()).as(first.log()).isZero();
    assertThat(volume().resolve(".server")).doesNotExist();
    first.assertStopped();
    pod("b").start().awaitServing();
  }

  @Test
  @DisplayName("a pod that is started later takes the volume over as soon as the first one has stopped, and never beside it")
  void successorTakesOver() {
    Pod first = pod("a").start();
    first.awaitServing();
    Pod second = pod("b").start();
    second.awaitServing();
    first.assertStopped();
    assertThat(first.log()).contains("Stopping the server: pod " + second.uid + " was started");
    assertThat(String.join("", served())).as("who served, in turn").matches("a+b+");
  }

  @Test
  @DisplayName("a pod whose node is lost is waited for until its beat has stood still")
  void deadPodIsReplaced() {
    Pod first = pod("a").start();
    first.awaitServing();
    first.kill();
    long lost = System.nanoTime();
    Pod second = pod("b").start();
    second.awaitServing();
    assertThat(Duration.ofNanos(System.nanoTime() - lost)).isGreaterThan(Duration.ofSeconds(STILL));
    assertThat(second.log()).contains("Pod " + first.uid + ", which served, has not been heard of");
  }

  @Test
  @DisplayName("a pod that was frozen while another took over stops at once when it continues")
  void frozenPodStops() {
    Pod first = pod("a").start();
    first.awaitServing();
    first.signalAll("STOP");
    Pod second = pod("b").start();
    second.awaitServing();
    first.signalAll("CONT");
    await("the first pod has stopped", () -> first.log().contains("Stopping the server"));
    first.assertStopped();
    assertThat(second.process.isAlive()).isTrue();
    second.awaitServing();
  }

  @Test
  @DisplayName("a restart of the container waits for nothing, as its processes have ended with it")
  void containerRestarts() {
    Pod pod = pod("a").start();
    pod.awaitServing();
    pod.kill();
    int before = served().size();
    long killed = System.nanoTime();
    pod.start();
    await("it serves again", () -> served().size() > before);
    assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(Duration.ofSeconds(STILL));
  }

  @Test
  @DisplayName("a pod that gave way does not take over again when its container restarts")
  void formerServerStaysAside() {
    Pod first = pod("a").start();
    first.awaitServing();
    Pod second = pod("b").start();
    second.awaitServing();
    first.kill();
    first.start();
    await("it says who serves", () -> first.log().lines().filter(line -> line.contains(second.uid + " was started later: it serves")).count() >= 1);
    second.awaitServing();
    assertThat(String.join("", served())).matches("a+b+");
  }

  @Test
  @DisplayName("a pod that waits takes over when the one that was started last is gone as well")
  void waitingPodTakesOver() {
    Pod first = pod("a").start();
    first.awaitServing();
    Pod second = pod("b").start();
    second.awaitServing();
    second.kill();
    first.awaitServing();
    assertThat(first.log()).containsPattern("It does not, for [" + ABANDONED + "-9] s");
  }

  @Test
  @DisplayName("a server that ends by itself ends the container, with its status")
  void serverEnds() throws Exception {
    Pod pod = pod("a");
    Files.writeString(Files.createDirectories(pod.run).resolve("crash"), "");
    pod.start();
    assertThat(pod.process.waitFor()).as(pod.log()).isEqualTo(3);
  }

  @Test
  @DisplayName("a server that cannot show that it lives stops: it counts for dead soon")
  void silentServerStops() throws Exception {
    Pod pod = pod("a").start();
    pod.awaitServing();
    Files.delete(volume().resolve(".server"));
    Files.createDirectory(volume().resolve(".server"));
    await("it says so", () -> pod.log().contains("Stopping the server: the volume has taken no beat for"));
    pod.assertStopped();
  }

  @Test
  @DisplayName("a volume that cannot be read is waited for: unknown is not absent")
  void unreadableVolume() throws Exception {
    Files.createDirectories(volume());
    Files.createDirectory(volume().resolve(".server"));
    Pod pod = pod("a").start();
    await("it says so", () -> pod.log().contains("Waiting: the volume cannot be read."));
    assertThat(served()).isEmpty();
    Files.delete(volume().resolve(".server"));
    pod.awaitServing();
  }

  // --- pods ---------------------------------------------------------------------------------------------------------

  private Path volume() {
    return directory.resolve("volume");
  }

  /** Who noted that it serves, in turn: the first letter of each UID. */
  private List<String> served() {
    try (Stream<String> lines = Files.exists(volume().resolve("served")) ? Files.lines(volume().resolve("served")) : Stream.empty()) {
      return lines.filter(line -> !line.isBlank()).map(line -> line.substring(0, 1)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Pod pod(String name) {
    var pod = new Pod(name);
    pods.add(pod);
    return pod;
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what).atMost(PATIENCE).pollInterval(Duration.ofMillis(50)).until(condition);
  }

  /** A pod: its one container's processes, and the notes that outlive them. */
  private final class Pod {

    final String uid;
    final Path run;
    private final String name;
    private final Path log;
    private Process process;
    /** Of all that ever ran in it: a process whose parent has ended has no parent here. */
    private final List<ProcessHandle> seen = new ArrayList<>();

    Pod(String name) {
      this.name = name;
      this.uid = name + "0000000-0000-4000-8000-000000000000";
      this.run = directory.resolve("run-" + name);
      this.log = directory.resolve("log-" + name);
    }

    Pod start() {
      try {
        Files.createDirectories(volume());
        var builder = new ProcessBuilder("bash", SCRIPT.toString()).redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
        builder.environment().putAll(Map.of("POD_UID", uid, "EXPORT", volume().toString(), "RUN", run.toString(),
            "PROVISIONER", PROVISIONER.toString(), "STILL", "" + STILL, "LATE", "2", "ABANDONED", "" + ABANDONED));
        process = builder.start();
        return this;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String log() {
      try {
        return Files.exists(log) ? Files.readString(log) : "";
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void awaitServing() {
      int before = served().size();
      Awaitility.await(name + " serves").atMost(PATIENCE).pollInterval(Duration.ofMillis(50))
          .failFast(() -> !process.isAlive()).until(() -> served().stream().skip(before).anyMatch(name::equals));
      process.descendants().forEach(seen::add);
    }

    /** It does not serve, and will not. */
    void assertStopped() {
      assertThat(seen).isNotEmpty();
      await("its processes have ended", () -> seen.stream().noneMatch(one -> one.isAlive() && one.info().command().isPresent() && one.info().arguments()
          .map(List::of).orElse(List.of()).stream().anyMatch(argument -> argument.equals(PROVISIONER.toString()))));
    }

    void signal(String signal) {
      signal(signal, process.toHandle());
    }

    void signalAll(String signal) {
      Stream.concat(Stream.of(process.toHandle()), process.descendants()).forEach(one -> signal(signal, one));
    }

    private void signal(String signal, ProcessHandle process) {
      try {
        new ProcessBuilder("kill", "-" + signal, "" + process.pid()).start().waitFor();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** The power is off, or the container ends. */
    void kill() {
      if (process == null) {
        return;
      }
      Stream.concat(process.descendants(), Stream.concat(seen.stream(), Stream.of(process.toHandle()))).toList().forEach(ProcessHandle::destroyForcibly);
      process.onExit().join();
    }
  }
}
