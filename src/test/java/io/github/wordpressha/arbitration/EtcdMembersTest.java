package io.github.wordpressha.arbitration;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** How a member of etcd finds out whether it is new, returns, or replaces a lost volume. It is number 0 of three. */
@Tag("arbitration")
@Execution(ExecutionMode.CONCURRENT)
class EtcdMembersTest {

  private final Path directory = Bench.temporary("etcd-members");
  private final Path volume = directory.resolve("volume");
  private final Path configuration = directory.resolve("run/etcd.yaml");
  private final Path log = directory.resolve("log");
  private final List<Process> processes = new ArrayList<>();
  private final Map<Integer, HttpServer> speakers = new HashMap<>();
  private final int[] ports = Etcd.freePorts(7);

  @BeforeEach
  void open() throws IOException {
    Etcd.program();
    Files.createDirectories(volume);
    connections();
  }

  @AfterEach
  void close() {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    speakers.values().forEach(server -> server.stop(0));
  }

  private static String peer(int i) {
    return "http://demo-etcd-" + i + ".db.test:2380";
  }

  /** What member I says of its volume. */
  private void says(int i, String text) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(200, text.length());
      exchange.getResponseBody().write(text.getBytes());
      exchange.close();
    });
    server.start();
    HttpServer before = speakers.put(i, server);
    if (before != null) {
      before.stop(0);
    }
    connections();
  }

  private void connections() {
    var lines = new StringBuilder();
    for (int i = 0; i < 3; i++) {
      lines.append("connect-to = \"demo-etcd-%d.db.test:2379:127.0.0.1:%d\"%n".formatted(i, ports[i]));
      lines.append("connect-to = \"demo-etcd-%d.db.test:2382:127.0.0.1:%d\"%n".formatted(i, speakers.containsKey(i) ? speakers.get(i).getAddress().getPort() : 1));
    }
    Bench.write(directory.resolve("home/.curlrc"), lines.toString());
  }

  private Process script(String name) throws IOException {
    var builder = new ProcessBuilder("bash", Bench.FILES.resolve("etcd/" + name).toString()).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().clear();
    builder.environment().putAll(Map.of("PATH", System.getenv("PATH"), "CURL_HOME", directory.resolve("home").toString(), "POD_NAME", "demo-etcd-0", "MEMBERS", "3", "DOMAIN", "db.test",
        "CLUSTER_TOKEN", "t/demo", "QUOTA", "100000000", "VOLUME", volume.toString(), "CONFIGURATION", configuration.toString(), "PAUSE", "1"));
    builder.environment().putAll(Map.of("OWN_ENDPOINT", "http://127.0.0.1:" + ports[0], "STATUS_PORT", "" + ports[6],
        "ETCD_ENDPOINTS", "http://demo-etcd-0.db.test:2379 http://demo-etcd-1.db.test:2379 http://demo-etcd-2.db.test:2379"));
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  private void etcd(List<String> arguments) throws IOException {
    var command = new ArrayList<>(List.of(Etcd.program().toString()));
    command.addAll(arguments);
    processes.add(new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(directory.resolve("etcd.log").toFile()).start());
  }

  /** Members 1 and 2 of a cluster whose number 0 is down. */
  private void othersRun(int... which) throws IOException {
    String all = "demo-etcd-0=" + peer(0) + ",demo-etcd-1=http://127.0.0.1:" + ports[4] + ",demo-etcd-2=http://127.0.0.1:" + ports[5];
    for (int i : which) {
      String client = "http://127.0.0.1:" + ports[i];
      String peer = "http://127.0.0.1:" + ports[3 + i];
      etcd(List.of("--name=demo-etcd-" + i, "--data-dir=" + directory.resolve("other-" + i), "--listen-client-urls=" + client, "--advertise-client-urls=" + client,
          "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=" + all, "--initial-cluster-token=t/demo", "--unsafe-no-fsync", "--log-level=error"));
    }
  }

  private String text() {
    return Bench.read(log);
  }

  private void await(String what, Callable<Boolean> condition) {
    try {
      Awaitility.await(what).atMost(Duration.ofSeconds(90)).pollInterval(Duration.ofMillis(50)).until(condition);
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError(what + " did not come; the log:\n" + text() + Bench.read(directory.resolve("etcd.log")), e);
    }
  }

  private String started(String... parts) {
    await("the configuration", () -> Files.exists(configuration));
    return assertThat(Bench.read(configuration)).contains(parts).actual();
  }

  @Test
  void nobodyFoundsBeforeAllHaveSaidThatTheyAreEmpty() throws IOException {
    says(1, "empty");
    script("configure.sh");
    await("the wait for a silent member", () -> text().contains("demo-etcd-2: no answer."));
    assertThat(Files.exists(configuration)).isFalse();
    assertThat(Bench.read(volume.resolve("state")).trim()).isEqualTo("empty");
    says(2, "new");
    started("initial-cluster-state: new", "demo-etcd-1=" + peer(1));
    assertThat(Bench.read(volume.resolve("state")).trim()).isEqualTo("new");
  }

  @Test
  void aMemberWhoseClusterWasFoundedWithAnotherSchemeDoesNotStart() throws IOException {
    Files.createDirectories(volume.resolve("data/member/wal"));
    Bench.write(volume.resolve("scheme"), "https\n");
    script("configure.sh");
    await("the wait", () -> text().contains("founded with https, and tls.enabled now means http"));
    assertThat(Files.exists(configuration)).isFalse();
    Bench.write(volume.resolve("scheme"), "http\n");
    started("initial-cluster-state: existing");
  }

  @Test
  void theSchemeOfAVolumeWithoutANoteIsReadFromItsData() throws IOException {
    String peer = "http://127.0.0.1:" + ports[3];
    String client = "http://127.0.0.1:" + ports[0];
    etcd(List.of("--name=demo-etcd-0", "--data-dir=" + volume.resolve("data"), "--listen-client-urls=" + client, "--advertise-client-urls=" + client,
        "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=demo-etcd-0=" + peer, "--log-level=error"));
    Path database = volume.resolve("data/member/snap/db");
    await("a member's data", () -> Files.exists(database) && Files.readString(database, StandardCharsets.ISO_8859_1).contains("peerURLs"));
    script("configure.sh");
    started("initial-cluster-state: existing");
    assertThat(Bench.read(volume.resolve("scheme")).trim()).isEqualTo("http");
  }

  @Test
  void aVolumeWithoutANoteWhoseMembersEncryptDoesNotStartInPlainText() throws IOException {
    Files.createDirectories(volume.resolve("data/member/wal"));
    Bench.write(volume.resolve("data/member/wal/0.wal"), "\0{\"id\":1,\"peerURLs\":[\"https://demo-etcd-0:2380\"]}\0");
    script("configure.sh");
    await("the wait", () -> text().contains("founded with https, and tls.enabled now means http"));
    assertThat(Files.exists(configuration)).isFalse();
  }

  @Test
  void aMemberOfAClusterWithoutAQuorumIsWaitedFor() throws IOException {
    says(1, "empty");
    says(2, "member");
    othersRun(2);
    script("configure.sh");
    await("the wait", () -> text().contains("demo-etcd-2: member."));
    assertThat(Files.exists(configuration)).isFalse();
  }

  @Test
  void aReturningMemberAsksNobody() throws IOException {
    Bench.write(volume.resolve("data/member/wal/0.wal"), "log");
    script("configure.sh");
    started("initial-cluster-state: existing");
    assertThat(Bench.read(volume.resolve("data/member/wal/0.wal"))).isEqualTo("log");
  }

  @Test
  void aLostVolumeIsReplacedAndTheMemberVotesAgain() throws IOException {
    othersRun(1, 2);
    Process configure = script("configure.sh");
    await("the configuration", () -> Files.exists(configuration) && !configure.isAlive());
    assertThat(text()).contains("Removing the old entry", "Added as a learner");
    assertThat(Files.exists(volume.resolve("before-replacement.db"))).as("the snapshot from before").isTrue();
    assertThat(Bench.read(volume.resolve("state")).trim()).isEqualTo("member");
    String file = started("initial-cluster-state: existing").replace("http://0.0.0.0:2380", "http://127.0.0.1:" + ports[3])
        .replace("http://0.0.0.0:2379", "http://127.0.0.1:" + ports[0]).replaceAll("listen-metrics-urls.*\n", "").replace("http://demo-etcd-0.db.test:2379", "http://127.0.0.1:" + ports[0]);
    Bench.write(configuration, file);
    etcd(List.of("--config-file=" + configuration));
    script("status.sh");
    await("the promotion", () -> text().contains("this member votes now"));
  }
}
