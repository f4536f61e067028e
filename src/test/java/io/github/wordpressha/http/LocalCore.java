package io.github.wordpressha.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Ports;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * WordPress's own core with a database on this machine, for any number of pods: Debian's packages wordpress and mariadb-server-core. The
 * chart's install.php installs the site, whose administrator is {@code admin}; {@code src/test/resources/http/plugins} are its plugins.
 */
final class LocalCore implements AutoCloseable {

  private static final Path FILES = Path.of(System.getProperty("wordpress.core", "/usr/share/wordpress"));

  /** The default one of Debian's core; the package only recommends it. */
  private static final String THEME = "twentytwentythree";

  private final Path directory;
  private final int port;
  private final Process server;
  private final List<LocalSite> pods = new ArrayList<>();

  /** What is missing on this machine. */
  static Optional<String> missing() {
    return LocalSite.missing()
        .or(() -> LocalSite.program("mariadbd").isPresent() ? Optional.empty() : Optional.of("mariadbd is not installed"))
        .or(() -> Files.exists(FILES.resolve("wp-settings.php")) ? Optional.empty() : Optional.of("there is no WordPress in " + FILES));
  }

  LocalCore(Path directory) throws IOException {
    this.directory = directory;
    this.port = Ports.free();
    Path data = Files.createDirectories(directory.resolve("database"));
    // Without its own accounts it lets every client in.
    server = new ProcessBuilder(LocalSite.program("mariadbd").orElseThrow().toString(), "--no-defaults", "--datadir=" + data, "--socket=" + data.resolve("socket"),
        "--port=" + port, "--bind-address=127.0.0.1", "--skip-grant-tables", "--innodb-buffer-pool-size=64M", "--user=" + System.getProperty("user.name"))
        .redirectErrorStream(true).redirectOutput(directory.resolve("database.out").toFile()).start();
    Awaitility.await("the database").atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(200))
        .until(() -> php("mysqli_report(MYSQLI_REPORT_OFF); exit((int) !@mysqli_connect('127.0.0.1', 'root', '', '', %d)?->query('CREATE DATABASE IF NOT EXISTS wordpress'));".formatted(port)) == 0);
  }

  int databasePort() {
    return port;
  }

  /** A pod of the site. */
  LocalSite pod(ObjectNode values) {
    try {
      Path home = Files.createDirectories(directory.resolve("pod-" + pods.size()));
      ObjectNode own = (ObjectNode) Yaml.parse("{tls: {enabled: false}, database: {topology: standalone}}");
      LocalSite pod = LocalSite.start(home, Values.merge(own, values), this);
      pods.add(pod);
      pods.forEach(one -> one.tells(pods.stream().map(LocalSite::changes).toList()));
      return pod;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts core beside a pod's configuration, and installs the site, or finds it installed. */
  void install(Path pod) throws IOException {
    for (String secret : HttpRows.SALTS) {
      Files.writeString(pod.resolve("secrets").resolve(secret), "of the test " + secret);
    }
    Files.writeString(pod.resolve("secrets/database-password"), "any");
    Files.writeString(pod.resolve("admin/admin-password"), HttpRows.PASSWORD);
    // Debian's core is full of links to other packages.
    run(pod, "cp", "-rL", FILES + "/.", pod.resolve("root").toString());
    Files.deleteIfExists(pod.resolve("root/wp-config.php"));
    Files.copy(pod.resolve("etc/wp-config.php"), pod.resolve("wp-config.php"));
    Path plugins = Files.createDirectories(pod.resolve("root/wp-content/mu-plugins"));
    run(pod, "cp", "-r", LocalSite.RESOURCES.resolve("plugins").toAbsolutePath() + "/.", plugins.toString());
    Path theme = pod.resolve("root/wp-content/themes/" + THEME);
    if (Files.notExists(theme)) {
      run(pod, "cp", "-r", LocalSite.RESOURCES.resolve("theme").toAbsolutePath().toString(), theme.toString());
    }
    run(pod, "php", "etc/install.php");
  }

  /** For good. */
  void stopDatabase() {
    server.destroyForcibly().onExit().join();
  }

  /** Runs code with WordPress loaded, as a command; returns what it prints. */
  String wordpress(String code) {
    try {
      Path pod = directory.resolve("pod-0");
      Path script = Files.writeString(Files.createTempFile(pod, "script", ".php"), """
          <?php
          require 'etc/database.php';
          (new WordPressHa\\SiteDatabase())->imitateRequest();
          require 'root/wp-load.php';
          """ + code);
      return run(pod, "php", script.getFileName().toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int php(String code) throws IOException {
    return new ProcessBuilder("php", "-r", code).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().onExit().join().exitValue();
  }

  private static String run(Path where, String... command) throws IOException {
    Process process = new ProcessBuilder(command).directory(where.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.onExit().join().exitValue() != 0) {
      throw new IOException(String.join(" ", command) + ": " + output);
    }
    return output;
  }

  @Override
  public void close() {
    pods.forEach(LocalSite::close);
    stopDatabase();
  }
}
