package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.KubernetesSchema;
import io.github.wordpressha.manifest.Problem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every profile with every switch (boolean or enum) in every position, and every pair of positions of any two of them together, on
 * each supported Kubernetes version: either a guard of the chart refuses it with its sentence, or what is rendered is sound.
 */
@Tag("render")
class MatrixSweep {

  private static final ObjectNode RULES = Yaml.readObject(Path.of("src/test/resources/values-matrix.yaml"));
  /** More than the largest number of pods that must be on different nodes. */
  private static final int NODES = 50;

  /** Where no template asks for the version, one rendering serves all; what may differ is what each version accepts. */
  private static final boolean DEPENDS_ON_VERSION = templates().anyMatch(text -> text.contains(".Capabilities"));

  /** A combination: the positions by factor. */
  record Combination(String name, ObjectNode values) {}

  private final Map<String, ObjectNode> profiles = new LinkedHashMap<>();
  private final Map<String, List<JsonNode>> switches = new ValueSpace().switches();

  MatrixSweep() {
    Profiles.all().forEach((Profile p) -> profiles.put(p.name(), p.values()));
  }

  @Test
  @DisplayName("each switch in each position, in each profile")
  void everySwitch() {
    var combinations = new LinkedHashMap<ObjectNode, Combination>(); // A switch that is in that position anyway makes no new one.
    profiles.keySet().forEach(name -> switches.forEach((path, positions) -> positions.forEach(p -> {
      ObjectNode tree = tree(Map.of("profile", TextNode.valueOf(name), path, p));
      combinations.putIfAbsent(Values.merge(Profiles.chart().defaults(), tree), new Combination(name + " with " + path + "=" + p, tree));
    })));
    sweep(List.copyOf(combinations.values()), 0.9);
  }

  @Test
  @DisplayName("each pair of positions of any two switches, and of a switch and a profile")
  void everyPair() {
    sweep(pairwise().stream().map(positions -> new Combination(positions.toString(), tree(positions))).toList(), 0.9);
  }

  private ObjectNode tree(Map<String, JsonNode> positions) {
    ObjectNode tree = base(profiles.get(positions.get("profile").asText()));
    var all = new LinkedHashMap<>(positions);
    all.putAll(needs(positions));
    for (var position : all.entrySet()) {
      if (!position.getKey().equals("profile")) {
        tree = Values.merge(tree, Values.of(position.getKey(), position.getValue()));
      }
    }
    return tree;
  }

  /** What these positions need, and what that needs; a switch that has two needs at once has the last one. */
  private static Map<String, JsonNode> needs(Map<String, JsonNode> positions) {
    var all = new LinkedHashMap<>(positions);
    var needs = new LinkedHashMap<String, JsonNode>();
    for (JsonNode rule : RULES.path("needs")) {
      if (rule.path("when").properties().stream().allMatch(w -> w.getValue().equals(all.get(w.getKey())))) {
        rule.path("then").properties().forEach(t -> {
          needs.put(t.getKey(), t.getValue());
          all.put(t.getKey(), t.getValue());
        });
      }
    }
    return needs;
  }

  /** Whether a guard refuses these positions together: one needs what another is not. */
  private static boolean contradict(Map<String, JsonNode> positions) {
    return needs(positions).entrySet().stream().anyMatch(n -> positions.containsKey(n.getKey()) && !positions.get(n.getKey()).equals(n.getValue()));
  }

  private void sweep(List<Combination> values, double soundAtLeast) {
    long start = System.nanoTime();
    Queue<String> defects = new ConcurrentLinkedQueue<>();
    Set<String> sentences = java.util.concurrent.ConcurrentHashMap.newKeySet();
    var renders = new AtomicInteger();
    var refused = new AtomicInteger();
    var sound = new AtomicInteger();
    values.parallelStream().forEach(combination -> {
      Rendering rendering = null;
      for (int minor : KubernetesSchema.MINORS) {
        try {
          if (rendering == null || DEPENDS_ON_VERSION) {
            rendering = Profiles.chart().render(Release.standard().withKubeVersion("1." + minor), combination.values());
            renders.incrementAndGet();
          }
          List<Problem> errors = Checks.verify(rendering, new Cluster(NODES, 1, minor)).errors();
          if (errors.isEmpty()) {
            sound.incrementAndGet();
          } else {
            defects.add(combination.name() + " on 1." + minor + ": " + errors.get(0));
          }
        } catch (RenderException e) {
          refused.incrementAndGet();
          if (isGuard(e.getMessage())) {
            sentences.add(e.getMessage().lines().reduce((a, b) -> b).orElse(""));
          } else {
            defects.add(combination.name() + " on 1." + minor + ": " + e.getMessage());
          }
        }
      }
    });
    System.out.printf("matrix: %d combinations on %d versions (%d renders) in %.1f s, %d sound, %d refused by a guard (%d different sentences)%n",
        values.size(), KubernetesSchema.MINORS.size(), renders.get(), (System.nanoTime() - start) / 1e9, sound.get(), refused.get(), sentences.size());
    assertThat(defects.stream().distinct().limit(20)).as("combinations that are neither refused nor sound").isEmpty();
    assertThat((double) sound.get()).as("sound renders; if guards refuse nearly all, nothing is tested").isGreaterThan(soundAtLeast * values.size() * KubernetesSchema.MINORS.size());
  }

