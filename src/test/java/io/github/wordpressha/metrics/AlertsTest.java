package io.github.wordpressha.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every alert: what it rests on, what it tells, and, by promtool, when it fires and when it does not. */
@Tag("render")
@Tag("metrics")
class AlertsTest {

  private static final Path RUNBOOKS = Path.of("docs/runbooks");
  private static final String ADDRESS = "https://runbooks.example.com/blog";
  private static final List<String> SECTIONS = List.of("## What it means", "## How to see it", "## What to do", "## How it is tested");
  private static final int MOST_WORDS = 25;
  private static final String TESTED = """
      ## How it is tested

      `AlertsTest` runs the rule on a timeline of the fault with `promtool test rules`: it fires after the fault, not before, not just below, and resolves.

      """;
  private static final String DRILLS = """

      ## Drills

      `MetricsIT` and `MetricsReplicationIT` make each of these faults on a cluster. Prometheus, kube-state-metrics and the kubelets are real. The
      fault must fire the alerts of its row and no others, and they must resolve afterwards. Rules have their thresholds and a tenth of
      their durations, but wait 45 seconds to 2 minutes before they fire. A healthy release under load, through an upgrade of every
      tier, must fire none of the rules as they are.

      """;
  private static final String CONTAINER = "kube_pod_container_";
  private static final Pattern COMMAND = Pattern.compile("(?m)^ {4}(?:kubectl|helm) ");

  private final ObjectNode timelines = Yaml.readObject(Path.of("src/test/resources/alerts.yaml"));
  private final Map<String, ObjectNode> rules = Stream.of("galera", "replication").collect(Collectors.toMap(topology -> topology, AlertsTest::rules));
  private final Map<String, JsonNode> alerts = rules.values().stream().flatMap(AlertsTest::alerts)
      .collect(Collectors.toMap(alert -> alert.path("alert").asText(), alert -> alert, (one, same) -> one, LinkedHashMap::new));

  @Test
  @DisplayName("each alert has a severity, a time, a short summary, a value and the address of its runbook")
  void tellWhatAPersonNeeds() {
    assertThat(alerts).hasSizeGreaterThan(20).allSatisfy((name, alert) -> {
      assertThat(alert.at("/labels/severity").asText()).isIn("page", "ticket");
      assertThat(alert.at("/labels/release").asText()).isEqualTo(Release.standard().name());
      assertThat(alert.path("for").asText()).matches("\\d+[mh]");
      assertThat(alert.at("/annotations/summary").asText()).endsWith(".").satisfies(summary -> assertThat(summary.replaceAll("\\{\\{.*?}}", "x").split(" ")).hasSizeLessThanOrEqualTo(MOST_WORDS));
      assertThat(alert.at("/annotations/value").asText()).isNotBlank();
      assertThat(alert.at("/annotations/runbook_url").asText()).isEqualTo(ADDRESS + "/" + name + ".md");
    });
  }

  @Test
  @DisplayName("each alert has a runbook with its sections and a command, and no runbook is of another")
  void haveRunbooks() throws IOException {
    assertThat(alerts.keySet()).allSatisfy(name -> {
      assertThat(RUNBOOKS.resolve(name + ".md")).content().startsWith("# " + name + "\n").contains(SECTIONS).containsPattern(COMMAND);
    });
    try (Stream<Path> files = Files.list(RUNBOOKS)) {
      assertThat(files.map(file -> file.getFileName().toString().replace(".md", "")).filter(name -> !name.equals("README"))).allMatch(alerts::containsKey);
    }
  }

  @Test
  @DisplayName("each runbook tells how its alert is tested (refresh: mvn test -Dtest=AlertsTest -Dgolden.update=true)")
  void runbooksTellTheirTests() throws IOException {
    for (String name : alerts.keySet()) {
      Path file = RUNBOOKS.resolve(name + ".md");
      String text = Files.readString(file);
      golden(file, text.substring(0, text.indexOf(TESTED)) + TESTED + AlertFault.drillsOf(name));
    }
  }

