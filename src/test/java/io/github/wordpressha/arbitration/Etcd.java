package io.github.wordpressha.arbitration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.wordpressha.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;

/** A member of a real etcd on loopback ports, and a client of it that the tests look at the facts with. */
final class Etcd implements AutoCloseable {

  static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
  private static Etcd shared;

  private final List<String> command;
  private final Path directory;
  private final String url;
  private Process process;

  private Etcd(Path directory, int member, int[] clients, int[] peers) {
    this.directory = directory.resolve("etcd-" + member);
    url = "http://127.0.0.1:" + clients[member];
    String peer = "http://127.0.0.1:" + peers[member];
    String all = IntStream.range(0, peers.length).mapToObj(i -> "m" + i + "=http://127.0.0.1:" + peers[i]).collect(Collectors.joining(","));
    command = List.of(program().toString(), "--name=m" + member, "--data-dir=" + this.directory, "--listen-client-urls=" + url,
        "--advertise-client-urls=" + url, "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
        "--initial-cluster=" + all, "--unsafe-no-fsync", "--heartbeat-interval=100", "--election-timeout=1000", "--log-level=error");
  }

  /** The program: $ETCD, else the one on PATH; or the reason why these tests are skipped. */
  static Path program() {
    Optional<Path> found = Stream.concat(Stream.ofNullable(System.getenv("ETCD")).map(Path::of), Stream.of(System.getenv("PATH").split(":")).map(d -> Path.of(d, "etcd")))
        .filter(Files::isExecutable).findFirst();
    Assumptions.assumeTrue(found.isPresent(), "the arbitration scripts are tested against a real etcd: PATH has no program 'etcd', and the variable ETCD names none");
    return found.get();
  }

  /** One member that all tests may use which do not harm it; each of them has its own namespace in it. */
  static synchronized Etcd shared() {
    if (shared == null) {
      shared = single(Bench.temporary("etcd"));
      Runtime.getRuntime().addShutdownHook(new Thread(shared::close));
    }
    return shared;
  }

  static Etcd single(Path directory) {
    return cluster(directory, 1).get(0);
  }

  static List<Etcd> cluster(Path directory, int size) {
    int[] ports = freePorts(2 * size);
    int[] clients = IntStream.range(0, size).map(i -> ports[i]).toArray();
    int[] peers = IntStream.range(0, size).map(i -> ports[size + i]).toArray();
    List<Etcd> members = IntStream.range(0, size).mapToObj(i -> new Etcd(directory, i, clients, peers)).toList();
    members.forEach(Etcd::run);
    members.forEach(Etcd::awaitReady);
    return members;
  }

  static int[] freePorts(int count) {
    return IntStream.generate(Ports::free).limit(count).toArray();
  }

  String url() {
    return url;
  }

  void start() {
    run();
    awaitReady();
  }

  private void run() {
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolveSibling(directory.getFileName() + ".log").toFile())).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void awaitReady() {
    Awaitility.await("etcd at " + url).atMost(Duration.ofSeconds(40)).pollInterval(Duration.ofMillis(50)).ignoreExceptions()
        .until(() -> HTTP.send(HttpRequest.newBuilder(URI.create(url + "/readyz")).timeout(Duration.ofSeconds(2)).build(), BodyHandlers.discarding()).statusCode() == 200);
  }

  void kill() {
    process.destroyForcibly().onExit().join();
  }

  /** STOP: it hangs, and CONT. */
  void signal(String name) {
    Bench.signal(process, name);
  }

  /** Its volume is lost. The member has to be down. */
  void wipe() {
    Bench.delete(directory);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  // --- the client --------------------------------------------------------------------------------------------------

  JsonNode call(String path, Object body) {
    try {
      var request = HttpRequest.newBuilder(URI.create(url + "/v3/" + path)).timeout(Duration.ofSeconds(20))
          .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body))).build();
      var response = HTTP.send(request, BodyHandlers.ofString());
      if (response.statusCode() != 200) {
        throw new IllegalStateException(path + ": " + response.body());
      }
      return JSON.readTree(response.body());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  void put(String key, String value) {
    call("kv/put", Map.of("key", encode(key), "value", encode(value)));
  }

  void delete(String key) {
    call("kv/deleterange", Map.of("key", encode(key)));
  }

  void deleteAll(String prefix) {
    call("kv/deleterange", Map.of("key", encode(prefix), "range_end", encode(prefix.substring(0, prefix.length() - 1) + "0")));
  }

  /** All keys below a prefix that ends in a slash, without it. */
  Map<String, String> list(String prefix) {
    var found = new TreeMap<String, String>();
    entries(prefix).forEach(e -> found.put(decode(e.path("key").asText()).substring(prefix.length()), decode(e.path("value").asText())));
    return found;
  }

  /** Ends the lease that a key is under. */
  void endLease(String key) {
    for (JsonNode entry : call("kv/range", Map.of("key", encode(key))).path("kvs")) {
      call("lease/revoke", Map.of("ID", entry.path("lease").asText()));
    }
  }

  private JsonNode entries(String prefix) {
    return call("kv/range", Map.of("key", encode(prefix), "range_end", encode(prefix.substring(0, prefix.length() - 1) + "0"))).path("kvs");
  }

  static String encode(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  static String decode(String text) {
    return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
  }
}
