package io.github.wordpressha.arbitration;

import static io.github.wordpressha.arbitration.Bench.OTHER;
import static io.github.wordpressha.arbitration.Bench.U;
import static io.github.wordpressha.arbitration.Bench.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.arbitration.Gateway.Fate;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Three members with random volumes that are killed at random steps, while etcd loses requests and answers. Whatever
 * comes of it, no cluster is founded over data, nobody starts one who is not the most advanced, and nobody's foreign data
 * is touched. A run is told again by its seed; how processes interleave is not.
 */
@Tag("arbitration")
@Execution(ExecutionMode.CONCURRENT)
class RandomTest {

  private static final Duration PATIENCE = Duration.ofSeconds(8);

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void theInvariantsHold(long seed) throws IOException {
    var random = new Random(seed);
    try (var gateway = new Gateway(Etcd.shared().url()); var bench = new Bench(Etcd.shared(), 3, gateway.url())) {
      boolean known = random.nextInt(3) > 0;
      if (known) {
        bench.known(U, 1, 4, 0, 1, 2);
      }
      var members = new ArrayList<Member>();
      var seqnos = new HashMap<Integer, Long>();
      var foreign = new HashMap<Integer, Map<String, String>>();
      for (int i = 0; i < 3; i++) {
        Member member = bench.member(i);
        member.environment.put("LEASE_SECONDS", "10");
        members.add(member);
        if (known) {
          switch (random.nextInt(6)) {
            case 0 -> { }
            case 1 -> {
              member.holds(OTHER, 1000);
              foreign.put(i, Bench.contents(member.data));
            }
            case 2 -> member.holds(U, 500).without("mysql/complete").with("state/joining", U);
            default -> {
              long seqno = 90 + random.nextInt(4);
              seqnos.put(i, seqno);
              if (random.nextBoolean()) {
                member.holds(U, seqno);
              } else {
                member.unclean(U + ":" + seqno);
              }
            }
          }
        }
      }
      var registered = new ConcurrentLinkedQueue<String>();
      var spoiler = new Random(seed);
      gateway.plan(request -> {
        String uuid = bench.facts().get("uuid");
        if (uuid != null) {
          registered.add(uuid);
        }
        synchronized (spoiler) {
          return spoiler.nextInt(12) > 0 ? Fate.PASS : spoiler.nextBoolean() ? Fate.LOSE_ANSWER : Fate.UNAVAILABLE;
        }
      });
      members.forEach(Member::start);
      Instant end = Instant.now().plus(PATIENCE);
      var starters = new HashSet<Integer>();
      var uuidsServed = new HashSet<String>();
      while (Instant.now().isBefore(end)) {
        for (int i = 0; i < 3; i++) {
          Member member = members.get(i);
          if (member.served()) {
            starters.add(i);
            uuidsServed.add(Bench.read(member.data.resolve("grastate.dat")).replaceAll("(?s).*uuid: +(\\S+).*", "$1"));
          }
          if (!member.process().isAlive() || random.nextInt(60) == 0) {
            member.kill();
            member.start();
          }
        }
        java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
      }
      check(bench, members, known, seqnos, foreign, starters, uuidsServed, new HashSet<>(registered));

      // And when the storm is over, a cluster that can be started is started, without a person.
      gateway.plan(request -> Fate.PASS);
      members.stream().filter(member -> !member.process().isAlive()).forEach(Member::start);
      if (!known || (foreign.isEmpty() && seqnos.size() >= 2)) {
        members.get(0).await("a start in the end", () -> {
          members.stream().filter(member -> !member.process().isAlive()).forEach(Member::start); // as the kubelet does
          return members.stream().anyMatch(Member::served);
        });
      }
    }
  }

  private void check(Bench bench, List<Member> members, boolean known, Map<Integer, Long> seqnos, Map<Integer, Map<String, String>> foreign,
      Set<Integer> starters, Set<String> uuidsServed, Set<String> registered) {
    String story = String.join("\n", members.stream().map(Member::log).toList());
    assertThat(registered).as("UUIDs that were ever registered\n" + story).hasSizeLessThanOrEqualTo(1);
    assertThat(uuidsServed).as("clusters that were started\n" + story).hasSizeLessThanOrEqualTo(1);
    assertThat(starters).as("members that started a cluster\n" + story).hasSizeLessThanOrEqualTo(1);
    foreign.forEach((i, before) -> assertThat(Bench.contents(members.get(i).data)).as("foreign data of " + pod(i)).isEqualTo(before));
    if (known) {
      assertThat(uuidsServed).isSubsetOf(U);
      int lost = 3 - seqnos.size();
      if (lost > 1) {
        assertThat(starters).as("too many volumes are lost\n" + story).isEmpty();
      }
      starters.forEach(i -> assertThat(seqnos.get(i)).as("the position of the starter\n" + story).isEqualTo(seqnos.values().stream().max(Long::compare).orElseThrow()));
      seqnos.forEach((i, seqno) -> assertThat(Bench.read(members.get(i).data.resolve("ibdata1"))).isEqualTo(U + ":" + seqno));
    }
  }
}
