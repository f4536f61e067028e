package io.github.wordpressha.publish;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.marcnuri.helm.Helm;
import io.github.wordpressha.Ports;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.ChartArchive;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("publish")
class PublishTest {

  private static final Path SAMPLE = Path.of("src/test/resources/charts/sample");

  @TempDir
  private Path directory;

  @Test
  @DisplayName("a static repository grows, keeps what it has, and lists the newest version first")
  void repositoryGrows() throws IOException {
    Path repository = directory.resolve("repository");
    var published = new StaticRepository(repository, "https://charts.example.com");
    published.add(pack("1.9.0"), Instant.parse("2025-01-01T00:00:00Z"));
    published.add(pack("1.10.0"), Instant.parse("2025-02-01T00:00:00Z"));
    published.add(pack("1.10.0-rc.1"), Instant.parse("2025-03-01T00:00:00Z"));

    JsonNode entries = Yaml.readObject(repository.resolve("index.yaml")).path("entries").path("sample");
    assertThat(entries).extracting(e -> e.path("version").asText()).containsExactly("1.10.0", "1.10.0-rc.1", "1.9.0");
    assertThat(entries.get(2).path("created").asText()).isEqualTo("2025-01-01T00:00:00Z");
    assertThat(entries.get(0).path("urls").get(0).asText()).isEqualTo("https://charts.example.com/sample-1.10.0.tgz");
    assertThat(entries.get(0).path("digest").asText()).isEqualTo(StaticRepository.sha256(repository.resolve("sample-1.10.0.tgz")));
  }

  @Test
  @DisplayName("a published version never changes: the same archive again is nothing new, another one is refused")
  void versionsAreFinal() throws IOException {
    Path repository = directory.resolve("repository");
    var published = new StaticRepository(repository, "");
    published.add(pack("1.0.0"), Instant.parse("2025-01-01T00:00:00Z"));
    String index = Files.readString(repository.resolve("index.yaml"));

    published.add(pack("1.0.0"), Instant.parse("2025-02-01T00:00:00Z"));
    assertThat(Files.readString(repository.resolve("index.yaml"))).isEqualTo(index);

    Path changed = pack("1.0.0", "replicas: 3\nnested: {keep: a, drop: b}\n");
    assertThatThrownBy(() -> published.add(changed, Instant.now())).hasMessageContaining("raise the version in Chart.yaml");
    assertThat(Files.readString(repository.resolve("index.yaml"))).isEqualTo(index);
  }

  @Test
  @DisplayName("Helm can use the repository")
  void helmReadsTheRepository() throws Exception {
    Path repository = directory.resolve("repository");
    new StaticRepository(repository, "").add(pack("1.0.0"), Instant.parse("2025-01-01T00:00:00Z"));
    try (var server = new FileServer(repository)) {
      Path config = directory.resolve("repositories.yaml");
      Helm.repo().add().withRepositoryConfig(config).withName("test").withUrl(server.url()).call();
      assertThat(Helm.search().repo().withRepositoryConfig(config).call()).anySatisfy(r -> assertThat(r.getName()).isEqualTo("test/sample"));
    }
  }

  @Test
  @DisplayName("the signature is good, and says which archive it is for")
  void signs() throws Exception {
    assumeTrue(onPath("gpg"), "no gpg on the PATH to make a key with and to verify by");
    try (var gpg = new Gpg(directory.resolve("gnupg"))) {
      Path keyring = gpg.secretKeys(directory.resolve("secret.gpg"));
      Path archive = pack("1.0.0");

      Path provenance = Provenance.sign(archive, keyring, Gpg.ADDRESS, new char[0]);

      assertThat(gpg.run("--verify", provenance.toString())).contains("Good signature from \"Test <test@example.com>\"");
      assertThat(Files.readString(provenance))
          .contains("name: sample", "files:\n  sample-1.0.0.tgz: sha256:" + StaticRepository.sha256(archive));
      assertThatThrownBy(() -> Provenance.sign(archive, keyring, "nobody", new char[0])).hasMessageContaining("has no key of \"nobody\"");
      Files.writeString(provenance, Files.readString(provenance).replace("name: sample", "name: simple"));
      assertThat(gpg.run("--verify", provenance.toString())).contains("BAD signature");
    }
  }

  @Test
  @DisplayName("a registry gets the archive's very bytes, refuses a changed version, and Helm renders from it")
  void pushesToARegistry() throws Exception {
    assumeTrue(onPath("docker-registry"), "no docker-registry on the PATH");
    int port = Ports.free();
    Path config = Files.writeString(directory.resolve("registry.yml"), """
        version: 0.1
        log: {level: error}
        storage: {filesystem: {rootdirectory: %s}}
        http: {addr: "127.0.0.1:%d"}
        """.formatted(directory.resolve("registry"), port));
    Process registry = new ProcessBuilder("docker-registry", "serve", config.toString()).redirectErrorStream(true)
        .redirectOutput(directory.resolve("registry.log").toFile()).start();
    try {
      Awaitility.await().until(() -> answers(port));
      var remote = new OciRegistry(URI.create("oci://127.0.0.1:" + port + "/charts"), true);
      Path archive = pack("1.0.0");
      assertThat(remote.digest("sample", "1.0.0")).isEmpty();

      remote.push(archive);
      assertThat(remote.digest("sample", "1.0.0")).hasValue("sha256:" + StaticRepository.sha256(archive));
      remote.push(archive);
      Path changed = pack("1.0.0", "replicas: 3\nnested: {keep: a, drop: b}\n");
      assertThatThrownBy(() -> remote.push(changed)).hasMessageContaining("raise the version in Chart.yaml");
      assertThat(Helm.template("oci://127.0.0.1:" + port + "/charts/sample").withVersion("1.0.0").withKubeVersion("1.33.0").plainHttp().call())
          .contains("kind: Deployment");
    } finally {
      registry.destroy();
      registry.waitFor(10, TimeUnit.SECONDS);
    }
  }

