package io.github.wordpressha.arbitration;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.arbitration.ReplicationBench.Pod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("arbitration")
class ReplicationTest {

  private ReplicationBench bench;

  @BeforeEach
  void bench() {
    bench = new ReplicationBench();
  }

  @AfterEach
  void close() {
    bench.close();
  }

  @Nested
  @DisplayName("without a primary")
  class Election {

    @Test
    @DisplayName("the last primary, alone, becomes primary again, and stays read-only: nobody can acknowledge a write")
    void lastPrimaryAlone() {
      bench.known(3, 0, 1, 1, 2);
      Pod pod = bench.pod(0).serves("a:1-9").elector().awaitLog("Primary of term 4: read-only");
      assertThat(bench.fact("view")).isEqualTo(Bench.json("{\"term\":4,\"primary\":\"demo-mysql-0\",\"replicas\":[],\"acknowledge\":1}"));
      assertThat(bench.fact("primary").path("pod").asText()).isEqualTo("demo-mysql-0");
      assertThat(pod.takesWrites()).isFalse();
    }

    @Test
    @DisplayName("all of the replicas know every acknowledged write; the one with more becomes primary, the other has to catch up before it counts")
    void mostAdvanced() {
      bench.known(3, 0, 1, 1, 2).reports(1, "a:1-8");
      Pod pod = bench.pod(2).serves("a:1-7").with("server/received", "a:1-9").elector().awaitLog("Applying what was received first");
      assertThat(bench.fact("primary").isNull()).isTrue();
      pod.with("server/executed", "a:1-9").awaitLog("Primary of term 4: read-only");
      assertThat(bench.fact("view").path("replicas")).isEmpty();
    }

    @Test
    @DisplayName("replicas that are equal: the first of them, and the other one counts at once")
    void tie() {
      bench.known(3, 0, 1, 1, 2).reports(2, "a:1-9");
      Pod pod = bench.pod(1).serves("a:1-9").elector().awaitLog("Primary of term 4: taking writes");
      assertThat(bench.fact("view").path("replicas").toString()).isEqualTo("[\"demo-mysql-2\"]");
      assertThat(pod.statements()).contains("ALTER USER 'replica-2'@'%' ACCOUNT UNLOCK").doesNotContain("ALTER USER 'replica-0'@'%' ACCOUNT UNLOCK");
    }

    @Test
    @DisplayName("the second of two equals leaves it to the first")
    void tieOther() {
      bench.known(3, 0, 1, 1, 2).reports(1, "a:1-9");
      bench.pod(2).serves("a:1-9").elector().awaitLog("Waiting for demo-mysql-1, which has everything");
      assertThat(bench.fact("primary").isNull()).isTrue();
    }

    @Test
    @DisplayName("a replica goes before the last primary, if they are equal: that one's pod is new, and clients may not know its address for long")
    void tieWithLastPrimary() {
      bench.known(3, 0, 1, 1, 2).reports(0, "a:1-9");
      bench.pod(2).serves("a:1-9").elector().awaitLog("Primary of term 4: taking writes");
    }

    @Test
    @DisplayName("one of two replicas waits: the missing ones may hold an acknowledged write alone; with the last primary's report it knows")
    void waitsWhenItCannotKnow() {
      bench.known(3, 0, 1, 1, 2);
      Pod pod = bench.pod(1).serves("a:1-9").elector().awaitLog("missing: demo-mysql-0, demo-mysql-2");
      assertThat(bench.fact("primary").isNull()).isTrue();
      bench.reports(0, "a:1-10");
      pod.awaitLog("Waiting for demo-mysql-0, which has everything");
    }

    @Test
    @DisplayName("a replica that was the only one to acknowledge knows everything by itself")
    void onlyOneThatCounts() {
      bench.known(3, 0, 1, 1);
      bench.pod(1).serves("a:1-9").elector().awaitLog("Primary of term 4");
    }

    @Test
    @DisplayName("a replica that did not count is never chosen, whatever it has")
    void whoDoesNotCount() {
      bench.known(3, 0, 1, 1).reports(0, "a:1-9");
      bench.pod(2).serves("a:1-20").elector().awaitLog("Waiting for demo-mysql-0");
      assertThat(bench.fact("primary").isNull()).isTrue();
    }

    @Test
    @DisplayName("a member that has more than the new primary does not count: it would acknowledge what it has not received")
    void whoHasMore() {
      bench.known(3, 0, 1, 1).reports(0, "a:1-9").reports(2, "a:1-20");
      bench.pod(1).serves("a:1-9").elector().awaitLog("Primary of term 4: taking writes");
      assertThat(bench.fact("view").path("replicas").toString()).isEqualTo("[\"demo-mysql-0\"]");
    }

