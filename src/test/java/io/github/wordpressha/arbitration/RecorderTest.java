package io.github.wordpressha.arbitration;

import static io.github.wordpressha.arbitration.Bench.OTHER;
import static io.github.wordpressha.arbitration.Bench.U;
import static io.github.wordpressha.arbitration.Bench.pod;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What is written to etcd while servers run, and who may take writes. */
@Tag("arbitration")
@Execution(ExecutionMode.CONCURRENT)
class RecorderTest {

  private Gateway gateway;
  private Bench bench;

  @BeforeEach
  void open() throws IOException {
    gateway = new Gateway(Etcd.shared().url());
    bench = new Bench(Etcd.shared(), 3, gateway.url());
  }

  @AfterEach
  void close() {
    bench.close();
    gateway.close();
  }

  /** A member whose server runs in an epoch; its check agent has just said so, and goes on saying so. */
  private Member running(int ordinal, int epoch) {
    Member member = bench.member(ordinal).with("run/incarnation", "i" + ordinal + "\n").with("run/epoch", epoch + "\n");
    // Far ahead, as no check agent beats here.
    return member.with("run/beat", "9999999999\n");
  }

  private Member sees(Member member, int ordinal, boolean primary, String uuid, int conf, int... members) {
    return member.with("run/state", "{\"pod\":\"%s\",\"incarnation\":\"i%d\",\"primary\":%s,\"state\":4,\"uuid\":\"%s\",\"conf\":\"%d\",\"size\":\"%d\",\"members\":\"%s\"}\n"
        .formatted(pod(ordinal), ordinal, primary, uuid, conf, members.length, Arrays.stream(members).mapToObj(Bench::pod).collect(Collectors.joining(","))));
  }

  private static boolean confirmed(Member member) {
    return Files.exists(member.run.resolve("confirmed"));
  }

  private static boolean restarts(Member member) {
    return Files.exists(member.run.resolve("restart"));
  }

  /** How many requests reach etcd from now on. */
  private AtomicInteger reads() {
    var reads = new AtomicInteger();
    gateway.plan(request -> { reads.incrementAndGet(); return Gateway.Fate.PASS; });
    return reads;
  }

  private String view(int epoch, int conf, int... members) {
    return "{\"epoch\":%d,\"conf\":%d,\"members\":[%s]}".formatted(epoch, conf, Arrays.stream(members).mapToObj(i -> '"' + pod(i) + '"').collect(Collectors.joining(",")));
  }

  @Test
  void aNewerViewIsRecordedAndConfirmsTheMember() {
    bench.known(U, 2, 0, 0);
    Member member = sees(running(0, 2), 0, true, U, 1, 0);
    member.script("recorder.sh");
    member.await("the confirmation", () -> confirmed(member));
    assertThat(bench.facts().get("view")).isEqualTo(view(2, 1, 0));
    assertThat(Files.exists(member.data.resolve("complete"))).isTrue();
    assertThat(member.log()).as("what a single copy means").contains("until another one joins, acknowledged writes are on this volume only");
  }

  @Test
  void anOlderViewIsNeverRecordedAndConfirmsNobody() {
    bench.known(U, 2, 5, 1, 2);
    Member member = sees(running(0, 2), 0, true, U, 4, 0, 1, 2);
    AtomicInteger reads = reads();
    member.script("recorder.sh");
    member.await("some looks", () -> reads.get() > 3);
    assertThat(bench.facts().get("view")).isEqualTo(view(2, 5, 1, 2));
    assertThat(confirmed(member)).isFalse();
  }

  @Test
  void theViewOfAClaimConfirmsNobody() {
    bench.known(U, 3, 0, 0, 1);
    Member member = sees(running(0, 2), 0, true, U, 9, 0, 1);
    AtomicInteger reads = reads();
    member.script("recorder.sh");
    member.await("some looks", () -> reads.get() > 3);
    assertThat(confirmed(member)).isFalse();
    assertThat(bench.facts().get("view")).isEqualTo(view(3, 0, 0, 1));
  }

  @Test
  void aServerOfAnEarlierEpochTakesNoWritesAnyMore() {
    bench.known(U, 3, 1, 1);
    Member member = sees(running(0, 2), 0, true, U, 9, 0).with("run/confirmed", "i0\n");
    member.script("recorder.sh");
    member.awaitLog("was started anew (epoch 3) without this server (epoch 2)");
    assertThat(confirmed(member)).isFalse();
    assertThat(restarts(member)).isTrue();
    assertThat(bench.facts().get("view")).isEqualTo(view(3, 1, 1));
  }

  @Test
  void anothersRecordOfTheSameViewConfirms() {
    bench.known(U, 2, 4, 0, 1);
    Member member = sees(running(1, 2), 1, true, U, 4, 0, 1);
    member.script("recorder.sh");
    member.await("the confirmation", () -> confirmed(member));
  }

