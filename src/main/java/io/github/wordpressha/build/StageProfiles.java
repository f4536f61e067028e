package io.github.wordpressha.build;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.TemporaryFiles;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Build step: makes a chart of each profile, {@code target/profiles/<profile>}, by writing the profile's values into
 * the defaults. Strict lint takes no values files, so this is how it gets to see a profile.
 */
public final class StageProfiles {

  private StageProfiles() {}

  /** Arguments: the chart's directory, the directory of the profiles, the directory to write. */
  public static void main(String[] args) throws IOException {
    Path chart = Path.of(args[0]);
    Path target = Path.of(args[2]);
    TemporaryFiles.delete(target);
    ObjectNode defaults = Yaml.readObject(chart.resolve("values.yaml"));
    stage(chart, defaults, target.resolve("defaults"));
    for (Path profile : profiles(Path.of(args[1]))) {
      ObjectNode values = Values.withoutNulls(Values.merge(defaults, Yaml.readObject(profile)));
      stage(chart, values, target.resolve(name(profile)));
    }
  }

  /** The profile files of a directory, sorted by name. */
  public static List<Path> profiles(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  /** {@code values/minimal.yaml} is the profile {@code minimal}. */
  public static String name(Path profile) {
    return profile.getFileName().toString().replaceFirst("\\.yaml$", "");
  }

  private static void stage(Path chart, ObjectNode values, Path target) throws IOException {
    try (Stream<Path> files = Files.walk(chart)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Path copy = target.resolve(chart.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    Files.writeString(target.resolve("values.yaml"), Yaml.write(values));
  }
}
