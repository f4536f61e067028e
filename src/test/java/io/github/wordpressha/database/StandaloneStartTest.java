package io.github.wordpressha.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The start of the one server: what is on its volume decides, and nothing that may be somebody's data is ever overwritten. */
@Tag("render")
class StandaloneStartTest {

  private static final Path FILES = Path.of("charts/wordpress-ha/files/database").toAbsolutePath();
  private static final Path STUBS = Path.of("src/test/resources/standalone").toAbsolutePath();

  @TempDir Path directory;
  private Path data;
  private Path state;
  private Path stub;
  private Path log;
  private final List<Process> processes = new ArrayList<>();

  @BeforeEach
  void emptyVolume() throws IOException {
    data = Files.createDirectories(directory.resolve("volume/mysql"));
    state = Files.createDirectories(directory.resolve("volume/state"));
    stub = Files.createDirectories(directory.resolve("stub"));
    log = directory.resolve("log");
    for (String needed : List.of("run", "tmp", "credentials", "scripts")) {
      Files.createDirectories(directory.resolve(needed));
    }
    // As the ConfigMap mounts them: one flat directory.
    for (Path script : List.of(FILES.resolve("common.sh"), FILES.resolve("standalone/start.sh"), FILES.resolve("standalone/initialize.sh"))) {
      Files.copy(script, directory.resolve("scripts").resolve(script.getFileName()));
    }
    for (String password : List.of("root-password", "password", "monitor-password")) {
      write(directory.resolve("secrets").resolve(password), "it's " + password);
    }
  }

  @AfterEach
  void endProcesses() {
    kill();
  }

  @Test
  @DisplayName("an empty volume: the data directory is made out of reach, with its accounts, and then served")
  void firstStart() throws Exception {
    start();
    awaitServed();
    assertThat(Files.readString(data.resolve("mysql/accounts"))).contains("'monitor'@'127.0.0.1'", "IDENTIFIED BY 'it\\'s monitor-password'", "'site'@'%'");
    assertThat(state.resolve("complete")).exists();
    assertThat(state.resolve("initializing")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"files", "accounts", "server"})
  @DisplayName("a first start that broke half way is begun anew: nobody was ever served from it")
  void brokenFirstStart(String moment) throws Exception {
    write(stub.resolve("die-at"), moment);
    start();
    await("the moment", () -> Files.exists(stub.resolve("reached")));
    kill();
    assertThat(stub.resolve("served")).doesNotExist();
    Files.delete(stub.resolve("die-at"));
    Files.deleteIfExists(stub.resolve("up"));
    write(data.resolve("half"), "made");

    start();
    awaitServed();
    assertThat(Files.readString(data.resolve("mysql/accounts"))).containsOnlyOnce("CREATE USER 'site'@'%'");
  }

  @Test
  @DisplayName("what was made before is served again and again, and not touched")
  void laterStart() throws Exception {
    start();
    awaitServed();
    kill();
    write(data.resolve("ibdata1"), "rows");
    Files.delete(stub.resolve("served"));
    Files.delete(stub.resolve("up"));
    start();
    awaitServed();
    assertThat(Files.readString(stub.resolve("served"))).isEqualTo("rows");
    assertThat(stub.resolve("up")).as("a server that makes a data directory").doesNotExist();
  }

  @Test
  @DisplayName("locks of servers that were killed stop no start")
  void staleLocks() throws Exception {
    write(directory.resolve("tmp/initialize.sock.lock"), "1");
    write(directory.resolve("tmp/mysql.sock.lock"), "1");
    start();
    awaitServed();
  }

  @Test
  @DisplayName("a whole data directory beside a mark that was not removed any more is kept")
  void bothMarks() throws Exception {
    write(data.resolve("mysql/user.ibd"), "rows");
    write(data.resolve("ibdata1"), "rows");
    write(state.resolve("complete"), "");
    write(state.resolve("initializing"), "");
    start();
    awaitServed();
    assertThat(Files.readString(stub.resolve("served"))).isEqualTo("rows");
    assertThat(state.resolve("initializing")).doesNotExist();
  }

  @Test
  @DisplayName("files of unknown origin are refused, not touched, and served when somebody says that they are whole")
  void unknownFiles() throws Exception {
    write(data.resolve("ibdata1"), "rows");
    start();
    awaitLog("REFUSED: the files in " + data);
    assertThat(stub.resolve("served")).doesNotExist();
    assertThat(Files.readString(log)).contains("touch " + state.resolve("complete"));
    write(state.resolve("complete"), "");
    awaitServed();
    assertThat(Files.readString(stub.resolve("served"))).isEqualTo("rows");
  }

  @Test
  @DisplayName("an empty directory where data has been is refused: an empty database is never put in the place of a known one")
  void lostFiles() throws Exception {
    write(state.resolve("complete"), "2026-11-21T00:00:00Z");
    start();
    awaitLog("REFUSED: " + data + " is empty");
    assertThat(data).isEmptyDirectory();
    assertThat(Files.readString(log)).contains("2026-11-21T00:00:00Z");
  }

  @Test
  @DisplayName("a directory that cannot be read is not an empty one")
  void unreadable() throws Exception {
    Files.delete(data);
    Process process = start();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isNotZero();
    assertThat(state).isEmptyDirectory();
    assertThat(stub.resolve("served")).doesNotExist();
  }

  private Process start() throws IOException {
    var builder = new ProcessBuilder("bash", directory.resolve("scripts/start.sh").toString())
        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().clear();
    builder.environment().put("PATH", STUBS.resolve("bin") + ":" + System.getenv("PATH"));
    builder.environment().put("ENTRYPOINT", STUBS.resolve("entrypoint.sh").toString());
    builder.environment().put("DATADIR", data.toString());
    builder.environment().put("STATE", state.toString());
    builder.environment().put("STUB", stub.toString());
    builder.environment().put("APPLICATION_USER", "site");
    builder.environment().put("APPLICATION_DATABASE", "blog");
    for (String variable : List.of("RUN", "CREDENTIALS", "SECRETS")) {
      builder.environment().put(variable, directory.resolve(variable.toLowerCase(java.util.Locale.ROOT)).toString());
    }
    builder.environment().put("INITIALIZE_SOCKET", directory.resolve("tmp/initialize.sock").toString());
    builder.environment().put("SOCKET", directory.resolve("tmp/mysql.sock").toString());
    builder.environment().put("PAUSE", "0.1");
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  /** The pod is lost: every process of it, at once. */
  private void kill() {
    for (Process process : processes) {
      List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
      all.forEach(ProcessHandle::destroyForcibly);
      all.forEach(one -> one.onExit().join());
    }
    processes.clear();
  }

  private void awaitServed() {
    await("the server", () -> Files.exists(stub.resolve("served")));
  }

  private void awaitLog(String text) {
    await("'" + text + "'", () -> Files.readString(log).contains(text));
  }

  private void await(String what, Callable<Boolean> condition) {
    try {
      Awaitility.await(what).atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(50)).until(condition);
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError(e.getMessage() + "\n" + read(log), e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