  @Test
  void aViewThatAnOlderRecorderWroteConfirmsAnUpgradedMember() {
    bench.known(U, 2, 4).put("view", "{\"epoch\":2,\"conf\":4,\"members\":[\"demo-mysql-0\",\"mysql-1\"]}");
    Member member = sees(running(1, 2), 1, true, U, 4, 0, 1);
    member.script("recorder.sh");
    member.await("the confirmation", () -> confirmed(member));
  }

  @Test
  void ofTwoRecordersTheOlderNeverOverwrites() {
    bench.known(U, 2, 3, 0, 1);
    Member late = sees(running(0, 2), 0, true, U, 4, 0, 1, 2);
    var writes = new AtomicInteger();
    gateway.plan(request -> {
      if (request.path().equals("kv/txn") && writes.getAndIncrement() == 0) { // another one is faster by a moment
        bench.put("view", view(2, 5, 0, 1));
      }
      return Gateway.Fate.PASS;
    });
    late.script("recorder.sh");
    late.await("the confirmation by the newer view", () -> confirmed(late));
    assertThat(bench.facts().get("view")).isEqualTo(view(2, 5, 0, 1));
  }

  @Test
  void anIncompleteListOfMembersIsNotRecorded() {
    bench.known(U, 2, 3, 0, 1);
    Member member = sees(running(0, 2), 0, true, U, 4, 0, 1, 2);
    member.with("run/state", Bench.read(member.run.resolve("state")).replace(",demo-mysql-2", ""));
    AtomicInteger reads = reads();
    member.script("recorder.sh");
    member.await("some looks", () -> reads.get() > 2);
    assertThat(bench.facts().get("view")).isEqualTo(view(2, 3, 0, 1));
    assertThat(confirmed(member)).isFalse();
  }

  @Test
  void withoutEtcdAConfirmedMemberStaysConfirmedAndANewOneIsNot() {
    bench.known(U, 2, 3, 0, 1);
    gateway.plan(request -> Gateway.Fate.UNAVAILABLE);
    Member old = sees(running(0, 2), 0, true, U, 4, 0, 1).with("run/confirmed", "i0\n");
    Member fresh = sees(running(1, 2), 1, true, U, 4, 0, 1);
    old.script("recorder.sh");
    fresh.script("recorder.sh");
    old.awaitLog("A confirmed member goes on serving.");
    fresh.awaitLog("etcd gives no whole answer");
    assertThat(confirmed(old)).isTrue();
    assertThat(confirmed(fresh)).isFalse();
    gateway.plan(request -> Gateway.Fate.PASS);
    fresh.await("the confirmation", () -> confirmed(fresh));
  }

  @Test
  void aServerOfAnotherClusterTakesNoWrites() {
    bench.known(U, 2, 3, 1, 2);
    Member member = sees(running(0, 2), 0, true, OTHER, 9, 0).with("run/confirmed", "i0\n");
    member.script("recorder.sh");
    member.awaitLog("It takes no writes.");
    assertThat(confirmed(member)).isFalse();
    assertThat(bench.facts().get("uuid")).isEqualTo(U);
  }

  @Test
  void aClusterThatEtcdHasForgottenIsRegisteredAgainAndNotStartedAgain() {
    Member member = sees(running(0, 4), 0, true, U, 6, 0, 1).with("run/confirmed", "i0\n");
    bench.runs(0, true, U, 50);
    Member waiting = bench.member(2).holds(U, 40).start();
    waiting.awaitLog("etcd does not know it yet");
    member.script("recorder.sh");
    waiting.awaitJoin(0, 1);
    assertThat(bench.facts()).containsEntry("uuid", U).containsEntry("epoch", "4").containsEntry("view", view(4, 6, 0, 1)).doesNotContainKey("bootstrap");
    assertThat(confirmed(member)).isTrue();
  }

  /** The others have started the cluster anew between this member's look at the facts and its start. */
  @Test
  void aMemberTakesOverTheEpochOfTheViewThatConfirmsIt() {
    bench.known(U, 3, 2, 0, 1);
    Member member = sees(running(0, 2), 0, true, U, 2, 0, 1).with("state/epoch", "2\n");
    member.script("recorder.sh");
    member.await("the confirmation", () -> confirmed(member));
    assertThat(Bench.read(member.state.resolve("epoch"))).isEqualTo("3\n");
    assertThat(Bench.read(member.run.resolve("epoch"))).isEqualTo("3\n");
  }

  @Test
  void anEpochThatEtcdHasLostIsRecordedAgain() {
    bench.known(U, 2, 9, 0);
    Member member = sees(running(0, 4), 0, true, U, 1, 0, 1);
    member.script("recorder.sh");
    member.await("the confirmation", () -> confirmed(member));
    assertThat(bench.facts()).containsEntry("epoch", "4").containsEntry("view", view(4, 1, 0, 1));
  }