  @Test
  @DisplayName("publishing without a target, or to an address that is none, says what to write")
  void refusesBadTargets() throws IOException {
    assertThat(Publish.run(pack("1.0.0").toString(), "values")).isEqualTo(1);
    assertThatThrownBy(() -> new OciRegistry(URI.create("https://example.com"), false)).hasMessageContaining("begins with oci://");
  }

  @ParameterizedTest
  @DisplayName("image references are read as container runtimes read them")
  @CsvSource(delimiter = '|', textBlock = """
      nginx                                        | docker.io | library/nginx | ''    | ''
      percona/pxc:8.4                              | docker.io | percona/pxc   | 8.4   | ''
      localhost:5000/a/b:1                         | localhost:5000 | a/b      | 1     | ''
      quay.io/coreos/etcd:v3.6@sha256:abc          | quay.io   | coreos/etcd   | v3.6  | sha256:abc
      """)
  void readsReferences(String text, String registry, String repository, String tag, String digest) {
    assertThat(ImageReference.parse(text)).isEqualTo(new ImageReference(registry, repository, tag, digest));
  }

  @Test
  @DisplayName("the bill of materials names every image once, and is the same each time")
  void listsImages() {
    List<String> images = List.of("quay.io/coreos/etcd:v3.6.16", "docker.io/library/nginx:1.30-alpine");
    ObjectNode sbom = Sbom.cycloneDx("wordpress-ha", "1.0.0", images);
    assertThat(sbom).isEqualTo(Sbom.cycloneDx("wordpress-ha", "1.0.0", List.of(images.get(1), images.get(0))));
    assertThat(sbom.path("components")).extracting(c -> c.path("purl").asText()).containsExactly(
        "pkg:oci/nginx?repository_url=docker.io%2Flibrary%2Fnginx&tag=1.30-alpine",
        "pkg:oci/etcd?repository_url=quay.io%2Fcoreos%2Fetcd&tag=v3.6.16");
    assertThat(sbom.path("compositions")).as("all images are listed, but not what is in them").extracting(c -> c.path("aggregate").asText())
        .containsExactly("complete", "unknown");
    assertThat(sbom.path("compositions").get(1).path("assemblies")).hasSize(2);
  }

  @Test
  @DisplayName("Chart.yaml has what chart catalogues show")
  void hasCatalogueAnnotations() throws Exception {
    ObjectNode metadata = Profiles.chart().metadata();
    assertThat(Yaml.parse(metadata.path("annotations").path("artifacthub.io/changes").asText())).isNotEmpty().allSatisfy(change -> {
      assertThat(change.path("kind").asText()).isIn("added", "changed", "deprecated", "removed", "fixed", "security");
      assertThat(change.path("description").asText()).isNotBlank();
    });
    assertThat(Yaml.parse(metadata.path("annotations").path("artifacthub.io/links").asText())).isNotEmpty().allSatisfy(link -> {
      assertThat(link.path("name").asText()).isNotBlank();
      assertThat(link.path("url").asText()).startsWith("https://");
    });
    assertThat(metadata.path("annotations").path("artifacthub.io/license").asText()).isEqualTo("Apache-2.0");
    assertThat(metadata.path("annotations").path("artifacthub.io/category").asText()).isNotEmpty();
    assertThat(metadata.path("description").asText()).isNotEmpty();
    assertThat(metadata.path("home").asText()).startsWith("https://");
    assertThat(SemanticVersion.parse(metadata.path("version").asText()).numbers()).hasSize(3);
  }

  private Path pack(String version) throws IOException {
    return pack(version, Files.readString(SAMPLE.resolve("values.yaml")));
  }

  private Path pack(String version, String values) throws IOException {
    Path chart = Files.createTempDirectory(directory, "chart").resolve("sample");
    try (Stream<Path> files = Files.walk(SAMPLE)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = chart.resolve(SAMPLE.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    Files.writeString(chart.resolve("Chart.yaml"), Files.readString(chart.resolve("Chart.yaml")).replace("1.2.3", version));
    Files.writeString(chart.resolve("values.yaml"), values);
    new Helm(chart).packageIt().withDestination(chart.getParent()).call();
    Path archive = chart.getParent().resolve("sample-" + version + ".tgz");
    ChartArchive.normalize(archive, chart);
    return archive;
  }

  private static boolean onPath(String program) {
    return Stream.of(System.getenv("PATH").split(":")).anyMatch(d -> Files.isExecutable(Path.of(d, program)));
  }

  private static boolean answers(int port) {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
