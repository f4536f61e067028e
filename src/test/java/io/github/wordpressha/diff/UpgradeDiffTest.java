package io.github.wordpressha.diff;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.wordpressha.Tree;
import io.github.wordpressha.diff.Change.Kind;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("cli")
class UpgradeDiffTest {

  private static final List<Manifest> INSTALLED =
      Chart.open(Path.of("src/test/resources/charts/sample")).render(new Release("shop", "websites", "1.34.0"), Values.none()).manifests();

  @Test
  @DisplayName("the same values change nothing")
  void sameChangesNothing() {
    assertThat(UpgradeDiff.between(INSTALLED, INSTALLED)).isEmpty();
  }

  @ParameterizedTest
  @DisplayName("what Kubernetes refuses, restarts, or just takes")
  @CsvSource(delimiter = '|', textBlock = """
      StatefulSet/shop-db | spec.podManagementPolicy | Parallel | REFUSED | spec.podManagementPolicy of a StatefulSet cannot be changed
      StatefulSet/shop-db | spec.serviceName | other | REFUSED | spec.serviceName of a StatefulSet cannot be changed
      StatefulSet/shop-db | spec.volumeClaimTemplates[0].spec.resources.requests.storage | 20Gi | REFUSED | resize the claims
      StatefulSet/shop-db | spec.replicas | 5 | CHANGED |
      StatefulSet/shop-db | spec.template.spec.containers[0].image | docker.io/a/b:2 | RESTARTS |
      Deployment/shop-web | spec.selector.matchLabels.tier | web | REFUSED | spec.selector of a Deployment cannot be changed
      Deployment/shop-web | spec.replicas | 4 | CHANGED |
      PersistentVolumeClaim/shop-files | spec.resources.requests.storage | 500Mi | REFUSED | a volume cannot shrink from 1Gi to 500Mi
      PersistentVolumeClaim/shop-files | spec.resources.requests.storage | 2Gi | CHANGED |
      PersistentVolumeClaim/shop-files | spec.storageClassName | fast | REFUSED | spec.storageClassName of a claim cannot be changed
      RoleBinding/shop-web | roleRef.name | other | REFUSED | roleRef of a RoleBinding cannot be changed
      StorageClass/shop-files | provisioner | example.com/b | REFUSED | provisioner of a StorageClass cannot be changed
      Service/shop-web | spec.type | NodePort | CHANGED |
      """)
  void tellsWhatHappens(String object, String path, String value, Kind kind, String reason) throws JsonProcessingException {
    Change change = UpgradeDiff.between(INSTALLED, edited(object, path, value)).stream().reduce((a, b) -> {
      throw new AssertionError("one change was made, not " + a + " and " + b);
    }).orElseThrow();

    assertThat(change.object()).isEqualTo(object);
    assertThat(change.kind()).isEqualTo(kind);
    assertThat(change.paths()).anyMatch(p -> p.startsWith(path.replaceFirst("\\[0].*|\\.tier$", "")));
    if (reason != null) {
      assertThat(change.refused()).anyMatch(r -> r.contains(reason));
    } else {
      assertThat(change.refused()).isEmpty();
    }
  }

  @ParameterizedTest
  @DisplayName("a claim grows where its class lets it")
  @CsvSource(delimiter = '|', textBlock = """
      shop-files | true  |
      shop-files | false | does not let its volumes grow
      ''         | true  | without a StorageClass cannot grow
      elsewhere  | false |
      """)
  void growth(String storageClass, boolean expands, String reason) throws JsonProcessingException {
    List<Manifest> old = INSTALLED.stream().map(m -> {
      var tree = m.tree().deepCopy();
      if (m.kind().equals("StorageClass")) {
        tree.put("allowVolumeExpansion", expands);
      }
      if (m.id().equals("PersistentVolumeClaim/shop-files")) {
        ((com.fasterxml.jackson.databind.node.ObjectNode) tree.path("spec")).put("storageClassName", storageClass);
      }
      return new Manifest(m.file(), tree);
    }).toList();
    List<Change> changes = UpgradeDiff.between(old, edited(old, "PersistentVolumeClaim/shop-files", "spec.resources.requests.storage", "2Gi"));
    assertThat(changes).hasSize(1);
    if (reason == null) {
      assertThat(changes.get(0).refused()).isEmpty();
    } else {
      assertThat(changes.get(0).refused()).singleElement().asString().contains(reason);
    }
  }

  @Test
  @DisplayName("objects come and go; hooks run anew and are no change")
  void additionsAndRemovals() {
    List<Manifest> fewer = INSTALLED.stream().filter(m -> !m.kind().equals("PodDisruptionBudget") && !m.kind().equals("Job")).toList();
    assertThat(UpgradeDiff.between(INSTALLED, fewer)).extracting(Change::kind).containsOnly(Kind.REMOVED);
    assertThat(UpgradeDiff.between(INSTALLED, fewer)).extracting(Change::object)
        .containsExactly("PodDisruptionBudget/shop-db", "PodDisruptionBudget/shop-web");
    assertThat(UpgradeDiff.between(fewer, INSTALLED)).extracting(Change::kind).containsOnly(Kind.ADDED);
  }

  private static List<Manifest> edited(String object, String path, String value) throws JsonProcessingException {
    return edited(INSTALLED, object, path, value);
  }

  private static List<Manifest> edited(List<Manifest> manifests, String object, String path, String value) throws JsonProcessingException {
    var node = Yaml.parse(value);
    return manifests.stream().map(m -> {
      if (!m.id().equals(object)) {
        return m;
      }
      var tree = m.tree().deepCopy();
      Tree.set(tree, path, node);
      return new Manifest(m.file(), tree);
    }).toList();
  }
}
