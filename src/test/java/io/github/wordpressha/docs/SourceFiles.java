package io.github.wordpressha.docs;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Files of the repository. */
final class SourceFiles {

  private SourceFiles() {}

  /** The files of a directory, sorted, so many levels deep: 1 means its own alone. */
  static Stream<Path> of(Path directory, int levels) {
    try (Stream<Path> files = Files.walk(directory, levels)) {
      return files.filter(Files::isRegularFile).sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Stream<Path> below(Path directory) {
    return of(directory, Integer.MAX_VALUE);
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
