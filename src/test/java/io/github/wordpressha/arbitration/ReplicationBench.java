package io.github.wordpressha.arbitration;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * The surroundings of simulated members of a replicated database: an etcd with a namespace of its own, the scripts in one flat
 * directory as their ConfigMap mounts them, and a stub for the server.
 */
final class ReplicationBench implements AutoCloseable {

  private static final Path STUBS = Bench.STUBS.resolve("replication");
  private static Path scripts;

  final Path directory = Bench.temporary("replication");
  final Etcd etcd = Etcd.shared();
  private final String namespace = "r" + ThreadLocalRandom.current().nextInt(1_000_000);
  private final int acknowledge;
  private final String endpoints;
  private final List<Pod> pods = new ArrayList<>();
  private final Map<Integer, HttpServer> agents = new HashMap<>();

  ReplicationBench(int size, int acknowledge, String endpoints) {
    this.acknowledge = acknowledge;
    this.endpoints = endpoints;
    scale(size);
    connections();
  }

  /** The number of members that the mounted configuration names. */
  void scale(int size) {
    Bench.write(directory.resolve("config/cluster.env"), "NAMESPACE=%s\nFULLNAME=demo\nREPLICAS=%d\nDOMAIN=db.test\nACKNOWLEDGE=%d\nETCD_ENDPOINTS='%s'\n"
        .formatted(namespace, size, acknowledge, endpoints));
  }

  ReplicationBench() {
    this(3, 1, Etcd.shared().url());
  }

  static String name(int ordinal) {
    return "demo-mysql-" + ordinal;
  }

  private static String names(int... ordinals) {
    return Arrays.stream(ordinals).mapToObj(i -> '"' + name(i) + '"').collect(Collectors.joining(","));
  }

  // --- facts --------------------------------------------------------------------------------------------------------

  String prefix() {
    return "/" + namespace + "/demo/replication/";
  }

  JsonNode fact(String key) {
    return Bench.json(etcd.list(prefix()).getOrDefault(key, "null"));
  }

  ReplicationBench put(String key, String value) {
    etcd.put(prefix() + key, value);
    return this;
  }

  /** A database that has been served: who was its primary, and which replicas may have acknowledged writes. */
  ReplicationBench known(int term, int primary, int acknowledge, int... replicas) {
    put("cluster", "{\"id\":\"c\",\"founder\":\"" + name(0) + "\"}");
    return put("view", "{\"term\":%d,\"primary\":\"%s\",\"replicas\":[%s],\"acknowledge\":%d}".formatted(term, name(primary), names(replicas), acknowledge));
  }

  /** Another member's report. */
  ReplicationBench reports(int ordinal, String received) {
    return put("report/" + name(ordinal), "{\"by\":\"uid-%d\",\"state\":\"data\",\"cluster\":\"c\",\"term\":1,\"received\":\"%s\"}".formatted(ordinal, received));
  }

  ReplicationBench primary(int ordinal, String by, int term) {
    return put("primary", "{\"pod\":\"%s\",\"by\":\"%s\",\"term\":%d}".formatted(name(ordinal), by, term));
  }

  // --- members ------------------------------------------------------------------------------------------------------

