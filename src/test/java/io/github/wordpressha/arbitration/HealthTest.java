package io.github.wordpressha.arbitration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the check agent of a Galera member notes about the component that its server is in. */
@Tag("arbitration")
class HealthTest {

  private static final String JUDGE = """
      cd "$1" && . ./common.sh && . ./health.sh
      declare -A answer=([wsrep_cluster_status]=Primary [wsrep_local_state]=4 [wsrep_cluster_size]=3 [members]=$2)
      judge && cat "$RUN/state"
      """;

  @TempDir private Path run;

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "blog-mysql-1     | mysql-0,mysql-1,mysql-2                | blog-mysql-0,blog-mysql-1,blog-mysql-2",
      "blog-mysql-1     | blog-mysql-0,blog-mysql-1,mysql-2      | blog-mysql-0,blog-mysql-1,blog-mysql-2",
      "mysql-mysql-1    | mysql-mysql-0,mysql-1,mysql-mysql-2    | mysql-mysql-0,mysql-mysql-1,mysql-mysql-2",
      "my-mysql-mysql-0 | mysql-0                                | my-mysql-mysql-0"})
  void membersHaveTheirPodsNamesAlsoThoseThatWereNotUpgraded(String pod, String inGalera, String noted) throws IOException, InterruptedException {
    var builder = new ProcessBuilder("bash", "-euc", JUDGE, "judge", Bench.scripts().toString(), inGalera);
    builder.environment().put("POD_NAME", pod);
    builder.environment().put("RUN", run.toString());
    Process process = builder.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(Bench.json(output).path("members").asText()).isEqualTo(noted);
  }
}
