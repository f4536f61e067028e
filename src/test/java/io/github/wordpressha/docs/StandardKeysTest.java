package io.github.wordpressha.docs;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.TextFiles;
import io.github.wordpressha.ValueSpace;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What every tier and every Job takes: each key in one form, with its effect on the pods that it is for, and on no others. */
@Tag("render")
class StandardKeysTest {

  private static final Path DOCUMENT = Path.of("docs/standard-keys.md");
  private static final String START = "<!-- table of keys: mvn test -Dtest=StandardKeysTest -Dgolden.update=true -->\n";
  private static final String END = "<!-- end of keys -->";
  private static final Path REASONS = Path.of("src/test/resources/standard-keys.yaml");
  private static final String MARKER = "marker";

  private static final Set<String> PLACES = Set.of("nodeSelector", "tolerations", "affinity", "priorityClassName");
  private static final Set<String> OF_PHP = Set.of("podSecurityContext", "securityContext", "runtimeClassName", "dnsConfig", "hostAliases");
  private static final Set<String> OF_THE_SITE = Set.of("extraEnv", "extraEnvFrom", "extraVolumes", "extraVolumeMounts", "serviceAccount");

  /** Where a tier's values are, and the component of its pods. */
  private record Tier(String name, String values, String component) {
    @Override
    public String toString() {
      return values;
    }
  }

  private static final List<Tier> TIERS = List.of(
      new Tier("etcd", "etcd", "etcd"), new Tier("database", "database", "database"), new Tier("nfs", "nfs", "nfs"),
      new Tier("wordpress", "wordpress", "wordpress"), new Tier("install", "wordpress.install", "wordpress-install"),
      new Tier("cron", "wordpress.cron", "wordpress-cron"), new Tier("test", "wordpress.test", "wordpress-test"),
      new Tier("check", "database.external.check", "database-check"), new Tier("secrets", "secrets", "secrets"));

  /** A value of a key that has {@link #MARKER} in it, or a number that nothing else has; where it is expected, below the pod's template or the object. */
  private record Sample(String value, String at) {}

  private static final Map<String, Sample> SAMPLES = Map.ofEntries(
      Map.entry("labels", new Sample("{marker: x}", "object /metadata/labels")),
      Map.entry("annotations", new Sample("{marker: x}", "object /metadata/annotations")),
      Map.entry("podLabels", new Sample("{marker: x}", "/metadata/labels")),
      Map.entry("podAnnotations", new Sample("{marker: x}", "/metadata/annotations")),
      Map.entry("serviceAccount", new Sample("{name: marker}", "/spec/serviceAccountName")),
      Map.entry("nodeSelector", new Sample("{marker: x}", "/spec/nodeSelector")),
      Map.entry("tolerations", new Sample("[{key: marker, operator: Exists}]", "/spec/tolerations")),
      Map.entry("affinity", new Sample("{nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: marker, operator: Exists}]}]}}}",
          "/spec/affinity/nodeAffinity")),
      Map.entry("topologySpreadConstraints", new Sample("[{maxSkew: 1, topologyKey: marker, whenUnsatisfiable: ScheduleAnyway}]", "/spec/topologySpreadConstraints")),
      Map.entry("priorityClassName", new Sample("marker", "/spec/priorityClassName")),
      Map.entry("runtimeClassName", new Sample("marker", "/spec/runtimeClassName")),
      Map.entry("podSecurityContext", new Sample("{seLinuxOptions: {level: marker}}", "/spec/securityContext")),
      Map.entry("securityContext", new Sample("{seLinuxOptions: {level: marker}}", "every container /securityContext")),
      Map.entry("resources", new Sample("{limits: {memory: 4321Mi}}", "container /resources")),
      Map.entry("extraEnv", new Sample("[{name: marker, value: x}]", "container /env")),
      Map.entry("extraEnvFrom", new Sample("[{configMapRef: {name: marker}}]", "container /envFrom")),
      Map.entry("extraVolumes", new Sample("[{name: marker, emptyDir: {}}]", "/spec/volumes")),
      Map.entry("extraVolumeMounts", new Sample("[{name: any, mountPath: /marker}]", "container /volumeMounts")),
      Map.entry("initContainers", new Sample("[{name: marker-init, image: 'example.com/x:1'}]", "names /spec/initContainers")),
      Map.entry("sidecars", new Sample("[{name: marker, image: 'example.com/x:1'}]", "names /spec/containers")),
      Map.entry("startupProbe", new Sample("{failureThreshold: 4321}", "container /startupProbe")),
      Map.entry("livenessProbe", new Sample("{failureThreshold: 4321}", "container /livenessProbe")),
      Map.entry("readinessProbe", new Sample("{failureThreshold: 4321}", "container /readinessProbe")),
      Map.entry("lifecycle", new Sample("{postStart: {exec: {command: [marker]}}}", "container /lifecycle")),
      Map.entry("terminationGracePeriodSeconds", new Sample("4321", "/spec/terminationGracePeriodSeconds")),
      Map.entry("pdb", new Sample("{maxUnavailable: 4321}", "budget /spec/maxUnavailable")),
      Map.entry("hostAliases", new Sample("[{ip: 192.0.2.1, hostnames: [marker]}]", "/spec/hostAliases")),
      Map.entry("dnsConfig", new Sample("{searches: [marker]}", "/spec/dnsConfig")));

