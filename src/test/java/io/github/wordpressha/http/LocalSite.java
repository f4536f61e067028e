package io.github.wordpressha.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Ports;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.http.Row.Step;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/**
 * The web tier of a pod on this machine: nginx and php-fpm with the chart's files, and {@code src/test/resources/http/site} in place of
 * WordPress, or the core of a {@link LocalCore}. Only paths and ports differ from those in a pod.
 */
final class LocalSite implements HttpTarget {

  static final Path RESOURCES = Path.of("src/test/resources/http");
  private static final List<Path> PROGRAM_DIRECTORIES = Stream.concat(Stream.of("/usr/sbin", "/usr/local/sbin"), Stream.of(System.getenv("PATH").split(":")))
      .map(Path::of).distinct().toList();
  private static final boolean ROOT = System.getProperty("user.name").equals("root");
  /** A pod's paths, and those in the directory. */
  private static final Map<String, String> PLACES = Map.ofEntries(Map.entry("/etc/wordpress-web", "etc-web"), Map.entry("/etc/wordpress", "etc"),
      Map.entry("/run/wordpress", "run"), Map.entry("/run/secrets/wordpress", "secrets"), Map.entry("/run/secrets/admin", "admin"),
      Map.entry("/usr/src/wordpress", "root"), Map.entry("/code", "code"), Map.entry("/srv/shared", "root"),
      Map.entry("/var/cache/nginx", "cache"), Map.entry("/dev/stdout", "access.log"),
      Map.entry("/dev/stderr", "nginx.log"), Map.entry("/tmp", "tmp"), Map.entry("/proc/self/fd/2", "php.log"));
  private static final ObjectMapper JSON = new ObjectMapper();
  /** A variable that the pod's php-fpm.conf takes, and start-php.sh lowers. */
  private static final String QUERY_WORKERS = "QUERY_WORKERS";
  private static final Duration PROBE_PERIOD = Duration.ofSeconds(3);

  private final Path directory;
  private final LocalCore core;
  private final int port;
  private final int ownPort;
  private final int statusPort;
  private final int metricsPort;
  private final Client site;
  private final Client status;
  private final Client metrics;
  private final List<Process> processes = new ArrayList<>();
  private final Map<String, String> environment = new HashMap<>();
  private final Process media;
  private final ScheduledExecutorService kubelet = Executors.newSingleThreadScheduledExecutor();

  /** What is missing on this machine. */
  static Optional<String> missing() {
    return Stream.of("nginx", "php-fpm", "php").filter(name -> program(name).isEmpty()).findFirst().map(name -> name + " is not installed");
  }

  static Optional<Path> program(String name) {
    var names = Pattern.compile(Pattern.quote(name) + "[0-9.]*");
    return PROGRAM_DIRECTORIES.stream().filter(Files::isDirectory).flatMap(place -> files(place).stream())
        .filter(file -> names.matcher(file.getFileName().toString()).matches() && Files.isExecutable(file)).findFirst();
  }

  static LocalSite start(Path directory, ObjectNode values) {
    return start(directory, values, null);
  }

