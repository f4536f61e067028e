package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Programs of this machine, as a person runs them. */
final class Programs {

    private Programs() {}

    static boolean onPath(String program) {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator)).anyMatch(place -> Files.isExecutable(Path.of(place, program)));
    }

    /** The directory of programs, as the command that builds them prints it; the test is skipped with the command's words where they cannot be built. */
    static Path built(String... command) {
        try {
            Process build = new ProcessBuilder(command).start();
            build.getOutputStream().close();
            String directory = new String(build.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String reason = new String(build.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            assumeTrue(build.waitFor() == 0, reason.strip());
            return Path.of(directory.strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** What a program prints; fails unless it ends in time with status 0. */
    static String run(Map<String, String> environment, Duration atMost, String... command) throws IOException, InterruptedException {
        Path log = Files.createTempFile("run", ".log");
        try {
            var builder = new ProcessBuilder(List.of(command)).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().putAll(environment);
            Process process = builder.start();
            boolean ended = process.waitFor(atMost.toSeconds(), TimeUnit.SECONDS);
            String said = Files.readString(log);
            assertThat(ended).as("%s ends: %s", String.join(" ", command), said).isTrue();
            assertThat(process.exitValue()).as("%s: %s", String.join(" ", command), said).isZero();
            return said;
        } finally {
            Files.delete(log);
        }
    }
}
