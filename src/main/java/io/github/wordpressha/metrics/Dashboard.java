package io.github.wordpressha.metrics;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A dashboard of Grafana.
 *
 * @param name of its file and ConfigMap
 * @param panels in reading order; they fill rows of {@value #COLUMNS} columns
 */
public record Dashboard(String name, String title, List<Panel> panels) {

  private static final int COLUMNS = 24;
  private static final int SCHEMA = 39;
  private static final Map<String, String> SOURCE = Map.of("type", "prometheus", "uid", "${datasource}");
  private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

  /** How a panel shows its values. */
  public enum Kind {
    /** The last value as a number, red below or above a bound. */
    STAT("stat", 4, 4),
    /** Lines over time. */
    LINES("timeseries", 12, 8),
    /** A table of labels, now. */
    TABLE("table", 24, 7);

    private final String type;
    private final int width;
    private final int height;

    Kind(String type, int width, int height) {
      this.type = type;
      this.width = width;
      this.height = height;
    }
  }

  /**
   * A panel.
   *
   * @param unit Grafana's name of the unit
   * @param colors by the value from which each counts; empty: none
   * @param queries expressions by the legend of their lines
   */
  public record Panel(Kind kind, String title, String unit, Map<Double, String> colors, Map<String, String> queries) {

    /** A number that is red from zero, and green from this value on. */
    static Panel atLeast(String title, String unit, double good, String query) {
      return new Panel(Kind.STAT, title, unit, ordered(0.0, "red", good, "green"), Map.of("", query));
    }

    /** A number that is green from zero, and red from this value on. */
    static Panel below(String title, String unit, double bad, String query) {
      return new Panel(Kind.STAT, title, unit, ordered(0.0, "green", bad, "red"), Map.of("", query));
    }

    static Panel lines(String title, String unit, String legend, String query) {
      return new Panel(Kind.LINES, title, unit, Map.of(), Map.of(legend, query));
    }

    static Panel table(String title, String query) {
      return new Panel(Kind.TABLE, title, "none", Map.of(), Map.of("", query));
    }

    private static Map<Double, String> ordered(double first, String color, double second, String other) {
      var colors = new LinkedHashMap<Double, String>();
      colors.put(first, color);
      colors.put(second, other);
      return colors;
    }
  }

  /** As Grafana reads it. */
  public String json() {
    try {
      return JSON.writeValueAsString(Map.of(
          "uid", "wordpress-ha-" + name,
          "title", title,
          "tags", List.of("wordpress-ha"),
          "schemaVersion", SCHEMA,
          "editable", false,
          "refresh", "30s",
          "time", Map.of("from", "now-3h", "to", "now"),
          "templating", Map.of("list", variables()),
          "panels", placed())) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(name, e);
    }
  }

  private static List<Map<String, Object>> variables() {
    return List.of(
        Map.of("name", "datasource", "label", "Prometheus", "type", "datasource", "query", "prometheus"),
        variable("namespace", "Namespace", "label_values(wordpress_ha_source_up, namespace)", ""),
        // Pods are called by their Deployment, and that by the release.
        variable("fullname", "Release", "label_values(wordpress_ha_source_up{namespace=\"$namespace\"}, pod)", "/(.+)-[a-z0-9]+-[a-z0-9]{5}$/"));
  }

  private static Map<String, Object> variable(String name, String label, String query, String regex) {
    return Map.of("name", name, "label", label, "type", "query", "datasource", SOURCE, "query", query, "regex", regex, "refresh", 2, "sort", 1);
  }

  private List<Map<String, Object>> placed() {
    var placed = new ArrayList<Map<String, Object>>();
    int x = 0;
    int y = 0;
    int height = 0;
    for (Panel panel : panels) {
      if (x + panel.kind().width > COLUMNS || height != 0 && panel.kind().height != height) {
        x = 0;
        y += height;
      }
      placed.add(panel(placed.size() + 1, panel, x, y));
      x += panel.kind().width;
      height = panel.kind().height;
    }
    return placed;
  }

  private static Map<String, Object> panel(int id, Panel panel, int x, int y) {
    return Map.of(
        "id", id,
        "type", panel.kind().type,
        "title", panel.title(),
        "datasource", SOURCE,
        "gridPos", Map.of("x", x, "y", y, "w", panel.kind().width, "h", panel.kind().height),
        "fieldConfig", Map.of("defaults", defaults(panel), "overrides", List.of()),
        "options", panel.kind() == Kind.STAT ? Map.of("reduceOptions", Map.of("calcs", List.of("lastNotNull")), "colorMode", "background") : Map.of(),
        "targets", targets(panel));
  }

  private static Map<String, Object> defaults(Panel panel) {
    var steps = new ArrayList<Map<String, Object>>();
    panel.colors().forEach((from, color) -> {
      var step = new LinkedHashMap<String, Object>();
      step.put("color", color);
      step.put("value", steps.isEmpty() ? null : from);
      steps.add(step);
    });
    return steps.isEmpty() ? Map.of("unit", panel.unit(), "min", 0)
        : Map.of("unit", panel.unit(), "color", Map.of("mode", "thresholds"), "thresholds", Map.of("mode", "absolute", "steps", steps));
  }

  private static List<Map<String, Object>> targets(Panel panel) {
    var targets = new ArrayList<Map<String, Object>>();
    panel.queries().forEach((legend, query) -> targets.add(Map.of(
        "refId", String.valueOf((char) ('A' + targets.size())),
        "datasource", SOURCE,
        "expr", query,
        "legendFormat", legend,
        "instant", panel.kind() == Kind.TABLE,
        "format", panel.kind() == Kind.TABLE ? "table" : "time_series")));
    return targets;
  }
}
