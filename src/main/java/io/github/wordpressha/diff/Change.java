package io.github.wordpressha.diff;

import java.util.List;

/**
 * What an upgrade does to one object.
 *
 * @param kind of change
 * @param object such as {@code StatefulSet/wordpress-ha-mysql}
 * @param paths the fields that differ, such as {@code spec.replicas: 3 -> 5}; empty for a whole object
 * @param refused why the cluster refuses the change, one sentence for each reason; empty if it does not
 */
public record Change(Kind kind, String object, List<String> paths, List<String> refused) {

  /** Kinds of change, the worst first. */
  public enum Kind {
    /** The API server says no, and the upgrade fails half way. */
    REFUSED,
    REMOVED,
    /** Its pods are replaced, by the rules of their workload. */
    RESTARTS,
    CHANGED,
    ADDED
  }

  public Change {
    paths = List.copyOf(paths);
    refused = List.copyOf(refused);
  }
}
