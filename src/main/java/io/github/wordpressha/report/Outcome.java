package io.github.wordpressha.report;

import java.util.List;

/**
 * What one fault does to the site, as predicted from the rendered objects.
 *
 * @param fault what is lost, such as {@code any one node}
 * @param losses the tiers that lose something, with how much: {@code database: 1 of 3}
 * @param visitors what somebody who reads the site sees
 * @param editors what somebody who writes (logs in, comments, orders) sees
 * @param data whether anything that was acknowledged can be lost
 * @param heals whether it comes back without a person
 * @param because the rules that lead to this, one sentence each
 */
public record Outcome(
    String fault, List<String> losses, Readers visitors, Writers editors, Data data, Healing heals, List<String> because) {

  /** What readers see. */
  public enum Readers {
    /** Pages as always. */
    SERVED,
    /** Pages that the cache has; others fail. */
    CACHED,
    /** Nothing. */
    DOWN
  }

  /** What writers see. */
  public enum Writers {
    /** Everything works. */
    SERVED,
    /** A short wait or an error to repeat, then everything works: a failover. */
    FAILOVER,
    /** Errors, until the tier is back. */
    DOWN
  }

  /** What becomes of acknowledged data. */
  public enum Data {
    KEPT,
    AT_RISK,
    LOST
  }

  /** Who brings it back. */
  public enum Healing {
    BY_ITSELF,
    /** When what was lost (node, zone) is back, or replaced. */
    WHEN_BACK,
    BY_A_PERSON
  }

  public Outcome {
    losses = List.copyOf(losses);
    because = List.copyOf(because);
  }
}
