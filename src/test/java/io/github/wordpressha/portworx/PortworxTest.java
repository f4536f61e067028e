package io.github.wordpressha.portworx;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The objects for Portworx: what its documentation names, and nothing else. The kinds' fields are checked by the decoder. */
@Tag("render")
@Tag("portworx")
class PortworxTest {

  /** Parameters that the chart may use. Source: docs.portworx.com/portworx-enterprise/reference/storageclass, and CSI's for secrets. */
  private static final Set<String> CLASS_PARAMETERS = Set.of("repl", "io_profile", "sharedv4", "sharedv4_svc_type", "secure",
      "csi.storage.k8s.io/provisioner-secret-name", "csi.storage.k8s.io/provisioner-secret-namespace",
      "csi.storage.k8s.io/node-publish-secret-name", "csi.storage.k8s.io/node-publish-secret-namespace",
      "csi.storage.k8s.io/controller-expand-secret-name", "csi.storage.k8s.io/controller-expand-secret-namespace");

  /** Source: docs.portworx.com/portworx-enterprise/operations/create-snapshots/cloud-snapshots/scheduled. */
  private static final Set<String> SNAPSHOT_PARAMETERS = Set.of("csi.openstorage.org/snapshot-type", "csi.openstorage.org/snapshot-credential-id",
      "csi.openstorage.org/snapshot-incremental-count", "csi.storage.k8s.io/snapshotter-secret-name", "csi.storage.k8s.io/snapshotter-secret-namespace");

  @Test
  @DisplayName("the profile: MySQL on two copies of a block volume, content on two copies of a shared one, both snapshotted every night")
  void profile() {
    Rendering rendering = render("{}");
    JsonNode database = parameters(rendering, "default-wordpress-ha-portworx-database");
    assertThat(database.path("repl").asText()).isEqualTo("2");
    assertThat(database.path("io_profile").asText()).as("writes are acknowledged from the disks").isEqualTo("none");
    assertThat(database.has("sharedv4")).isFalse();
    JsonNode content = parameters(rendering, "default-wordpress-ha-portworx-content");
    assertThat(content.path("repl").asText()).isEqualTo("2");
    assertThat(content.path("sharedv4").asText()).isEqualTo("true");
    assertThat(classOf(rendering, "wordpress-ha-content")).isEqualTo("default-wordpress-ha-portworx-content");
    assertThat(one(rendering, "StatefulSet", "wordpress-ha-mysql").at("/spec/volumeClaimTemplates/0/spec/storageClassName").asText())
        .isEqualTo("default-wordpress-ha-portworx-database");
    assertThat(scheduled(rendering, "local")).containsExactlyInAnyOrder("data-wordpress-ha-mysql-0", "wordpress-ha-content");
    assertThat(scheduled(rendering, "cloud")).isEmpty();
    assertThat(one(rendering, "HorizontalPodAutoscaler", "wordpress-ha").at("/spec/minReplicas").asInt()).isEqualTo(3);
    assertThat(one(rendering, "HorizontalPodAutoscaler", "wordpress-ha").at("/spec/maxReplicas").asInt()).isEqualTo(10);
  }

  @Test
  @DisplayName("encrypted, with a Secret, and backed up to an object store: every object has what Portworx asks for")
  void everything() {
    Rendering rendering = render("""
        {encrypted: true, secret: {name: px-user-token, namespace: portworx},
         cloudBackup: {enabled: true, credential: 0b4bc9b6-6aa5-4b3e-9f1d-000000000000, retain: 3}}""");
    assertThat(Checks.verify(rendering, Cluster.ofThree(34)).errors()).isEmpty();
    for (String use : List.of("database", "content")) {
      JsonNode parameters = parameters(rendering, "default-wordpress-ha-portworx-" + use);
      assertThat(names(parameters)).isSubsetOf(CLASS_PARAMETERS);
      assertThat(parameters.path("secure").asText()).isEqualTo("true");
      assertThat(parameters.path("csi.storage.k8s.io/node-publish-secret-name").asText()).isEqualTo("px-user-token");
      assertThat(parameters.path("csi.storage.k8s.io/controller-expand-secret-namespace").asText()).isEqualTo("portworx");
    }
    JsonNode cloud = one(rendering, "VolumeSnapshotClass", "default-wordpress-ha-portworx-cloud").path("parameters");
    assertThat(names(cloud)).isSubsetOf(SNAPSHOT_PARAMETERS);
    assertThat(cloud.path("csi.openstorage.org/snapshot-type").asText()).isEqualTo("cloud");
    assertThat(cloud.path("csi.openstorage.org/snapshot-incremental-count").asText()).as("less than what is kept").isEqualTo("2");
    assertThat(scheduled(rendering, "cloud")).containsExactlyInAnyOrder("data-wordpress-ha-mysql-0", "wordpress-ha-content");
    assertThat(one(rendering, "SchedulePolicy", "default-wordpress-ha-portworx-cloud").at("/policy/weekly/day").asText()).isEqualTo("Sunday");
  }

