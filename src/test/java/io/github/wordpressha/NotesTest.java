package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Helm prints after an install and an upgrade of a release whose defaults are closed. */
@Tag("render")
@Tag("security")
class NotesTest {

  private static final String PROBE = "/dev/tcp/";
  private static final String UPGRADED = "If this release ran without TLS until now";

  @ParameterizedTest
  @DisplayName("with policies, one command tells whether the network enforces them: from a database pod to the site, which no policy allows")
  @ValueSource(strings = {"galera", "replication", "standalone"})
  void enforcement(String topology) throws JsonProcessingException {
    assertThat(probe("{database: {topology: %s}, wordpress: {service: {port: 8085}}}".formatted(topology))).get().asString()
        .startsWith("kubectl -n default exec wordpress-ha-mysql-0 -c mysql -- ").contains(PROBE + "wordpress-ha/8085");
  }

  @ParameterizedTest
  @DisplayName("where there is no policy, or no database pod to ask from, the notes have no such command")
  @ValueSource(strings = {"{networkPolicy: {enabled: false}}", "{database: {topology: external, external: {hosts: [db.example.com], password: x}}}"})
  void noEnforcement(String values) throws JsonProcessingException {
    assertThat(probe(values)).isEmpty();
  }

  @Test
  @DisplayName("the command prints 0 where the connection is made, and another number where it is not")
  void enforcementAnswers() throws Exception {
    String command = probe("{}").orElseThrow().replaceFirst(".* -- ", "");
    int port;
    try (var site = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = site.getLocalPort();
      assertThat(run(List.of("bash", "-c", command.replace("wordpress-ha/80", "127.0.0.1/" + port)))).isEqualTo("0");
    }
    assertThat(run(List.of("bash", "-c", command.replace("wordpress-ha/80", "127.0.0.1/" + port)))).doesNotEndWith("0");
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("an upgrade to TLS of a release that ran without says how to go back, and which page to follow")
  @CsvSource(delimiter = '|', value = {
      "{} | true",
      "{database: {topology: replication}} | true",
      "{tls: {enabled: false}} | false",
      "{database: {topology: standalone}} | false"})
  void upgrade(String values, boolean told) throws Exception {
    assertThat(render(values)).as("an install").doesNotContain(UPGRADED);
    assertThat(upgraded(values).contains(UPGRADED)).isEqualTo(told);
    if (told) {
      assertThat(upgraded(values)).contains("tls.enabled=false", "\"From a release without TLS or policies\" in docs/operations.md");
      assertThat(Files.readString(Path.of("docs/operations.md"))).contains("### From a release without TLS or policies");
    }
  }

  @Test
  @DisplayName("an upgrade with --reuse-values from a version whose defaults had another name is refused with the path")
  void reusedDefaults() {
    assertThatThrownBy(() -> render("{networkPolicy: {to: {dns: {port: 53}}}}"))
        .isInstanceOf(RenderException.class).hasMessageContaining("networkPolicy").hasMessageContaining("port");
  }

  private static String render(String values) throws JsonProcessingException {
    return Profiles.render(values).notes();
  }

  private static Optional<String> probe(String values) throws JsonProcessingException {
    return render(values).lines().filter(line -> line.contains(PROBE)).map(String::strip).findFirst();
  }

  /** The notes of an upgrade, by the helm program: its SDK renders installs only. */
  private static String upgraded(String values) throws Exception {
    assumeTrue(Arrays.stream(System.getenv("PATH").split(":")).anyMatch(directory -> Files.isExecutable(Path.of(directory, "helm"))), "no helm on the PATH");
    Path file = Files.writeString(Files.createTempFile("values", ".yaml"), values);
    String rendered = run(List.of("helm", "template", "wordpress-ha", Profiles.chart().directory().toString(), "--is-upgrade",
        "--kube-version", Release.DEFAULT_KUBE_VERSION,
        "--values", file.toString(), "--show-only", "templates/zz-verify-notes.yaml"));
    return Yaml.parse(rendered).path("text").asText();
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as("%s: %s", command, output).isZero();
    return output;
  }
}
