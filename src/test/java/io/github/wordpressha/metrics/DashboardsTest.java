package io.github.wordpressha.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.metrics.Dashboard.Panel;
import io.github.wordpressha.metrics.Metric.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The dashboards, which Dashboards.java describes: their files, their queries, and which of them a release has. */
@Tag("render")
@Tag("metrics")
class DashboardsTest {

  private static final Path DIRECTORY = Profiles.CHART_DIRECTORY.resolve("files/metrics/dashboards");
  /** Rows of Grafana that a screen shows. */
  private static final int SCREEN = 20;
  private static final Map<String, Set<Tier>> TIERS = Map.of(
      "galera", Set.of(Tier.WORDPRESS, Tier.ROUTER, Tier.GALERA, Tier.ETCD),
      "replication", Set.of(Tier.WORDPRESS, Tier.ROUTER, Tier.REPLICATION, Tier.ETCD),
      "standalone", Set.of(Tier.WORDPRESS, Tier.ROUTER, Tier.STANDALONE),
      "external", Set.of(Tier.WORDPRESS));

  @Test
  @DisplayName("the chart has their files, and no others (refresh: mvn test -Dtest=DashboardsTest -Dgolden.update=true)")
  void filesAreUpToDate() throws IOException {
    for (Dashboard dashboard : Dashboards.all()) {
      Path file = DIRECTORY.resolve(dashboard.name() + ".json");
      if (Boolean.getBoolean("golden.update")) {
        Files.createDirectories(DIRECTORY);
        Files.writeString(file, dashboard.json());
      }
      assertThat(file).content().isEqualTo(dashboard.json());
    }
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      assertThat(files).hasSameSizeAs(Dashboards.all());
    }
  }

  @ParameterizedTest
  @CsvSource({
      "galera, overview-galera wordpress database-galera etcd",
      "replication, overview-replication wordpress database-replication etcd",
      "standalone, overview-standalone wordpress database-standalone",
      "external, overview-external wordpress"})
  @DisplayName("a release has those of its topology, and each of their metrics is served by its pods")
  void fitTheTopology(String topology, String names) throws JsonProcessingException {
    List<Manifest> maps = configMaps(topology);
    assertThat(maps.stream().flatMap(map -> map.tree().path("data").properties().stream()).map(Map.Entry::getKey))
        .containsExactlyInAnyOrder(Stream.of(names.split(" ")).map(name -> "wordpress-ha-" + name + ".json").toArray(String[]::new));
    assertThat(maps).allMatch(map -> map.tree().at("/metadata/labels/grafana").asText().equals("yes"));
    for (Manifest map : maps) {
      JsonNode dashboard = new ObjectMapper().readTree(map.tree().path("data").elements().next().asText());
      assertThat(dashboard.findValuesAsText("expr")).isNotEmpty().allSatisfy(query ->
          assertThat(Expressions.metrics(query)).isNotEmpty().allMatch(name -> Metrics.of(TIERS.get(topology)).stream().anyMatch(metric -> metric.covers(name)), "is served"));
    }
  }

  @Test
  @DisplayName("an overview fits on one screen, and no two panels overlap")
  void fitOnAScreen() throws JsonProcessingException {
    for (Dashboard dashboard : Dashboards.all()) {
      JsonNode panels = new ObjectMapper().readTree(dashboard.json()).path("panels");
      int bottom = 0;
      for (JsonNode panel : panels) {
        JsonNode place = panel.path("gridPos");
        bottom = Math.max(bottom, place.path("y").asInt() + place.path("h").asInt());
        for (JsonNode other : panels) {
          assertThat(other == panel || apart(place, other.path("gridPos"))).as("%s: %s and %s", dashboard.name(), panel.path("title"), other.path("title")).isTrue();
        }
      }
      if (dashboard.name().startsWith("overview")) {
        assertThat(bottom).isLessThanOrEqualTo(SCREEN);
      }
    }
  }

  @Test
  @DisplayName("promtool parses every query")
  void parse(@TempDir Path directory) throws IOException {
    Promtool.assumePresent();
    List<Map<String, String>> rules = Dashboards.all().stream().flatMap(dashboard -> dashboard.panels().stream()).map(Panel::queries)
        .flatMap(queries -> queries.values().stream()).distinct()
        .map(query -> Map.of("record", "query", "expr", query.replace("$__rate_interval", "1m"))).toList();
    Path file = directory.resolve("queries.yaml");
    Files.writeString(file, Yaml.MAPPER.writeValueAsString(Map.of("groups", List.of(Map.of("name", "queries", "rules", rules)))));
    Promtool.run("check", "rules", "--lint=none", file.toString());
  }

  private static boolean apart(JsonNode one, JsonNode other) {
    return end(one, "x", "w") <= other.path("x").asInt() || end(other, "x", "w") <= one.path("x").asInt()
        || end(one, "y", "h") <= other.path("y").asInt() || end(other, "y", "h") <= one.path("y").asInt();
  }

  private static int end(JsonNode place, String from, String size) {
    return place.path(from).asInt() + place.path(size).asInt();
  }

  private static List<Manifest> configMaps(String topology) throws JsonProcessingException {
    var values = (ObjectNode) Yaml.parse("""
        metrics: {enabled: true, dashboards: {enabled: true, labels: {grafana: "yes"}}}
        database: {topology: %s, existingSecret: account, external: {hosts: [mysql.example.com]}}
        """.formatted(topology));
    return Profiles.chart().render(Release.standard(), values).manifests().stream().filter(manifest -> manifest.name().contains("-dashboard-")).toList();
  }
}
