package io.github.wordpressha.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.wordpressha.check.Checks;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("cli")
class MainTest {

  private static final String SAMPLE = "src/test/resources/charts/sample";

  /** What a command printed, and how it ended. */
  record Answer(int code, String out, String err) {}

  @Test
  @DisplayName("check ends with 0 on a sound chart, and says how much it looked at")
  void checksASoundChart() {
    Answer answer = run("check", "--chart", SAMPLE, "--name", "shop");
    assertThat(answer.code()).as(answer.out() + answer.err()).isZero();
    assertThat(answer.out()).contains("0 errors, 0 warnings");
  }

  @Test
  @DisplayName("check of the built-in chart finds no error")
  void checksTheBuiltInChart() {
    Answer answer = run("check", "--kube-version", "1.33");
    assertThat(answer.code()).as(answer.out() + answer.err()).isZero();
  }

  @Test
  @DisplayName("check ends with 1 where something is wrong, and names file, object, path and what to do")
  void checkFindsErrors(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("objects.yaml");
    Files.writeString(file, run("render", "--chart", SAMPLE, "--name", "shop").out().replace("targetPort: \"http\"", "targetPort: \"web\""));
    Answer answer = run("check", "--name", "shop", "--manifests", file.toString());
    assertThat(answer.code()).isEqualTo(1);
    assertThat(answer.out()).contains("error [port] Service/shop-web spec.ports[0].targetPort", "declares port \"web\"", "in sample/templates/web.yaml");
  }

  @Test
  @DisplayName("values that the chart refuses end with 3 and Helm's sentence")
  void refusesValues(@TempDir Path directory) throws Exception {
    Path values = directory.resolve("values.yaml");
    Files.writeString(values, "replicas: three\n");
    Answer answer = run("check", "--chart", SAMPLE, "-f", values.toString());
    assertThat(answer.code()).isEqualTo(3);
    assertThat(answer.err()).contains("/replicas").contains("want integer");
  }

  @Test
  @DisplayName("files that are not there, or hold no values, end with 3 and their name")
  void refusesFiles(@TempDir Path directory) throws Exception {
    Path twice = directory.resolve("twice.yaml");
    Files.writeString(twice, "replicas: 1\nreplicas: 2\n");
    assertThat(run("check", "-f", "nothing.yaml")).satisfies(a -> {
      assertThat(a.code()).isEqualTo(3);
      assertThat(a.err()).contains("nothing.yaml: no such file");
    });
    assertThat(run("check", "--chart", SAMPLE, "-f", twice.toString())).satisfies(a -> {
      assertThat(a.code()).isEqualTo(3);
      assertThat(a.err()).contains("twice.yaml").contains("replicas");
    });
    assertThat(run("check", "--profile", "galera").err()).contains("there is no profile \"galera\"; there are ");
  }

  @Test
  @DisplayName("a wrong command line ends with 2")
  void refusesCommandLines() {
    assertThat(run().code()).isEqualTo(2);
    assertThat(run("chek").code()).isEqualTo(2);
    assertThat(run("check", "--nodes", "many").code()).isEqualTo(2);
  }

  @Test
  @DisplayName("JSON and SARIF are what tools expect")
  void printsForTools() throws Exception {
    JsonNode json = new ObjectMapper().readTree(run("check", "--chart", SAMPLE, "--nodes", "2", "-o", "json").out());
    assertThat(json.path("problems").get(0).path("rule").asText()).isEqualTo("disruption");
    JsonNode sarif = new ObjectMapper().readTree(run("check", "--chart", SAMPLE, "--nodes", "2", "-o", "sarif").out());
    assertThat(sarif.path("version").asText()).isEqualTo("2.1.0");
    JsonNode run = sarif.path("runs").get(0);
    assertThat(run.path("tool").path("driver").path("rules")).hasSize(5 + Checks.ALL.size());
    assertThat(run.path("results").get(0).path("level").asText()).isEqualTo("error");
    assertThat(run.path("results").get(0).path("message").path("text").asText()).contains("3 pods must be on different nodes");
  }

  @Test
  @DisplayName("report, images, render and diff answer")
  void answers(@TempDir Path directory) throws Exception {
    assertThat(run("report", "--chart", SAMPLE, "--nodes", "3", "--zones", "3").out()).contains("any one node", "any one zone");
    assertThat(run("images", "--chart", SAMPLE).out().lines()).containsExactly(
        "docker.io/library/busybox:1.37.0", "docker.io/library/nginx:1.29.3", "docker.io/percona/percona-xtradb-cluster:8.4.8-8.1");
    assertThat(run("render", "--chart", SAMPLE).out()).contains("helm.sh/hook: \"pre-install\"").doesNotContain("unhooked");
    assertThat(run("render", "--chart", SAMPLE, "--notes").out()).startsWith("Installed wordpress-ha");
    Path old = Files.writeString(directory.resolve("old.yaml"), "replicas: 2\n");
    Path now = Files.writeString(directory.resolve("new.yaml"), "replicas: 4\n");
    Answer diff = run("diff", old.toString(), now.toString(), "--chart", SAMPLE);
    assertThat(diff.code()).isZero();
    assertThat(diff.out()).contains("changed Deployment/wordpress-ha-web").contains("spec.replicas: 2 -> 4");
  }

  @Test
  @DisplayName("nothing but the answer goes to standard output: each command's output can be piped")
  void keepsOutputClean() {
    for (List<String> command : List.of(List.of("check", "-o", "json"), List.of("report", "-o", "json"), List.of("images", "-o", "json"))) {
      String[] line = Stream.concat(command.stream(), Stream.of("--chart", SAMPLE)).toArray(String[]::new);
      assertThat(run(line).out().strip()).startsWithIgnoringCase(command.get(0).equals("images") ? "[" : "{");
    }
  }

  private static Answer run(String... args) {
    var out = new StringWriter();
    var err = new StringWriter();
    int code = Main.run(new PrintWriter(out), new PrintWriter(err), args);
    return new Answer(code, out.toString(), err.toString());
  }
}
