package io.github.wordpressha.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.helm.Yaml;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("render")
class DecoderTest {

  @Test
  @DisplayName("an unknown field of a kind that no schema describes is found by its class")
  void findsUnknownFields() {
    List<Problem> problems = decode("""
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: a}
        spec: {hostname: [www.example.com]}
        """);
    assertThat(problems).singleElement().satisfies(p -> {
      assertThat(p.path()).isEqualTo("spec.hostname");
      assertThat(p.message()).isEqualTo("unknown field \"hostname\".");
      assertThat(p.advice()).isEqualTo("Did you mean \"hostnames\"?");
    });
  }

  @Test
  @DisplayName("numbers and booleans are no texts, and texts are no numbers")
  void coercesNothing() {
    for (String value : List.of("1", "1.5", "true")) {
      assertThat(decode("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {key: " + value + "}}")).hasSize(1);
    }
    assertThat(decode("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {replicas: \"3\"}}")).hasSize(1);
    assertThat(decode("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {key: \"1\"}}")).isEmpty();
  }

  @Test
  @DisplayName("a key that is given twice is an error, not a silent loss")
  void findsRepeatedKeys() {
    ManifestParser.Result result = ManifestParser.parse("""
        # Source: chart/templates/a.yaml
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: a}
        data:
          key: one
          key: two
        """);
    assertThat(result.manifests()).isEmpty();
    assertThat(result.problems()).singleElement().satisfies(p -> {
      assertThat(p.file()).isEqualTo("chart/templates/a.yaml");
      assertThat(p.message()).contains("line 7").contains("'key'");
    });
  }

  @Test
  @DisplayName("an alias stands for what its anchor names, as in Kubernetes")
  void resolvesAliases() {
    ManifestParser.Result result = ManifestParser.parse("""
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: a, labels: &labels {app: a}, annotations: *labels}
        """);
    assertThat(result.manifests().get(0).annotation("app")).hasValue("a");
  }

  @Test
  @DisplayName("text that is no object is an error with its file")
  void findsOtherDocuments() {
    ManifestParser.Result result = ManifestParser.parse("---\n# Source: c/templates/a.yaml\nhello: world\n---\n---\n# only a comment\n");
    assertThat(result.problems()).singleElement().satisfies(p -> assertThat(p.message()).contains("hello: world"));
  }

  @Test
  @DisplayName("custom resources are checked, too")
  void checksCustomResources() {
    Manifest snapshot = manifest("""
        apiVersion: snapshot.storage.k8s.io/v1
        kind: VolumeSnapshot
        metadata: {name: a}
        spec: {source: {persistentVolumeClaim: b}}
        """);
    assertThat(KubernetesSchema.of(34).validate(snapshot)).singleElement()
        .satisfies(p -> assertThat(p.toString()).contains("unknown field \"persistentVolumeClaim\". Did you mean \"persistentVolumeClaimName\"?"));
    Manifest monitor = manifest("""
        apiVersion: monitoring.coreos.com/v1
        kind: ServiceMonitor
        metadata: {name: a}
        spec: {selector: {}, endpoint: []}
        """);
    assertThat(KubernetesSchema.of(34).validate(monitor)).isNotEmpty();
  }

  @Test
  @DisplayName("every known kind is described by each schema, by its class, or by both")
  void knowsEveryKind() {
    for (int minor : KubernetesSchema.MINORS) {
      for (String type : ApiCatalog.known()) {
        Manifest manifest = manifest("{apiVersion: " + type.split(" ")[0] + ", kind: " + type.split(" ")[1] + ", metadata: {name: a}}");
        assertThat(KubernetesSchema.of(minor).describes(manifest) || ApiCatalog.type(manifest).isPresent()).as(type).isTrue();
      }
    }
  }

  private static List<Problem> decode(String yaml) {
    return Decoder.decode(manifest(yaml)).problems();
  }

  private static Manifest manifest(String yaml) {
    try {
      return new Manifest("test.yaml", (com.fasterxml.jackson.databind.node.ObjectNode) Yaml.parse(yaml));
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }
}
