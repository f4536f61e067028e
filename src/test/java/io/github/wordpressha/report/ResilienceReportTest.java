package io.github.wordpressha.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.Profiles;
import io.github.wordpressha.Tree;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.report.Outcome.Data;
import io.github.wordpressha.report.Outcome.Healing;
import io.github.wordpressha.report.Outcome.Readers;
import io.github.wordpressha.report.Outcome.Writers;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("cli")
class ResilienceReportTest {

  @Nested
  @DisplayName("a web tier of two behind a page cache, on a Galera cluster of three")
  class Sample {

    private final ResilienceReport report = sample(UnaryOperator.identity());

    @Test
    void oneNodeIsAFailover() {
      Outcome outcome = report.outcome("any one node").orElseThrow();
      assertThat(outcome.losses()).containsExactlyInAnyOrder("wordpress: 1 of 2", "database: 1 of 3");
      assertThat(outcome.visitors()).isEqualTo(Readers.SERVED);
      assertThat(outcome.editors()).isEqualTo(Writers.FAILOVER);
      assertThat(outcome.data()).isEqualTo(Data.KEPT);
    }

    @Test
    void twoNodesTakeTheMajority() {
      Outcome outcome = report.outcome("any two nodes").orElseThrow();
      assertThat(outcome.editors()).isEqualTo(Writers.DOWN);
      assertThat(outcome.data()).isEqualTo(Data.KEPT);
      assertThat(outcome.heals()).isEqualTo(Healing.WHEN_BACK);
    }

    @Test
    void oneVolumeIsCopiedAndTwoNeedAPerson() {
      assertThat(report.outcome("one volume of database").orElseThrow().heals()).isEqualTo(Healing.BY_ITSELF);
      assertThat(report.outcome("2 volumes of database").orElseThrow().heals()).isEqualTo(Healing.BY_A_PERSON);
      assertThat(report.outcome("2 volumes of database").orElseThrow().data()).isEqualTo(Data.KEPT);
      assertThat(report.outcome("3 (all) volumes of database").orElseThrow().data()).isEqualTo(Data.LOST);
    }
  }

  @Test
  @DisplayName("without a rule that keeps members apart, one node may be all of them")
  void readsTheSpreadingRules() {
    ResilienceReport report = sample(m -> without(m, "StatefulSet/shop-db", "spec.template.spec.affinity"));
    assertThat(report.outcome("any one node").orElseThrow().editors()).isEqualTo(Writers.DOWN);
    assertThat(report.remarks()).anyMatch(r -> r.contains("nothing keeps its pods on different nodes"));
  }

  @Test
  @DisplayName("a page cache that serves stale pages is found in the configuration, and its absence is told")
  void readsThePageCache() {
    ResilienceReport without = sample(UnaryOperator.identity());
    assertThat(without.outcome("all pods of database").orElseThrow().visitors()).isEqualTo(Readers.DOWN);
    ResilienceReport with = sample(m -> with(m, "ConfigMap/shop-web", "data.\"nginx.conf\"", "'fastcgi_cache_use_stale error timeout;'"));
    assertThat(with.outcome("all pods of database").orElseThrow().visitors()).isEqualTo(Readers.CACHED);
  }

  @Test
  @DisplayName("a database that does not flush its log may lose writes when the power goes")
  void readsTheDurabilitySetting() {
    String power = "all nodes at once, volumes kept (power loss)";
    assertThat(sample(UnaryOperator.identity()).outcome(power).orElseThrow().data()).isEqualTo(Data.KEPT);
    ResilienceReport lax = sample(m -> with(m, "ConfigMap/shop-db", "data.\"my.cnf\"", "'innodb_flush_log_at_trx_commit = 2'"));
    assertThat(lax.outcome(power).orElseThrow().data()).isEqualTo(Data.AT_RISK);
  }

  @Test
  @DisplayName("zones count: three pods on three nodes in two zones leave one zone without a majority")
  void readsZones() {
    ResilienceReport report = ResilienceReport.of(objects(UnaryOperator.identity()), new Cluster(3, 2, 34));
    assertThat(report.outcome("any one zone").orElseThrow().losses()).contains("database: 2 of 3");
    assertThat(report.outcome("any one zone").orElseThrow().editors()).isEqualTo(Writers.DOWN);
  }

