package io.github.wordpressha.database;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Notes by which the processes of a database pod tell one another what they know. */
class MemberNotesTest {

  private static final Path SCRIPTS = Path.of("charts/wordpress-ha/files/database").toAbsolutePath();
  private static final String BOTH_WRITE = """
      . "$1/common.sh"
      for ((i = 0; i < 200; i++)); do
        note "$2/note" "from the background" &
        note "$2/note" "from the foreground"
        wait $!
      done
      """;

  @TempDir private Path run;

  @Test
  @DisplayName("two processes of one script write one note at once: neither fails")
  void writtenAtOnce() throws IOException, InterruptedException {
    Process process = new ProcessBuilder("bash", "-euc", BOTH_WRITE, "notes", SCRIPTS.toString(), run.toString()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output).isEmpty();
    assertThat(run.resolve("note")).content().startsWith("from the ");
  }
}
