package io.github.wordpressha.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.metrics.Metric.Tier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The metrics of a database pod: the notes of its containers, and the figures of mysqld_exporter, which is a stub here. */
@Tag("metrics")
class MemberMetricsTest {

  private static final Path FILES = Profiles.CHART_DIRECTORY.resolve("files").toAbsolutePath();
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String GALERA = """
      {"pod":"blog-mysql-1","incarnation":"7","primary":true,"state":4,"uuid":"u","conf":"12","size":"3","members":"a,b,c"}""";
  private static final String REPLICA = """
      {"pod":"blog-mysql-1","role":"replica","term":5,"source":"blog-mysql-0","receiving":true,"synced":false,"behind":17,"executed":"u:1-9","retrieved":"","draining":false}""";

  @TempDir private Path directory;
  private final List<String> asked = new CopyOnWriteArrayList<>();
  private final List<Process> processes = new ArrayList<>();
  private HttpServer exporter;

  @BeforeEach
  void start() throws IOException {
    exporter = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    exporter.createContext("/", exchange -> {
      asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
      byte[] body = "# HELP mysql_up Whether the MySQL server is up.\n# TYPE mysql_up gauge\nmysql_up 1\n".getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    exporter.start();
    for (String name : List.of("database/common.sh", "database/agent.sh", "database/respond.sh", "database/standalone/health.sh", "metrics/member.sh")) {
      Path script = FILES.resolve(name);
      Files.copy(script, directory.resolve(script.getFileName()));
    }
    for (String name : List.of("run", "secrets", "credentials")) {
      Files.createDirectories(directory.resolve(name));
    }
    Files.writeString(directory.resolve("secrets/monitor-password"), "first");
  }

  @AfterEach
  void stop() {
    exporter.stop(0);
    processes.forEach(process -> {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    });
  }

  @Test
  @DisplayName("a member that is synced takes writes, and shows its view beside the server's figures")
  void synced() throws Exception {
    note("200 Synced.", GALERA);
    Samples samples = scrape();
    assertThat(samples.value("wordpress_ha_member_takes_writes", Map.of())).isEqualTo(1);
    assertThat(samples.value("wordpress_ha_member_info", Map.of("phase", "running", "reason", "Synced."))).isEqualTo(1);
    assertThat(samples.value("wordpress_ha_member_view", Map.of())).isEqualTo(12);
    assertThat(samples.value("wordpress_ha_member_primary_component", Map.of())).isEqualTo(1);
    assertThat(samples.value("mysql_up", Map.of())).isEqualTo(1);
    assertServesAll(samples, Tier.GALERA);
  }

  @Test
  @DisplayName("a replica shows its role, its term and how far it is behind")
  void replica() throws Exception {
    note("503 Not the \"primary\".", REPLICA);
    Samples samples = scrape();
    assertThat(samples.value("wordpress_ha_member_takes_writes", Map.of())).isZero();
    assertThat(samples.value("wordpress_ha_member_role", Map.of("role", "replica"))).isEqualTo(1);
    assertThat(samples.value("wordpress_ha_member_term", Map.of())).isEqualTo(5);
    assertThat(samples.value("wordpress_ha_member_in_sync", Map.of())).isZero();
    assertThat(samples.value("wordpress_ha_member_lag_seconds", Map.of())).isEqualTo(17);
    assertThat(samples.names()).doesNotContain("wordpress_ha_member_view");
    assertServesAll(samples, Tier.REPLICATION);
  }

  @Test
  @DisplayName("a draining member takes no writes")
  void draining() throws Exception {
    note("200 Synced.", GALERA);
    Files.createFile(directory.resolve("run/draining"));
    assertThat(scrape().value("wordpress_ha_member_takes_writes", Map.of())).isZero();
  }

  @Test
  @DisplayName("old notes of an agent that hangs count for nothing")
  void staleNotes() throws Exception {
    note("200 Synced.", GALERA);
    Files.writeString(directory.resolve("run/beat"), uptime() - 30 + "\n");
    Samples samples = scrape();
    assertThat(samples.value("wordpress_ha_agent_up", Map.of())).isZero();
    assertThat(samples.value("wordpress_ha_member_takes_writes", Map.of())).isZero();
    assertThat(samples.names()).contains("wordpress_ha_agent_up").doesNotContain("wordpress_ha_member_view");
  }

  @Test
  @DisplayName("without mysqld_exporter the member's own facts are served")
  void exporterIsDown() throws Exception {
    note("200 Synced.", GALERA);
    exporter.stop(0);
    assertThat(scrape().names()).contains("wordpress_ha_member_takes_writes").doesNotContain("mysql_up");
  }

  @Test
  @DisplayName("the certificate's end is that of the mounted file")
  void certificate() throws Exception {
    note("200 Synced.", GALERA);
    assertThat(run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "10", "-keyout", directory.resolve("tls.key").toString(),
        "-out", directory.resolve("tls.crt").toString()).waitFor()).isZero();
    double expected = Instant.now().plus(Duration.ofDays(10)).getEpochSecond();
    assertThat(scrape().value("wordpress_ha_certificate_expiry_timestamp_seconds", Map.of())).isBetween(expected - 60, expected + 60);
  }

  @Test
  @DisplayName("what is served is what promtool accepts")
  void isValid() throws Exception {
    Promtool.assumePresent();
    note("200 Synced.", GALERA);
    Promtool.checkMetrics(text());
  }

  @Test
  @DisplayName("the agent gives mysqld_exporter the password, and each new one, in a file that the account alone reads")
  void passwords() throws Exception {
    run("bash", directory.resolve("agent.sh").toString());
    Path file = directory.resolve("credentials/exporter/monitor.cnf");
    Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(file).content().contains("user=monitor\npassword=`first`\n"));
    assertThat(Files.getPosixFilePermissions(file)).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    asked.clear();
    Files.writeString(directory.resolve("secrets/monitor-password"), "sec\"ond\\");
    Files.setLastModifiedTime(directory.resolve("secrets/monitor-password"), FileTime.from(Instant.now().plusSeconds(1)));
    Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(file).content().contains("password=`sec\"ond\\`\n"));
    Awaitility.await().atMost(PATIENCE).untilAsserted(() -> assertThat(asked).contains("POST /-/reload"));
  }

  private static void assertServesAll(Samples samples, Tier tier) {
    assertThat(Metrics.of(Set.of(tier))).filteredOn(metric -> metric.name().startsWith("wordpress_ha_"))
        .allMatch(metric -> samples.names().anyMatch(metric::covers)).isNotEmpty();
  }

  /** Seconds since this machine has started. */
  private static long uptime() throws IOException {
    return (long) Double.parseDouble(Files.readString(Path.of("/proc/uptime")).split(" ")[0]);
  }

  private void note(String health, String state) throws IOException {
    Map.of("health", health, "state", state, "phase", "running", "beat", String.valueOf(uptime())).forEach((name, text) -> {
      try {
        Files.writeString(directory.resolve("run").resolve(name), text + "\n");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    });
  }

  private Samples scrape() throws Exception {
    return Samples.parse(text());
  }

  private String text() throws Exception {
    Process process = run("bash", directory.resolve("member.sh").toString());
    try (var request = process.getOutputStream()) {
      request.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
    }
    String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(answer).isZero();
    String[] parts = answer.split("\r\n\r\n", 2);
    assertThat(parts[0]).startsWith("HTTP/1.0 200 OK").contains("Content-Length: " + parts[1].getBytes(StandardCharsets.UTF_8).length);
    return parts[1];
  }

  private Process run(String... command) throws IOException {
    var builder = new ProcessBuilder(command).redirectError(directory.resolve("log").toFile());
    Map<String, String> environment = builder.environment();
    environment.put("RUN", directory.resolve("run").toString());
    environment.put("SECRETS", directory.resolve("secrets").toString());
    environment.put("CREDENTIALS", directory.resolve("credentials").toString());
    environment.put("EXPORTER", "http://127.0.0.1:" + exporter.getAddress().getPort());
    environment.put("AGENT_PORT", "0");
    environment.put("METRICS_PORT", "0");
    if (Files.exists(directory.resolve("tls.crt"))) {
      environment.put("TLS", directory.toString());
    }
    Process process = builder.start();
    processes.add(process);
    return process;
  }
}
