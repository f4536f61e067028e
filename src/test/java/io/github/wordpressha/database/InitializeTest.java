package io.github.wordpressha.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How the data directory of a new database is made, with stubs for the server and its client. */
@Tag("render")
class InitializeTest {

  private static final Path FILES = Path.of("charts/wordpress-ha/files/database").toAbsolutePath();
  private static final Path STUBS = Path.of("src/test/resources/initialize").toAbsolutePath();

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"galera", "replication", "standalone"})
  @DisplayName("the lock of a server that was killed while it made the directory does not stop the next attempt")
  void staleLock(String topology) throws Exception {
    Path socket = directory.resolve("initialize.sock");
    Files.writeString(directory.resolve("initialize.sock.lock"), "1\n");
    for (String password : List.of("root-password", "password", "monitor-password", "replication-password")) {
      Files.writeString(directory.resolve(password), "secret");
    }
    for (Path script : List.of(FILES.resolve("common.sh"), FILES.resolve(topology).resolve("initialize.sh"))) {
      Files.copy(script, directory.resolve(script.getFileName()));
    }
    Path log = directory.resolve("log");
    var builder = new ProcessBuilder("bash", directory.resolve("initialize.sh").toString()).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().put("PATH", STUBS + ":" + System.getenv("PATH"));
    for (String variable : List.of("RUN", "SECRETS", "DATADIR")) {
      builder.environment().put(variable, directory.toString());
    }
    builder.environment().put("INITIALIZE_SOCKET", socket.toString());
    builder.environment().put("APPLICATION_USER", "site");
    builder.environment().put("APPLICATION_DATABASE", "blog");
    Process process = builder.start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as(Files.readString(log)).isZero();
    assertThat(Files.readString(directory.resolve("statements"))).contains("CREATE USER 'site'@'%'");
  }
}
