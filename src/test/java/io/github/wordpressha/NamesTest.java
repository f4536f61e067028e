package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every limit on names that docs/names.md lists, measured on the objects that the longest and the shortest names render. */
@Tag("render")
class NamesTest {

  private static final String LETTERS = "news-of-my-company-and-of-its-forty-two-sisters-blog-";
  private static final List<Integer> LENGTHS = List.of(1, 2, 11, 24, 33, 46, 53);
  private static final String NAMESPACE = "n".repeat(63);
  private static final String DOMAIN = "cluster." + "d".repeat(66);

  private static final int LABEL = 63;
  private static final int OBJECT = 253;
  /** Shorter than DNS permits: Galera's incoming address is a host name and a port, and has 255 characters. */
  private static final int HOST = 255 - ":3306".length();
  private static final int REVISION = "-0123456789".length();
  private static final int REPLICA = "-01234".length();
  private static final int ORDINAL = "-6".length();
  private static final int CRONJOB = 52;
  private static final int COMMON_NAME = 64;
  private static final int GALERA_CLUSTER = 32;

  private static final String DNS_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
  private static final String DNS_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
  private static final String LABEL_VALUE = "([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?";
  private static final Pattern HOSTS = Pattern.compile("[a-z0-9][-a-z0-9.]*\\.svc\\." + Pattern.quote(DOMAIN));

  /** Every profile, and where it has servers of its own with TLS by the chart's Job and by cert-manager: that adds names. */
  static Stream<Profile> profiles() {
    return Profiles.all().flatMap(profile -> {
      boolean external = profile.values().at("/database/topology").asText().equals("external");
      Stream<String> tls = external ? Stream.of("{}") : Stream.of("{tls: {enabled: true}}", "{tls: {enabled: true, issuer: {name: ours}}}");
      return tls.map(values -> new Profile(profile.name() + " " + values, Values.merge(profile.values(), yaml(values))));
    });
  }

