package io.github.wordpressha.helm;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.manifest.Manifest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A chart that is ready to be rendered, as often as you like and by as many threads as you like.
 *
 * <p>{@code helm template} through the SDK shows neither hooks nor tests nor the notes. So the chart is copied to a
 * temporary directory, where the key {@code helm.sh/hook} becomes {@value #HOOK} (Helm then takes a hook for an
 * ordinary object, and we still see what it is), and where one more template prints the notes.
 */
public final class Chart {

  /** The annotation which tells that a rendered object is a hook, and of which kind: {@code pre-install}, {@code test}... */
  public static final String HOOK = "unhooked.helm.sh/hook";

  private static final String NOTES_TEMPLATE = "zz-verify-notes.yaml";
  private static final String NOTES_API = "verify.wordpress-ha.github.io/v1";

  private final Path staged;
  private final ObjectNode metadata;
  private final ObjectNode defaults;

  private Chart(Path staged) {
    this.staged = staged;
    this.metadata = Yaml.readObject(staged.resolve("Chart.yaml"));
    Path values = staged.resolve("values.yaml");
    this.defaults = Files.exists(values) ? Yaml.readObject(values) : Values.none();
  }

  /**
   * Opens a chart.
   *
   * @param source a chart directory or a packaged chart ({@code .tgz})
   * @throws IllegalArgumentException if it is neither
   */
  public static Chart open(Path source) {
    try {
      Path staged = TemporaryFiles.directory("chart");
      if (Files.isRegularFile(source)) {
        staged = ChartArchive.unpack(source, staged);
      } else if (Files.exists(source.resolve("Chart.yaml"))) {
        copy(source, staged);
      } else {
        throw new IllegalArgumentException(source + ": no chart here (a directory with a Chart.yaml, or a .tgz)");
      }
      showHooks(staged);
      showNotes(staged);
      return new Chart(staged);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The chart's name, from Chart.yaml. */
  public String name() {
    return metadata.path("name").asText();
  }

  /** The chart's version, from Chart.yaml. */
  public String version() {
    return metadata.path("version").asText();
  }

  /** Chart.yaml; a copy. */
  public ObjectNode metadata() {
    return metadata.deepCopy();
  }

  /** values.yaml; a copy. */
  public ObjectNode defaults() {
    return defaults.deepCopy();
  }

  /** The directory that is rendered: a copy of the chart in which hooks are shown. */
  public Path directory() {
    return staged;
  }

  /**
   * Renders everything that the chart would create: objects, hooks, tests and notes.
   *
   * @param values on top of the chart's defaults
   * @throws RenderException if Helm refuses, with the reason
   */
  public Rendering render(Release release, ObjectNode values) {
    Path file = TemporaryFiles.file("values", ".yaml");
    try {
      // JSON is YAML, and leaves no room for the two to disagree on quoting.
      Files.writeString(file, values.toString());
      return Rendering.of(this, release, values, HelmSdk.template(staged, release, List.of(file)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      TemporaryFiles.delete(file);
    }
  }

  /** Whether this document is the one that the notes were smuggled out in. */
  static boolean isNotes(Manifest manifest) {
    return manifest.apiVersion().equals(NOTES_API);
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
  }

  private static void showHooks(Path chart) throws IOException {
    try (Stream<Path> files = Files.walk(chart)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile).filter(Chart::isTemplate)::iterator) {
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        if (text.contains("helm.sh/hook")) {
          Files.writeString(file, text.replace("helm.sh/hook", HOOK), StandardCharsets.ISO_8859_1);
        }
      }
    }
  }

  private static boolean isTemplate(Path file) {
    String path = file.toString().replace('\\', '/');
    return path.contains("/templates/");
  }

  private static void showNotes(Path chart) throws IOException {
    if (Files.exists(chart.resolve("templates/NOTES.txt"))) {
      Files.writeString(chart.resolve("templates").resolve(NOTES_TEMPLATE), """
          apiVersion: %s
          kind: Notes
          metadata:
            name: notes
          text: {{ include (print .Template.BasePath "/NOTES.txt") . | toJson }}
          """.formatted(NOTES_API));
    }
  }
}
