package io.github.wordpressha.wordpress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.manifest.Manifest;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An upgrade that changes the configuration changes it for new pods; those that still serve keep theirs. */
@Tag("render")
class ConfigurationTest {

  @ParameterizedTest
  @DisplayName("what runs PHP for long has its configuration mounted file by file: a directory would be exchanged while it runs")
  @ValueSource(strings = {"{}", "{database: {topology: external, external: {hosts: [db.example.com]}, existingSecret: database}}"})
  void configurationStaysAsItWas(String values) throws JsonProcessingException {
    JsonNode pod = webPod(values);
    List<JsonNode> mounts = Stream.concat(stream(pod.path("containers")),
            stream(pod.path("initContainers")).filter(container -> container.path("restartPolicy").asText().equals("Always")))
        .flatMap(container -> stream(container.path("volumeMounts"))).filter(mount -> mount.path("name").asText().equals("configuration")).toList();
    assertThat(mounts).isNotEmpty().allMatch(mount -> mount.has("subPath"));
    assertThat(mounts).anyMatch(mount -> mount.path("mountPath").asText().equals("/etc/wordpress/settings.json"));
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("all workers at once stay within the memory limit while they scale pictures")
  @CsvSource(delimiter = '|', value = {
      "{resources: {limits: {memory: 768Mi}}} | 64MiB",
      "{resources: {limits: {memory: 1Gi}}, php: {maxChildren: 2}} | 416MiB",
      "{resources: {limits: null}} | ''"})
  void picturesFit(String wordpress, String share) throws JsonProcessingException {
    JsonNode pod = webPod("{wordpress: " + wordpress + "}");
    assertThat(stream(pod.path("containers")).filter(container -> container.path("name").asText().equals("php"))
        .flatMap(container -> stream(container.path("env"))).filter(variable -> variable.path("name").asText().equals("MAGICK_MEMORY_LIMIT"))
        .map(variable -> variable.path("value").asText()).collect(Collectors.joining())).isEqualTo(share);
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("what the web server or the site cannot do is refused with a sentence")
  @CsvSource(delimiter = '|', value = {
      "{constants: {MULTISITE: true}} | wordpress.constants.MULTISITE: the chart runs one site in each release",
      "{constants: {WP_ALLOW_MULTISITE: true}} | install a release for each site",
      "{site: {url: 'https://www.example.com/blog'}} | not below a path; write https://www.example.com, or another name",
      "{site: {url: 'https://www.example.com/'}} | write https://www.example.com, or",
      "{cache: {trackers: ['no name']}} | /wordpress/cache/trackers/0",
      "{cache: {cookies: ['currency=EUR']}} | /wordpress/cache/cookies/0",
      "{proxyProtocol: true} | wordpress.proxyProtocol: the address in a PROXY header is believed from trusted proxies only; write",
      "{proxyProtocol: true, trustedProxies: [10.0.0.0/8], site: {url: 'https://www.example.com'}, ingress: {enabled: true}} | sends pods no PROXY header",
      "{proxyProtocol: true, trustedProxies: [10.0.0.0/8], httpRoute: {enabled: true, parentRefs: [{name: public}]}} | set proxyProtocol=false",
      "{replicas: null, autoscaling: {enabled: false}, content: {accessMode: ReadWriteOnce, storageClass: disks}} | a ReadWriteOnce volume serves one pod",
      "{trustedProxies: [10.0.0.0/99]} | /wordpress/trustedProxies/0",
      "{adminFrom: [home.example.com]} | /wordpress/adminFrom/0"})
  void isRefused(String wordpress, String sentence) {
    assertThatThrownBy(() -> Profiles.render("{wordpress: " + wordpress + "}"))
        .isInstanceOf(RenderException.class).hasMessageContaining(sentence);
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("the number of pods is left to the autoscaler, and to what runs where replicas is null; a budget is made for more than one pod")
  @CsvSource(delimiter = '|', value = {
      "{autoscaling: {enabled: true}} | '' | true",
      "{autoscaling: {enabled: false}} | 3 | true",
      "{replicas: 1, autoscaling: {enabled: false}} | 1 | false",
      "{replicas: 0, autoscaling: {enabled: false}} | 0 | false",
      "{replicas: null, autoscaling: {enabled: false}} | '' | true"})
  void replicas(String wordpress, String replicas, boolean budget) throws JsonProcessingException {
    List<Manifest> all = Profiles.render("{wordpress: " + wordpress + "}").manifests();
    assertThat(all).filteredOn(manifest -> manifest.id().equals("Deployment/wordpress-ha"))
        .singleElement().satisfies(web -> assertThat(web.tree().at("/spec/replicas").asText()).isEqualTo(replicas));
    assertThat(all.stream().anyMatch(manifest -> manifest.id().equals("PodDisruptionBudget/wordpress-ha"))).isEqualTo(budget);
  }

  @ParameterizedTest
  @DisplayName("a quantity means the same in each of its spellings")
  @ValueSource(strings = {"1Gi", "1024Mi", "1048576Ki", "1073741824", "'1073741824'", "1073741824000m"})
  void quantities(String gibibyte) throws JsonProcessingException {
    List<Manifest> all = Profiles.render("""
        etcd: {quota: %1$s}
        nfs: {storage: {size: 8Gi}}
        wordpress: {resources: {limits: {memory: %1$s}}, content: {size: %1$s}}
        """.formatted(gibibyte)).manifests();
    assertThat(all.stream().map(manifest -> manifest.tree().at("/data/php-fpm.conf").asText()).collect(Collectors.joining())).contains("pm.max_children = 9\n");
    assertThat(all.stream().flatMap(manifest -> manifest.tree().findValues("env").stream()).flatMap(ConfigurationTest::stream)
        .filter(variable -> variable.path("name").asText().equals("QUOTA")).map(variable -> variable.path("value").asText())).containsOnly("1073741824");
    assertThat(all).filteredOn(manifest -> manifest.id().equals("PersistentVolumeClaim/wordpress-ha-content"))
        .singleElement().satisfies(claim -> assertThat(claim.tree().at("/spec/resources/requests/storage").asText()).isEqualTo(gibibyte.replace("'", "")));
  }

  @ParameterizedTest
  @DisplayName("etcd takes no other quota than those that it works with")
  @ValueSource(strings = {"1Mi", "67108863", "9Gi", "1Pi"})
  void quotaIsRefused(String quota) {
    assertThatThrownBy(() -> Profiles.render("{etcd: {quota: " + quota + "}}"))
        .isInstanceOf(RenderException.class).hasMessageContaining("etcd.quota: etcd works with 64Mi to 8Gi, not with " + quota + ";");
  }

  private static JsonNode webPod(String values) throws JsonProcessingException {
    return Profiles.render(values).manifests().stream()
        .filter(manifest -> manifest.kind().equals("Deployment") && manifest.name().equals("wordpress-ha")).findFirst().orElseThrow().tree().at("/spec/template/spec");
  }

  private static Stream<JsonNode> stream(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false);
  }
}