  private static ObjectNode yaml(String text) {
    try {
      return (ObjectNode) Yaml.parse(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  private static Release release(String name) {
    return new Release(name, NAMESPACE, Release.DEFAULT_KUBE_VERSION);
  }

  private static Rendering render(String name, String values) {
    return Profiles.chart().render(release(name), yaml(values));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("profiles")
  @DisplayName("names of every length fit every limit, in the longest namespace and cluster domain")
  void everyNameFits(Profile profile) {
    ObjectNode values = withDomain(profile, DOMAIN);
    Rendering rendering = null;
    for (int length : LENGTHS) {
      rendering = Profiles.chart().render(release(LETTERS.substring(0, length - 1) + "s"), values);
      assertThat(rendering.manifests().stream().flatMap(NamesTest::misfits)).as("names that do not fit, with %d characters", length).isEmpty();
    }
    assertThat(Checks.verify(rendering, Cluster.ofThree(34)).errors()).as("errors with the longest name").isEmpty();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("profiles")
  @DisplayName("a cluster domain may end with a dot, as some resolvers write it: the objects are the same")
  void aTrailingDotChangesNothing(Profile profile) {
    assertThat(Profiles.chart().render(release("blog"), withDomain(profile, "cluster.internal.")).manifests())
        .isEqualTo(Profiles.chart().render(release("blog"), withDomain(profile, "cluster.internal")).manifests());
  }

  private static ObjectNode withDomain(Profile profile, String domain) {
    return Values.merge(profile.values(), Values.of("clusterDomain", TextNode.valueOf(domain)));
  }

  /** The names of one object that break a limit, each with the limit. */
  private static Stream<String> misfits(Manifest manifest) {
    var misfits = new ArrayList<String>();
    JsonNode spec = manifest.tree().path("spec");
    String name = manifest.name();
    check(misfits, manifest + " host names", HOST, DNS_1123, HOSTS.matcher(manifest.tree().toString()).results().map(MatchResult::group));
    check(misfits, manifest + " labels", LABEL, LABEL_VALUE, labels(manifest.tree()));
    check(misfits, manifest + " name", OBJECT, manifest.apiVersion().startsWith("rbac.") ? ".+" : DNS_1123, Stream.of(name));
    switch (manifest.kind()) {
      case "Service" -> check(misfits, manifest + " name", LABEL, DNS_1035, Stream.of(name));
      case "StatefulSet" -> check(misfits, manifest + " pods and revisions", LABEL - Math.max(REVISION, ORDINAL), DNS_1035, Stream.of(name));
      case "Deployment" -> check(misfits, manifest + " pods", LABEL - REVISION - REPLICA, DNS_1035, Stream.of(name));
      case "Job", "Pod" -> check(misfits, manifest + " name", LABEL, DNS_1035, Stream.of(name));
      case "CronJob" -> check(misfits, manifest + " name", CRONJOB, DNS_1035, Stream.of(name));
      case "StorageClass" -> check(misfits, manifest + " provisioner", LABEL, "[a-z0-9]([-a-z0-9.]*[a-z0-9])?",
          Stream.of(manifest.tree().path("provisioner").asText().replaceFirst("^[^/]*/", "")));
      case "Certificate" -> check(misfits, manifest + " common name", COMMON_NAME, ".+", Stream.of(spec.path("commonName").asText()));
      case "ConfigMap" -> check(misfits, manifest + " cluster name in Galera", GALERA_CLUSTER, "[-a-z0-9]+", setting(manifest, "CLUSTER_NAME"));
      default -> { }
    }
    check(misfits, manifest + " common name", COMMON_NAME, ".+", commonNames(manifest));
    return misfits.stream();
  }

  private static void check(List<String> misfits, String what, int limit, String form, Stream<String> names) {
    names.filter(name -> name.length() > limit || !name.matches(form))
        .forEach(name -> misfits.add("%s: %s (%d characters; limit %d)".formatted(what, name, name.length(), limit)));
  }

  private static Stream<String> labels(JsonNode node) {
    return Stream.concat(
        Stream.of("labels", "matchLabels", "selector").map(node::path).flatMap(map -> map.properties().stream()).map(entry -> entry.getValue())
            .filter(JsonNode::isTextual).map(JsonNode::asText),
        node.valueStream().flatMap(NamesTest::labels));
  }

  /** A line NAME=VALUE of a ConfigMap's file. */
  private static Stream<String> setting(Manifest manifest, String name) {
    return manifest.tree().path("data").valueStream().flatMap(file -> file.asText().lines()).filter(line -> line.startsWith(name + "="))
        .map(line -> line.substring(name.length() + 1));
  }

  /** The subjects of the certificates that files/tls/certificates.sh makes: its Secrets' names. */
  private static Stream<String> commonNames(Manifest manifest) {
    return manifest.tree().findParents("name").stream()
        .filter(variable -> List.of("AUTHORITY", "CERTIFICATES").contains(variable.path("name").asText()))
        .flatMap(variable -> variable.path("value").asText().lines()).map(line -> line.split(" ")[0]);
  }

  @ParameterizedTest(name = "{0} is {1}")
  @DisplayName("the full name follows Helm's convention, and is cut to 46 characters that do not end in \"-\"")
  @CsvSource({
      "blog, blog-wordpress-ha",
      "wordpress-ha, wordpress-ha",
      "my-wordpress-ha-2, my-wordpress-ha-2",
      "news-of-my-company-and-of-its-forty-two-sisters-blogs, news-of-my-company-and-of-its-forty-two-sister",
      "news-of-my-company-and-of-its-thirty-one-aunts-blog, news-of-my-company-and-of-its-thirty-one-aunts",
      "news-of-my-company-and-of-its-thirty-two-cats-blog, news-of-my-company-and-of-its-thirty-two-cats",
      "news-of-my-company-and-of-its-thirty-two-cat--blog, news-of-my-company-and-of-its-thirty-two-cat"})
  void fullName(String name, String fullname) {
    assertThat(render(name, "{}").manifests()).extracting(Manifest::id).contains("Deployment/" + fullname, "StatefulSet/" + fullname + "-mysql");
  }

  @Test
  @DisplayName("a digit first or a dot in a release's name works with a fullnameOverride")
  void override() {
    Rendering rendering = render("2024.blog", "{fullnameOverride: blog}");
    assertThat(Checks.verify(rendering, Cluster.ofThree(34)).errors()).isEmpty();
    assertThat(rendering.manifests()).extracting(Manifest::id).contains("Service/blog", "StatefulSet/blog-mysql");
  }

  @ParameterizedTest(name = "{0} in {1}: {2}, {3}")
  @DisplayName("names in Galera and of the NFS provisioner stay as they were where they fit, and are short and different where they do not")
  @CsvSource({
      "wordpress-ha, default, wordpress-ha, wordpress-ha.default",
      "my-company-blog, websites, my-company-blog-wordpress-ha, my-company-blog-wordpress-h-877f203a",
      "news-of-my-company-and-of-its-forty-two-sisters-blogs, websites, news-of-my-company-and-686ac216, news-of-my-company-and-of-i-30daae14",
      "news-of-my-company-and-of-its-forty-two-aunts-blogs, websites, news-of-my-company-and-ea40c13d, news-of-my-company-and-of-i-85a90eae",
      "news-of-my-big-company-1, websites, news-of-my-big-company-dc173dfe, news-of-my-big-company-1-wo-618e6a5b",
      "my-company, nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn, my-company-wordpress-ha, my-company-wordpress-ha.nnn-c2521889"})
  void shortened(String name, String namespace, String cluster, String provisioner) {
    List<Manifest> manifests = Profiles.chart().render(new Release(name, namespace, Release.DEFAULT_KUBE_VERSION), Values.none()).manifests();
    assertThat(manifests.stream().flatMap(manifest -> setting(manifest, "CLUSTER_NAME"))).containsExactly(cluster);
    assertThat(manifests).filteredOn(manifest -> manifest.kind().equals("StorageClass"))
        .extracting(manifest -> manifest.tree().path("provisioner").asText()).containsExactly(provisioner + ".nfs.wordpress-ha.github.io");
  }

  @ParameterizedTest(name = "{0} {1}")
  @DisplayName("names that cannot work are refused with a sentence that names the value, and what to write")
  @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
      "2024.blog | {}                                                   | fullnameOverride: Service names would start with 2024.blog-wordpress-ha,",
      "2024.blog | {}                                                   | write for example blog-wordpress-ha.",
      "2024-blog | {}                                                   | write for example blog-wordpress-ha.",
      "my.blog   | {}                                                   | write for example my-blog-wordpress-ha.",
      "2024      | {nameOverride: '2024'}                               | write for example blog.",
      "blog      | {fullnameOverride: 2024-blog}                        | /fullnameOverride",
      "blog      | {fullnameOverride: Blog}                             | /fullnameOverride",
      "blog      | {fullnameOverride: blog-}                            | /fullnameOverride",
      "blog      | {fullnameOverride: a12345678901234567890123456789012345678901234567} | want 46",
      "blog      | {nameOverride: my.blog}                              | /nameOverride",
      "blog      | {nameOverride: a12345678901234567890123456789012345678901234567} | want 46",
      "blog      | {clusterDomain: cluster_local}                       | /clusterDomain",
      "blog      | {clusterDomain: cluster.local..}                     | /clusterDomain",
      "blog      | {clusterDomain: d123456789.d123456789.d123456789.d123456789.d123456789.d123456789.d123456789.d} | want 74"})
  void isRefused(String name, String values, String sentence) {
    assertThatThrownBy(() -> render(name, values)).isInstanceOf(RenderException.class).hasMessageContaining(sentence);
  }
}
