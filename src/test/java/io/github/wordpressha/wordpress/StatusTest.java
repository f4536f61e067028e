package io.github.wordpressha.wordpress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.net.httpserver.HttpServer;
import io.github.wordpressha.Profiles;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command {@code status} of a web pod, with stubs for the site, the database and two members on addresses of this machine. */
@Tag("render")
class StatusTest {

  private static final String DATABASE = """
      <?php
      namespace WordPressHa;
      final class SiteDatabase {
        public function siteUrl(): string { return 'http://site.example'; }
        public function version(): string { return '8.4.8'; }
        public function option(string $name): ?string {
          if (is_file(__DIR__ . '/away')) { throw new \\RuntimeException('Connection refused'); }
          return $name === 'cron' ? (string) file_get_contents(__DIR__ . '/cron') : 'http://site.example';
        }
      }
      """;

  @TempDir private Path directory;
  private final List<HttpServer> servers = new ArrayList<>();
  private int agentPort;

  @BeforeEach
  void start() throws Exception {
    assumeTrue(isInstalled("php"), "php is not installed");
    int site = serve("127.0.0.1", 0, "<html>");
    int fpm = serve("127.0.0.1", 0, "pool: www\nactive processes: 2\ntotal processes: 8\n");
    agentPort = serve("127.0.0.1", 0, "Synced.");
    String script = Files.readString(Profiles.CHART_DIRECTORY.resolve("files/wordpress/status.php"))
        .replace("/etc/wordpress/", directory + "/").replace("/etc/wordpress-web/", directory + "/").replace("/usr/src/wordpress/wp-content", directory.toString())
        .replace("/run/wordpress/", directory + "/")
        .replace("AGENT_PORT = 9200", "AGENT_PORT = " + agentPort).replace("SITE_PORT = 8082", "SITE_PORT = " + site).replace("STATUS_PORT = 8081", "STATUS_PORT = " + fpm);
    Files.writeString(directory.resolve("status.php"), script);
    Files.copy(Profiles.CHART_DIRECTORY.resolve("files/wordpress/php-queue.php"), directory.resolve("php-queue.php"));
    Files.writeString(directory.resolve("database.php"), DATABASE);
    Files.writeString(directory.resolve("cron"), "a:0:{}");
    Files.writeString(directory.resolve("release.json"), "{\"name\": \"default/blog\", \"members\": [\"127.0.0.1\", \"127.0.0.2\"]}");
  }

  @AfterEach
  void stop() {
    servers.forEach(server -> server.stop(0));
  }

  @Test
  @DisplayName("a healthy release is well in each line, and the status is 0")
  void well() throws Exception {
    serve("127.0.0.2", agentPort, "Synced.");
    assertThat(status(0)).contains("Release default/blog").contains("site       well").contains("2 of 8 workers are busy").contains("2 of 2 serve.")
        .contains("127: takes writes. Synced.").contains("No event is due.").contains("GiB are free.").doesNotContain("NOT WELL");
  }

  @Test
  @DisplayName("a member that does not answer is named, and the status is 1")
  void memberIsLost() throws Exception {
    assertThat(status(1)).contains("members    NOT WELL  1 of 2 serve.").contains("127: Connection refused").contains("site       well");
  }

  @Test
  @DisplayName("without the database every other line is there still")
  void databaseIsAway() throws Exception {
    serve("127.0.0.2", agentPort, "Synced.");
    Files.createFile(directory.resolve("away"));
    assertThat(status(1)).contains("database   NOT WELL  It does not answer this pod: Connection refused").contains("cron       NOT WELL").contains("content    well");
  }

  @Test
  @DisplayName("requests that wait for a worker of PHP are counted, and are not well")
  void phpIsBusy() throws Exception {
    serve("127.0.0.2", agentPort, "Synced.");
    var address = UnixDomainSocketAddress.of(directory.resolve("php-fpm.sock"));
    try (var workers = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
        var accepted = SocketChannel.open(address); var worker = workers.accept(); var first = SocketChannel.open(address); var second = SocketChannel.open(address)) {
      assertThat(Stream.of(accepted, worker, first, second)).allMatch(SocketChannel::isConnected);
      assertThat(status(1)).contains("php        NOT WELL  2 of 8 workers are busy, 2 requests wait.");
    }
  }

  @Test
  @DisplayName("an event that is due for ten minutes is not well")
  void cronStands() throws Exception {
    serve("127.0.0.2", agentPort, "Synced.");
    Files.writeString(directory.resolve("cron"), "a:2:{i:%d;a:0:{}s:7:\"version\";i:2;}".formatted(System.currentTimeMillis() / 1000 - 600));
    assertThat(status(1)).containsPattern("cron {7}NOT WELL {2}1 due, the oldest for 60\\d s\\.");
  }

  private String status(int expected) throws Exception {
    Process process = new ProcessBuilder("php", directory.resolve("status.php").toString()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isEqualTo(expected);
    assertThat(output.lines().count()).as(output).isLessThanOrEqualTo(20);
    return output;
  }

  /** Returns the port. */
  private int serve(String address, int port, String body) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(address, port), 0);
    server.createContext("/", exchange -> {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(200, bytes.length);
      exchange.getResponseBody().write(bytes);
      exchange.close();
    });
    server.start();
    servers.add(server);
    return server.getAddress().getPort();
  }

  private static boolean isInstalled(String program) {
    return List.of(System.getenv("PATH").split(":")).stream().anyMatch(place -> Files.isExecutable(Path.of(place, program)));
  }
}