  private final ValueSpace space = new ValueSpace();

  static Stream<Tier> tiers() {
    return TIERS.stream();
  }

  @ParameterizedTest
  @MethodSource("tiers")
  @DisplayName("each key of each tier reaches the pods that it is for, and no others")
  void reaches(Tier tier) throws JsonProcessingException {
    List<String> keys = keys(space).stream().filter(key -> takes(space, tier, key)).toList();
    List<Manifest> all = render(with(context(tier), tier.values(), tier, keys.stream().filter(key -> !key.equals("spread")).toList()));
    for (String key : keys) {
      if (!key.equals("spread")) {
        assertThat(components(all, sample(tier, key))).as("pods with %s.%s", tier.values(), key).isEqualTo(expected(tier, key));
      }
    }
    if (keys.contains("spread")) { // Apart, as affinity replaces what is made from it; other tiers may be spread in that way already.
      Set<String> before = components(render(context(tier)), sample(tier, "spread"));
      Set<String> after = components(render(with(context(tier), tier.values(), tier, List.of("spread"))), sample(tier, "spread"));
      assertThat(before).doesNotContain(tier.component());
      before.add(tier.component());
      assertThat(after).isEqualTo(before);
    }
  }

  @Test
  @DisplayName("each key of pods reaches every pod, but for the user of the NFS server")
  void reachesEveryPod() throws JsonProcessingException {
    List<String> keys = keysOf("pods");
    List<Manifest> all = render(with(Values.none(), "pods", TIERS.get(0), keys));
    Set<String> every = all.stream().filter(manifest -> !template(manifest).isMissingNode()).map(StandardKeysTest::component).collect(toCollection(TreeSet::new));
    assertThat(every).hasSize(8);
    for (String key : keys) {
      var expected = new TreeSet<>(every);
      if (key.endsWith("ecurityContext")) {
        expected.remove("nfs");
      }
      assertThat(components(all, SAMPLES.get(key))).as(key).isEqualTo(expected);
    }
  }

  private static ObjectNode with(ObjectNode values, String path, Tier tier, List<String> keys) throws JsonProcessingException {
    ObjectNode result = values;
    for (String key : keys) {
      result = Values.merge(result, Values.of(path + "." + key, Yaml.parse(sample(tier, key).value())));
    }
    return result;
  }

  @Test
  @DisplayName("each key has one form: every tier refers to one definition, and pods and wordpress of values.yaml describe it")
  void oneForm() {
    List<String> described = space.entries().stream().map(ValuesReference.Entry::path).toList();
    for (String key : keys(space)) {
      Stream.concat(TIERS.stream().map(Tier::values), Stream.of("pods")).filter(tier -> keysOf(tier).contains(key)).forEach(tier ->
          assertThat(space.referenceOf(tier + "." + key)).as(tier + "." + key).contains("#/definitions/standard/properties/" + key));
      assertThat(described).as("values.yaml describes %s", key).anyMatch(path -> path.matches("(pods|wordpress)\\." + key + "(\\..*)?"));
      assertThat(space.standardKeys().path(key).path("description").asText()).as(key).isNotBlank();
    }
  }