    @Test
    @DisplayName("a person decides for one that lacks what another one has: the other one does not count")
    void whoHasMoreThanTheChosen() {
      bench.known(3, 0, 1, 1, 2).reports(2, "a:1-9,b:1-2");
      bench.put("override", "{\"pod\":\"demo-mysql-1\",\"by\":\"Kim\",\"at\":\"now\"}");
      bench.pod(1).serves("a:1-9").elector().awaitLog("Primary of term 4: read-only");
      assertThat(bench.fact("view").path("replicas")).isEmpty();
    }

    @Test
    @DisplayName("two acknowledgements for each write: one replica may be missing")
    void twoAcknowledgements() {
      try (var five = new ReplicationBench(5, 2, Etcd.shared().url())) {
        five.known(3, 0, 2, 1, 2, 3, 4).reports(2, "a:1-8").reports(3, "a:1-9");
        five.pod(1).serves("a:1-9").elector().awaitLog("Primary of term 4");
        assertThat(five.fact("view").path("replicas").toString()).isEqualTo("[\"demo-mysql-3\"]");
      }
    }

    @Test
    @DisplayName("members with different transactions: a person decides, and it is written down")
    void diverged() {
      bench.known(3, 0, 1, 1, 2).reports(2, "a:1-8,b:1-2");
      Pod pod = bench.pod(1).serves("a:1-9").elector().awaitLog("no member has everything that the others have");
      assertThat(bench.fact("primary").isNull()).isTrue();
      bench.put("override", "{\"pod\":\"demo-mysql-1\",\"by\":\"Kim\",\"at\":\"now\"}");
      pod.awaitLog("OVERRIDE by Kim").awaitLog("Primary of term 4");
      assertThat(bench.etcd.list(bench.prefix()).keySet()).noneMatch(k -> k.equals("override")).anyMatch(k -> k.startsWith("audit/"));
    }

    @Test
    @DisplayName("data of another database counts for nothing")
    void foreignReport() {
      bench.known(3, 0, 1, 1, 2).put("report/demo-mysql-2", "{\"by\":\"x\",\"state\":\"data\",\"cluster\":\"other\",\"term\":1,\"received\":\"a:1-9\"}");
      bench.pod(1).serves("a:1-9").elector().awaitLog("missing: demo-mysql-0, demo-mysql-2");
      assertThat(bench.fact("primary").isNull()).isTrue();
    }

    @Test
    @DisplayName("etcd has lost its data: all members are waited for")
    void etcdLostItsData() {
      bench.reports(1, "a:1-9");
      Pod pod = bench.pod(0).serves("a:1-9").elector().awaitLog("missing: demo-mysql-2");
      bench.reports(2, "a:1-9");
      pod.awaitLog("taking writes");
      assertThat(bench.fact("cluster").path("id").asText()).isEqualTo("c");
    }

    @Test
    @DisplayName("three members at once: exactly one becomes primary")
    void race() {
      bench.known(3, 0, 1, 1, 2);
      // Whoever reported too late to be in the view of the winner asks it what it has.
      IntStream.range(0, 3).forEach(i -> bench.agent(i, "{\"pod\":\"demo-mysql-%d\",\"role\":\"primary\",\"term\":4,\"executed\":\"a:1-9\"}".formatted(i)));
      List<Pod> pods = IntStream.range(0, 3).mapToObj(i -> bench.pod(i).serves("a:1-9")).toList();
      pods.forEach(Pod::elector);
      pods.get(0).await("a primary", () -> !bench.fact("primary").isNull() && bench.fact("primary").path("term").asInt() == 4);
      pods.get(0).await("followers", () -> pods.stream().filter(p -> p.statements().contains("CHANGE REPLICATION SOURCE")).count() == 2);
      pods.get(0).await("one that takes writes", () -> pods.stream().anyMatch(Pod::takesWrites));
      assertThat(pods).filteredOn(Pod::takesWrites).hasSize(1);
    }

    @Test
    @DisplayName("another pod of the same name speaks for itself: this one waits until its report has ended")
    void twin() {
      bench.known(3, 0, 1, 1, 2).reports(0, "a:1-9").put("report/demo-mysql-0", "{\"by\":\"another\",\"state\":\"data\",\"cluster\":\"c\",\"term\":1,\"received\":\"a:1-9\"}");
      bench.pod(0).serves("a:1-9").elector().awaitLog("another pod called demo-mysql-0");
      assertThat(bench.fact("primary").isNull()).isTrue();
    }

