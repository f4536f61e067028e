package io.github.wordpressha.wordpress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How many workers are left to queries that strangers invent. */
@Tag("http")
class StartPhpTest {

  private static final Path SCRIPT = Path.of("charts/wordpress-ha/files/wordpress/start-php.sh");

  @ParameterizedTest(name = "{0} processors, a third of the workers is {1}: {2}")
  @DisplayName("unknown queries leave one processor to stored pages, where there is more than one")
  @CsvSource({"1, 3, 1", "2, 3, 1", "3, 3, 2", "4, 3, 3", "64, 3, 3", "64, 1, 1", "1, 1, 1"})
  void workers(int processors, int third, int workers, @TempDir Path programs) throws Exception {
    program(programs, "nproc", "echo " + processors);
    program(programs, "php-fpm", "echo \"$QUERY_WORKERS $*\"");
    var builder = new ProcessBuilder("bash", SCRIPT.toString()).redirectErrorStream(true);
    builder.environment().put("PATH", programs + ":" + System.getenv("PATH"));
    builder.environment().put("QUERY_WORKERS", String.valueOf(third));
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output.strip()).isEqualTo(workers + " --fpm-config /etc/wordpress-web/php-fpm.conf");
  }

  private static void program(Path directory, String name, String script) throws IOException {
    Path file = Files.writeString(directory.resolve(name), "#!/bin/sh\n" + script + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }
}
