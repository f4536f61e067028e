package io.github.wordpressha.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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

  private static final String TEMPORARY = "q\"1\\;aB";

  @ParameterizedTest
  @ValueSource(strings = {"galera", "replication", "standalone"})
  @DisplayName("the lock of a server that was killed while it made the directory does not stop the next attempt")
  void staleLock(String topology) throws Exception {
    Files.writeString(directory.resolve("initialize.sock.lock"), "1\n");
    assertThat(initialize(topology, "")).as(log()).isZero();
    assertThat(statements()).contains("CREATE USER 'site'@'%'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"galera", "replication", "standalone"})
  @DisplayName("no account is without a password at any time: root's temporary one is replaced first, and is in no log and no file afterwards")
  void neverWithoutPassword(String topology) throws Exception {
    assertThat(initialize(topology, "")).as(log()).isZero();
    List<String> said = statements().lines().toList();
    assertThat(said.get(0)).isEqualTo("as root with \"q\\\"1\\\\;aB\"");
    assertThat(said.get(1)).isEqualTo("ALTER USER 'root'@'localhost' IDENTIFIED BY 'root-password'");
    assertThat(said.get(2)).isEqualTo("as root with \"root-password\"");
    assertThat(said).filteredOn(line -> line.startsWith("CREATE USER")).isNotEmpty().allMatch(line -> line.contains(" IDENTIFIED BY '"));
    assertThat(log()).doesNotContain(TEMPORARY);
    assertThat(directory.resolve("credentials")).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"galera", "replication", "standalone"})
  @DisplayName("with TLS, each account that other pods use requires it; without TLS none does")
  void requiresTls(String topology) throws Exception {
    assertThat(initialize(topology, "/tls")).as(log()).isZero();
    assertThat(fromOtherPods()).isNotEmpty().allMatch(line -> line.contains("' REQUIRE SSL"));
    Files.delete(directory.resolve("statements"));
    assertThat(initialize(topology, "")).as(log()).isZero();
    assertThat(fromOtherPods()).isNotEmpty().noneMatch(line -> line.contains("REQUIRE"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"galera", "replication", "standalone"})
  @DisplayName("a server that cannot make its directory ends the attempt, with its own words in the log")
  void cannotBeMade(String topology) throws Exception {
    Files.createFile(directory.resolve("disk-full"));
    assertThat(initialize(topology, "")).isNotZero();
    assertThat(log()).contains("No space left on device").doesNotContain(TEMPORARY, "The data directory is made.");
    assertThat(directory.resolve("statements")).doesNotExist();
  }

  private List<String> fromOtherPods() throws IOException {
    return statements().lines().filter(line -> line.startsWith("CREATE USER") && line.contains("@'%'")).toList();
  }

  private String statements() throws IOException {
    return Files.readString(directory.resolve("statements"));
  }

  private String log() throws IOException {
    return Files.readString(directory.resolve("log"));
  }

  private int initialize(String topology, String tls) throws Exception {
    Files.writeString(directory.resolve("temporary"), TEMPORARY);
    for (String password : List.of("root-password", "password", "monitor-password", "replication-password")) {
      Files.writeString(directory.resolve(password), password);
    }
    for (Path script : List.of(FILES.resolve("common.sh"), FILES.resolve(topology).resolve("initialize.sh"))) {
      Files.copy(script, directory.resolve(script.getFileName()), StandardCopyOption.REPLACE_EXISTING);
    }
    var builder = new ProcessBuilder("bash", directory.resolve("initialize.sh").toString()).redirectErrorStream(true)
        .redirectOutput(directory.resolve("log").toFile());
    builder.environment().put("PATH", STUBS + ":" + System.getenv("PATH"));
    for (String variable : List.of("RUN", "SECRETS", "DATADIR")) {
      builder.environment().put(variable, directory.toString());
    }
    builder.environment().put("CREDENTIALS", Files.createDirectories(directory.resolve("credentials")).toString());
    builder.environment().put("INITIALIZE_SOCKET", directory.resolve("initialize.sock").toString());
    builder.environment().put("APPLICATION_USER", "site");
    builder.environment().put("APPLICATION_DATABASE", "blog");
    builder.environment().put("TLS", tls);
    Process process = builder.start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    return process.exitValue();
  }
}