    @Test
    @DisplayName("a replica whose primary is named again before it has stopped receiving is its replica as before")
    void namedAgain() {
      bench.known(4, 1, 1, 2).primary(1, "uid-1", 4);
      Pod pod = bench.pod(2).serves("a:1-9").elector().awaitLog("In sync: acknowledging writes of demo-mysql-1");
      pod.with("run/promised", (uptime() + 60_000) + "\n");
      bench.etcd.delete(bench.prefix() + "primary");
      pod.awaitLog("has confirmed a primary some seconds ago");

      bench.primary(1, "uid-1", 4);

      pod.await("its report is taken back, if there is one", () -> !Files.exists(pod.run.resolve("electing")));
      assertThat(Bench.read(pod.run.resolve("role"))).startsWith("replica 4 demo-mysql-1");
      assertThat(pod.run.resolve("following")).exists();
    }

    @Test
    @DisplayName("who has just confirmed a primary by itself does not elect another before that has run out")
    void promises() {
      bench.known(3, 0, 1, 1, 2).reports(2, "a:1-9");
      Pod pod = bench.pod(1).serves("a:1-9");
      pod.with("run/promised", uptime() + "\n").elector().awaitLog("has confirmed a primary some seconds ago").awaitLog("Primary of term 4");
      assertThat(pod.log()).containsSubsequence("has confirmed a primary", "Primary of term 4");
    }
  }

  @ParameterizedTest(name = "{0}")
  @EnumSource(value = Gateway.Fate.class, names = "PASS", mode = EnumSource.Mode.EXCLUDE)
  @DisplayName("the claim's answer does not come whole: never two primaries, and in the end there is one")
  void claimsAnswerIsSpoiled(Gateway.Fate fate) throws Exception {
    var spoiled = new AtomicBoolean();
    try (var gateway = new Gateway(Etcd.shared().url()); var spoilt = new ReplicationBench(3, 1, gateway.url())) {
      gateway.plan(request -> request.path().equals("kv/txn") && request.body().contains("replication/view") && spoiled.compareAndSet(false, true) ? fate : Gateway.Fate.PASS);
      spoilt.known(3, 0, 1, 1, 2).reports(2, "a:1-8");
      Pod pod = spoilt.pod(1).serves("a:1-9").elector();
      pod.awaitLog("etcd did not confirm the claim");
      // If it was carried out, its lease was given back or ends, and the view names this member: it may try again.
      pod.awaitLog("Primary of term");
      assertThat(spoilt.fact("primary").path("pod").asText()).isEqualTo("demo-mysql-1");
    }
  }

  @Test
  @DisplayName("a primary goes on while etcd takes two seconds for each answer, though no replica confirms it")
  void etcdIsSlow() throws Exception {
    try (var gateway = new Gateway(Etcd.shared().url()); var slow = new ReplicationBench(3, 1, gateway.url())) {
      slow.known(3, 0, 1, 1, 2).reports(2, "a:1-9");
      Pod pod = slow.pod(1).serves("a:1-9").elector().awaitLog("taking writes");
      gateway.plan(request -> {
        if (request.path().equals("lease/keepalive")) {
          LockSupport.parkNanos(Duration.ofSeconds(2).toNanos());
        }
        return Gateway.Fate.PASS;
      });
      Awaitility.await("its right never ends").during(Duration.ofSeconds(8)).atMost(Duration.ofSeconds(9))
          .until(() -> deadline(pod) > uptime());
      assertThat(pod.log()).doesNotContain("FENCED");
    }
  }

  @Nested
  @DisplayName("a primary")
  class Primary {

    private Pod pod;

    private void isPrimary() {
      bench.known(3, 0, 1, 1, 2).reports(2, "a:1-9");
      pod = bench.pod(1).serves("a:1-9").elector().awaitLog("taking writes");
    }

    @Test
    @DisplayName("whose lease has ended takes a new one if nobody was elected since")
    void takesItsLeaseAgain() {
      isPrimary();
      bench.etcd.endLease(bench.prefix() + "primary");
      pod.awaitLog("Took a new lease");
      assertThat(bench.fact("primary").path("term").asInt()).isEqualTo(4);
    }

    @Test
    @DisplayName("is fenced when another one was elected")
    void anotherOne() {
      isPrimary();
      bench.put("view", "{\"term\":5,\"primary\":\"demo-mysql-2\",\"replicas\":[],\"acknowledge\":1}").primary(2, "uid-2", 5);
      pod.awaitLog("FENCED");
      assertThat(pod.statements()).contains("SET GLOBAL super_read_only = ON");
      assertThat(Files.exists(pod.run.resolve("deadline"))).isFalse();
    }