  @Test
  void theClaimEndsWhenItsMemberIsConfirmed() {
    bench.known(U, 2, 0, 0).put("bootstrap", "{\"pod\":\"demo-mysql-0\",\"by\":\"uid-0\",\"epoch\":2}");
    Member member = sees(running(0, 2), 0, true, U, 1, 0).with("run/lease", "1234\n");
    member.script("recorder.sh");
    member.await("the end of the claim", () -> !bench.facts().containsKey("bootstrap"));
  }

  @Test
  void anothersClaimIsLeftAlone() {
    bench.known(U, 2, 0, 0).put("bootstrap", "{\"pod\":\"demo-mysql-1\",\"by\":\"uid-1\",\"epoch\":3}");
    Member member = sees(running(0, 2), 0, true, U, 1, 0).with("run/lease", "1234\n");
    member.script("recorder.sh");
    member.await("the confirmation", () -> confirmed(member) && !Files.exists(member.run.resolve("lease")));
    assertThat(bench.facts()).containsKey("bootstrap");
  }

  @Test
  void aLonelyServerIsRestartedWhenAnyMemberWaits() {
    bench.known(U, 2, 3, 0, 1).waits(0, "data", U, 5);
    Member member = sees(running(0, 2), 0, false, U, 3, 0, 1);
    member.environment.put("LONELY_SECONDS", "1");
    AtomicInteger reads = reads();
    member.script("recorder.sh");
    member.await("some looks", () -> reads.get() > 2);
    assertThat(restarts(member)).isFalse();
    bench.waits(2, "data", U, 5); // was drained before the other member of the view was lost
    member.await("the request for a restart", () -> Bench.read(member.run.resolve("restart")).contains("demo-mysql-2 wait for the report"));
  }

  @Test
  void aServerThatStaysApartFromAComponentWithinReachIsRestarted() {
    bench.known(U, 2, 4, 1, 2);
    Member member = sees(running(0, 2), 0, false, U, 3, 0, 1);
    member.environment.putAll(Map.of("LONELY_SECONDS", "1", "REUNION_SECONDS", "2"));
    AtomicInteger reads = reads();
    bench.runs(1, false, U, 7); // apart, too
    member.script("recorder.sh");
    member.await("some looks", () -> reads.get() > 4);
    assertThat(restarts(member)).isFalse();
    bench.runs(1, true, U, 7);
    member.await("the request for a restart", () -> Bench.read(member.run.resolve("restart")).contains("although demo-mysql-1, which is in it, has been within reach"));
  }

  /** A member whose server answers nothing, as a copy comes onto its volume. */
  private Member copied(int ordinal) {
    Member member = running(ordinal, 2).with("run/phase", "starting\n").with("state/joining", U + "\n");
    member.environment.putAll(Map.of("DONORLESS_SECONDS", "2", "GLANCE_SECONDS", "1"));
    return member;
  }

  @Test
  void aServerWhoseDonorIsGoneIsRestartedWhenAnotherMemberWaits() {
    bench.known(U, 2, 3, 0, 1, 2);
    Member member = copied(0);
    AtomicInteger reads = reads();
    member.script("recorder.sh");
    member.await("some looks", () -> reads.get() > 2);
    assertThat(restarts(member)).as("no member waits for it").isFalse();
    bench.waits(1, "data", U, 5);
    member.await("the request for a restart", () -> Bench.read(member.run.resolve("restart")).contains("No member with the data has answered for 2 s, while demo-mysql-1 wait"));
  }

  @Test
  void aCopyGoesOnWhileItsDonorAnswers() {
    bench.known(U, 2, 3, 0, 1, 2).waits(2, "empty", U, -1);
    AtomicInteger looks = bench.runs(1, true, U, 7);
    Member member = copied(0);
    member.script("recorder.sh");
    member.await("looks for longer than a donor may be silent", () -> looks.get() > 4);
    assertThat(restarts(member)).isFalse();
  }

  /** It reports by itself, or has no donor. */
  @Test
  void onlyAServerThatIsCopiedIsRestartedForItsDonor() {
    bench.known(U, 2, 3, 0, 1, 2).waits(1, "data", U, 5);
    Member waiting = copied(1).with("run/phase", "waiting\n");
    Member recovering = copied(2).without("state/joining");
    Member copied = copied(0);
    List.of(waiting, recovering, copied).forEach(member -> member.script("recorder.sh"));
    copied.await("the request for a restart", () -> restarts(copied));
    assertThat(List.of(waiting, recovering)).noneMatch(RecorderTest::restarts);
  }
}
