package io.github.wordpressha.helm;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Scratch space of this process; gone when it ends. */
public final class TemporaryFiles {

  private static final AtomicLong COUNTER = new AtomicLong();
  private static final Path ROOT = createRoot();

  private TemporaryFiles() {}

  /** A new, empty directory. */
  public static Path directory(String prefix) {
    try {
      return Files.createDirectory(ROOT.resolve(prefix + "-" + COUNTER.incrementAndGet()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The path of a file that does not exist yet. */
  public static Path file(String prefix, String suffix) {
    return ROOT.resolve(prefix + "-" + COUNTER.incrementAndGet() + suffix);
  }

  /** Deletes a file or a directory with all that is in it. */
  public static void delete(Path path) {
    try (Stream<Path> files = Files.walk(path)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      // Scratch space: what is left goes with the machine's temporary directory.
    }
  }

  private static Path createRoot() {
    try {
      Path root = Files.createTempDirectory("wordpress-ha-");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> delete(root)));
      return root;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