    @Test
    @DisplayName("has its server killed when sessions wait for an acknowledgement: they must not be told that they are done")
    void waiting() {
      isPrimary();
      pod.with("server/waits", "");
      bench.put("view", "{\"term\":5,\"primary\":\"demo-mysql-2\",\"replicas\":[],\"acknowledge\":1}").primary(2, "uid-2", 5);
      pod.awaitLog("it is killed").await("the order to kill the server", () -> Files.exists(pod.run.resolve("kill")));
    }

    @Test
    @DisplayName("whose server does not answer gets no more time; it goes on if that was for a moment, and else another one can take over soon")
    void serverHangs() {
      isPrimary();
      Path state = pod.run.resolve("state");
      String text = Bench.read(state);
      Bench.delete(state);
      pod.awaitLog("The lease is not renewed: the server does not answer");
      long until = deadline(pod);
      Bench.write(state, text);
      pod.await("the right to be prolonged", () -> deadline(pod) > until);
      assertThat(pod.log()).doesNotContain("FENCED");

      Bench.delete(state);
      pod.await("the second silence", () -> pod.log().split("The lease is not renewed", -1).length == 3);
      long ends = deadline(pod);
      pod.awaitLog("FENCED: the server does not answer");
      assertThat(uptime()).as("when it was fenced").isLessThan(ends);
    }

    @Test
    @DisplayName("does without a replica that is about to stop when another one is there, and keeps the last one that a write needs")
    void letsGo() {
      isPrimary();
      for (int i : new int[] {0, 2}) {
        bench.agent(i, "{\"pod\":\"demo-mysql-%d\",\"role\":\"replica\",\"executed\":\"a:1-9\",\"retrieved\":\"\"}".formatted(i));
      }
      pod.with("server/connected", "demo-mysql-0\ndemo-mysql-2\n");
      bench.known(4, 1, 1, 0, 2);

      bench.put("leaving/demo-mysql-2", "{\"by\":\"uid-2\"}");
      pod.await("one replica", () -> bench.fact("view").path("replicas").equals(Bench.json("[\"demo-mysql-0\"]")));

      pod.with("server/connected", "demo-mysql-0\n");
      bench.put("leaving/demo-mysql-0", "{\"by\":\"uid-0\"}");
      pod.awaitLog("demo-mysql-0 is about to stop. It stays in the view");
      assertThat(bench.fact("view").path("replicas")).hasSize(1);

      bench.scale(1);
      pod.await("no replica", () -> bench.fact("view").path("replicas").isEmpty());
      assertThat(bench.fact("view").path("acknowledge").asInt()).isZero();
    }

    @Test
    @DisplayName("does not do without a replica that is about to stop while no other one is connected")
    void letsNobodyGo() {
      isPrimary();
      bench.agent(0, "{\"pod\":\"demo-mysql-0\",\"role\":\"replica\",\"executed\":\"a:1-8\",\"retrieved\":\"\"}");
      pod.with("server/connected", "demo-mysql-2\n");
      bench.put("leaving/demo-mysql-2", "{\"by\":\"uid-2\"}");
      bench.known(4, 1, 1, 0, 2);

      pod.awaitLog("demo-mysql-2 is about to stop. It stays in the view: nobody else is there");
      assertThat(pod.statements()).doesNotContain("'replica-2'@'%' ACCOUNT LOCK");
    }

    @Test
    @DisplayName("gives the lease back at once when its server has ended")
    void serverEnds() {
      isPrimary();
      Bench.delete(pod.run.resolve("server"));
      pod.awaitLog("giving the lease back").await("no primary", () -> bench.fact("primary").isNull());
    }
  }

  @Test
  @DisplayName("planned work: the primary hands over to a replica that gets ready first, and then follows it")
  void handsOver() {
    bench.known(3, 0, 1, 1, 2).reports(2, "a:1-9");
    Pod old = bench.pod(1).serves("a:1-9").elector().awaitLog("taking writes");
    bench.agent(2, "{\"pod\":\"demo-mysql-2\",\"role\":\"replica\",\"source\":\"demo-mysql-1\",\"receiving\":true,\"synced\":true,\"behind\":0,\"draining\":false}");
    Pod next = bench.pod(2).serves("a:1-9").elector().awaitLog("In sync: acknowledging writes of demo-mysql-1");

    old.with("run/handover", "the pod is about to stop\n").awaitLog("Handed over to demo-mysql-2");

    next.awaitLog("Ready to take over from demo-mysql-1").awaitLog("Primary of term 5: taking writes");
    assertThat(bench.fact("view")).isEqualTo(Bench.json("{\"term\":5,\"primary\":\"demo-mysql-2\",\"replicas\":[\"demo-mysql-1\"],\"acknowledge\":1}"));
    assertThat(next.statements()).as("replicas find their place at once").containsSubsequence("FLUSH BINARY LOGS", "SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF");
    assertThat(old.run.resolve("writable")).doesNotExist();
    old.await("the pod may stop", () -> Files.exists(old.run.resolve("handed-over")));
    old.awaitLog("In sync: acknowledging writes of demo-mysql-2");
  }