  @Test
  @DisplayName("null removes the users of the chart, as OpenShift wants it, from every pod and container but the NFS server's")
  void usersAreTheClusters() throws JsonProcessingException {
    List<Manifest> all = render("{pods: {podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}, securityContext: {runAsUser: null, runAsGroup: null}}, nfs: {enabled: false},"
        + " database: {topology: replication}, metrics: {enabled: true}, wordpress: {content: {storageClass: files}}}");
    assertThat(all.stream().filter(manifest -> !template(manifest).isMissingNode())).hasSize(8).allSatisfy(manifest -> {
      assertThat(template(manifest).findValues("runAsUser")).as(manifest.id()).isEmpty();
      assertThat(template(manifest).findValues("fsGroup")).as(manifest.id()).isEmpty();
      assertThat(template(manifest).at("/spec/securityContext/runAsNonRoot").asBoolean()).as(manifest.id()).isTrue();
      assertThat(containers(template(manifest))).allMatch(container -> container.at("/securityContext/readOnlyRootFilesystem").asBoolean());
    });
  }

  @Test
  @DisplayName("maps of pods and of a tier are joined, lists appended, and the tier wins; an entry of extraEnv replaces the chart's")
  void layers() throws JsonProcessingException {
    JsonNode etcd = template(workload(render("""
        pods: {podLabels: {a: pods, b: pods}, tolerations: [{key: one, operator: Exists}], priorityClassName: low, extraEnv: [{name: TZ, value: UTC}]}
        etcd: {podLabels: {b: etcd}, tolerations: [{key: two, operator: Exists}], priorityClassName: high}
        """), "etcd"));
    assertThat(etcd.at("/metadata/labels/a").asText() + etcd.at("/metadata/labels/b").asText()).isEqualTo("podsetcd");
    assertThat(etcd.at("/spec/tolerations").findValuesAsText("key")).containsExactly("one", "two");
    assertThat(etcd.at("/spec/priorityClassName").asText()).isEqualTo("high");

    JsonNode cron = template(workload(render("wordpress: {extraEnv: [{name: MAGICK_THREAD_LIMIT, value: '2'}], cron: {extraEnv: [{name: MAGICK_THREAD_LIMIT, value: '3'}]}}"), "wordpress-cron"));
    assertThat(stream(main(cron).path("env")).filter(one -> one.path("name").asText().equals("MAGICK_THREAD_LIMIT")).map(one -> one.path("value").asText())).containsExactly("3");
  }

  @Test
  @DisplayName("accounts are made where they are asked for, with their annotations; install and cron use that of the site")
  void accounts() throws JsonProcessingException {
    List<Manifest> all = render("{wordpress: {serviceAccount: {create: true, annotations: {role: media}}}, etcd: {serviceAccount: {create: true}}, secrets: {serviceAccount: {annotations: {role: none}}}}");
    Map<String, String> accounts = new LinkedHashMap<>();
    all.stream().filter(manifest -> manifest.kind().equals("ServiceAccount")).forEach(account -> accounts.put(account.name(), account.annotation("role").orElse("")));
    assertThat(accounts).containsOnly(Map.entry("wordpress-ha", "media"), Map.entry("wordpress-ha-etcd", ""), Map.entry("wordpress-ha-nfs", ""),
        Map.entry("wordpress-ha-secrets", "none"), Map.entry("wordpress-ha-tls", "none"));
    assertThat(Stream.of("wordpress", "wordpress-install", "wordpress-cron").map(component -> template(workload(all, component)).at("/spec/serviceAccountName").asText()))
        .containsOnly("wordpress-ha");
    assertThat(template(workload(all, "database")).at("/spec/serviceAccountName").isMissingNode()).isTrue();
    assertThat(all.stream().map(StandardKeysTest::template).filter(template -> template.at("/spec/automountServiceAccountToken").asBoolean())).hasSize(3);
  }

