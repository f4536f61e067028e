package io.github.wordpressha.arbitration;

import static io.github.wordpressha.arbitration.Bench.OTHER;
import static io.github.wordpressha.arbitration.Bench.U;
import static io.github.wordpressha.arbitration.Bench.ZERO;
import static io.github.wordpressha.arbitration.Bench.pod;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one member decides, in every state that it can find its volume and the facts in. */
@Tag("arbitration")
@Execution(ExecutionMode.CONCURRENT)
class StartTest {

  private Bench bench;

  @BeforeEach
  void open() {
    bench = new Bench();
  }

  @AfterEach
  void close() {
    bench.close();
  }

  private void nobodyStarts() {
    assertThat(bench.facts()).doesNotContainKey("bootstrap");
  }

  // --- first start --------------------------------------------------------------------------------------------------

  @Test
  void anEmptyMemberWaitsUntilAllHaveReported() {
    Member member = bench.waits(1, "empty", ZERO, -1).member(0).start();
    member.awaitLog("Not yet: demo-mysql-2.");
    nobodyStarts();
    bench.waits(2, "empty", ZERO, -1);
    member.awaitBootstrap();
    assertThat(bench.facts()).containsKeys("uuid", "bootstrap");
    assertThat(Files.exists(member.state.resolve("initializing"))).as("the mark that the files may be thrown away").isFalse();
    assertThat(Files.exists(member.data.resolve("complete"))).isTrue();
  }