  @Test
  @DisplayName("a clone that the volume has no room for fails at once, though its donor goes on sending")
  void cloneHasNoRoom() {
    bench.pod(1).script("clone.sh", "demo-mysql-0", "1").awaitEnd().awaitLog("the stream could not be unpacked: my_write() failed.");
  }

  @Test
  @DisplayName("planned work: a replica asks to be let go, and stops when it is; its next pod does not ask any more")
  void asksToLeave() {
    bench.known(4, 1, 1, 2).primary(1, "uid-1", 4);
    Pod pod = bench.pod(2).serves("a:1-9").elector().awaitLog("In sync: acknowledging writes of demo-mysql-1");
    pod.with("run/state", "{\"receiving\":true}\n").script("handover.sh");
    pod.await("its wish", () -> bench.fact("leaving/demo-mysql-2").path("by").asText().equals("uid-2"));
    assertThat(pod.run.resolve("may-leave")).doesNotExist();

    bench.known(4, 1, 1, 0);

    pod.awaitEnd().awaitLog("About to stop: nothing waits for this member");
    Bench.delete(pod.run.resolve("leaving"));
    pod.await("its wish is taken back", () -> bench.fact("leaving/demo-mysql-2").isNull());
  }

  @Test
  @DisplayName("planned work: a replica that receives nothing does not wait to be let go, nor does a member that nobody could take over from")
  void needsNotAskToLeave() {
    bench.pod(2).with("run/role", "replica 4 demo-mysql-1\n").with("run/state", "{\"receiving\":false}\n").script("handover.sh").awaitEnd();
    bench.pod(1).with("run/role", "primary 4\n").with("run/handed-over", "nobody\n").script("handover.sh").awaitEnd();
  }

  @ParameterizedTest(name = "{0}: {1}, then {2}")
  @CsvSource({"DOWN, 503 Not the primary., 200 Primary of term 4.", "UP, 200 Primary of term 4., 404 Handing over.", "NOLB, 404 Handing over., 503 Not the primary."})
  @DisplayName("a health check of HAProxy waits while it knows what it would be told, and hears of a change at once, also if it has closed its side")
  void healthCheckWaits(String taken, String noted, String next) {
    Pod pod = bench.pod(1).serves("a:1-9").with("run/health", noted + "\n").checkedBy(taken);
    Awaitility.await("no answer").during(Duration.ofMillis(300)).atMost(Duration.ofSeconds(1)).until(() -> pod.log().isEmpty());

    pod.with("run/health", next + "\n");

    pod.awaitLog("HTTP/1.0 " + next.substring(0, 3));
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource({"DOWN, 200 Primary of term 4.", "UP, 404 Handing over.", "UP, 503 Not the primary.", "UP 2/3, 200 Primary of term 4.", "NOLB, 200 Primary of term 4.", "DOWN 1/2, 503 Not the primary."})
  @DisplayName("a health check of HAProxy is told at once what it does not know, or is not sure of")
  void healthCheckHearsNews(String taken, String noted) {
    Pod pod = bench.pod(1).serves("a:1-9").with("run/health", noted + "\n");
    Instant asked = Instant.now();
    pod.checkedBy(taken).awaitLog("HTTP/1.0 " + noted.substring(0, 3));
    assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofMillis(700));
  }

  @Test
  @DisplayName("planned work: a replica whose answer is late takes over all the same")
  void handsOverToWhoAnswersLate() {
    bench.known(3, 0, 1, 1, 2).reports(2, "a:1-9");
    Pod old = bench.pod(1).serves("a:1-9").elector().awaitLog("taking writes");
    bench.pod(2).serves("a:1-9").elector().awaitLog("In sync: acknowledging writes of demo-mysql-1");

    old.with("run/handover", "the pod is about to stop\n").awaitLog("No replica says that it can take over. Asking again.");
    bench.agent(2, "{\"pod\":\"demo-mysql-2\",\"role\":\"replica\",\"source\":\"demo-mysql-1\",\"receiving\":true,\"synced\":true,\"behind\":0,\"draining\":false}");

    old.awaitLog("Handed over to demo-mysql-2");
    assertThat(old.log()).doesNotContain("FENCED");
  }

