package io.github.wordpressha.effects;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.helm.Yaml;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** The list of effects and their witnesses, {@code effects.yaml}: by document, then by sentence or value. */
final class Effects {

  static final Path FILE = Path.of("src/test/resources/effects.yaml");

  private static final int WIDTH = 120;
  private static final String HEADER = """
      # Each sentence of the documents and each value, with the test that fails when its effect is gone in a running site:
      #   witness   Class#method of a test on a cluster
      #   probe     a probe of EffectsIT
      #   build     Class#method of a test without a cluster, for what the build and its command line promise
      #   none      why it promises no effect
      #   unproved  why no test sees the effect, or, beside a witness, which part of it
      # EffectsTest checks that the list is complete. After a change of a document, `mvn test -Dtest=EffectsTest -Dgolden.update=true`
      # drops sentences that are gone and adds new ones with an empty witness, for you to fill in.
      """;

  private Effects() {}

  /**
   * What is known of one sentence or value.
   *
   * @param kinds the texts by kind: witness, probe, build, none, unproved
   */
  record Entry(Map<String, List<String>> kinds) {

    static Entry empty() {
      return new Entry(Map.of("witness", List.of("")));
    }

    List<String> of(String kind) {
      return kinds.getOrDefault(kind, List.of());
    }

    /** As a flow map of YAML. */
    @Override
    public String toString() {
      return String.join(", ", lines());
    }

    private List<String> lines() {
      return kinds.entrySet().stream()
          .map(kind -> kind.getKey() + ": " + flow(kind.getValue()))
          .toList();
    }
  }

  private static String flow(List<String> texts) {
    List<String> quoted = texts.stream().map(text -> text.matches("[\\w/.;# -]+") ? text : quoted(text)).toList();
    return quoted.size() == 1 ? quoted.get(0) : "[" + String.join(", ", quoted) + "]";
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "''") + "'";
  }

  static Map<String, Map<String, Entry>> read() {
    var all = new LinkedHashMap<String, Map<String, Entry>>();
    Yaml.readObject(FILE).properties().forEach(document -> all.put(document.getKey(),
        document.getKey().equals(Promises.VALUES) ? values(document.getValue()) : sentences(document.getValue())));
    return all;
  }

  private static Map<String, Entry> sentences(JsonNode list) {
    var entries = new LinkedHashMap<String, Entry>();
    list.forEach(item -> {
      if (entries.put(item.path("says").asText(), entry(item)) != null) {
        throw new IllegalArgumentException(FILE + ": this sentence is there twice: " + item.path("says").asText());
      }
    });
    return entries;
  }

  private static Map<String, Entry> values(JsonNode map) {
    var entries = new LinkedHashMap<String, Entry>();
    map.properties().forEach(value -> entries.put(value.getKey(), entry(value.getValue())));
    return entries;
  }

  private static Entry entry(JsonNode item) {
    var kinds = new LinkedHashMap<String, List<String>>();
    item.properties().stream().filter(kind -> !kind.getKey().equals("says")).forEach(kind -> kinds.put(kind.getKey(), texts(kind.getValue())));
    return new Entry(kinds);
  }

  private static List<String> texts(JsonNode node) {
    return node.isArray() ? StreamSupport.stream(node.spliterator(), false).map(JsonNode::asText).toList() : List.of(node.isNull() ? "" : node.asText());
  }

  /** The list for these promises: what is known of each, in their order. */
  static String write(Map<String, List<String>> promises, Map<String, Map<String, Entry>> known) {
    var text = new StringBuilder(HEADER);
    promises.forEach((document, all) -> {
      text.append('\n').append(document).append(":\n");
      for (String one : all) {
        Entry entry = known.getOrDefault(document, Map.of()).getOrDefault(one, Entry.empty());
        if (document.equals(Promises.VALUES)) {
          text.append("  ").append(one).append(": {").append(entry).append("}\n");
        } else {
          text.append("  - says: ").append(scalar(one)).append('\n');
          entry.lines().forEach(line -> text.append("    ").append(line).append('\n'));
        }
      }
    });
    return text.toString();
  }

  /** A text in quotes, or folded when it is long. */
  private static String scalar(String text) {
    if (text.length() <= WIDTH) {
      return quoted(text);
    }
    return ">-" + folded(text).stream().reduce("", (all, line) -> all + "\n      " + line);
  }

  private static List<String> folded(String text) {
    var lines = new ArrayList<String>();
    for (String word : text.split(" ")) {
      int last = lines.size() - 1;
      if (last >= 0 && lines.get(last).length() + word.length() < WIDTH) {
        lines.set(last, lines.get(last) + " " + word);
      } else {
        lines.add(word);
      }
    }
    return lines;
  }
}
