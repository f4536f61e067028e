package io.github.wordpressha.arbitration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The decision in generated situations; {@code -Ddecisions=1000000} for as many of them. */
@Tag("arbitration")
class DecisionSimulationTest {

  private static final int WORLDS = 500;
  private static final int DECISIONS = Integer.getInteger("decisions", 30_000);

  @Test
  @DisplayName("whatever fails, no acknowledged write is lost, no second cluster starts, no foreign data is touched")
  void staysSafe() {
    try (var decider = new Decider(Decider.library("galera"))) {
      simulate(decider, DECISIONS, 1);
    }
  }

  @Test
  @DisplayName("after the power loss of all members, with one volume lost or all but one half copied, all of them run again, without a person")
  void coldStartEnds() {
    try (var decider = new Decider(Decider.library("galera"))) {
      coldStarts(decider, 300);
    }
  }

  /** Every world makes a number of decisions; all of a round are asked for at once. */
  static void simulate(Decider decider, int decisions, long seed) {
    int rounds = 60;
    for (long first = seed; decisions > 0; first += WORLDS, decisions -= WORLDS * rounds) {
      List<GaleraWorld> worlds = LongStream.range(first, first + WORLDS).mapToObj(GaleraWorld::new).toList();
      for (int round = 0; round < rounds; round++) {
        step(decider, worlds);
      }
    }
  }

  static void coldStarts(Decider decider, int count) {
    List<GaleraWorld> worlds = LongStream.range(0, count).mapToObj(GaleraWorld::coldStart).toList();
    var open = new ArrayList<>(worlds);
    for (int round = 0; round < 80 && !open.isEmpty(); round++) {
      open = new ArrayList<>(step(decider, open));
    }
    assertThat(open.stream().map(GaleraWorld::story)).as("worlds that do not start").isEmpty();
  }

  /** The worlds that had something to decide. */
  private static List<GaleraWorld> step(Decider decider, List<GaleraWorld> worlds) {
    var asking = new ArrayList<GaleraWorld>();
    var situations = new ArrayList<String>();
    for (GaleraWorld world : worlds) {
      String situation = world.next();
      if (situation != null) {
        asking.add(world);
        situations.add(situation);
      }
    }
    List<Decider.Answer> answers = decider.ask(situations);
    IntStream.range(0, asking.size()).forEach(i -> asking.get(i).answer(answers.get(i)));
    return asking;
  }
}