  @Test
  @DisplayName("planned work: a primary whose replicas never say that they can take over gives its lease back after a while")
  void handsOverToNobody() {
    bench.known(3, 0, 1, 1, 2).reports(2, "a:1-9");
    Pod old = bench.pod(1).serves("a:1-9").elector().awaitLog("taking writes");

    old.with("run/handover", "the pod is about to stop\n").awaitLog("FENCED: The pod is about to stop, and no replica can take over");

    old.await("the lease is given back", () -> bench.fact("primary").isNull());
    old.await("the pod may stop", () -> Files.exists(old.run.resolve("handed-over")));

    // Only the server was restarted: this pod has more than the other, is primary again, and is to hand over again, later.
    Bench.delete(old.run.resolve("handover"));
    bench.reports(2, "a:1-8");
    old.awaitLog("Primary of term 5: read-only");
    bench.known(5, 1, 1, 2);
    old.await("it takes writes again", () -> old.log().lastIndexOf("taking writes") > old.log().lastIndexOf("FENCED"));
    int before = old.log().length();
    old.with("run/handover", "the pod is about to stop\n").await("an answer", () -> old.log().indexOf("can take over", before) > 0);
    assertThat(old.log().substring(before)).contains("Asking again").doesNotContain("FENCED");
  }

  @Nested
  @DisplayName("an etcd that does not answer any more")
  class EtcdGone {

    private final Etcd etcd = Etcd.single(Bench.temporary("gone"));

    @Test
    @DisplayName("as all of its members hang: a primary that is confirmed goes on all the same")
    void goesOnWhileEtcdHangs() {
      String port = etcd.url().substring(etcd.url().lastIndexOf(':'));
      try (var lonely = new ReplicationBench(3, 1, "%s http://localhost%s http://127.1%s".formatted(etcd.url(), port, port))) {
        register(lonely, true);
        Pod pod = lonely.pod(1).serves("a:1-9").elector().awaitLog("taking writes");
        long first = deadline(pod);
        etcd.signal("STOP");
        pod.await("the right to be prolonged", () -> pod.log().contains("FENCED") || deadline(pod) > first + 15_000);
        assertThat(pod.log()).contains("Going on while the replicas confirm").doesNotContain("FENCED");
        etcd.signal("CONT");
        pod.awaitLog("etcd answers again").kill();
      }
      etcd.close();
    }

    @Test
    @DisplayName("fences a primary that no replica confirms; one that is confirmed goes on; nobody is elected")
    void goesOnWhileConfirmed() {
      for (boolean confirmed : List.of(true, false)) {
        try (var lonely = new ReplicationBench(3, 1, etcd.url())) {
          register(lonely, confirmed);
          Pod pod = lonely.pod(1).serves("a:1-9").elector().awaitLog("taking writes");
          etcd.kill();
          if (confirmed) {
            pod.awaitLog("Going on while the replicas confirm");
            long first = deadline(pod);
            pod.await("the right to be prolonged", () -> deadline(pod) > first + 5000);
            assertThat(pod.log()).doesNotContain("FENCED");
          } else {
            pod.awaitLog("FENCED: the lease could not be renewed, and too few replicas confirm");
          }
          pod.kill();
          etcd.start();
        }
      }
      etcd.close();
    }

    /** Two replicas without a primary; one of them, which runs or not, is not simulated any further. */
    private void register(ReplicationBench lonely, boolean otherRuns) {
      etcd.put(lonely.prefix() + "cluster", "{\"id\":\"c\",\"founder\":\"x\"}");
      etcd.put(lonely.prefix() + "view", "{\"term\":3,\"primary\":\"demo-mysql-0\",\"replicas\":[\"demo-mysql-1\",\"demo-mysql-2\"],\"acknowledge\":1}");
      etcd.put(lonely.prefix() + "report/demo-mysql-2", "{\"by\":\"uid-2\",\"state\":\"data\",\"cluster\":\"c\",\"term\":1,\"received\":\"a:1-9\"}");
      if (otherRuns) {
        lonely.agent(2, "{\"pod\":\"demo-mysql-2\",\"role\":\"replica\"}");
      }
    }
  }

  @Nested
  @DisplayName("empty volumes")
  class Empty {