  @Test
  @DisplayName("a named account of the secrets Jobs gets their rights, and is not made")
  void namedAccount() throws JsonProcessingException {
    List<Manifest> all = render("secrets: {serviceAccount: {create: false, name: ours}}");
    assertThat(all).filteredOn(manifest -> manifest.kind().equals("ServiceAccount")).extracting(Manifest::name).containsExactly("wordpress-ha-nfs");
    assertThat(all).filteredOn(manifest -> manifest.kind().equals("RoleBinding") && !manifest.name().endsWith("nfs"))
        .hasSize(2).allMatch(binding -> binding.tree().at("/subjects/0/name").asText().equals("ours"));
    assertThat(all.stream().filter(manifest -> component(manifest).equals("secrets")).map(StandardKeysTest::template).filter(Predicate.not(JsonNode::isMissingNode)))
        .hasSize(2).allMatch(template -> template.at("/spec/serviceAccountName").asText().equals("ours"));
  }

  @Test
  @DisplayName("common labels and annotations are on every object, the labels on every pod, and selectors stay")
  void common() throws JsonProcessingException {
    List<Manifest> before = render("metrics: {enabled: true, podMonitor: {enabled: true}}");
    List<Manifest> all = render("{commonLabels: {team: web, app.kubernetes.io/part-of: shop}, commonAnnotations: {owner: jane},"
        + " metrics: {enabled: true, podMonitor: {enabled: true, labels: {team: monitoring}}}, wordpress: {service: {annotations: {owner: network}}}}");
    assertThat(all).hasSameSizeAs(before).allSatisfy(manifest -> {
      assertThat(manifest.label("team")).as(manifest.id()).contains(manifest.kind().equals("PodMonitor") ? "monitoring" : "web");
      assertThat(manifest.label("app.kubernetes.io/part-of")).as(manifest.id()).contains("shop");
      assertThat(manifest.annotation("owner")).as(manifest.id()).contains(manifest.id().equals("Service/wordpress-ha") ? "network" : "jane");
      if (!template(manifest).isMissingNode()) {
        assertThat(template(manifest).at("/metadata/labels/team").asText()).as(manifest.id()).isEqualTo("web");
      }
    });
    assertThat(all.stream().map(manifest -> manifest.tree().findValues("matchLabels").toString() + manifest.tree().at("/spec/selector") + manifest.tree().at("/spec/volumeClaimTemplates")))
        .isEqualTo(before.stream().map(manifest -> manifest.tree().findValues("matchLabels").toString() + manifest.tree().at("/spec/selector") + manifest.tree().at("/spec/volumeClaimTemplates")).toList());
  }

  @Test
  @DisplayName("more objects are installed with the release, and their templates are run, in maps and in texts")
  void extraObjects() throws JsonProcessingException {
    List<Manifest> all = render("""
        extraObjects:
          - {apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ .Release.Name }}-map"}, data: {site: '{{ include "wordpress-ha.fullname" . }}'}}
          - |
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: {{ .Release.Name }}-text}
        """);
    assertThat(all).filteredOn(manifest -> manifest.file().endsWith("extra.yaml")).extracting(Manifest::name).containsExactlyInAnyOrder("wordpress-ha-map", "wordpress-ha-text");
    assertThat(all).filteredOn(manifest -> manifest.name().equals("wordpress-ha-map")).allMatch(map -> map.tree().at("/data/site").asText().equals("wordpress-ha"));
  }

  @Test
  @DisplayName("the autoscaler takes more metrics, and its behavior changes key by key")
  void autoscaler() throws JsonProcessingException {
    JsonNode spec = render("wordpress: {autoscaling: {metrics: [{type: Pods, pods: {metric: {name: requests}, target: {type: AverageValue, averageValue: 50}}}],"
        + " behavior: {scaleUp: {selectPolicy: null}, scaleDown: {stabilizationWindowSeconds: 900}}}}").stream()
        .filter(manifest -> manifest.kind().equals("HorizontalPodAutoscaler")).findFirst().orElseThrow().tree().path("spec");
    assertThat(spec.path("metrics").findValuesAsText("type")).contains("Resource", "Pods");
    assertThat(spec.at("/behavior/scaleDown/stabilizationWindowSeconds").asInt()).isEqualTo(900);
    assertThat(spec.at("/behavior/scaleDown/policies/0/value").asInt()).isEqualTo(1);
    assertThat(spec.at("/behavior/scaleUp/selectPolicy").isMissingNode()).isTrue();
  }

