package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * One case: steps that a visitor or an editor takes one after the other, and the right answers. {@code src/test/resources/http/README.md}
 * describes the file format.
 */
public record Row(String name, List<Step> steps) {

  /**
   * The rows of one file, and the chart's values that they are about.
   *
   * @param core whether they are about WordPress itself, with a database
   */
  public record Table(String name, ObjectNode values, boolean core, List<Row> rows) {

    public static List<Table> all(Path directory) {
      try (Stream<Path> files = Files.list(directory)) {
        return files.filter(file -> file.toString().endsWith(".yaml")).sorted().map(Table::read).toList();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static Table read(Path file) {
      ObjectNode tree = Yaml.readObject(file);
      ObjectNode values = tree.path("values").isObject() ? (ObjectNode) tree.get("values") : Values.none();
      return new Table(file.getFileName().toString().replace(".yaml", ""), values, tree.path("core").asBoolean(), list(tree.path("rows")).map(Row::read).toList());
    }
  }

  /**
   * A request and the answer that it must get.
   *
   * @param proxy the PROXY header before it, see {@link ProxyHeader}
   * @param form the body, as a browser sends a form; empty for none
   * @param seconds waits for so long before the request: a quiet time
   * @param change pages that become another kind before the request
   * @param database whether the database is there from now on; null for as it was
   * @param times sends the request so often; the last answer counts
   * @param within repeats the request until the answer is right, for so many seconds at most; 0 for one try
   */
  public record Step(String method, String path, Map<String, String> headers, String proxy, String form, double seconds, Map<String, String> change, Boolean database,
      int times, double within, Expected expected) {

    static Step get(String path) {
      return request("GET", path, Map.of(), "");
    }

    static Step request(String method, String path, Map<String, String> headers, String form) {
      return new Step(method, path, headers, "", form, 0, Map.of(), null, 1, 0, Expected.ANY);
    }

    void run(HttpTarget target) throws InterruptedException {
      change.forEach(target::change);
      if (database != null) {
        target.database(database);
      }
      Thread.sleep((long) (seconds * 1000));
      long end = System.nanoTime() + (long) (within * 1e9);
      for (int time = 1; time < times; time++) {
        target.send(this);
      }
      Answer answer = target.send(this);
      while (System.nanoTime() < end && !expected.isMetBy(answer)) {
        Thread.sleep(200);
        answer = target.send(this);
      }
      expected.check(this, answer);
    }

    @Override
    public String toString() {
      return method + " " + path + " " + headers;
    }
  }

  /**
   * What is right. A text in slashes is a regular expression, an empty one means absence.
   *
   * @param status 0 for any, or {@link #NO_ANSWER}
   * @param cache X-Cache, or NONE; several are written {@code HIT MISS}; empty for any
   */
  public record Expected(int status, String cache, Map<String, String> headers, List<String> body, List<String> not) {

    /** Headers that may be there several times. */
    private static final Set<String> LISTS = Set.of("Set-Cookie", "Vary");
    private static final int NO_ANSWER = -1;
    static final Expected ANY = new Expected(0, "", Map.of(), List.of(), List.of());

    boolean isMetBy(Answer answer) {
      try {
        check(null, answer);
        return true;
      } catch (AssertionError e) {
        return false;
      }
    }

    void check(Step step, Answer answer) {
      String what = step + " got " + answer;
      assertThat(answer.headers()).filteredOn(header -> !LISTS.contains(header.getKey())).extracting(Map.Entry::getKey).as(what).doesNotHaveDuplicates();
      if (status != 0) {
        assertThat(answer.status()).as(what).isEqualTo(status == NO_ANSWER ? 0 : status);
      }
      if (!cache.isEmpty()) {
        assertThat(answer.cache()).as("X-Cache: " + what).isIn(List.of(cache.split(" ")));
      }
      headers.forEach((name, value) -> {
        if (value.length() > 1 && value.startsWith("/") && value.endsWith("/")) {
          assertThat(answer.header(name)).as(name + ": " + what).containsPattern(value.substring(1, value.length() - 1));
        } else {
          assertThat(answer.header(name)).as(name + ": " + what).isEqualTo(value);
        }
      });
      body.forEach(text -> assertThat(answer.text()).as(what).contains(text));
      not.forEach(text -> assertThat(answer.text()).as(what).doesNotContain(text));
    }
  }

  private static final Set<String> KEYS = Set.of("name", "steps", "request", "headers", "proxy", "form", "seconds", "change", "database", "times", "within",
      "status", "cache", "answer", "body", "not");

  private static Row read(JsonNode row) {
    String name = row.path("name").asText();
    JsonNode steps = row.path("steps");
    return new Row(name, steps.isMissingNode() ? List.of(step(row, 2)) : list(steps).map(step -> step(step, 1)).toList());
  }

  private static Step step(JsonNode step, int times) {
    step.fieldNames().forEachRemaining(key -> assertThat(KEYS).as("the key of a step: " + step).contains(key));
    String[] request = step.path("request").asText().split(" ", 2);
    return new Step(request[0], unescape(request[1]), map(step.path("headers")), step.path("proxy").asText(), step.path("form").asText(), step.path("seconds").asDouble(), map(step.path("change")),
        step.has("database") ? step.get("database").asText().equals("back") : null, step.path("times").asInt(times),
        step.path("within").asDouble(),
        new Expected(step.path("status").asText().equals("none") ? Expected.NO_ANSWER : step.path("status").asInt(), step.path("cache").asText(), map(step.path("answer")), texts(step.path("body")), texts(step.path("not"))));
  }

  /** {@code {x*9000}} stands for 9000 times x. */
  private static String unescape(String path) {
    int open = path.indexOf("{");
    if (open < 0) {
      return path;
    }
    String[] repeated = path.substring(open + 1, path.indexOf("}")).split("\\*");
    return path.substring(0, open) + repeated[0].repeat(Integer.parseInt(repeated[1])) + path.substring(path.indexOf("}") + 1);
  }

  private static Map<String, String> map(JsonNode node) {
    var map = new TreeMap<String, String>();
    node.fields().forEachRemaining(field -> map.put(field.getKey(), field.getValue().isNull() ? "" : field.getValue().asText()));
    return map;
  }

  private static List<String> texts(JsonNode node) {
    return node.isTextual() ? List.of(node.asText()) : list(node).map(JsonNode::asText).toList();
  }

  private static Stream<JsonNode> list(JsonNode node) {
    return StreamSupport.stream(node.spliterator(), false);
  }
}