  @Test
  @DisplayName("the chart's defaults keep the promises of the reference stack")
  void referenceStack() {
    var objects = Checks.verify(Profiles.chart().render(Release.standard(), Values.none()), Cluster.ofThree(34)).objects();
    ResilienceReport report = ResilienceReport.of(objects, Cluster.ofThree(34));
    assertThat(report.outcomes()).filteredOn(o -> !o.fault().contains("volume") || o.fault().startsWith("one volume of database"))
        .extracting(Outcome::data).containsOnly(Data.KEPT);
    assertThat(report.outcome("one database pod").orElseThrow().editors()).isEqualTo(Writers.FAILOVER);
    assertThat(report.outcome("all pods of database").orElseThrow().visitors()).isEqualTo(Readers.CACHED);
    assertThat(report.outcome("all pods of etcd").orElseThrow().editors()).isEqualTo(Writers.SERVED);
    assertThat(report.outcome("one volume of database").orElseThrow().heals()).isEqualTo(Healing.BY_ITSELF);
    assertThat(report.outcome("any one node").orElseThrow().editors()).as("the file server may be there").isEqualTo(Writers.FAILOVER);
    assertThat(report.outcome("any one node").orElseThrow().heals()).as("the file server moves").isEqualTo(Healing.BY_ITSELF);
    assertThat(report.outcome("a node without nfs").orElseThrow().editors()).isEqualTo(Writers.FAILOVER);
  }

  @Test
  @DisplayName("without copies of the code, the loss of the file server stops all that is in no cache")
  void readsTheCopier() {
    var rendering = Profiles.chart().render(Release.standard(), Values.none());
    String copier = "spec.template.spec.initContainers[2].command";
    List<Manifest> without = rendering.manifests().stream().map(m -> without(m, "Deployment/wordpress-ha", copier)).toList();
    var objects = Checks.verify(Release.standard(), without, List.of(), Values.none(), Cluster.ofThree(34)).objects();
    assertThat(ResilienceReport.of(objects, Cluster.ofThree(34)).outcome("one nfs pod").orElseThrow())
        .returns(Writers.DOWN, Outcome::editors).returns(Readers.CACHED, Outcome::visitors);
  }

  @Test
  @DisplayName("a zone is no more than its nodes")
  void zonesOfOneNode() {
    var cluster = new Cluster(3, 3, 34);
    var report = ResilienceReport.of(Checks.verify(Profiles.chart().render(Release.standard(), Values.none()), cluster).objects(), cluster);
    assertThat(report.outcome("any one zone").orElseThrow()).usingRecursiveComparison().ignoringFields("fault")
        .isEqualTo(report.outcome("any one node").orElseThrow());
  }

  private static ResilienceReport sample(UnaryOperator<Manifest> change) {
    return ResilienceReport.of(objects(change), Cluster.ofThree(34));
  }

  private static io.github.wordpressha.check.Objects objects(UnaryOperator<Manifest> change) {
    var release = new Release("shop", "websites", "1.34.0");
    var rendering = Chart.open(Path.of("src/test/resources/charts/sample")).render(release, Values.none());
    // The sample's web pods call themselves wordpress, so that the report knows what they are.
    List<Manifest> manifests = rendering.manifests().stream()
        .map(m -> with(m, "Deployment/shop-web", "spec.template.metadata.labels.\"app.kubernetes.io/component\"", "wordpress"))
        .map(change)
        .toList();
    return Checks.verify(release, manifests, List.of(), Values.none(), Cluster.ofThree(34)).objects();
  }

  private static Manifest with(Manifest manifest, String object, String path, String value) {
    if (!manifest.id().equals(object)) {
      return manifest;
    }
    try {
      var tree = manifest.tree().deepCopy();
      Tree.set(tree, path, Yaml.parse(value));
      return new Manifest(manifest.file(), tree);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private static Manifest without(Manifest manifest, String object, String path) {
    if (!manifest.id().equals(object)) {
      return manifest;
    }
    var tree = manifest.tree().deepCopy();
    Tree.remove(tree, path);
    return new Manifest(manifest.file(), tree);
  }
}