  @Test
  @DisplayName("each fault of the drills fires alerts that its topology has, and at least 14 faults are drilled")
  void faultsFireKnownAlerts() {
    assertThat(AlertFault.values()).hasSizeGreaterThanOrEqualTo(14).allSatisfy(fault -> {
      Set<String> known = alerts(rules.get(fault.topology())).map(alert -> alert.path("alert").asText()).collect(Collectors.toSet());
      assertThat(fault.alerts()).isNotEmpty().isSubsetOf(known);
      assertThat(fault.whileHealing()).isSubsetOf(known).doesNotContainAnyElementsOf(fault.alerts());
    });
  }

  @Test
  @DisplayName("docs/runbooks/README.md lists the alerts and their drills (refresh: mvn test -Dtest=AlertsTest -Dgolden.update=true)")
  void listIsUpToDate() throws IOException {
    String table = alerts.values().stream().sorted((one, other) -> key(one).compareTo(key(other)))
        .map(alert -> "| [%1$s](%1$s.md) | %2$s | %3$s | %4$s |\n".formatted(alert.path("alert").asText(), alert.at("/labels/severity").asText(), alert.path("for").asText(), readable(alert)))
        .collect(Collectors.joining());
    String fresh = """
        # Runbooks

        One page for each alert of `metrics.alerts`. `page`: a person must act now. `ticket`: within days.
        In commands, replace NAMESPACE, RELEASE, POD and CONTAINER by the alert's labels, FULLNAME by the prefix of the release's names, and CHART
        by the address that you install from.

        | alert | severity | after | what users notice |
        |---|---|---|---|
        """ + table + DRILLS + AlertFault.table();
    golden(RUNBOOKS.resolve("README.md"), fresh);
  }