    @Test
    @DisplayName("found a database only when all have reported, and the first one does")
    void founding() {
      Pod second = bench.pod(1).elector().awaitLog("every member has reported an empty volume");
      Pod third = bench.pod(2).elector();
      Pod first = bench.pod(0).elector().awaitLog("founding the database here");
      first.await("the order to initialize", () -> Files.exists(first.run.resolve("command")));
      first.with("mysql/ibdata1", "").with("run/initialized", "yes\n").awaitLog("The new database is registered").awaitLog("This volume holds data");
      assertThat(bench.fact("cluster").path("founder").asText()).isEqualTo("demo-mysql-0");
      assertThat(first.data.resolve("complete")).exists();
      second.awaitLog("there is no primary that a clone could follow");
      third.awaitLog("there is no primary that a clone could follow");
    }

    @Test
    @DisplayName("never found a database that is known, and are no candidates")
    void known() {
      bench.known(3, 0, 1, 1, 2);
      bench.pod(0).elector().awaitLog("there is no primary that a clone could follow");
      bench.pod(1).elector().awaitLog("there is no primary that a clone could follow");
      bench.pod(2).elector().awaitLog("there is no primary that a clone could follow");
      assertThat(bench.fact("primary").isNull()).isTrue();
    }

    @Test
    @DisplayName("are cloned; on one that takes no writes nothing is begun, and the elector goes on, until it does again")
    void cloned() throws Exception {
      bench.known(3, 0, 1, 1, 2);
      bench.agent(0, "{\"pod\":\"demo-mysql-0\",\"role\":\"primary\",\"term\":3,\"executed\":\"a:1-9\"}");
      Pod pod = bench.pod(1).elector().awaitLog("there is no primary that a clone could follow");
      Path full = Files.move(pod.state, pod.directory.resolve("full"));
      bench.primary(0, "uid-0", 3);
      pod.awaitLog("This volume takes no writes: it is full, or broken.");
      assertThat(pod.run.resolve("clone-request")).doesNotExist();
      Files.move(full, pod.state);
      pod.await("the request of a clone", () -> Files.exists(pod.run.resolve("clone-request")));
      assertThat(Bench.read(pod.run.resolve("clone-request"))).endsWith("demo-mysql-0\n");
    }

    @Test
    @DisplayName("the rest of a broken clone is emptied; files of unknown origin are not touched")
    void rests() {
      bench.known(3, 0, 1, 1, 2);
      Pod torn = bench.pod(1).with("mysql/ibdata1", "half").with("state/cloning", "c\n").elector().awaitLog("the rest of a clone that broke");
      torn.await("an empty directory", () -> !Files.exists(torn.data.resolve("ibdata1")));
      Pod unknown = bench.pod(2).with("mysql/ibdata1", "somebody's").elector().awaitLog("REFUSED: the files on this volume");
      assertThat(unknown.data.resolve("ibdata1")).exists();
      assertThat(Files.exists(unknown.run.resolve("command"))).isFalse();
    }
  }

  @Nested
  @DisplayName("a replica")
  class Replica {

    @Test
    @DisplayName("that the view lists acknowledges, over its own account; one that it does not list has to catch up first")
    void follows() {
      bench.known(4, 0, 1, 1).primary(0, "uid-0", 4);
      bench.agent(0, "{\"pod\":\"demo-mysql-0\",\"role\":\"primary\",\"term\":4,\"executed\":\"a:1-9\"}");
      Pod listed = bench.pod(1).serves("a:1-9").elector().awaitLog("In sync: acknowledging writes of demo-mysql-0");
      assertThat(listed.statements()).contains("rpl_semi_sync_replica_enabled = ON; START REPLICA IO_THREAD USER = 'replica-1'");
      Pod behind = bench.pod(2).serves("a:1-5").elector().awaitLog("Following demo-mysql-0").awaitLog("Catching up");
      assertThat(behind.statements()).contains("sync_relay_log = 1000; SET GLOBAL rpl_semi_sync_replica_enabled = OFF; START REPLICA IO_THREAD USER = 'replication'").doesNotContain("rpl_semi_sync_replica_enabled = ON");
      behind.with("server/executed", "a:1-9").awaitLog("entered as a replica").awaitLog("In sync: acknowledging writes");
      assertThat(bench.fact("view").path("replicas")).hasSize(2);
    }

    @Test
    @DisplayName("that has caught up is counted on only when all that it has received is on its disk")
    void received() throws IOException {
      bench.known(4, 0, 1).primary(0, "uid-0", 4);
      bench.agent(0, "{\"pod\":\"demo-mysql-0\",\"role\":\"primary\",\"term\":4,\"executed\":\"a:1-9\"}");
      Pod pod = bench.pod(2).serves("a:1-9");
      Path cannotBeSynced = Files.createSymbolicLink(pod.data.resolve("relay-bin.000001"), Path.of("/dev/null"));
      pod.elector().awaitLog("What was received is not on the disk yet.");
      assertThat(pod.statements()).containsPattern("sync_relay_log = 1\\b");
      assertThat(bench.fact("view").path("replicas")).isEmpty();
      Files.delete(cannotBeSynced);
      pod.awaitLog("entered as a replica");
    }