  @Test
  @DisplayName("every parameter is a text: Kubernetes refuses numbers and booleans there")
  void parametersAreTexts() {
    render("{cloudBackup: {enabled: true}}").manifests().stream()
        .filter(m -> m.kind().equals("StorageClass") || m.kind().equals("VolumeSnapshotClass"))
        .forEach(m -> assertThat(m.tree().path("parameters")).allMatch(JsonNode::isTextual));
  }

  @Test
  @DisplayName("with classes of another driver the same profile has no object of Portworx's left")
  void replaced() {
    ObjectNode values = Values.merge(profileValues(), parse("""
        database: {storage: {storageClass: standard}}
        wordpress: {content: {storageClass: shared}}
        """));
    Rendering rendering = Profiles.chart().render(Release.standard(), values);
    assertThat(rendering.manifests()).extracting(Manifest::kind)
        .doesNotContain("StorageClass", "VolumeSnapshotClass", "SchedulePolicy", "VolumeSnapshotSchedule");
    assertThat(classOf(rendering, "wordpress-ha-content")).isEqualTo("shared");
  }

  @Test
  @DisplayName("a misspelt field of a schedule is found")
  void strict() {
    Rendering rendering = render("{}");
    var manifests = rendering.manifests().stream().map(m -> {
      if (!m.kind().equals("VolumeSnapshotSchedule")) {
        return m;
      }
      ObjectNode tree = m.tree().deepCopy();
      ((ObjectNode) tree.path("spec")).put("schedulePolicy", "daily");
      return new Manifest(m.file(), tree);
    }).toList();
    assertThat(Checks.verify(Release.standard(), manifests, List.of(), Values.none(), Cluster.ofThree(34)).errors())
        .anyMatch(problem -> problem.toString().contains("schedulePolicy"));
  }

  private static ObjectNode profileValues() {
    return Yaml.readObject(Path.of("values/portworx.yaml"));
  }

  private static ObjectNode parse(String yaml) {
    try {
      return (ObjectNode) Yaml.parse(yaml);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(yaml, e);
    }
  }

  private static Rendering render(String portworx) {
    return Profiles.chart().render(Release.standard(), Values.merge(profileValues(), parse("portworx: " + portworx)));
  }

  private static JsonNode one(Rendering rendering, String kind, String name) {
    return rendering.manifests().stream().filter(m -> m.kind().equals(kind) && m.name().equals(name)).findFirst()
        .orElseThrow(() -> new AssertionError("no " + kind + " " + name)).tree();
  }

  private static JsonNode parameters(Rendering rendering, String name) {
    JsonNode found = one(rendering, "StorageClass", name);
    assertThat(found.path("provisioner").asText()).isEqualTo("pxd.portworx.com");
    assertThat(found.path("allowVolumeExpansion").asBoolean()).isTrue();
    return found.path("parameters");
  }

  private static String classOf(Rendering rendering, String claim) {
    return one(rendering, "PersistentVolumeClaim", claim).at("/spec/storageClassName").asText();
  }

  /** The claims of which snapshots of one kind are taken. */
  private static List<String> scheduled(Rendering rendering, String kind) {
    return rendering.manifests().stream()
        .filter(m -> m.kind().equals("VolumeSnapshotSchedule"))
        .filter(m -> m.annotation("stork.libopenstorage.org/volume-snapshot-class-name").orElse("").equals("default-wordpress-ha-portworx-" + kind))
        .map(m -> m.tree().at("/spec/template/spec/persistentVolumeClaimName").asText())
        .toList();
  }

  private static Set<String> names(JsonNode parameters) {
    var names = new TreeSet<String>();
    parameters.fieldNames().forEachRemaining(names::add);
    return names;
  }
}