  @Test
  void onlyTheFirstOfEmptyMembersFounds() {
    bench.waits(0, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(1).start().awaitLog("Waiting for demo-mysql-0, which founds the cluster.");
    nobodyStarts();
  }

  @Test
  void oneMemberWithDataIsNotFoundedOver() {
    bench.waits(1, "empty", ZERO, -1).waits(2, "data", U, 7).member(0).start().awaitLog("Of the last view, demo-mysql-0 demo-mysql-1 hold no data");
    nobodyStarts();
  }

  @Test
  void theRestOfATransferIsNotFoundedOver() {
    bench.waits(1, "empty", ZERO, -1).waits(2, "incomplete", ZERO, -1).member(0).start().awaitLog("No volume holds a whole copy of the cluster");
    nobodyStarts();
  }

  @Test
  void emptyVolumesNeverStartAKnownCluster() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1)
        .member(0).start().awaitLog("an empty cluster is never started over a known one").awaitLog("override.sh demo-mysql-0 YOUR-NAME");
    nobodyStarts();
  }

  @Test
  void aBrokenFoundingIsThrownAwayWhenItWasNeverRegistered() {
    Member member = bench.waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(0).holds(OTHER, 0).without("mysql/complete").with("state/initializing", "").start();
    member.awaitLog("Emptying it").awaitBootstrap();
    assertThat(bench.facts().get("uuid")).isNotEqualTo(OTHER);
  }

  @Test
  void aFoundingThatWasCutOffInTheMiddleIsBegunAgain() {
    Member member = bench.waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(0).with("state/initializing", "").with("mysql/ibdata1", "half").start();
    member.awaitBootstrap();
    assertThat(bench.facts().get("uuid")).hasSize(36);
    assertThat(Bench.read(member.data.resolve("ibdata1"))).startsWith(bench.facts().get("uuid"));
  }

  @Test
  void aFoundingThatWasRegisteredGoesOn() {
    bench.put("epoch", "1").put("uuid", U).waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1);
    bench.member(0).holds(U, 0).without("mysql/complete").with("state/initializing", "").start().awaitBootstrap();
    assertThat(bench.facts().get("uuid")).isEqualTo(U);
  }

  @Test
  void aFoundingThatMadeNoUsableDirectoryIsNeverRegistered() {
    Member member = bench.waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(0).with("run/torn", "").start();
    assertThat(member.awaitExit()).isNotZero();
    assertThat(bench.facts()).doesNotContainKey("uuid");
    assertThat(member.served()).isFalse();
  }

  @Test
  void aMemberHasAShortNameInGaleraWhateverItsPodIsCalled() {
    Member member = bench.known(U, 1, 4, 0, 1, 2).waits(1, "data", U, 9).waits(2, "data", U, 9).member(0).holds(U, 10).start().awaitBootstrap();
    assertThat(Bench.read(member.directory.resolve("settings/conf.d/member.cnf"))).contains("wsrep_node_name=mysql-0\n");
    assertThat(Bench.read(member.run.resolve("cluster-name"))).isEqualTo("demo-cluster");
  }

  @Test
  void aViewThatAnOlderRecorderWroteNamesTheSamePods() {
    bench.known(U, 1, 4, 0, 1).put("view", "{\"epoch\":1,\"conf\":4,\"members\":[\"demo-mysql-0\",\"mysql-1\"]}").waits(1, "data", U, 99);
    bench.member(0).holds(U, 100).start().awaitBootstrap();
    assertThat(bench.fact("view").path("members")).extracting(JsonNode::asText).containsExactly(pod(0), pod(1));
  }

  // --- from standstill ----------------------------------------------------------------------------------------------

  @Test
  void theMostAdvancedStarts() {
    Member member = bench.known(U, 1, 4, 0, 1, 2).waits(1, "data", U, 99).waits(2, "data", U, 98).member(0).holds(U, 100).start().awaitBootstrap();
    assertThat(bench.fact("bootstrap").path("pod").asText()).isEqualTo(pod(0));
    assertThat(bench.facts().get("epoch")).isEqualTo("2");
    assertThat(Bench.read(member.data.resolve("grastate.dat"))).contains("safe_to_bootstrap: 1");
  }

  @Test
  void anOlderOneWaitsForTheMostAdvanced() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "data", U, 101).waits(2, "data", U, 98).member(0).holds(U, 100).start().awaitLog("Waiting for demo-mysql-1, the most advanced");
    nobodyStarts();
  }

  @Test
  void ofEqualOnesTheFirstStarts() {
    bench.known(U, 1, 4, 0, 1, 2).waits(0, "data", U, 100).waits(2, "data", U, 100).member(1).holds(U, 100).start().awaitLog("Waiting for demo-mysql-0, the most advanced");
    nobodyStarts();
  }

  @Test
  void ofEqualOnesTheFirstStartsByNumber() {
    try (Bench twelve = new Bench(Etcd.shared(), 12, Etcd.shared().url())) {
      twelve.known(U, 1, 4, 2, 10).waits(10, "data", U, 100).member(2).holds(U, 100).start().awaitBootstrap();
    }
  }

  @Test
  void aMemberOfTheLastViewThatIsSilentIsWaitedFor() {
    Member member = bench.known(U, 1, 4, 0, 1, 2).waits(1, "data", U, 99).member(0).holds(U, 100).start();
    member.awaitLog("Not reported: demo-mysql-2.").awaitLog("Reported: demo-mysql-0: data 100, demo-mysql-1: data 99.").awaitLog("override.sh demo-mysql-0 YOUR-NAME");
    nobodyStarts();
    bench.waits(2, "data", U, 3);
    member.awaitBootstrap();
  }

  @Test
  void whoIsNotInTheLastViewIsNotWaitedFor() {
    bench.known(U, 1, 4, 0).member(0).holds(U, 100).start().awaitBootstrap();
  }

  @Test
  void aViewThatLacksThisMemberDoesNotLetItStart() {
    bench.known(U, 1, 4, 1, 2).waits(1, "data", U, 99).member(0).holds(U, 90).start().awaitLog("Not reported: demo-mysql-2.");
    nobodyStarts();
    bench.waits(2, "data", U, 98);
    assertThat(bench.fact("waiting/demo-mysql-0").path("seqno").asLong()).isEqualTo(90);
  }

  @Test
  void whoIsNotInTheLastViewNeverStartsItAlsoWhenItIsAhead() {
    bench.known(U, 1, 4, 1, 2).waits(1, "data", U, 99).waits(2, "data", U, 98).member(0).holds(U, 100).start().awaitLog("demo-mysql-0, which was not in it, is more advanced");
    nobodyStarts();
  }

  @Test
  void theClaimNamesWhoIsWaitedForFromNowOn() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "empty", ZERO, -1).waits(2, "data", U, 98).member(0).holds(U, 100).start().awaitBootstrap();
    assertThat(bench.fact("view").toString()).isEqualTo("{\"epoch\":2,\"conf\":0,\"members\":[\"demo-mysql-0\",\"demo-mysql-1\",\"demo-mysql-2\"]}");
  }

  @Test
  void oneLostVolumeDoesNotStopTheCluster() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "empty", ZERO, -1).waits(2, "data", U, 98).member(0).holds(U, 100).start().awaitBootstrap()
        .awaitLog("demo-mysql-1 holds no data any more: what it alone had applied is lost.");
  }

  @Test
  void twoLostVolumesNeedAPerson() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(0).holds(U, 100).start()
        .awaitLog("the newest transactions may have been only there").awaitLog("demo-mysql-1: empty -1").awaitLog("kubectl exec -n ").awaitLog("override.sh demo-mysql-0 YOUR-NAME");
    nobodyStarts();
  }

  /** Whose copy was not whole has taken no write since it began: what it had before, the cluster had, too. */
  @Test
  void theOnlyWholeCopyStartsWhenAllOthersWereBeingCopied() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "incomplete", U, -1).waits(2, "incomplete", U, -1).member(0).holds(U, 100).start().awaitBootstrap();
  }

  /** Its donor may have been the one whose volume is lost. */
  @Test
  void aLostVolumeBesideOneThatWasBeingCopiedNeedsAPerson() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "empty", ZERO, -1).waits(2, "incomplete", U, -1).member(0).holds(U, 100).start()
        .awaitLog("the newest transactions may have been only there");
    nobodyStarts();
  }

  @Test
  void filesOfUnknownOriginCountAsALostVolume() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "unknown", U, -1).waits(2, "incomplete", U, -1).member(0).holds(U, 100).start()
        .awaitLog("the newest transactions may have been only there");
    nobodyStarts();
  }

  @Test
  void theRestOfATransferOfAnotherClusterCountsAsALostVolume() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "incomplete", OTHER, -1).waits(2, "incomplete", U, -1).member(0).holds(U, 100).start()
        .awaitLog("the newest transactions may have been only there");
    nobodyStarts();
  }

  @Test
  void anEmptyMemberWaitsForOnesWithData() {
    bench.known(U, 1, 4, 0, 1, 2).waits(1, "data", U, 99).waits(2, "data", U, 98).member(0).start().awaitLog("Waiting for demo-mysql-1, the most advanced");
    nobodyStarts();
  }

  @Test
  void aKnownClusterWithoutAViewIsStartedByItsData() {
    bench.put("uuid", U).put("epoch", "1").waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(0).holds(U, 3).start().awaitBootstrap();
  }

  @Test
  void dataThatEtcdHasForgottenIsStartedWhenAllHaveReported() {
    Member member = bench.waits(1, "data", U, 9).member(0).holds(U, 10).start();
    member.awaitLog("Not reported: demo-mysql-2.");
    nobodyStarts();
    bench.waits(2, "data", U, 8);
    member.awaitBootstrap();
    assertThat(bench.facts().get("uuid")).isEqualTo(U);
  }

  @Test
  void differentClustersOnTheVolumesNeedAPerson() {
    bench.waits(1, "data", OTHER, 99).waits(2, "empty", ZERO, -1).member(0).holds(U, 100).start().awaitLog("the volumes hold different clusters");
    nobodyStarts();
  }

  // --- the volume's own state ---------------------------------------------------------------------------------------

  private void refusesUntouched(Member member) {
    bench.known(U, 1, 4, 0, 1, 2).runs(1, true, U, 500);
    var before = Bench.contents(member.data);
    member.start().awaitLog("REFUSED");
    assertThat(Bench.contents(member.data)).isEqualTo(before);
    assertThat(member.served()).isFalse();
  }

  @Test
  void dataOfAnotherClusterIsRefusedAndUntouched() {
    refusesUntouched(bench.member(0).holds(OTHER, 1000));
  }

  @Test
  void dataOfAnotherClusterIsRefusedAlsoWhenItWasKilled() {
    refusesUntouched(bench.member(0).unclean(OTHER + ":1000"));
  }

  @Test
  void dataOfAnotherClusterIsRefusedAlsoWithoutTheMarkOfAMember() {
    refusesUntouched(bench.member(0).holds(OTHER, 1000).without("mysql/complete"));
  }

  @Test
  void aDirectoryOfUnknownOriginIsRefused() {
    refusesUntouched(bench.member(0).holds(OTHER, 1000).without("mysql/complete").without("mysql/grastate.dat"));
  }

  @Test
  void aDirectoryWithoutTheServersOwnFilesIsNotEmpty() {
    refusesUntouched(bench.member(0).with("mysql/shop/orders.ibd", "rows"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "uuid", "uuid: garbage\nseqno: x\n", "uuid:    11111111-1111-1111-1111-111111111111\nseqno:   -1\n", "uuid:    00000000-0000-0000-0000-000000000000\nseqno:   -1\n"})
  void aTornGrastateIsNotBelieved(String text) {
    bench.known(U, 1, 4, 0).member(0).unclean(U + ":77").with("mysql/grastate.dat", text).start().awaitLog("position " + U + ":77").awaitBootstrap();
  }

  @Test
  void theLockOfAKilledServerStopsNoStart() {
    bench.known(U, 1, 4, 0).member(0).unclean(U + ":77").with("tmp/mysql.sock.lock", "1\n").start().awaitBootstrap();
  }

  @Test
  void aMissingGrastateIsNotBelieved() {
    bench.known(U, 1, 4, 0).member(0).unclean(U + ":77").without("mysql/grastate.dat").start().awaitLog("position " + U + ":77").awaitBootstrap();
  }

  @ParameterizedTest
  @ValueSource(strings = {"corrupt", "nothing", ZERO + ":-1", U + ":-1"})
  void aServerThatCannotTellItsPositionDecidesNothing(String position) {
    Member member = bench.known(U, 1, 4, 0).member(0).unclean(position).start();
    assertThat(member.awaitExit()).isNotZero();
    assertThat(member.log()).contains("Nothing is decided without it.");
    assertThat(bench.facts()).doesNotContainKeys("bootstrap", "waiting/demo-mysql-0");
  }

  @Test
  void theRestOfATransferIsNoData() {
    bench.known(U, 1, 4, 0, 1).waits(1, "data", U, 5).member(0).holds(U, 100).with("mysql/sst_in_progress", "").with("state/joining", U).start().awaitLog("Waiting for demo-mysql-1");
    nobodyStarts();
    assertThat(bench.fact("waiting/demo-mysql-0").path("state").asText()).isEqualTo("incomplete");
  }

  // --- joining ------------------------------------------------------------------------------------------------------

  @Test
  void anEmptyMemberJoinsARunningCluster() {
    bench.known(U, 1, 4, 1).runs(1, true, U, 500);
    bench.member(0).start().awaitJoin(1, 2);
    assertThat(bench.facts()).doesNotContainKey("waiting/demo-mysql-0");
  }

  @Test
  void anOlderMemberJoinsARunningCluster() {
    bench.known(U, 1, 4, 1, 2).runs(2, true, U, 500);
    bench.member(0).holds(U, 400).start().awaitJoin(1, 2);
  }

  @Test
  void theRestOfATransferIsReplaced() {
    bench.known(U, 1, 4, 1).runs(1, true, U, 500);
    Member member = bench.member(0).holds(ZERO, -1).without("mysql/complete").with("mysql/sst_in_progress", "").with("state/joining", U).start();
    member.awaitJoin(1, 2);
    assertThat(Files.exists(member.data.resolve("sst_in_progress"))).isFalse();
  }

  @Test
  void aMemberThatIsAheadOfTheRunningClusterIsRefused() {
    bench.known(U, 1, 4, 1).runs(1, true, U, 99);
    Member member = bench.member(0).holds(U, 100).start().awaitLog("REFUSED: this volume holds transactions up to 100");
    assertThat(member.served()).isFalse();
  }

  /** It was skipped by an override, and the cluster has made other transactions under the same numbers since. */
  @Test
  void aMemberWithAnotherHistoryIsRefusedAlsoWhenTheClusterHasPassedIt() {
    bench.known(U, 2, 4, 1).put("start/1", "0").put("start/2", "90").runs(1, true, U, 500);
    Member member = bench.member(0).holds(U, 100).with("state/epoch", "1\n").start().awaitLog("REFUSED: this volume holds transactions up to 100 of the cluster's epoch 1");
    assertThat(member.served()).isFalse();
  }

  @Test
  void aMemberOfAnEarlierEpochThatEndsBeforeTheNextBeganJoins() {
    bench.known(U, 2, 4, 1).put("start/1", "0").put("start/2", "90").runs(1, true, U, 500);
    Member member = bench.member(0).holds(U, 90).with("state/epoch", "1\n").start().awaitJoin(1, 2);
    assertThat(Bench.read(member.state.resolve("epoch"))).isEqualTo("2\n");
  }

  /** It has caught up in the new epoch, and was lost before it was confirmed: no other history. */
  @Test
  void aMemberThatJoinedThisEpochIsAheadOfItsStart() {
    bench.known(U, 2, 4, 1).put("start/1", "0").put("start/2", "90").runs(1, true, U, 500);
    bench.member(0).holds(U, 100).with("state/epoch", "2\n").start().awaitJoin(1, 2);
  }

  @Test
  void aMemberWithAnotherHistoryDoesNotStartTheCluster() {
    bench.known(U, 2, 4, 0, 1).put("start/2", "90").put("waiting/demo-mysql-1", "{\"by\":\"uid-1\",\"state\":\"data\",\"uuid\":\"" + U + "\",\"seqno\":100,\"epoch\":1}");
    bench.member(0).holds(U, 95).with("state/epoch", "2\n").start().awaitBootstrap();
    assertThat(bench.facts()).containsEntry("start/3", "95");
  }

  @Test
  void aServerOutsideThePrimaryComponentIsNotJoined() {
    bench.known(U, 1, 4, 0, 1).runs(1, false, U, 500);
    bench.member(0).holds(U, 400).start().awaitLog("Not reported: demo-mysql-1.");
    nobodyStarts();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "{\"primary\":true", "[]", "<html>"})
  void halfAnAnswerOfAMemberIsNone(String text) {
    bench.known(U, 1, 4, 0, 1).agent(1, 200, text);
    bench.member(0).holds(U, 400).start().awaitLog("Not reported: demo-mysql-1.");
    nobodyStarts();
  }

  @Test
  void aRunningClusterThatEtcdHasForgottenIsNotJoinedBeforeItIsKnownAgain() {
    bench.runs(1, true, U, 500);
    Member member = bench.member(0).holds(U, 400).start().awaitLog("etcd does not know it yet");
    nobodyStarts();
    bench.known(U, 1, 4, 1);
    member.awaitJoin(1, 2);
  }

  @Test
  void aRunningClusterOfAnotherUuidIsNotJoined() {
    bench.known(U, 1, 4, 1).runs(1, true, OTHER, 500);
    Member member = bench.member(0).start().awaitLog("somebody has to look at demo-mysql-1");
    assertThat(member.served()).isFalse();
  }

  // --- claims and overrides -----------------------------------------------------------------------------------------

  @Test
  void whoHasClaimedTheStartIsWaitedFor() {
    bench.known(U, 1, 4, 0).put("bootstrap", "{\"pod\":\"demo-mysql-1\",\"by\":\"uid-1\",\"epoch\":2}").member(0).holds(U, 5).start().awaitLog("Waiting for demo-mysql-1, which is starting the cluster.");
    assertThat(bench.fact("bootstrap").path("pod").asText()).isEqualTo(pod(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"waiting/demo-mysql-0", "bootstrap"})
  void aTwinOfThisPodIsWaitedFor(String key) {
    String entry = "{\"pod\":\"demo-mysql-0\",\"by\":\"uid-twin\",\"state\":\"data\",\"uuid\":\"" + U + "\",\"seqno\":50,\"epoch\":2}";
    Member member = bench.known(U, 1, 4, 0).put(key, entry).member(0).holds(U, 5).start().awaitLog("another pod called demo-mysql-0 (UID uid-twin) is at work");
    assertThat(bench.facts().get(key)).isEqualTo(entry);
    bench.etcd.delete(bench.prefix() + key);
    member.awaitBootstrap();
  }

  @Test
  void anOverrideIsCarriedOutAndAudited() throws Exception {
    Member member = bench.known(U, 1, 4, 0, 1, 2).member(0).holds(U, 100).start().awaitLog("Not reported: demo-mysql-1 demo-mysql-2.");
    assertThat(member.script("override.sh", pod(0), "Ada").waitFor()).isZero();
    member.awaitBootstrap();
    assertThat(bench.facts()).doesNotContainKey("override");
    String audit = bench.facts().entrySet().stream().filter(e -> e.getKey().startsWith("audit/")).map(java.util.Map.Entry::getValue).findFirst().orElseThrow();
    assertThat(Bench.json(audit).path("override").path("by").asText()).isEqualTo("Ada");
    assertThat(audit).as("what was skipped").contains("demo-mysql-2");
  }

  @Test
  void anOverrideOutlivesACrashOfTheStart() throws Exception {
    Member member = bench.known(U, 1, 4, 0, 1, 2).member(0).holds(U, 100).start().awaitLog("Not reported");
    assertThat(member.script("override.sh", pod(0), "Ada").waitFor()).isZero();
    member.awaitBootstrap().kill();
    member.start().awaitBootstrap();
  }

  @Test
  void anOverrideIsRefusedWhileAPrimaryComponentRuns() throws Exception {
    bench.known(U, 1, 4, 1, 2).waits(0, "data", U, 4).runs(1, true, U, 9);
    Member member = bench.member(0);
    assertThat(member.script("override.sh", pod(0), "Ada").waitFor()).isNotZero();
    assertThat(member.log()).contains("demo-mysql-1 is in a Primary component");
    assertThat(bench.facts()).doesNotContainKey("override");
  }

  /** It was written while this member waited for a moment, and the cluster went on without it. */
  @Test
  void anOverrideForOtherFactsIsNoOrder() throws Exception {
    Member member = bench.known(U, 1, 4, 0, 1, 2).waits(0, "data", U, 4).member(0).holds(U, 4);
    bench.etcd.delete(bench.prefix() + "waiting/demo-mysql-0");
    bench.waits(0, "data", U, 4);
    assertThat(member.script("override.sh", pod(0), "Ada").waitFor()).isZero();
    bench.etcd.delete(bench.prefix() + "waiting/demo-mysql-0");
    bench.known(U, 1, 7, 1, 2);
    member.start().awaitLog("Not reported: demo-mysql-1 demo-mysql-2.");
    nobodyStarts();
  }

  @Test
  void anOverrideExpires() throws Exception {
    Member member = bench.known(U, 1, 4, 0, 1).waits(0, "data", U, 4).member(0);
    member.environment.put("OVERRIDE_SECONDS", "1");
    assertThat(member.script("override.sh", pod(0), "Ada").waitFor()).isZero();
    member.await("the end of the override", () -> !bench.facts().containsKey("override"));
  }

  @Test
  void theCommandNamesNoMemberThatLacksWhatOneThatRunsHas() {
    bench.known(U, 1, 4, 0, 1).runs(0, false, U, 100);
    Member member = bench.member(2).holds(U, 90).start().awaitLog("demo-mysql-0 runs without a Primary component and is restarted to report.");
    assertThat(member.log()).doesNotContain("override.sh");
  }

  @Test
  void anEtcdThatIsOlderThanTheDataNeedsTheReportsOfAll() {
    Member member = bench.known(U, 1, 4, 0).waits(1, "data", U, 120).put("waiting/demo-mysql-1", "{\"by\":\"uid-1\",\"state\":\"data\",\"uuid\":\"" + U + "\",\"seqno\":120,\"epoch\":3}")
        .member(0).holds(U, 100).with("state/epoch", "3\n").start().awaitLog("Not reported: demo-mysql-2.");
    nobodyStarts();
    bench.waits(2, "empty", ZERO, -1);
    member.awaitLog("Waiting for demo-mysql-1, the most advanced");
  }

  @Test
  void anEpochWhoseBeginIsLostMixesNoHistories() {
    bench.known(U, 3, 4, 1).put("start/3", "120").runs(1, true, U, 500);
    Member member = bench.member(0).holds(U, 100).with("state/epoch", "1\n").start().awaitLog("REFUSED: this volume holds transactions of the cluster's epoch 1, and etcd has lost where epoch 2 began");
    assertThat(member.served()).isFalse();
  }

  @Test
  void anOverrideOfAMemberThatIsNotWaitingIsRefused() throws Exception {
    Member member = bench.known(U, 1, 4, 0, 1, 2).waits(1, "data", U, 4).member(0);
    assertThat(member.script("override.sh", pod(2), "Ada").waitFor()).isNotZero();
    assertThat(member.log()).contains("demo-mysql-2 is not waiting. Waiting are: demo-mysql-1.");
    assertThat(bench.facts()).doesNotContainKey("override");
  }

  @Test
  void anOverrideFoundsANewClusterOnAnEmptyVolume() throws Exception {
    Member member = bench.known(U, 1, 4, 0, 1, 2).member(0).start().awaitLog("Not reported: demo-mysql-1 demo-mysql-2.");
    assertThat(member.script("override.sh", pod(0), "Ada").waitFor()).isZero();
    member.awaitBootstrap();
    assertThat(bench.facts().get("uuid")).isNotEqualTo(U).hasSize(36);
  }

  @Test
  void anOverrideCannotMakeTheRestOfATransferWhole() throws Exception {
    Member member = bench.known(U, 1, 4, 0, 1, 2).member(0).holds(U, 100).with("mysql/sst_in_progress", "").with("state/joining", U).start().awaitLog("Not reported");
    assertThat(member.script("override.sh", pod(0), "Ada").waitFor()).isZero();
    member.awaitLog("OVERRIDE refused");
    nobodyStarts();
  }

  @Test
  void aMemberThatIsToldToStopWithdrawsItsReport() {
    Member member = bench.known(U, 1, 4, 0, 1).member(0).holds(U, 5).start().awaitLog("Not reported");
    assertThat(bench.facts()).containsKey("waiting/demo-mysql-0");
    member.process().destroy();
    assertThat(member.awaitExit()).isZero();
    assertThat(bench.facts()).doesNotContainKey("waiting/demo-mysql-0");
  }

  // --- stopping -----------------------------------------------------------------------------------------------------

  @Test
  void aServerThatServesNobodyAndDoesNotStopIsKilled() {
    Member member = serving(Map.of("STUBBORN", "yes", "STOP_SECONDS", "1"));
    member.process().destroy();
    assertThat(member.awaitExit()).isEqualTo(137);
  }

  @Test
  void aServerThatServesIsGivenAllTheTimeItNeeds() {
    Member member = serving(Map.of("STUBBORN", "yes", "STOP_SECONDS", "1"));
    Bench.write(member.run.resolve("confirmed"), Bench.read(member.run.resolve("incarnation")));
    member.process().destroy();
    member.awaitLog("Told to stop.");
    assertThat(member.process().onExit().completeOnTimeout(null, 3, TimeUnit.SECONDS).join()).as("the end of the server").isNull();
  }

  @Test
  void aServerIsRestartedWhenTheRecorderAsksForIt() {
    Member member = serving(Map.of());
    member.with("run/restart", "No member with the data has answered.\n");
    assertThat(member.awaitExit()).isEqualTo(143);
    assertThat(member.log()).contains("start.sh: No member with the data has answered.");
  }

  @Test
  void aServerThatIsToRestartAndDoesNotStopIsKilled() {
    Member member = serving(Map.of("STUBBORN", "yes", "STOP_SECONDS", "1"));
    member.with("run/confirmed", Bench.read(member.run.resolve("incarnation"))).with("run/restart", "Not in the Primary component.\n");
    assertThat(member.awaitExit()).isEqualTo(137);
  }

  @Test
  void aServerStopsWhenItIsTold() {
    Member member = serving(Map.of());
    member.process().destroy();
    assertThat(member.awaitExit()).isEqualTo(143);
  }

  private Member serving(Map<String, String> environment) {
    bench.known(U, 2, 3, 0);
    Member member = bench.member(0).holds(U, 100);
    member.environment.putAll(environment);
    return member.start().awaitBootstrap();
  }
}
