package io.github.wordpressha.arbitration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The simulation notices each of these faults of the decision. */
@Tag("arbitration")
@Execution(ExecutionMode.CONCURRENT)
class DecisionMutantsSweep {

  @ParameterizedTest(name = "{0} instead of {1}")
  @DisplayName("a fault is caught")
  @CsvSource(delimiter = '%', quoteCharacter = '`', textBlock = """
      .etcd == null                                       % .etcd == 1
      .seqno < $it.seqno                                  % .seqno < 0
      .seqno < $it.seqno                                  % .seqno <= $it.seqno
      .epoch > $it.epoch and                              % .epoch >= $it.epoch and
      .latest > .epoch                                    % .latest > .epoch + 9
      .view.members | otherwise($members) end             % .view.members | otherwise($members) | .[1:] end
      .view.members | otherwise($members) end             % [$all_me] end
      if $all.forgotten then $it.epoch == $all.latest     % if $all.forgotten then true
      select(.state == "data") | select(. as $it          % select(.state != "x") | select(. as $it
      .missing = .required - $heard                       % .missing = (.required - $heard)[1:]
      .missing = .required - $heard                       % .missing = []
      select(IN($whole[]) | not)                          % select(IN($whole[]))
      . - $copying == []                                  % true
      . - $copying == []                                  % false
      sort_by(-.seqno, .outside                           % sort_by(.seqno, .outside
      sort_by(-.seqno, .outside, (.pod | length), .pod)   % sort_by(.outside, .pod)
      .seqno > $most                                      % .seqno > $most + 100
      .committed | number) > $copy.seqno                  % .committed | number) > $copy.seqno + 100
      .me.state == "initialized" and .me.uuid != .uuid    % .me.state != "empty" and .me.uuid != .uuid
      .me.state == "initialized" and .me.uuid != .uuid    % .me.state == "initialized"
      .me.state == "initialized" and .me.uuid != .uuid    % .me.state == "data" and .me.epoch == 2
      elif left_behind($me) then                          % elif false then
      unrecorded($me) != null and .uuid != ""             % false
      .claim == null or .claim.pod == .me.pod             % true
      .override.pod != .me.pod or                         % false or
      .override.basis != [$etcd["uuid", "view", "epoch"].revision] % false
      if .me.state == "data" then start("bootstrap"; "OVERRIDE     % if .me.state != "empty" then start("bootstrap"; "OVERRIDE
      elif .me.state == "empty" then start("found"        % elif true then start("found"
      or any(.waiting[].state; IN("data", "incomplete", "unknown")) %
      elif .missing != [] then wait("First                % elif false then wait("First
      if .missing != [] then wait("No Primary             % if false then wait("No Primary
      ($lost | length) > 1                                % ($lost | length) > 0
      .best.pod != $me.pod                                % false
      ([.epoch, .latest] | max) + 1                       % 2
      .basis = ["uuid", "view", "epoch", "bootstrap", "override"] % .basis = ["uuid"]
      discard, refuse, join_running, await_claim          % discard, refuse, await_claim
      """)
  void isCaught(String right, String wrong) throws IOException {
    Path library = Decider.library("galera");
    boolean found = false;
    for (String file : new String[] {"decide.jq", "engine.jq"}) {
      String text = Files.readString(library.resolve(file));
      found |= text.contains(right);
      Files.writeString(library.resolve(file), text.replace(right, wrong == null ? "" : wrong).replace("$all_me", ".me.pod"));
    }
    assertThat(found).as("the text to spoil").isTrue();
    assertThat(caught(library)).isTrue();
  }

  private static boolean caught(Path library) {
    try (var decider = new Decider(library)) {
      DecisionSimulationTest.coldStarts(decider, 100);
      DecisionSimulationTest.simulate(decider, 60_000, 1);
      return false;
    } catch (GaleraWorld.Violation | AssertionError | IllegalStateException found) {
      return !(found instanceof IllegalStateException) || !found.getMessage().contains("has ended");
    }
  }
}