  @Test
  @DisplayName("nginx's probes have timings of their own")
  void nginx() throws JsonProcessingException {
    JsonNode pod = template(workload(render("wordpress: {livenessProbe: {failureThreshold: 7}, nginx: {startupProbe: {timeoutSeconds: 7}, livenessProbe: {timeoutSeconds: 8},"
        + " readinessProbe: {timeoutSeconds: 9}}}"), "wordpress"));
    JsonNode php = pod.at("/spec/containers/0");
    assertThat(php.at("/livenessProbe/failureThreshold").asInt()).isEqualTo(7);
    assertThat(php.at("/livenessProbe/timeoutSeconds").asInt()).as("the chart's").isEqualTo(5);
    JsonNode nginx = pod.at("/spec/containers/1");
    assertThat(nginx.at("/livenessProbe/failureThreshold").asInt()).as("the chart's").isEqualTo(6);
    assertThat(Stream.of("startup", "liveness", "readiness").map(probe -> nginx.at("/" + probe + "Probe/timeoutSeconds").asInt())).containsExactly(7, 8, 9);
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
      "wordpress: {lifecycle: {preStop: {exec: {command: [x]}}}} | wordpress.lifecycle.preStop: the chart's own drains the pod",
      "database: {lifecycle: {preStop: {exec: {command: [x]}}}} | database.lifecycle.preStop: the chart's own drains the pod",
      "commonAnnotations: {helm.sh/hook: test} | commonAnnotations: helm.sh/hook belongs to the chart and to Helm",
      "etcd: {podLabels: {app.kubernetes.io/component: x}} | etcd.podLabels: app.kubernetes.io/component belongs to the chart",
      "wordpress: {cron: {labels: {app.kubernetes.io/name: x}}} | wordpress.cron.labels: app.kubernetes.io/name belongs to the chart",
      "database: {podAnnotations: {checksum/config: x}} | database.podAnnotations: checksum/config belongs to the chart",
      "database: {terminationGracePeriodSeconds: 30} | database.terminationGracePeriodSeconds: the pod needs 60 seconds",
      "wordpress: {terminationGracePeriodSeconds: 60} | wordpress.terminationGracePeriodSeconds: the pod needs 90 seconds",
      "database: {startupProbe: {timeoutSeconds: 3}} | database.startupProbe: the container mysql has none",
      "etcd: {updateStrategy: {rollingUpdate: {maxUnavailable: 2}}} | etcd.updateStrategy.rollingUpdate.maxUnavailable: members are replaced one by one",
      "database: {updateStrategy: {rollingUpdate: {maxSurge: 2}}} | database.updateStrategy.rollingUpdate.maxSurge: a StatefulSet has no pods to spare",
      "wordpress: {updateStrategy: {type: OnDelete}} | wordpress.updateStrategy.type: a Deployment has no OnDelete",
      "wordpress: {updateStrategy: {rollingUpdate: {partition: 1}}} | wordpress.updateStrategy.rollingUpdate.partition: a Deployment has none",
      "wordpress: {updateStrategy: {type: Recreate}} | /wordpress/updateStrategy/type",
      "wordpress: {cron: {sidecars: [{name: x, image: y}]}} | /wordpress/cron",
      "secrets: {serviceAccount: {create: false}} | secrets.serviceAccount.name: these pods need the Kubernetes API",
      "etcd: {extraVolumes: [{name: tmp, emptyDir: {}}]} | etcd.extraVolumes: the pod has a volume tmp already",
      "pods: {extraVolumes: [{name: tmp, emptyDir: {}}]} | pods.extraVolumes: the pod has a volume tmp already",
      "wordpress: {extraVolumeMounts: [{name: x, mountPath: /tmp}]} | wordpress.extraVolumeMounts: the pod has a mount at /tmp already",
      "database: {sidecars: [{name: agent, image: x}]} | database.sidecars: the pod has a container agent already",
      "commonLabels: {team: not a label} | /commonLabels/team"})
  @DisplayName("what would break a promise or an object is refused, by name")
  void refused(String values, String sentence) {
    assertThatThrownBy(() -> rendering((ObjectNode) Yaml.parse(values))).isInstanceOf(RenderException.class).hasMessageContaining(sentence);
  }

  @Test
  @DisplayName("the table says which tier takes which key, and each hole has one reason (refresh: mvn test -Dtest=StandardKeysTest -Dgolden.update=true)")
  void table() throws IOException {
    String text = TextFiles.read(DOCUMENT);
    String fresh = text.substring(0, text.indexOf(START) + START.length()) + table(Yaml.parse(TextFiles.read(REASONS))) + text.substring(text.indexOf(END));
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(DOCUMENT, fresh);
    }
    assertThat(TextFiles.read(DOCUMENT)).isEqualTo(fresh);
  }

  private String table(JsonNode reasons) {
    var holes = new LinkedHashMap<String, List<Integer>>();
    for (int i = 0; i < reasons.size(); i++) {
      for (JsonNode key : reasons.get(i).path("keys")) {
        for (JsonNode tier : reasons.get(i).path("tiers")) {
          holes.computeIfAbsent(key.asText() + " " + tier.asText(), hole -> new ArrayList<>()).add(i);
        }
      }
    }
    var rows = new ArrayList<String>();
    for (String key : keys(space)) {
      rows.add("| `%s` | %s | %s | %s |".formatted(key, space.standardKeys().path(key).path("description").asText(), keysOf("pods").contains(key) ? "yes" : "by tier",
          TIERS.stream().map(tier -> cell(tier, key, holes.remove(key + " " + tier.name()))).collect(joining(" | "))));
    }
    assertThat(holes).as("reasons for what is no hole").isEmpty();
    var legend = new ArrayList<String>();
    for (int i = 0; i < reasons.size(); i++) {
      legend.add("- %s: %s.".formatted(letter(i), reasons.get(i).path("reason").asText()));
    }
    return "| key | meaning | pods | %s |\n|---|---|---|%s\n%s\n\n%s\n".formatted(TIERS.stream().map(Tier::name).collect(joining(" | ")), "---|".repeat(TIERS.size()),
        String.join("\n", rows), String.join("\n", legend));
  }

  private String cell(Tier tier, String key, List<Integer> reasons) {
    if (takes(space, tier, key)) {
      assertThat(reasons).as("%s takes %s, so no reason is needed", tier, key).isNull();
      return "yes";
    }
    assertThat(reasons).as("the one reason why %s does not take %s", tier, key).hasSize(1);
    return letter(reasons.get(0));
  }

  private static String letter(int index) {
    return String.valueOf((char) ('a' + index));
  }

  private static List<String> keys(ValueSpace space) {
    return space.standardKeys().properties().stream().map(Map.Entry::getKey).toList();
  }

  private static boolean takes(ValueSpace space, Tier tier, String key) {
    return space.typeOf(tier.values()).orElseThrow().path("properties").has(key);
  }

  private List<String> keysOf(String path) {
    return space.typeOf(path).orElseThrow().path("properties").properties().stream().map(Map.Entry::getKey).toList();
  }

  private static Sample sample(Tier tier, String key) {
    boolean members = List.of("etcd", "database").contains(tier.name());
    return switch (key) {
      case "spread" -> new Sample(members ? "preferred" : "required", "/spec/affinity/podAntiAffinity/" + (members ? "preferred" : "required") + "DuringSchedulingIgnoredDuringExecution");
      case "updateStrategy" -> members ? new Sample("{rollingUpdate: {partition: 4321}}", "object /spec/updateStrategy") : new Sample("{rollingUpdate: {maxSurge: 4321}}", "object /spec/strategy");
      default -> SAMPLES.get(key);
    };
  }

  /** In which the tier has pods, and its containers every probe. */
  private static ObjectNode context(Tier tier) throws JsonProcessingException {
    return (ObjectNode) Yaml.parse(switch (tier.name()) {
      case "check" -> "{database: {topology: external, external: {hosts: [db.example.com], password: x}}}";
      case "database" -> "{database: {topology: standalone}}";
      default -> "{}";
    });
  }

  /** The components whose pods the key reaches: its tier's, and of wordpress those of its Jobs. */
  private static Set<String> expected(Tier tier, String key) {
    var expected = new TreeSet<>(Set.of(tier.component()));
    if (tier.name().equals("wordpress")) {
      if (PLACES.contains(key)) {
        expected.add("secrets");
      }
      if (PLACES.contains(key) || OF_PHP.contains(key)) {
        expected.addAll(List.of("wordpress-install", "wordpress-cron", "wordpress-test"));
      } else if (OF_THE_SITE.contains(key)) {
        expected.addAll(List.of("wordpress-install", "wordpress-cron"));
      }
    }
    return expected;
  }

  /** The components whose pods or objects have the sample at its place. */
  private static Set<String> components(List<Manifest> all, Sample sample) {
    String[] place = sample.at().split(" (?=/)");
    String path = place[place.length - 1];
    Stream<Manifest> found = switch (place.length == 1 ? "pod" : place[0]) {
      case "object" -> all.stream().filter(manifest -> !template(manifest).isMissingNode() && has(manifest.tree().at(path), sample));
      case "budget" -> all.stream().filter(manifest -> manifest.kind().equals("PodDisruptionBudget") && has(manifest.tree().at(path), sample));
      case "names" -> all.stream().filter(manifest -> stream(template(manifest).at(path)).anyMatch(one -> has(one.path("name"), sample)));
      case "container" -> all.stream().filter(manifest -> has(main(template(manifest)).at(path), sample));
      case "every container" -> all.stream().filter(manifest -> containers(template(manifest)).findAny().isPresent()
          && containers(template(manifest)).allMatch(container -> has(container.at(path), sample)));
      default -> all.stream().filter(manifest -> has(template(manifest).at(path), sample));
    };
    return found.map(StandardKeysTest::component).collect(toCollection(TreeSet::new));
  }

  private static boolean has(JsonNode node, Sample sample) {
    return sample.value().matches("preferred|required") ? !node.isEmpty() : node.toString().matches(".*(" + MARKER + "|4321).*");
  }

  /** The pod that an object runs; a missing node for objects that run none. */
  private static JsonNode template(Manifest manifest) {
    return manifest.tree().at(switch (manifest.kind()) {
      case "Pod" -> "";
      case "CronJob" -> "/spec/jobTemplate/spec/template";
      case "Deployment", "StatefulSet", "Job" -> "/spec/template";
      default -> "/none";
    });
  }

  private static String component(Manifest manifest) {
    return manifest.label("app.kubernetes.io/component").orElse("");
  }

  private static Manifest workload(List<Manifest> all, String component) {
    return all.stream().filter(manifest -> component(manifest).equals(component) && !template(manifest).isMissingNode()).findFirst().orElseThrow();
  }

  private static JsonNode main(JsonNode template) {
    return template.at("/spec/containers/0");
  }

  /** Those of the chart. */
  private static Stream<JsonNode> containers(JsonNode template) {
    return Stream.concat(stream(template.at("/spec/initContainers")), stream(template.at("/spec/containers")))
        .filter(container -> !container.path("name").asText().startsWith(MARKER));
  }

  private static Stream<JsonNode> stream(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }

  private static List<Manifest> render(String values) throws JsonProcessingException {
    Rendering rendering = rendering((ObjectNode) Yaml.parse(values));
    assertThat(Checks.verify(rendering, Cluster.ofThree(34)).errors().stream().filter(problem -> !problem.rule().equals("reference"))).as("errors with %s", values).isEmpty();
    return rendering.manifests();
  }

  private static List<Manifest> render(ObjectNode values) {
    return rendering(values).manifests();
  }

  private static Rendering rendering(ObjectNode values) {
    return Profiles.chart().render(Release.standard(), values);
  }
}
