package io.github.wordpressha.arbitration;

import static io.github.wordpressha.arbitration.Bench.U;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Three members that decide with one another. */
@Tag("arbitration")
@Execution(ExecutionMode.CONCURRENT)
class FoundingTest {

  @Test
  void threeEmptyMembersBecomeOneCluster() {
    try (Bench bench = new Bench()) {
      List<Member> members = IntStream.range(0, 3).mapToObj(bench::member).toList();
      members.forEach(Member::start);
      members.get(0).awaitBootstrap();
      String uuid = bench.facts().get("uuid");
      assertThat(members.get(1).served() || members.get(2).served()).isFalse();
      bench.runs(0, true, uuid, 0);
      members.get(1).awaitJoin(0, 2);
      members.get(2).awaitJoin(0, 1);
      assertThat(bench.facts().get("uuid")).isEqualTo(uuid);
    }
  }

  @Test
  void ofThreeStoppedMembersTheNewestStartsAndTheOthersJoin() {
    try (Bench bench = new Bench()) {
      bench.known(U, 3, 7, 0, 1, 2);
      List<Member> members = List.of(bench.member(0).holds(U, 10), bench.member(1).unclean(U + ":12"), bench.member(2));
      members.forEach(Member::start);
      members.get(1).awaitBootstrap();
      bench.runs(1, true, U, 12);
      members.get(0).awaitJoin(1, 2);
      members.get(2).awaitJoin(0, 1);
    }
  }
}
