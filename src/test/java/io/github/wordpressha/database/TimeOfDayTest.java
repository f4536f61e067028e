package io.github.wordpressha.database;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.Profiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** A node's time of day may be set at any moment, by an hour or more. Scripts that measure by it would take a member that works for one that hangs, or the reverse. */
class TimeOfDayTest {

  private static final Path FILES = Profiles.CHART_DIRECTORY.resolve("files");
  /** What bash and others read the time of day by; comments and log lines are left out, and so is a number that only has to be new. */
  private static final Pattern TIME_OF_DAY = Pattern.compile("(?m)^(?!\\s*#).*?(?:\\bSECONDS\\b(?!_)|\\bEPOCHSECONDS\\b|date \\+%s(?!%N)|stat -c ['\"]?%[XYZ]).*");
  /** It compares the node's clock with another one. */
  private static final Path CLOCKS = FILES.resolve("tls/certificates.sh");

  @Test
  @DisplayName("no script measures how long something takes by the time of day")
  void measuresByUptime() throws IOException {
    try (Stream<Path> files = Files.walk(FILES)) {
      List<String> lines = files.filter(file -> file.toString().endsWith(".sh") && !file.equals(CLOCKS)).flatMap(TimeOfDayTest::measuring).toList();
      assertThat(lines).isEmpty();
    }
    assertThat(measuring(CLOCKS)).isNotEmpty();
  }

  private static Stream<String> measuring(Path script) {
    try {
      return TIME_OF_DAY.matcher(Files.readString(script)).results().map(found -> FILES.relativize(script) + ": " + found.group().strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