    @Test
    @DisplayName("that elects says what it has when that is on its disk")
    void reported() throws IOException {
      bench.known(4, 0, 1);
      Pod pod = bench.pod(1).serves("a:1-9");
      Path cannotBeSynced = Files.createSymbolicLink(pod.data.resolve("relay-bin.000001"), Path.of("/dev/null"));
      pod.elector().awaitLog("What was received is not on the disk yet.");
      assertThat(bench.etcd.list(bench.prefix())).doesNotContainKey("report/demo-mysql-1");
      Files.delete(cannotBeSynced);
      pod.await("the report", () -> bench.etcd.list(bench.prefix()).containsKey("report/demo-mysql-1"));
    }

    @Test
    @DisplayName("with transactions that the primary has not: nothing is thrown away before they are kept aside")
    void errant() {
      bench.known(4, 0, 1).primary(0, "uid-0", 4);
      bench.agent(0, "{\"pod\":\"demo-mysql-0\",\"role\":\"primary\",\"term\":4,\"executed\":\"a:1-9\"}");
      Pod pod = bench.pod(1).serves("a:1-9,b:1-1").elector();
      pod.await("the request to keep them", () -> Files.exists(pod.run.resolve("keep-request")));
      assertThat(pod.data.resolve("complete")).exists();
      assertThat(pod.statements()).doesNotContain("CHANGE REPLICATION SOURCE");
      String id = Bench.read(pod.run.resolve("keep-request")).split(" ")[0];
      pod.with("run/keep-status", id + " kept /volume/dropped/x.sql\n").awaitLog("DROPPED: this member alone has the transactions").awaitLog("Emptying this volume for a clone");
      pod.await("the order to kill the server", () -> Files.exists(pod.run.resolve("kill")));
      Bench.delete(pod.run.resolve("server"));
      pod.await("an empty directory", () -> !Files.exists(pod.data.resolve("complete")));
      assertThat(bench.etcd.list(bench.prefix()).keySet()).anyMatch(k -> k.startsWith("dropped/demo-mysql-1-"));
    }
  }

  @Nested
  @DisplayName("the watchdog")
  class Watchdog {

    private Pod pod;

    private void runs() {
      pod = bench.pod(0).with("run/command", "serve\n").script("start.sh");
      pod.await("the server", () -> Files.exists(pod.run.resolve("server")) && Files.exists(pod.server.resolve("server")));
    }

    @Test
    @DisplayName("starts a server beside the lock of one that was killed")
    void staleLock() {
      pod = bench.pod(0).with("tmp/mysql.sock.lock", "1\n").with("run/command", "serve\n").script("start.sh");
      pod.await("the server", () -> Files.exists(pod.server.resolve("server")));
    }

    @Test
    @DisplayName("kills a server that takes writes when its right to that ends, and starts it again, read-only")
    void deadline() {
      runs();
      pod.with("run/writable", "").with("run/deadline", (uptime() + 1000) + "\n").awaitLog("its right to take writes could not be renewed");
      pod.await("a second start", () -> Bench.read(pod.server.resolve("server")).equals("started\nstarted\n"));
      assertThat(Files.exists(pod.run.resolve("deadline"))).isFalse();
    }

    @Test
    @DisplayName("leaves a server alone that takes no writes")
    void readOnly() {
      runs();
      pod.with("run/deadline", (uptime() - 1000) + "\n").with("run/kill", "the test\n").awaitLog("FENCED: killed the server: the test");
      assertThat(pod.log()).doesNotContain("right to take writes");
    }

    @Test
    @DisplayName("told to stop while sessions wait, it kills the server: a shutdown in order would tell them that they are done")
    void stops() {
      runs();
      pod.with("run/writable", "").with("run/deadline", (uptime() + 60000) + "\n").with("server/waits", "");
      pod.signal("TERM");
      pod.awaitLog("writes wait for acknowledgements");
      assertThat(Bench.read(pod.server.resolve("server"))).doesNotContain("stopped");
    }
  }

  /** Milliseconds since boot, as the scripts count them. */
  private static long uptime() {
    return Math.round(Double.parseDouble(Bench.read(java.nio.file.Path.of("/proc/uptime")).split(" ")[0]) * 1000);
  }

  /** When the pod's right to take writes ends, in milliseconds since boot. */
  private static long deadline(Pod pod) {
    return Long.parseLong(Bench.read(pod.run.resolve("deadline")).strip());
  }
}