  /** With this core and its database; null for the files that stand for them. */
  static LocalSite start(Path directory, ObjectNode values, LocalCore core) {
    try {
      var site = new LocalSite(directory, values, core);
      site.awaitReady();
      return site;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private LocalSite(Path directory, ObjectNode values, LocalCore core) throws IOException {
    this.directory = directory;
    this.core = core;
    port = Ports.free();
    ownPort = Ports.free();
    statusPort = Ports.free();
    metricsPort = Ports.free();
    site = new Client(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), "site.example");
    status = new Client(new InetSocketAddress(InetAddress.getLoopbackAddress(), statusPort), "status");
    metrics = new Client(new InetSocketAddress(InetAddress.getLoopbackAddress(), metricsPort), "metrics");
    for (String name : List.of("run", "tmp", "cache", "state", "etc", "etc-web", "root", "secrets", "admin")) {
      Files.createDirectories(directory.resolve(name));
    }
    Path code = Files.createDirectories(directory.resolve("code"));
    Files.createSymbolicLink(code.resolve("current"), Path.of("generation"));
    for (String link : List.of("generation", "volume")) {
      Files.createSymbolicLink(code.resolve(link), directory.resolve("root/wp-content"));
    }
    for (var map : Profiles.chart().render(Release.standard(), values).manifests()) {
      if (map.kind().equals("ConfigMap") && map.name().endsWith("-web")) {
        writeAll(map.tree().path("data"), directory.resolve("etc-web"));
      } else if (map.kind().equals("ConfigMap") && map.name().endsWith("-wordpress")) {
        writeAll(map.tree().path("data"), directory.resolve("etc"));
      } else if (map.kind().equals("Deployment")) {
        map.tree().findValues("env").forEach(variables -> variables.forEach(variable -> {
          if (variable.path("name").asText().equals(QUERY_WORKERS)) {
            environment.put(QUERY_WORKERS, variable.path("value").asText());
          }
        }));
      }
    }
    if (core == null) {
      install(RESOURCES.resolve("site/ready.php"), directory.resolve("etc/ready.php"));
      for (Path file : files(RESOURCES.resolve("site"))) {
        install(file, directory.resolve("root").resolve(RESOURCES.resolve("site").relativize(file)));
      }
    } else {
      core.install(directory);
    }
    if (Files.exists(directory.resolve("etc-web/metrics.php"))) {
      run("php", "etc-web/metrics.php");
    }
    run("php-fpm", ROOT ? "-R" : "-F", "-F", "-y", "etc-web/php-fpm.conf");
    media = nginx("media-server.conf");
    nginx("nginx.conf");
  }

  private Process nginx(String configuration) throws IOException {
    return run("nginx", "-e", "error.log", "-p", directory + "/", "-c", "etc-web/" + configuration, "-g", "daemon off;" + (ROOT ? " user root;" : ""));
  }

  private void writeAll(JsonNode data, Path target) throws IOException {
    for (var file : (Iterable<Map.Entry<String, JsonNode>>) data::fields) {
      String text = moved(file.getValue().asText())
          .replaceAll("listen (?:\\[::\\]:)?8080", "listen 127.0.0.1:" + port).replaceAll("listen (?:\\[::\\]:)?8081", "listen 127.0.0.1:" + statusPort)
          .replace("127.0.0.1:8081", "127.0.0.1:" + statusPort).replaceAll("\\b8082\\b", String.valueOf(ownPort)).replaceAll("(?:127\\.0\\.0\\.1|0\\.0\\.0\\.0):9205", "127.0.0.1:" + metricsPort);
      if (core != null) {
        text = text.replace("127.0.0.1:3306", "127.0.0.1:" + core.databasePort());
      }
      if (ROOT) {
        text = text.replaceAll("(?m)^\\[(?!global)[a-z]+\\]$", "$0\nuser = root\ngroup = root");
      }
      Files.writeString(target.resolve(file.getKey()), text);
    }
  }

  /** The text with a pod's paths replaced by those in the directory. */
  private String moved(String text) {
    String all = PLACES.keySet().stream().sorted((one, other) -> other.length() - one.length()).map(Pattern::quote).collect(Collectors.joining("|"));
    return Pattern.compile("(?:" + all + ")(?![\\w.])").matcher(text).replaceAll(found -> directory.resolve(PLACES.get(found.group())).toString());
  }

  private void install(Path file, Path target) throws IOException {
    Files.createDirectories(target.getParent());
    Files.writeString(target, moved(Files.readString(file)));
  }

  private Process run(String program, String... arguments) throws IOException {
    var command = new ArrayList<>(List.of(program(program).orElseThrow().toString()));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true)
        .redirectOutput(directory.resolve(program + ".out").toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private void awaitReady() {
    try {
      Awaitility.await("a ready site").atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(50)).ignoreExceptions()
          .until(() -> status.send(Step.get("/readyz")).status() == 200);
    } catch (RuntimeException e) {
      String log = logs();
      close();
      throw new IllegalStateException("nginx or php-fpm does not start:\n" + log, e);
    }
    kubelet.scheduleWithFixedDelay(this::probe, 0, PROBE_PERIOD.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void probe() {
    try {
      status.send(Step.get("/readyz"));
    } catch (UncheckedIOException e) {
      // A probe that fails is one without effect.
    }
  }

  /** A file of the shared volume. */
  Path shared(String name) {
    return directory.resolve("root/wp-content").resolve(name);
  }

  /** The reader of the shared volume hangs from now on, or no longer: it is stopped. */
  void volumeHangs(boolean hangs) {
    try {
      var command = new ArrayList<>(List.of("kill", hangs ? "-STOP" : "-CONT", String.valueOf(media.pid())));
      media.descendants().map(process -> String.valueOf(process.pid())).forEach(command::add);
      new ProcessBuilder(command).inheritIO().start().waitFor();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What sync-code.sh says about the volume. */
  void volumeIsKnownAway(boolean away) throws IOException {
    Path link = directory.resolve("code/volume");
    Files.delete(link);
    Files.createSymbolicLink(link, away ? Path.of("away") : directory.resolve("root/wp-content"));
  }

  /** What both servers have written. */
  String logs() {
    return files(directory).stream().filter(file -> file.toString().endsWith(".log") || file.toString().endsWith(".out")).map(file -> {
      try {
        return file.getFileName() + ":\n" + Files.readString(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }).collect(Collectors.joining("\n"));
  }

  @Override
  public Answer send(Step step) {
    return site.send(step);
  }

  /** Where this pod takes in lists of changed pages. */
  String changes() {
    return "127.0.0.1:" + statusPort;
  }

  Answer sendChanges(String list, String signature) {
    return status.send(Step.request("POST", "/changed", Map.of("X-Signature", signature), list));
  }

  /** The pods that WordPress in this one tells of changed pages. In a cluster DNS has their addresses. */
  void tells(List<String> pods) {
    try {
      Path settings = directory.resolve("etc/settings.json");
      ObjectNode tree = (ObjectNode) JSON.readTree(settings.toFile());
      tree.set("pods", JSON.valueToTree(pods));
      Files.writeString(settings, JSON.writeValueAsString(tree));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Where a browser finds it. */
  URI address() {
    return URI.create("http://127.0.0.1:" + port);
  }

  /** A scrape of the pod's metrics. */
  Answer scrape() {
    return metrics.send(Step.get("/metrics"));
  }

  @Override
  public void change(String page, String kind) {
    write("page-" + page, kind);
  }

  @Override
  public void database(boolean available) {
    try {
      if (available) {
        Files.deleteIfExists(directory.resolve("state/database"));
      } else {
        write("database", "away");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    probe();
  }

  private void write(String name, String text) {
    try {
      Files.writeString(directory.resolve("state").resolve(name), text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    kubelet.shutdownNow();
    processes.forEach(process -> {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().onExit().join();
    });
  }

  private static List<Path> files(Path directory) {
    try (Stream<Path> files = Files.walk(directory, directory.startsWith(RESOURCES) ? 20 : 1)) {
      return files.filter(Files::isRegularFile).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