  private static Stream<String> templates() {
    return TextFiles.below(Profiles.CHART_DIRECTORY.resolve("templates")).stream().map(TextFiles::read);
  }

  /** A refusal that a person can act on, as opposed to a template that breaks. */
  private static boolean isGuard(String message) {
    return message.contains("These values cannot work") || message.contains("values don't meet the specifications of the schema");
  }

  private ObjectNode base(ObjectNode profile) {
    return Values.merge((ObjectNode) RULES.path("companions"), profile);
  }

  /** A greedy covering array: as few combinations as a simple method finds, the same at each run. */
  private List<Map<String, JsonNode>> pairwise() {
    Map<String, List<JsonNode>> factors = new LinkedHashMap<>();
    factors.put("profile", profiles.keySet().stream().map(n -> (JsonNode) TextNode.valueOf(n)).toList());
    factors.putAll(switches);
    List<String> names = List.copyOf(factors.keySet());
    Set<List<Object>> open = new LinkedHashSet<>();
    for (int a = 0; a < names.size(); a++) {
      for (int b = a + 1; b < names.size(); b++) {
        for (JsonNode x : factors.get(names.get(a))) {
          for (JsonNode y : factors.get(names.get(b))) {
            if (!contradict(Map.of(names.get(a), x, names.get(b), y))) {
              open.add(List.of(a, x, b, y));
            }
          }
        }
      }
    }
    var combinations = new ArrayList<Map<String, JsonNode>>();
    while (!open.isEmpty()) {
      JsonNode[] chosen = new JsonNode[names.size()];
      List<Object> seed = open.iterator().next();
      chosen[(int) seed.get(0)] = (JsonNode) seed.get(1);
      chosen[(int) seed.get(2)] = (JsonNode) seed.get(3);
      for (int f = 0; f < names.size(); f++) {
        if (chosen[f] == null) {
          chosen[f] = best(f, possible(names, f, factors.get(names.get(f)), chosen), chosen, open, combinations.size());
        }
      }
      var positions = new LinkedHashMap<String, JsonNode>();
      for (int a = 0; a < names.size(); a++) {
        positions.put(names.get(a), chosen[a]);
        for (int b = a + 1; b < names.size(); b++) {
          open.remove(List.of(a, chosen[a], b, chosen[b]));
        }
      }
      combinations.add(positions);
    }
    return combinations;
  }

  /** The positions that none of the chosen ones excludes; all, if there is none left. */
  private static List<JsonNode> possible(List<String> names, int factor, List<JsonNode> positions, JsonNode[] chosen) {
    var together = new LinkedHashMap<String, JsonNode>();
    for (int other = 0; other < chosen.length; other++) {
      if (chosen[other] != null) {
        together.put(names.get(other), chosen[other]);
      }
    }
    List<JsonNode> possible = positions.stream().filter(p -> {
      together.put(names.get(factor), p);
      return !contradict(together);
    }).toList();
    return possible.isEmpty() ? positions : possible;
  }

  private static JsonNode best(int factor, List<JsonNode> positions, JsonNode[] chosen, Set<List<Object>> open, int turn) {
    JsonNode best = positions.get(turn % positions.size());
    int most = -1;
    for (int p = 0; p < positions.size(); p++) {
      JsonNode position = positions.get((p + turn) % positions.size());
      int covered = 0;
      for (int other = 0; other < chosen.length; other++) {
        if (chosen[other] != null && open.contains(other < factor ? List.of(other, chosen[other], factor, position) : List.of(factor, position, other, chosen[other]))) {
          covered++;
        }
      }
      if (covered > most) {
        most = covered;
        best = position;
      }
    }
    return best;
  }
}