  private static void golden(Path file, String fresh) throws IOException {
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(file, fresh);
    } else {
      assertThat(file).content().isEqualTo(fresh);
    }
  }

  @Test
  @DisplayName("every metric of an expression is in the table of metrics")
  void restOnKnownMetrics() {
    assertThat(alerts).allSatisfy((name, alert) ->
        assertThat(Expressions.metrics(alert.path("expr").asText())).isNotEmpty().allMatch(metric -> Metrics.all().stream().anyMatch(known -> known.covers(metric)), "in the table"));
  }

  @Test
  @DisplayName("each alert has a timeline, and no timeline is of another")
  void haveTimelines() {
    Set<String> names = new TreeSet<>();
    timelines.fieldNames().forEachRemaining(names::add);
    assertThat(names).isEqualTo(new TreeSet<>(alerts.keySet()));
  }

  @Test
  @DisplayName("each alert fires after its fault, not before, not just below, and resolves")
  void fire(@TempDir Path directory) throws IOException {
    Promtool.assumePresent();
    var files = new ArrayList<String>(List.of("test", "rules"));
    for (var alert : alerts.entrySet()) {
      Path rule = write(directory.resolve(alert.getKey() + ".yaml"), Map.of("groups", List.of(Map.of("name", "one", "rules", List.of(alert.getValue())))));
      Path test = directory.resolve(alert.getKey() + "-test.yaml");
      files.add(write(test, Map.of("rule_files", List.of(rule.toString()), "evaluation_interval", "1m", "tests", tests(alert.getKey()))).toString());
    }
    Promtool.run(files.toArray(String[]::new));
  }

  @Test
  @DisplayName("promtool accepts the rules of each topology")
  void areValid(@TempDir Path directory) throws IOException {
    Promtool.assumePresent();
    for (var topology : rules.entrySet()) {
      Promtool.run("check", "rules", "--lint-fatal", write(directory.resolve(topology.getKey() + ".yaml"), topology.getValue()).toString());
    }
  }

  private static Path write(Path file, Object tree) throws IOException {
    return Files.writeString(file, Yaml.MAPPER.writeValueAsString(tree));
  }

  private List<Map<String, Object>> tests(String alert) {
    JsonNode of = timelines.path(alert);
    String firing = "max by (alertname) (ALERTS{alertstate=\"firing\"})";
    return kinds(of.path("series")).flatMap(kind -> Stream.of(
        test(of.path("series"), kind, Stream.of("quiet", "fires", "resolved").map(when -> expected(firing, of.path(when).asText(), when.equals("fires") ? alert : ""))),
        test(of.path("below"), kind, Stream.of(expected("max by (alertname) (max_over_time(ALERTS{alertstate=\"firing\"}[2h]))", of.path("resolved").asText(), "")))))
        .toList();
  }

  /** Sidecars are init containers, for which kube-state-metrics has the same metrics by other names: what is true of one kind is true of both. */
  private static Stream<String> kinds(JsonNode series) {
    return series.properties().stream().anyMatch(one -> one.getKey().startsWith(CONTAINER)) ? Stream.of(CONTAINER, "kube_pod_init_container_") : Stream.of(CONTAINER);
  }

  private static Map<String, Object> test(JsonNode series, String kind, Stream<Map<String, Object>> expected) {
    return Map.of("interval", "1m", "promql_expr_test", expected.toList(), "input_series", series.properties().stream()
        .map(one -> Map.of("series", concrete(one.getKey().replace(CONTAINER, kind)), "values", one.getValue().asText())).toList());
  }

  /** @param alert the one that fires; empty for none */
  private static Map<String, Object> expected(String expression, String at, String alert) {
    return Map.of("expr", expression, "eval_time", at,
        "exp_samples", alert.isEmpty() ? List.of() : List.of(Map.of("labels", "{alertname=\"%s\"}".formatted(alert), "value", 1)));
  }

  /** The series of a pod of this release. */
  private static String concrete(String series) {
    String namespace = "namespace=\"" + Release.standard().namespace() + "\"";
    String fullname = Release.standard().name();
    String text = series.replace("<namespace>", namespace).replace("<fullname>", fullname);
    for (int i = 3; i >= 1; i--) {
      String number = i == 1 ? "" : String.valueOf(i);
      text = text.replace("<web" + number + ">", "%s,pod=\"%s-5d8f9c7b6f-abcd%d\"".formatted(namespace, fullname, i))
          .replace("<database" + number + ">", "%s,pod=\"%s-mysql-%d\"".formatted(namespace, fullname, i - 1))
          .replace("<etcd" + number + ">", "%s,pod=\"%s-etcd-%d\"".formatted(namespace, fullname, i - 1));
    }
    return text;
  }

  private static ObjectNode rules(String topology) {
    try {
      var values = (ObjectNode) Yaml.parse("""
          metrics: {enabled: true, alerts: {enabled: true, labels: {release: prometheus}, runbookUrl: "%s"}}
          tls: {enabled: true}
          database: {topology: %s}
          """.formatted(ADDRESS, topology));
      JsonNode rule = Profiles.chart().render(Release.standard(), values).manifests().stream()
          .filter(manifest -> manifest.kind().equals("PrometheusRule")).findFirst().orElseThrow().tree();
      assertThat(rule.at("/metadata/labels/release").asText()).isEqualTo("prometheus");
      return (ObjectNode) rule.path("spec");
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Stream<JsonNode> alerts(ObjectNode rules) {
    return StreamSupport.stream(rules.path("groups").spliterator(), false).flatMap(group -> StreamSupport.stream(group.path("rules").spliterator(), false));
  }

  private static String key(JsonNode alert) {
    return alert.at("/labels/severity").asText() + alert.path("alert").asText();
  }

  private static String readable(JsonNode alert) {
    return alert.at("/annotations/summary").asText().replaceAll("\\{\\{ *\\$labels\\.(\\w+) *}}", "<$1>");
  }
}
