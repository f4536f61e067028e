package io.github.wordpressha.arbitration;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** The decision of an engine, as its scripts call it, for many situations through one process. Equal situations are asked once. */
final class Decider implements AutoCloseable {

  record Answer(String decision, List<String> basis, String epoch, String claimed, String why) { }

  private final Process process;
  private final BufferedReader from;
  private final BufferedWriter to;
  private final Map<String, Answer> known = new HashMap<>();

  /** @param library the directory that has decide.jq and what it includes */
  Decider(Path library) {
    try {
      process = new ProcessBuilder("jq", "-r", "--unbuffered", "-L", library.toString(),
          "include \"decide\"; try (decide | line([\"decision\", \"basis\", \"epoch\", \"claimed\", \"why\"])) catch \"error\\u001f\\u001f\\u001f\\u001f\\(.)\"")
          .redirectError(ProcessBuilder.Redirect.INHERIT).start();
      from = process.inputReader();
      to = process.outputWriter();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The library of an engine in one directory, as the ConfigMap mounts it. */
  static Path library(String engine) {
    Path directory = Bench.temporary("decide");
    for (Path folder : List.of(Bench.FILES.resolve("database"), Bench.FILES.resolve("database").resolve(engine))) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.filter(path -> path.toString().endsWith(".jq")).toList()) {
          Files.copy(file, directory.resolve(file.getFileName()));
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return directory;
  }

  List<Answer> ask(List<String> situations) {
    List<String> fresh = new ArrayList<>(new LinkedHashSet<>(situations.stream().filter(situation -> !known.containsKey(situation)).toList()));
    var writing = CompletableFuture.runAsync(() -> write(fresh));
    for (String situation : fresh) {
      known.put(situation, read());
    }
    writing.join();
    return situations.stream().map(known::get).toList();
  }

  private void write(List<String> situations) {
    try {
      for (String situation : situations) {
        to.write(situation);
        to.write('\n');
      }
      to.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Answer read() {
    try {
      String line = from.readLine();
      if (line == null) {
        throw new IllegalStateException("the decision's process has ended");
      }
      String[] fields = line.split("\u001f", -1);
      return new Answer(fields[0], fields[1].isEmpty() ? List.of() : List.of(fields[1].split(" ")), fields[2], fields[3], fields[4]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** How many different situations were decided. */
  int size() {
    return known.size();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
