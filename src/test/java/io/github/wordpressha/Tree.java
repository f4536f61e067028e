package io.github.wordpressha;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Edits trees by path: {@code spec.containers[0].image}. A key that has dots is written in double quotes. */
public final class Tree {

  private Tree() {}

  /** Sets the value at a path; missing maps on the way are made. */
  public static void set(JsonNode root, String path, JsonNode value) {
    List<Object> steps = steps(path);
    JsonNode parent = parent(root, steps);
    Object last = steps.get(steps.size() - 1);
    if (last instanceof Integer index) {
      if (index == parent.size()) {
        ((ArrayNode) parent).add(value);
      } else {
        ((ArrayNode) parent).set(index, value);
      }
    } else {
      ((ObjectNode) parent).set((String) last, value);
    }
  }

  /** Removes what is at a path; it must be there. */
  public static void remove(JsonNode root, String path) {
    List<Object> steps = steps(path);
    JsonNode parent = parent(root, steps);
    Object last = steps.get(steps.size() - 1);
    JsonNode removed = last instanceof Integer index ? ((ArrayNode) parent).remove(index) : ((ObjectNode) parent).remove((String) last);
    if (removed == null) {
      throw new IllegalArgumentException("nothing at " + path);
    }
  }

  /** What is at a path, or a missing node. */
  public static JsonNode get(JsonNode root, String path) {
    JsonNode node = root;
    for (Object step : steps(path)) {
      node = step instanceof Integer index ? node.path(index) : node.path((String) step);
    }
    return node;
  }

  private static JsonNode parent(JsonNode root, List<Object> steps) {
    JsonNode node = root;
    for (Object step : steps.subList(0, steps.size() - 1)) {
      JsonNode next = step instanceof Integer index ? node.path(index) : node.path((String) step);
      node = next.isMissingNode() ? ((ObjectNode) node).putObject((String) step) : next;
    }
    return node;
  }

  private static List<Object> steps(String path) {
    var steps = new ArrayList<Object>();
    var matcher = java.util.regex.Pattern.compile("\"([^\"]+)\"|\\[(\\d+)]|([^.\\[\\]\"]+)").matcher(path);
    while (matcher.find()) {
      steps.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2) != null ? (Object) Integer.valueOf(matcher.group(2)) : matcher.group(3));
    }
    return steps;
  }
}
