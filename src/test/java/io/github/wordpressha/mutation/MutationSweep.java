package io.github.wordpressha.mutation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.TemporaryFiles;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import io.github.wordpressha.report.ResilienceReport;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Seeds faults into the chart's templates, one at a time, and counts how many the checks find. Found means: Helm refuses to render, or
 * an object has a problem that it did not have, or the resilience report gets another result. The inventory does not count: it
 * would find most changes, and knows of no fault.
 */
@Tag("render")
class MutationSweep {

  /** A mutant is up to twenty renderings. Both samples are drawn with the same seed. */
  private static final int LIMIT_PER_OPERATOR = Boolean.getBoolean("drills.full") ? 25 : 15;
  private static final double WANTED = 0.97;
  private static final Cluster CLUSTER = Cluster.ofThree(34);

  /** What the tools say of one chart under one set of values. */
  private record Findings(String text, Set<String> files, Set<String> problems, Objects objects) {
    List<?> outcomes() {
      return ResilienceReport.of(objects, CLUSTER).outcomes();
    }
  }

  private final Map<String, ObjectNode> contexts = new LinkedHashMap<>();
  private final Map<String, Findings> sound = new LinkedHashMap<>();

  @Test
  @DisplayName("at least 97 of 100 seeded faults are found")
  void findsSeededFaults() throws IOException {
    Profiles.all().forEach(p -> contexts.put(p.name(), p.values()));
    Yaml.readObject(Path.of("src/test/resources/values-in-use.yaml")).properties()
        .forEach(f -> contexts.put(f.getKey(), (ObjectNode) f.getValue()));
    contexts.forEach((name, values) -> {
      Rendering rendering = Profiles.chart().render(Release.standard(), values);
      sound.put(name, findings(rendering, rendering.text()));
    });

    List<Mutant> mutants = mutants();
    Map<Mutant, Boolean> results = mutants.parallelStream()
        .map(m -> Map.entry(m, verdict(m)))
        .filter(e -> e.getValue() != Verdict.NO_EFFECT)
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue() == Verdict.FOUND));

    List<Mutant> missed = results.entrySet().stream().filter(e -> !e.getValue()).map(Map.Entry::getKey)
        .sorted(java.util.Comparator.comparing((Mutant m) -> m.operator()).thenComparing(m -> m.file().toString()).thenComparing(Mutant::line)).toList();
    report(results, missed);
    assertThat(results.size()).as("seeded faults that change what is rendered").isGreaterThanOrEqualTo(200);
    assertThat(1 - (double) missed.size() / results.size())
        .as("share of faults found; missed: see target/mutation-report.txt")
        .isGreaterThanOrEqualTo(WANTED);
  }

  private enum Verdict { FOUND, MISSED, NO_EFFECT }

  /** A line that renders to the same bytes (a comment, an unused branch) is no fault. */
  private Verdict verdict(Mutant mutant) {
    Path copy = copy(mutant);
    try {
      Chart chart = Chart.open(copy);
      boolean changed = false;
      for (String context : contextsOf(mutant)) {
        Findings before = sound.get(context);
        Rendering rendering = chart.render(Release.standard(), contexts.get(context));
        String text = rendering.text();
        if (text.equals(before.text())) {
          continue;
        }
        changed = true;
        Findings after = findings(rendering, text);
        if (!before.problems().containsAll(after.problems()) || !after.outcomes().equals(before.outcomes())) {
          return Verdict.FOUND;
        }
      }
      return changed ? Verdict.MISSED : Verdict.NO_EFFECT;
    } catch (RenderException e) {
      return Verdict.FOUND;
    } finally {
      TemporaryFiles.delete(copy);
    }
  }

  /** Where the file makes objects; what is included by others, or makes none yet, is tried everywhere. */
  private List<String> contextsOf(Mutant mutant) {
    String source = Profiles.chart().name() + "/" + mutant.file();
    List<String> those = sound.entrySet().stream().filter(e -> e.getValue().files().contains(source)).map(Map.Entry::getKey).toList();
    return those.isEmpty() ? List.copyOf(sound.keySet()) : those;
  }

  private static Findings findings(Rendering rendering, String text) {
    var verdict = Checks.verify(rendering, CLUSTER);
    Set<String> problems = verdict.problems().stream().map(Problem::toString).collect(Collectors.toCollection(HashSet::new));
    Set<String> files = rendering.manifests().stream().map(Manifest::file).collect(Collectors.toSet());
    return new Findings(text, files, problems, verdict.objects());
  }

  /** A fair share of each kind of mistake, drawn with a fixed seed. */
  private static List<Mutant> mutants() throws IOException {
    var byOperator = new TreeMap<String, List<Mutant>>();
    try (Stream<Path> files = Files.walk(Profiles.CHART_DIRECTORY.resolve("templates"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".yaml") || f.toString().endsWith(".tpl")).sorted().toList()) {
        Mutant.of(Profiles.CHART_DIRECTORY.relativize(file), Files.readString(file))
            .forEach(m -> byOperator.computeIfAbsent(m.operator(), o -> new ArrayList<>()).add(m));
      }
    }
    var chosen = new ArrayList<Mutant>();
    byOperator.values().forEach(all -> {
      Collections.shuffle(all, new Random(7));
      chosen.addAll(all.subList(0, Math.min(LIMIT_PER_OPERATOR, all.size())));
    });
    return chosen;
  }

  private static Path copy(Mutant mutant) {
    Path target = TemporaryFiles.directory("mutant");
    try (Stream<Path> files = Files.walk(Profiles.CHART_DIRECTORY)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Path name = Profiles.CHART_DIRECTORY.relativize(file);
        Path copy = target.resolve(name.toString());
        Files.createDirectories(copy.getParent());
        if (name.equals(mutant.file())) {
          Files.writeString(copy, mutant.applyTo(Files.readString(file)));
        } else {
          Files.copy(file, copy);
        }
      }
      return target;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void report(Map<Mutant, Boolean> results, List<Mutant> missed) throws IOException {
    var text = new StringBuilder();
    text.append(String.format("%d faults, %d found (%.1f %%)%n%n", results.size(), results.size() - missed.size(),
        100.0 * (results.size() - missed.size()) / results.size()));
    var byOperator = new TreeMap<String, int[]>();
    results.forEach((m, found) -> {
      int[] count = byOperator.computeIfAbsent(m.operator(), o -> new int[2]);
      count[0]++;
      count[1] += found ? 1 : 0;
    });
    byOperator.forEach((operator, count) -> text.append(String.format("%-36s %3d of %3d%n", operator, count[1], count[0])));
    text.append("\nmissed:\n");
    missed.forEach(m -> text.append(String.format("%s: %s:%d%n  - %s%n  + %s%n", m.operator(), m.file(), m.line(), m.before().strip(),
        m.after() == null ? "(deleted)" : m.after().strip())));
    Files.createDirectories(Path.of("target"));
    Files.writeString(Path.of("target/mutation-report.txt"), text.toString());
    System.out.println("mutation: " + text.toString().lines().findFirst().orElse(""));
  }
}
