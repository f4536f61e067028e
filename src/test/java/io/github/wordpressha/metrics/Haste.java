package io.github.wordpressha.metrics;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.regex.Pattern;

/** Rules in a hurry, so that a fault is seen within minutes: the same expressions and thresholds, and a tenth of each duration. */
public final class Haste {

  /** The label of alerts of rules in a hurry. */
  public static final String LABEL = "hastened";
  private static final int TIMES = 10;
  /** Probes in pods run every 30 s: one that fails once is no alert. */
  private static final Duration LEAST = Duration.ofSeconds(45);
  private static final Duration MOST = Duration.ofMinutes(2);
  private static final Pattern RANGE = Pattern.compile("\\[(\\d+[smh])]");

  private Haste() {}

  /** A copy of the groups of a PrometheusRule. */
  public static JsonNode hastened(JsonNode rules) {
    JsonNode copy = rules.deepCopy();
    copy.path("groups").forEach(group -> ((ObjectNode) group).put("name", group.path("name").asText() + "." + LABEL));
    copy.findParents("alert").forEach(alert -> hasten((ObjectNode) alert));
    return copy;
  }

  private static void hasten(ObjectNode alert) {
    long seconds = duration(alert.path("for").asText()).dividedBy(TIMES).toSeconds();
    alert.put("for", Math.min(MOST.toSeconds(), Math.max(LEAST.toSeconds(), seconds)) + "s");
    alert.put("expr", RANGE.matcher(alert.path("expr").asText()).replaceAll(range -> "[" + duration(range.group(1)).dividedBy(TIMES).toSeconds() + "s]"));
    ((ObjectNode) alert.path("labels")).put(LABEL, "true");
  }

  private static Duration duration(String text) {
    return Duration.parse("PT" + text);
  }
}
