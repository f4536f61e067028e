package io.github.wordpressha.arbitration;

import static io.github.wordpressha.arbitration.Bench.U;
import static io.github.wordpressha.arbitration.Bench.ZERO;
import static io.github.wordpressha.arbitration.Bench.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.arbitration.Gateway.Fate;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** etcd that fails in every way: nothing is decided on a doubt, and everything goes on when the doubt is gone. */
@Tag("arbitration")
@Execution(ExecutionMode.CONCURRENT)
class FaultsTest {

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

  private Member ready() {
    bench.known(U, 1, 4, 0);
    Member member = bench.member(0).holds(U, 100);
    member.environment.put("ETCD_TIMEOUT", "2");
    return member;
  }

  @ParameterizedTest
  @EnumSource(names = "PASS", mode = EnumSource.Mode.EXCLUDE)
  void withoutAWholeAnswerNothingIsDecided(Fate fate) {
    gateway.plan(request -> fate);
    Member member = ready().start();
    member.awaitLog("Nothing is decided without a whole answer from etcd.");
    assertThat(member.served()).isFalse();
    assertThat(bench.facts()).doesNotContainKey("bootstrap");
    gateway.plan(request -> Fate.PASS);
    member.awaitBootstrap();
  }

  @ParameterizedTest
  @EnumSource(names = "PASS", mode = EnumSource.Mode.EXCLUDE)
  void aClaimWithoutAWholeAnswerIsNone(Fate fate) {
    var spoilt = new AtomicInteger();
    gateway.plan(request -> request.claims() && spoilt.getAndIncrement() == 0 ? fate : Fate.PASS);
    Member member = ready().start().awaitLog("etcd did not confirm the claim").awaitBootstrap();
    assertThat(spoilt).as("claims").hasValueGreaterThan(1);
    assertThat(Bench.read(member.run.resolve("epoch")).trim()).as("the epoch that the server starts in").isEqualTo(bench.facts().get("epoch"));
    assertThat(bench.fact("bootstrap").path("pod").asText()).isEqualTo(pod(0));
  }

  @Test
  void aRefusedConnectionIsWaitedOut() {
    bench.endpoints("http://127.0.0.1:1");
    Member member = ready().start().awaitLog("Nothing is decided without a whole answer from etcd.");
    bench.endpoints("http://127.0.0.1:1 " + gateway.url());
    member.awaitBootstrap();
  }

  @Test
  void theRegistrationOfANewClusterSurvivesALostAnswer() {
    var spoilt = new AtomicInteger();
    gateway.plan(request -> request.registers() && spoilt.getAndIncrement() == 0 ? Fate.LOSE_ANSWER : Fate.PASS);
    Member member = bench.waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(0).start().awaitBootstrap();
    assertThat(Bench.read(member.data.resolve("grastate.dat"))).contains(bench.facts().get("uuid"));
  }

  // --- facts and leases that are lost at each step ------------------------------------------------------------------

  @Test
  void aLeaseThatIsLostWhileWaitingIsRegained() {
    Member member = bench.known(U, 1, 4, 0, 1).member(0).holds(U, 100).start().awaitLog("Not reported");
    member.await("the report", () -> bench.facts().containsKey("waiting/demo-mysql-0"));
    bench.etcd.endLease(bench.prefix() + "waiting/demo-mysql-0");
    member.awaitLog("reporting anew").await("the report", () -> bench.facts().containsKey("waiting/demo-mysql-0"));
  }

  @Test
  void aLeaseThatIsLostBeforeTheClaimLosesTheClaim() {
    Member member = ready();
    var claims = new AtomicInteger();
    gateway.plan(request -> {
      if (request.claims() && claims.getAndIncrement() == 0) {
        bench.etcd.endLease(bench.prefix() + "waiting/demo-mysql-0");
      }
      return Fate.PASS;
    });
    member.start().awaitBootstrap();
    assertThat(claims).as("claims").hasValueGreaterThan(1);
  }

  @Test
  void aLeaseThatIsLostBetweenTheClaimAndTheStartStopsTheStart() {
    Member member = ready();
    var claimed = new AtomicInteger();
    gateway.plan(request -> {
      if (request.claims()) {
        claimed.compareAndSet(0, 1);
      } else if (request.path().equals("lease/keepalive") && claimed.compareAndSet(1, 2)) {
        bench.etcd.endLease(bench.prefix() + "bootstrap");
      }
      return Fate.PASS;
    });
    assertThat(member.start().awaitExit()).isNotZero();
    assertThat(member.log()).contains("has run out or cannot be confirmed");
    assertThat(member.served()).isFalse();
    member.start().awaitBootstrap();
  }

  @Test
  void aLeaseThatIsLostWhileFoundingStopsTheFounding() {
    Member member = bench.waits(1, "empty", ZERO, -1).waits(2, "empty", ZERO, -1).member(0).with("run/gate", "").start();
    member.await("the founding", () -> !Bench.read(member.run.resolve("phase")).isEmpty() && java.nio.file.Files.exists(member.run.resolve("founding")));
    bench.etcd.endLease(bench.prefix() + "bootstrap");
    member.without("run/gate");
    assertThat(member.awaitExit()).isNotZero();
    assertThat(bench.facts()).doesNotContainKey("uuid");
    member.start().awaitBootstrap();
    assertThat(member.log()).contains("Emptying it");
  }

  @Test
  void factsThatChangeBeforeTheClaimLoseTheClaim() {
    Member member = ready();
    bench.known(U, 1, 4, 0, 1).waits(1, "data", U, 50);
    var claims = new AtomicInteger();
    gateway.plan(request -> {
      if (request.claims() && claims.getAndIncrement() == 0) {
        bench.waits(1, "data", U, 500);
      }
      return Fate.PASS;
    });
    member.start().awaitLog("The facts have changed while this member decided").awaitLog("Waiting for demo-mysql-1, the most advanced");
    assertThat(bench.facts()).doesNotContainKey("bootstrap");
  }

  // --- etcd itself --------------------------------------------------------------------------------------------------

  @Test
  void theLossOfOneEtcdMemberChangesNothingAndOfTwoIsWaitedOut() {
    List<Etcd> etcd = Etcd.cluster(bench.directory, 3);
    try (Bench own = new Bench(etcd.get(2), 3, String.join(" ", etcd.stream().map(Etcd::url).toList()))) {
      own.known(U, 1, 4, 0, 1);
      Member member = own.member(0).holds(U, 100).start().awaitLog("Not reported: demo-mysql-1.");
      etcd.get(0).kill();
      etcd.get(1).kill();
      member.awaitLog("Nothing is decided without a whole answer from etcd.");
      etcd.get(1).start();
      own.waits(1, "data", U, 99);
      member.awaitBootstrap();
    } finally {
      etcd.forEach(Etcd::close);
    }
  }
}
