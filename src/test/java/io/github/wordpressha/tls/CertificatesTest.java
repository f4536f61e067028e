package io.github.wordpressha.tls;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The script that makes and renews certificates, with real openssl, before an API server that knows nothing but Secrets. */
@Tag("render")
@Tag("security")
class CertificatesTest {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path FILES = Path.of("charts/wordpress-ha/files").toAbsolutePath();
  private static final String AUTHORITY = "blog-authority";
  private static final String OTHER_AUTHORITY = "blog-authority-2";
  private static final String DATABASE = "blog-mysql-tls";
  private static final String ETCD = "blog-etcd-tls";

  @TempDir Path directory;
  private final Map<String, ObjectNode> secrets = new TreeMap<>();
  /** What is answered to the next requests, as {@code METHOD STATUS}, instead of the truth. */
  private final Deque<String> failures = new ArrayDeque<>();
  private final List<String> requests = new ArrayList<>();
  private HttpServer server;

  @BeforeEach
  void serve() throws IOException {
    for (Path script : List.of(FILES.resolve("secrets/create.sh"), FILES.resolve("tls/certificates.sh"))) {
      Files.copy(script, directory.resolve(script.getFileName()));
    }
    Files.writeString(directory.resolve("token"), "token");
    Files.writeString(directory.resolve("ca.crt"), "");
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  @DisplayName("an authority is made, and for each server a certificate by it, for its names, as server and as client")
  void makes() throws Exception {
    String log = run();

    assertThat(secrets).containsOnlyKeys(AUTHORITY, DATABASE, ETCD);
    X509Certificate authority = certificate(AUTHORITY);
    assertThat(authority.getBasicConstraints()).isNotNegative();
    for (String name : List.of(DATABASE, ETCD)) {
      X509Certificate certificate = certificate(name);
      certificate.verify(authority.getPublicKey());
      assertThat(certificate.getExtendedKeyUsage()).containsExactlyInAnyOrder("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2");
      assertThat(certificate.getBasicConstraints()).as("it certifies nobody").isNegative();
      assertThat(field(name, "ca.crt")).isEqualTo(field(AUTHORITY, "tls.crt"));
      assertThat(field(name, "tls.key")).contains("PRIVATE KEY");
    }
    assertThat(names(DATABASE)).containsExactly("localhost", "*.blog-mysql.example", "127.0.0.1");
    assertThat(log).doesNotContain("PRIVATE KEY");
  }

  @Test
  @DisplayName("what is whole and young is left alone")
  void leavesAlone() throws Exception {
    run();
    requests.clear();
    run();
    assertThat(requests).containsOnly("GET");
  }

  @Test
  @DisplayName("one that somebody wants anew is renewed, by the same authority, and once")
  void renewsOnDemand() throws Exception {
    run();
    var before = new TreeMap<>(Map.of(AUTHORITY, field(AUTHORITY, "tls.crt"), ETCD, field(ETCD, "tls.crt"), DATABASE, field(DATABASE, "tls.crt")));
    annotate(ETCD);
    run();
    assertThat(field(ETCD, "tls.crt")).isNotEqualTo(before.get(ETCD));
    assertThat(field(DATABASE, "tls.crt")).isEqualTo(before.get(DATABASE));
    assertThat(field(AUTHORITY, "tls.crt")).isEqualTo(before.get(AUTHORITY));
    certificate(ETCD).verify(certificate(AUTHORITY).getPublicKey());

    requests.clear();
    run();
    assertThat(requests).containsOnly("GET");
  }

  @Test
  @DisplayName("one with less than a third of its life left is renewed; so is one whose names have changed")
  void renewsInTime() throws Exception {
    run("DAYS=29");
    String old = field(DATABASE, "tls.crt");
    run();
    assertThat(field(DATABASE, "tls.crt")).isNotEqualTo(old);

    run("CERTIFICATES=" + DATABASE + " DNS:other.example,IP:127.0.0.1");
    assertThat(names(DATABASE)).containsExactly("other.example", "127.0.0.1");
  }

  @Test
  @DisplayName("an authority is changed in steps: servers trust both before the new one certifies them")
  void changesAuthority() throws Exception {
    run();
    run("AUTHORITY=" + OTHER_AUTHORITY, "CERTIFICATES=other-tls DNS:other.example,IP:127.0.0.1");
    String both = field(AUTHORITY, "tls.crt") + field(OTHER_AUTHORITY, "tls.crt");

    put(AUTHORITY, "ca.crt", both);
    run();
    for (String name : List.of(DATABASE, ETCD)) {
      assertThat(field(name, "ca.crt")).isEqualTo(both);
      certificate(name).verify(certificate(AUTHORITY).getPublicKey());
    }

    for (String key : List.of("tls.crt", "tls.key")) {
      put(AUTHORITY, key, field(OTHER_AUTHORITY, key));
    }
    run();
    for (String name : List.of(DATABASE, ETCD)) {
      assertThat(field(name, "ca.crt")).isEqualTo(both);
      certificate(name).verify(certificate(OTHER_AUTHORITY).getPublicKey());
    }
  }

  private void put(String secret, String key, String value) {
    ((ObjectNode) secrets.get(secret).path("data")).put(key, Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  @DisplayName("an authority that cannot be read is not made anew, and a change by somebody else is not overwritten")
  void unknownIsNotAbsent() throws Exception {
    run();
    String authority = field(AUTHORITY, "tls.crt");
    annotate(ETCD);
    failures.addAll(List.of("GET 503", "PATCH 409"));
    String log = run();

    assertThat(log).contains("HTTP 503", "HTTP 409");
    assertThat(field(AUTHORITY, "tls.crt")).isEqualTo(authority);
    assertThat(requests).filteredOn("POST"::equals).as("Secrets made, by the first run alone").hasSize(3);
    certificate(ETCD).verify(certificate(AUTHORITY).getPublicKey());
  }

  @Test
  @DisplayName("certificates are valid on nodes whose clocks are 55 minutes late, the authority's included, and last as long as they are to")
  void beginsInThePast() throws Exception {
    run();
    for (String name : List.of(AUTHORITY, DATABASE, ETCD)) {
      certificate(name).checkValidity(Date.from(Instant.now().minus(Duration.ofMinutes(55))));
    }
    certificate(ETCD).checkValidity(Date.from(Instant.now().plus(Duration.ofDays(90)).minusSeconds(60)));
    certificate(AUTHORITY).checkValidity(Date.from(Instant.now().plus(Duration.ofDays(3650)).minusSeconds(60)));
  }

  @ParameterizedTest(name = "{0} s")
  @ValueSource(ints = {-700, 100 * 86_400})
  @DisplayName("on a node whose clock is wrong, nothing is made or renewed, and the log names the clock")
  void wrongClock(int off) throws Exception {
    setClock(off);
    assertThat(fails()).contains("The clock of this node differs from the API server's by ");
    assertThat(secrets).isEmpty();

    setClock(0);
    run();
    annotate(ETCD);
    String before = field(ETCD, "tls.crt");
    setClock(off);
    assertThat(fails()).contains("no certificate is made");
    assertThat(field(ETCD, "tls.crt")).isEqualTo(before);
  }

  private void annotate(String secret) {
    ((ObjectNode) secrets.get(secret).path("metadata")).putObject("annotations").put("wordpress-ha.github.io/renew", "now");
  }

  /** The script asks {@code date} for the time; a time that it names itself is left alone. */
  private void setClock(int off) throws IOException {
    Path date = directory.resolve("date");
    Files.writeString(date, "#!/usr/bin/env bash\ncase \"$*\" in *-d*) exec /bin/date \"$@\" ;; *) exec /bin/date -d '%d seconds' \"$@\" ;; esac\n".formatted(off));
    assertThat(date.toFile().setExecutable(true)).isTrue();
  }

  private String fails() throws IOException, InterruptedException {
    Process process = start();
    assertThat(process.exitValue()).isNotZero();
    return Files.readString(directory.resolve("log"));
  }

  private String run(String... environment) throws IOException, InterruptedException {
    Process process = start(environment);
    String log = Files.readString(directory.resolve("log"));
    assertThat(process.exitValue()).as(log).isZero();
    return log;
  }

  private Process start(String... environment) throws IOException, InterruptedException {
    Path log = directory.resolve("log");
    var builder = new ProcessBuilder("bash", directory.resolve("certificates.sh").toString()).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().putAll(Map.of("NAMESPACE", "blog", "LABELS", "{\"a\":\"b\"}", "ACCOUNT", directory.toString(), "AUTHORITY", AUTHORITY, "TMPDIR", directory.toString(), "PATH", directory + ":" + System.getenv("PATH"),
        "API", "http://127.0.0.1:" + server.getAddress().getPort(),
        "CERTIFICATES", DATABASE + " DNS:localhost,DNS:*.blog-mysql.example,IP:127.0.0.1\n" + ETCD + " DNS:*.blog-etcd.example,IP:127.0.0.1\n"));
    for (String variable : environment) {
      builder.environment().put(variable.split("=", 2)[0], variable.split("=", 2)[1]);
    }
    Process process = builder.start();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).as("it ends").isTrue();
    return process;
  }

  private String field(String secret, String key) {
    return new String(Base64.getDecoder().decode(secrets.get(secret).path("data").path(key).asText()), StandardCharsets.UTF_8);
  }

  private List<String> names(String secret) throws Exception {
    return certificate(secret).getSubjectAlternativeNames().stream().map(name -> name.get(1).toString()).toList();
  }

  private X509Certificate certificate(String secret) throws Exception {
    return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(field(secret, "tls.crt").getBytes(StandardCharsets.UTF_8)));
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    String method = exchange.getRequestMethod();
    requests.add(method);
    String name = exchange.getRequestURI().getPath().replaceFirst(".*/secrets/?", "");
    int status;
    JsonNode answer = JSON.createObjectNode().put("message", "no");
    if (!failures.isEmpty() && failures.peek().startsWith(method)) {
      status = Integer.parseInt(failures.poll().split(" ")[1]);
    } else if (method.equals("POST")) {
      ObjectNode made = (ObjectNode) JSON.readTree(body);
      ((ObjectNode) made.path("metadata")).put("resourceVersion", "1");
      secrets.put(made.at("/metadata/name").asText(), made);
      status = 201;
      answer = made;
    } else if (!secrets.containsKey(name)) {
      status = 404;
    } else {
      if (method.equals("PATCH")) {
        merge(secrets.get(name), JSON.readTree(body));
      }
      status = 200;
      answer = secrets.get(name);
    }
    byte[] bytes = JSON.writeValueAsBytes(answer);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  /** RFC 7386. */
  private static void merge(ObjectNode target, JsonNode patch) {
    patch.properties().forEach(entry -> {
      if (entry.getValue().isNull()) {
        target.remove(entry.getKey());
      } else if (entry.getValue().isObject()) {
        merge(target.withObjectProperty(entry.getKey()), entry.getValue());
      } else {
        target.set(entry.getKey(), entry.getValue());
      }
    });
  }
}
