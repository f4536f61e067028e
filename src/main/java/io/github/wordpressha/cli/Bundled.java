package io.github.wordpressha.cli;

import io.github.wordpressha.helm.TemporaryFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The chart and the profiles that this program carries. */
final class Bundled {

  private Bundled() {}

  /** A copy of the chart, in a temporary directory. */
  static Path chart() {
    return extract("charts/wordpress-ha");
  }

  /** The values of a profile. */
  static Path profile(String name) {
    Path directory = extract("values");
    Path file = directory.resolve(name + ".yaml");
    if (!Files.exists(file)) {
      throw new IllegalArgumentException("there is no profile \"" + name + "\"; there are " + String.join(", ", names(directory)));
    }
    return file;
  }

  private static List<String> names(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(f -> f.getFileName().toString()).filter(f -> f.endsWith(".yaml")).map(f -> f.replace(".yaml", "")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path extract(String resource) {
    Path target = TemporaryFiles.directory("bundled");
    try {
      var url = Bundled.class.getClassLoader().getResource(resource);
      if (url == null) {
        throw new IllegalStateException("this program carries no " + resource + "; give a chart with --chart");
      }
      URI uri = url.toURI();
      if (uri.getScheme().equals("jar")) {
        try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
          copy(jar.getPath(resource), target);
        }
      } else {
        copy(Path.of(uri), target);
      }
      return target;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        Path copy = to.resolve(from.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
  }
}