  /** What a member's check agent answers to everything. */
  void agent(int ordinal, String state) {
    try {
      HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext("/", exchange -> {
        byte[] bytes = state.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
      });
      server.start();
      agents.put(ordinal, server);
      connections();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void connections() {
    Bench.write(directory.resolve("home/.curlrc"), IntStream.range(0, 7)
        .mapToObj(i -> "connect-to = \"%s.db.test:9200:127.0.0.1:%d\"\n".formatted(name(i), agents.containsKey(i) ? agents.get(i).getAddress().getPort() : 1))
        .collect(Collectors.joining()));
  }

  Pod pod(int ordinal) {
    var pod = new Pod(ordinal);
    pods.add(pod);
    return pod;
  }

  private static synchronized Path scripts() {
    if (scripts == null) {
      scripts = Bench.temporary("replication-scripts");
      for (String folder : List.of("database", "database/replication", "etcd")) {
        try (Stream<Path> found = Files.list(Bench.FILES.resolve(folder))) {
          for (Path script : found.filter(Files::isRegularFile).toList()) {
            Files.copy(script, scripts.resolve(script.getFileName()));
          }
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
    return scripts;
  }

  @Override
  public void close() {
    pods.forEach(Pod::kill);
    agents.values().forEach(server -> server.stop(0));
  }

  /** A simulated pod: a volume, the notes that its containers share, a stub of the server, and the real scripts. */
  final class Pod {
    final Path directory;
    final Path data;
    final Path state;
    final Path run;
    final Path server;
    private final Map<String, String> environment = new TreeMap<>();
    private final List<Process> processes = new ArrayList<>();

    private Pod(int ordinal) {
      directory = ReplicationBench.this.directory.resolve("member-" + ordinal);
      data = directory.resolve("mysql");
      state = directory.resolve("state");
      run = directory.resolve("run");
      server = directory.resolve("server");
      try {
        for (Path needed : List.of(data, state, run, server, directory.resolve("credentials"), directory.resolve("tmp"))) {
          Files.createDirectories(needed);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      Bench.write(directory.resolve("secrets/root-password"), "root");
      Bench.write(directory.resolve("secrets/replication-password"), "replication");
      environment.putAll(Map.of("PATH", STUBS + ":" + System.getenv("PATH"), "CURL_HOME", ReplicationBench.this.directory.resolve("home").toString(),
          "TMP", directory.resolve("tmp").toString(), "POD_NAME", name(ordinal), "POD_UID", "uid-" + ordinal, "MEMORY_LIMIT", "1000000000", "DATADIR", data.toString(),
          "STATE", state.toString(), "RUN", run.toString(), "SERVER", server.toString()));
      environment.putAll(Map.of("CONFIG", ReplicationBench.this.directory.resolve("config").toString(), "CREDENTIALS", directory.resolve("credentials").toString(),
          "SECRETS", directory.resolve("secrets").toString(), "DROPPED", directory.resolve("dropped").toString(), "DOMAIN", "db.test", "NOTICE", "1",
          "SETTLE", "1", "SOCKET", directory.resolve("tmp/mysql.sock").toString(), "ENTRYPOINT", STUBS.resolve("entrypoint.sh").toString()));
    }

    /** A whole data directory, whose server runs and has these transactions. */
    Pod serves(String executed) {
      Bench.write(data.resolve("complete"), "");
      Bench.write(state.resolve("cluster"), "c\n");
      Bench.write(server.resolve("executed"), executed);
      Bench.write(run.resolve("server"), "1-1\n");
      Bench.write(run.resolve("beat"), "9999999999\n");
      Bench.write(run.resolve("state"), "{\"waiters\":\"0\",\"clients\":\"1\",\"io_error\":\"0\",\"applier\":\"ON\"}\n");
      return this;
    }

    Pod with(String file, String text) {
      Bench.write(directory.resolve(file), text);
      return this;
    }

    Pod set(String name, String value) {
      environment.put(name, value);
      return this;
    }

    Pod elector() {
      return script("elector.sh");
    }

    Pod script(String name, String... arguments) {
      var builder = new ProcessBuilder(Stream.concat(Stream.of("bash", scripts().resolve(name).toString()), Stream.of(arguments)).toList()).redirectErrorStream(true)
          .redirectOutput(ProcessBuilder.Redirect.appendTo(directory.resolve("log").toFile()));
      builder.environment().clear();
      builder.environment().putAll(environment);
      try {
        processes.add(builder.start());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return this;
    }

    /** HAProxy asks the check agent; the answer is in the log. {@code taken} is what it takes the member for: UP, NOLB, DOWN, or on the way, "UP 2/3". */
    Pod checkedBy(String taken) {
      script("respond.sh");
      try (var request = processes.get(processes.size() - 1).outputWriter()) {
        request.write("GET / HTTP/1.0\r\nX-Haproxy-Server-State: " + taken + "; name=members/mysql-0; node=web; weight=1/1; scur=0/0; qcur=0\r\n\r\n");
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return this;
    }

    /** Waits until the script that was started last has ended. */
    Pod awaitEnd() {
      return await("the end of the script", () -> !processes.get(processes.size() - 1).isAlive());
    }

    /** To the script that was started last. */
    void signal(String name) {
      Bench.signal(processes.get(processes.size() - 1), name);
    }

    void kill() {
      for (Process process : processes) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
      processes.forEach(p -> p.onExit().join());
      processes.clear();
    }

    String log() {
      Path log = directory.resolve("log");
      return Files.exists(log) ? Bench.read(log) : "";
    }

    /** Every statement that the server was given. */
    String statements() {
      Path file = server.resolve("statements");
      return Files.exists(file) ? Bench.read(file) : "";
    }

    boolean takesWrites() {
      return statements().contains("SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF");
    }

    Pod awaitLog(String text) {
      return await("'" + text + "' in the log", () -> log().contains(text));
    }

    Pod await(String what, Callable<Boolean> condition) {
      try {
        Awaitility.await(what).atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50)).until(condition);
      } catch (org.awaitility.core.ConditionTimeoutException e) {
        throw new AssertionError(directory.getFileName() + ": " + what + " did not come; its log:\n" + log() + "\nstatements:\n" + statements(), e);
      }
      return this;
    }
  }
}
