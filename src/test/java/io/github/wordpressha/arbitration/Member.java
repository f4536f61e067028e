package io.github.wordpressha.arbitration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;

/** A simulated pod of the database: a volume, the notes that its containers share, and the real scripts. */
final class Member {

  final Path directory;
  final Path data;
  final Path state;
  final Path run;
  final Map<String, String> environment = new TreeMap<>();
  private final Path log;
  private final List<Process> processes = new ArrayList<>();
  private Process server;

  Member(Bench bench, int ordinal) {
    directory = bench.directory.resolve("member-" + ordinal);
    data = directory.resolve("mysql");
    state = directory.resolve("state");
    run = directory.resolve("run");
    log = directory.resolve("log");
    try {
      for (Path needed : List.of(data, state, run, directory.resolve("settings"), directory.resolve("tmp"))) {
        Files.createDirectories(needed);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Bench.write(directory.resolve("seed/node.cnf"), "[mysqld]\n");
    environment.putAll(Map.of(
        "PATH", Bench.STUBS.resolve("bin") + ":" + System.getenv("PATH"), "CURL_HOME", bench.directory.resolve("home").toString(), "TMPDIR", directory.resolve("tmp").toString(),
        "POD_NAME", Bench.pod(ordinal), "POD_UID", "uid-" + ordinal, "MEMORY_LIMIT", "1000000000", "DATADIR", data.toString(), "STATE", state.toString(), "RUN", run.toString()));
    environment.putAll(Map.of(
        "CONFIG", bench.directory.resolve("config").toString(), "SETTINGS", directory.resolve("settings").toString(), "SEED", directory.resolve("seed").toString(),
        "ENTRYPOINT", Bench.STUBS.resolve("entrypoint.sh").toString(), "SOCKET", socket().toString(), "PAUSE", "0.1", "NOTICE", "1", "LEASE_SECONDS", "120"));
  }

  /** Of the server, in the pod's memory. */
  Path socket() {
    return directory.resolve("tmp/mysql.sock");
  }

  // --- the volume ---------------------------------------------------------------------------------------------------

  /** A data directory whose server stopped in order. */
  Member holds(String uuid, long seqno) {
    unclean(uuid + ":" + seqno);
    return grastate(uuid, "" + seqno);
  }

  /** A data directory whose server was killed; the server itself knows its position. */
  Member unclean(String position) {
    Bench.write(data.resolve("mysql/user.ibd"), "rows");
    Bench.write(data.resolve("ibdata1"), position);
    Bench.write(data.resolve("complete"), "");
    return grastate(position.contains(":") ? position.substring(0, position.indexOf(':')) : Bench.U, "-1");
  }

  Member grastate(String uuid, String seqno) {
    Bench.write(data.resolve("grastate.dat"), "# GALERA saved state\nversion: 2.1\nuuid:    %s\nseqno:   %s\nsafe_to_bootstrap: 0\n".formatted(uuid, seqno));
    return this;
  }

  Member with(String file, String text) {
    Bench.write(directory.resolve(file), text);
    return this;
  }

  Member without(String file) {
    Bench.delete(directory.resolve(file));
    return this;
  }

  // --- processes ----------------------------------------------------------------------------------------------------

  Member start() {
    server = script("start.sh");
    return this;
  }

  Process script(String name, String... arguments) {
    var command = new ArrayList<>(List.of("bash", Bench.scripts().resolve(name).toString()));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().clear();
    builder.environment().putAll(environment);
    try {
      Process process = builder.start();
      processes.add(process);
      return process;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Process process() {
    return server;
  }

  /** Every process of the pod, at once. */
  void kill() {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    processes.forEach(p -> p.onExit().join());
    processes.clear();
    Bench.delete(run.resolve("server"));
  }

  // --- what can be seen ---------------------------------------------------------------------------------------------

  String log() {
    return Bench.read(log);
  }

  boolean served() {
    return Files.exists(run.resolve("server"));
  }

  Member awaitLog(String text) {
    return await("'" + text + "' in the log", () -> log().contains(text));
  }

  /** Waits for the server to be started as the first member of a component. */
  Member awaitBootstrap() {
    await("the server's start", this::served);
    assertThat(Bench.read(run.resolve("server"))).as(log()).isEmpty();
    return this;
  }

  Member awaitJoin(int... ordinals) {
    await("the server's start", this::served);
    assertThat(Bench.read(run.resolve("server")).split(",")).as(log())
        .containsExactlyInAnyOrder(java.util.Arrays.stream(ordinals).mapToObj(i -> Bench.pod(i) + ".db.test").toArray(String[]::new));
    return this;
  }

  int awaitExit() {
    await("the end of the script", () -> !server.isAlive());
    return server.exitValue();
  }

  Member await(String what, Callable<Boolean> condition) {
    try {
      Awaitility.await(what).atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(30)).until(condition);
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError(directory.getFileName() + ": " + what + " did not come; its log:\n" + log(), e);
    }
    return this;
  }
}
