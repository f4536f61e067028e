package io.github.wordpressha;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.build.StageProfiles;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The chart of this repository and the profiles beside it. */
public final class Profiles {

  public static final Path CHART_DIRECTORY = Path.of("charts/wordpress-ha");
  public static final Path VALUES_DIRECTORY = Path.of("values");

  private static final class Opened {
    static final Chart CHART = Chart.open(CHART_DIRECTORY);
  }

  /** A named set of values on top of the chart's defaults. */
  public record Profile(String name, ObjectNode values) {
    @Override
    public String toString() {
      return name;
    }
  }

  private Profiles() {}

  /** The chart, staged once for all tests. */
  public static Chart chart() {
    return Opened.CHART;
  }

  /** What the chart renders under the standard release with these values, as YAML. */
  public static Rendering render(String values) {
    try {
      return chart().render(Release.standard(), (ObjectNode) Yaml.parse(values));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(values, e);
    }
  }

  /** Every file in {@code values/}; a test over none of them must fail. */
  public static List<Profile> files() {
    try {
      List<Profile> profiles = StageProfiles.profiles(VALUES_DIRECTORY).stream()
          .map(file -> new Profile(StageProfiles.name(file), Yaml.readObject(file)))
          .toList();
      if (profiles.isEmpty()) {
        throw new IllegalStateException("no profiles in " + VALUES_DIRECTORY.toAbsolutePath());
      }
      return profiles;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The chart's defaults, and every profile. */
  public static Stream<Profile> all() {
    return Stream.concat(Stream.of(new Profile("defaults", Values.none())), files().stream());
  }
}
