package io.github.wordpressha.kustomize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.wordpressha.Profiles;
import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.check.Workload;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.ManifestParser;
import io.github.wordpressha.publish.Sbom;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The overlays, through the real Kustomize, on every profile; what comes out passes the same checks. */
@Tag("kustomize")
class OverlaysTest {

  private static final Path OVERLAYS = Path.of("values/overlays");
  private static final Map<String, Rendering> RENDERED = new ConcurrentHashMap<>();

  /** A profile under an overlay. */
  record Case(String overlay, Profile profile) {}

  @BeforeAll
  static void kustomizeIsThere() throws Exception {
    String version = version(List.of("kustomize", "version"));
    String text = version.isEmpty() ? version(List.of("kubectl", "version", "--client")).replaceAll("(?s).*Kustomize Version: ", "") : version;
    assumeTrue(text.matches("(?s)v?[5-9]\\..*"), "no kustomize 5 on the PATH, and no kubectl that has it; found: " + text);
  }

  static Stream<Case> cases() throws IOException {
    List<String> overlays;
    try (Stream<Path> directories = Files.list(OVERLAYS)) {
      overlays = directories.filter(Files::isDirectory).map(d -> d.getFileName().toString()).sorted().toList();
    }
    assertThat(overlays).isNotEmpty();
    return overlays.stream().flatMap(o -> Profiles.all().map(p -> new Case(o, p)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  @DisplayName("an overlay leaves a sound release, and changes something")
  void isSound(Case c) throws Exception {
    Rendering rendering = rendered(c.profile());
    List<Manifest> before = rendering.manifests();
    ManifestParser.Result after = overlaid(rendering, c.overlay());
    var verdict = Checks.verify(Release.standard(), after.manifests(), after.problems(), c.profile().values(), Cluster.ofThree(34));
    assertThat(verdict.errors()).isEmpty();
    assertThat(after.manifests()).extracting(Manifest::id).containsExactlyInAnyOrderElementsOf(before.stream().map(Manifest::id).toList());
    boolean hasDatabase = before.stream().anyMatch(m -> m.kind().equals("StatefulSet") && m.label("app.kubernetes.io/component").filter("database"::equals).isPresent());
    if (!c.overlay().equals("resources") || hasDatabase) {
      assertThat(after.manifests()).extracting(Manifest::tree).doesNotContainSubsequence(before.stream().map(Manifest::tree).toList());
    }
    if (c.overlay().equals("private-registry")) {
      assertThat(Sbom.images(verdict.objects())).as("no image comes from anywhere else")
          .isNotEmpty().allMatch(i -> i.startsWith("registry.example.com/mirror/"));
    }
  }

  @Test
  @DisplayName("company: labels on objects and pods, never in selectors")
  void companyLabels() throws Exception {
    List<Workload> workloads = workloads("company");
    assertThat(workloads).allSatisfy(w -> {
      assertThat(w.labels()).containsEntry("example.com/team", "web");
      assertThat(w.manifest().annotation("example.com/contact")).hasValue("web-team@example.com");
      w.selector().ifPresent(s -> assertThat(s.getMatchLabels()).doesNotContainKey("example.com/team"));
    });
  }

  @Test
  @DisplayName("sidecar: one container more in the web pods, and in no others")
  void sidecar() throws Exception {
    assertThat(workloads("sidecar")).filteredOn(w -> w.containers().stream().anyMatch(p -> p.container().getName().equals("log-shipper")))
        .extracting(w -> w.manifest().id()).containsExactly("Deployment/wordpress-ha");
  }

  @Test
  @DisplayName("resources: the database has its CPU limit")
  void resources() throws Exception {
    assertThat(workloads("resources")).filteredOn(w -> w.manifest().id().equals("StatefulSet/wordpress-ha-mysql"))
        .singleElement()
        .satisfies(w -> assertThat(w.pod().getContainers().get(0).getResources().getLimits().get("cpu").toString()).isEqualTo("4"));
  }

  @Test
  @DisplayName("Helm 4 takes the overlays as a plugin, and lays them over hooks and tests, too")
  void helmFourPlugin(@TempDir Path home) throws Exception {
    assumeTrue(version(List.of("helm", "version", "--short")).startsWith("v4."), "no helm 4 on the PATH");
    helm(home, "plugin", "install", OVERLAYS.toAbsolutePath().toString());
    String output = helm(home, "template", "wordpress-ha", Profiles.CHART_DIRECTORY.toString(), "--kube-version", Release.DEFAULT_KUBE_VERSION,
        "--post-renderer", "wordpress-ha-overlay", "--post-renderer-args", "company");
    List<Manifest> manifests = ManifestParser.parse(output).manifests();
    assertThat(manifests).filteredOn(m -> m.annotation("helm.sh/hook").isPresent()).isNotEmpty();
    assertThat(manifests).allSatisfy(m -> assertThat(m.label("example.com/team")).hasValue("web"));
    assertThat(manifests).extracting(Manifest::id)
        .containsExactlyInAnyOrderElementsOf(rendered(defaults()).manifests().stream().map(Manifest::id).toList());
  }

  @Test
  @DisplayName("an overlay that is not there is refused with a sentence")
  void refusesUnknownOverlays() throws Exception {
    Process process = start(List.of(OVERLAYS.resolve("post-render").toString(), "nothing"), "");
    assertThat(process.exitValue()).isEqualTo(2);
    assertThat(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8)).contains("there is no kustomization.yaml in ");
  }

  private static List<Workload> workloads(String overlay) throws Exception {
    Rendering rendering = rendered(defaults());
    return Checks.verify(Release.standard(), overlaid(rendering, overlay).manifests(), List.of(), rendering.values(), Cluster.ofThree(34)).objects().workloads();
  }

  private static Profile defaults() {
    return Profiles.all().findFirst().orElseThrow();
  }

  private static Rendering rendered(Profile profile) {
    return RENDERED.computeIfAbsent(profile.name(), name -> Profiles.chart().render(Release.standard(), profile.values()));
  }

  /** Helm at a home of its own. */
  private static String helm(Path home, String... arguments) throws Exception {
    Path output = home.resolve("output");
    var command = new ArrayList<>(List.of("helm"));
    command.addAll(List.of(arguments));
    var builder = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(home.resolve("errors").toFile());
    builder.environment().putAll(Map.of("HELM_DATA_HOME", home.resolve("data").toString(), "HELM_CONFIG_HOME", home.resolve("config").toString(),
        "HELM_CACHE_HOME", home.resolve("cache").toString()));
    builder.environment().remove("HELM_PLUGINS");
    Process process = builder.start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(home.resolve("errors"))).isZero();
    return Files.readString(output);
  }

  private static ManifestParser.Result overlaid(Rendering rendering, String overlay) throws Exception {
    String input = rendering.text().replace(Chart.HOOK, "helm.sh/hook");
    Process process = start(List.of(OVERLAYS.resolve("post-render").toString(), overlay), input);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8)).isZero();
    return ManifestParser.parse(output);
  }

  /** Output goes through files: a pipe that nobody empties would block a large answer. */
  private static Process start(List<String> command, String input) throws Exception {
    Path in = Files.createTempFile("overlay", ".yaml");
    Files.writeString(in, input);
    try {
      Process process = new ProcessBuilder(new ArrayList<>(command)).redirectInput(in.toFile()).start();
      if (input.isEmpty()) {
        process.waitFor(60, TimeUnit.SECONDS);
      }
      return process;
    } finally {
      in.toFile().deleteOnExit();
    }
  }

  private static String version(List<String> command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0 ? output : "";
    } catch (IOException e) {
      return "";
    }
  }
}
