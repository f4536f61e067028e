package io.github.wordpressha.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Prometheus's own checker, where it is on the PATH. */
public final class Promtool {

  private Promtool() {}

  public static void assumePresent() {
    assumeTrue(program().isPresent(), "no promtool on the PATH");
  }

  /** {@code check metrics} of one scrape: its form, and that names and helps are as Prometheus wants them. */
  public static void checkMetrics(String exposition) {
    assertThat(run(exposition, List.of("check", "metrics"))).isEmpty();
  }

  /** Runs it on files, and expects success. */
  public static void run(String... arguments) {
    run("", List.of(arguments));
  }

  private static String run(String input, List<String> arguments) {
    try {
      var command = new ArrayList<>(List.of(program().orElseThrow().toString()));
      command.addAll(arguments);
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (var stdin = process.getOutputStream()) {
        stdin.write(input.getBytes(StandardCharsets.UTF_8));
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor()).as(output).isZero();
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Optional<Path> program() {
    return Stream.of(System.getenv("PATH").split(":")).map(place -> Path.of(place).resolve("promtool")).filter(Files::isExecutable).findFirst();
  }
}
