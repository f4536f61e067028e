package io.github.wordpressha.arbitration;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The surroundings of simulated Galera members: an etcd with a namespace of its own, the scripts in one flat directory as
 * their ConfigMap mounts them, stubs for the server, and the check agents of members that are said to run.
 */
final class Bench implements AutoCloseable {

  static final String U = "11111111-1111-1111-1111-111111111111";
  static final String OTHER = "22222222-2222-2222-2222-222222222222";
  static final String ZERO = "00000000-0000-0000-0000-000000000000";
  static final Path FILES = Path.of("charts/wordpress-ha/files").toAbsolutePath();
  static final Path STUBS = Path.of("src/test/resources/arbitration").toAbsolutePath();
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static Path scripts;

  final Path directory = temporary("bench");
  final Etcd etcd;
  private final String namespace = "t" + COUNT.incrementAndGet() + "-" + ThreadLocalRandom.current().nextInt(100000);
  private final int size;
  private final List<Member> members = new ArrayList<>();
  private final Map<Integer, HttpServer> agents = new HashMap<>();

  Bench() {
    this(Etcd.shared(), 3, Etcd.shared().url());
  }

  /** @param endpoints the URLs that the scripts know, separated by spaces: a gateway's, or the members' own */
  Bench(Etcd etcd, int size, String endpoints) {
    this.etcd = etcd;
    this.size = size;
    endpoints(endpoints);
    connections();
  }

  void endpoints(String endpoints) {
    write(directory.resolve("config/cluster.env"), "NAMESPACE=%s\nFULLNAME=demo\nCLUSTER_NAME=demo-cluster\nREPLICAS=%d\nDOMAIN=db.test\nETCD_ENDPOINTS='%s'\n".formatted(namespace, size, endpoints));
  }

  static String pod(int ordinal) {
    return "demo-mysql-" + ordinal;
  }

  Member member(int ordinal) {
    var member = new Member(this, ordinal);
    members.add(member);
    return member;
  }

  // --- facts --------------------------------------------------------------------------------------------------------

  String prefix() {
    return "/" + namespace + "/demo/galera/";
  }

  Map<String, String> facts() {
    return etcd.list(prefix());
  }

  JsonNode fact(String key) {
    return json(facts().getOrDefault(key, "null"));
  }

  Bench put(String key, String value) {
    etcd.put(prefix() + key, value);
    return this;
  }

  /** What is known of a cluster that has been served. */
  Bench known(String uuid, int epoch, int conf, int... ordinals) {
    put("epoch", "" + epoch);
    put("uuid", uuid);
    return put("view", "{\"epoch\":%d,\"conf\":%d,\"members\":[%s]}".formatted(epoch, conf, Arrays.stream(ordinals).mapToObj(i -> '"' + pod(i) + '"').collect(Collectors.joining(","))));
  }

  /** Another member's report. */
  Bench waits(int ordinal, String state, String uuid, long seqno) {
    return put("waiting/" + pod(ordinal), "{\"by\":\"uid-%d\",\"state\":\"%s\",\"uuid\":\"%s\",\"seqno\":%d}".formatted(ordinal, state, uuid, seqno));
  }

  // --- members that run ---------------------------------------------------------------------------------------------

  /**
   * The check agent of a member whose server runs.
   *
   * @return how often it was asked
   */
  AtomicInteger runs(int ordinal, boolean primary, String uuid, long committed) {
    return agent(ordinal, 200, "{\"pod\":\"%s\",\"incarnation\":\"x\",\"primary\":%s,\"state\":4,\"uuid\":\"%s\",\"conf\":\"3\",\"size\":\"1\",\"committed\":\"%d\",\"members\":\"%s\"}"
        .formatted(pod(ordinal), primary, uuid, committed, pod(ordinal)));
  }

  AtomicInteger agent(int ordinal, int status, String text) {
    var asked = new AtomicInteger();
    try {
      HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext("/state", exchange -> {
        asked.incrementAndGet();
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
      });
      server.start();
      stops(ordinal);
      agents.put(ordinal, server);
      connections();
      return asked;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void stops(int ordinal) {
    HttpServer server = agents.remove(ordinal);
    if (server != null) {
      server.stop(0);
    }
    connections();
  }

  /** Pods' names lead to the simulated agents; to a closed port where there is none. No resolver takes part. */
  private void connections() {
    write(directory.resolve("home/.curlrc"), IntStream.range(0, size)
        .mapToObj(i -> "connect-to = \"%s.db.test:9200:127.0.0.1:%d\"\n".formatted(pod(i), agents.containsKey(i) ? agents.get(i).getAddress().getPort() : 1))
        .collect(Collectors.joining()));
  }

  // --- files --------------------------------------------------------------------------------------------------------

  /** All scripts of a database pod in one directory; the one that needs a server is replaced by its stub. */
  static synchronized Path scripts() {
    if (scripts == null) {
      scripts = temporary("scripts");
      for (String folder : List.of("database", "database/galera", "etcd")) {
        try (Stream<Path> found = Files.list(FILES.resolve(folder))) {
          for (Path script : found.filter(p -> p.toString().matches(".*\\.(sh|jq)")).toList()) {
            Files.copy(script, scripts.resolve(script.getFileName()));
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      write(scripts.resolve("initialize.sh"), read(STUBS.resolve("initialize.sh")));
    }
    return scripts;
  }

  static Path temporary(String name) {
    try {
      Path made = Files.createTempDirectory(Files.createDirectories(Path.of("target/arbitration").toAbsolutePath()), name);
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void write(Path file, String text) {
    try {
      Files.createDirectories(file.getParent());
      Path fresh = file.resolveSibling(file.getFileName() + ".new" + ThreadLocalRandom.current().nextInt(1 << 30));
      Files.writeString(fresh, text);
      Files.move(fresh, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sends a signal, for example STOP and CONT: what hangs, and goes on. */
  static void signal(Process process, String name) {
    try {
      new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().onExit().join();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text of a file, or nothing. */
  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (java.nio.file.NoSuchFileException e) {
      return "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void delete(Path tree) {
    if (!Files.exists(tree)) {
      return;
    }
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every file of a tree with its content. */
  static Map<String, String> contents(Path tree) {
    var contents = new LinkedHashMap<String, String>();
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted().toList()) {
        contents.put(tree.relativize(path).toString(), Files.isDirectory(path) ? "directory" : Files.readString(path));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return contents;
  }

  static JsonNode json(String text) {
    try {
      return Etcd.JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  @Override
  public void close() {
    members.forEach(Member::kill);
    agents.values().forEach(server -> server.stop(0));
  }
}
