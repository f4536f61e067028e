package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.manifest.Manifest;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code tls} renders for each topology and each source of certificates. */
@Tag("render")
@Tag("security")
class TlsTest {

  private static final String CLIENT_NAME = "wordpress-ha-mysql-client.default.svc.cluster.local";

  private static List<Manifest> render(String values) throws JsonProcessingException {
    Rendering rendering = Profiles.render(values);
    assertThat(Checks.verify(rendering, Cluster.ofThree(34)).errors()).as("errors with %s", values).isEmpty();
    return rendering.manifests();
  }

  private static Stream<JsonNode> of(List<Manifest> manifests, String kind) {
    return manifests.stream().filter(manifest -> manifest.kind().equals(kind)).map(Manifest::tree);
  }

  private static JsonNode one(List<Manifest> manifests, String kind, String name) {
    return of(manifests, kind).filter(tree -> tree.at("/metadata/name").asText().equals(name)).findFirst()
        .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
  }

  private static String data(List<Manifest> manifests, String configMap, String key) {
    return one(manifests, "ConfigMap", configMap).path("data").path(key).asText();
  }

  private static List<String> texts(JsonNode list) {
    var texts = new ArrayList<String>();
    list.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  @ParameterizedTest
  @ValueSource(strings = {"galera", "replication", "standalone"})
  @DisplayName("servers take TLS alone, and WordPress checks them by a name that is in their certificate")
  void everyTopology(String topology) throws JsonProcessingException {
    List<Manifest> manifests = render("{tls: {enabled: true}, database: {topology: %s}}".formatted(topology));

    assertThat(data(manifests, "wordpress-ha-mysql-config", "30-tls.cnf")).contains("ssl_ca=/tls/ca.crt", "ssl_cert=/tls/tls.crt", "ssl_key=/tls/tls.key",
        "require_secure_transport=ON");
    assertThat(data(manifests, "wordpress-ha-mysql-config", "30-tls.cnf").contains("pxc_encrypt_cluster_traffic=ON")).isEqualTo(topology.equals("galera"));
    assertThat(data(manifests, "wordpress-ha-wordpress", "settings.json")).contains("MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT", CLIENT_NAME + ":3306");
    assertThat(data(manifests, "wordpress-ha-wordpress", "php.ini")).contains("openssl.cafile = /run/secrets/wordpress/database-ca.crt");
    assertThat(one(manifests, "Deployment", "wordpress-ha").at("/spec/template/spec/hostAliases").toString()).contains("127.0.0.1", CLIENT_NAME);
    assertThat(certificates(manifests)).anySatisfy(line -> assertThat(line).startsWith("wordpress-ha-mysql-tls ").contains("DNS:" + CLIENT_NAME, "DNS:*.wordpress-ha-mysql.default.svc.cluster.local"));
  }

  @ParameterizedTest
  @CsvSource({"galera, recorder mysql status configure etcd", "replication, elector xtrabackup mysql status configure etcd"})
  @DisplayName("nobody speaks to etcd without TLS, and who speaks to it, or to another member, has a certificate")
  void etcd(String topology, String containers) throws JsonProcessingException {
    List<Manifest> manifests = render("{tls: {enabled: true}, database: {topology: %s}}".formatted(topology));

    assertThat(data(manifests, "wordpress-ha-mysql-cluster", "cluster.env"))
        .as("pods from before keep the scheme that they know").contains("\"http${TLS:+s}://wordpress-ha-etcd-0.").doesNotContain("http:");
    List<JsonNode> certified = of(manifests, "StatefulSet").flatMap(set -> Stream.of("initContainers", "containers").map(set.at("/spec/template/spec")::path))
        .flatMap(list -> StreamSupport.stream(list.spliterator(), false))
        .filter(container -> container.path("volumeMounts").toString().contains("\"mountPath\":\"/tls\"")).toList();
    assertThat(certified).extracting(container -> container.path("name").asText()).containsExactlyInAnyOrder(containers.split(" "));
    assertThat(certified).filteredOn(container -> !container.path("name").asText().equals("etcd")).extracting(container -> container.path("env").toString())
        .allSatisfy(environment -> assertThat(environment).contains("{\"name\":\"TLS\",\"value\":\"/tls\"}").doesNotContain("http:"));
  }

  @Test
  @DisplayName("the authority's key is in no pod of a server, and no key at all in WordPress's pods")
  void keysAreWhereTheyAreNeeded() throws JsonProcessingException {
    List<Manifest> manifests = render("{tls: {enabled: true}}");

    assertThat(Stream.of("StatefulSet", "Deployment", "CronJob", "Job").flatMap(kind -> of(manifests, kind)).map(tree -> volumes(tree).toString()))
        .noneMatch(volumes -> volumes.contains("wordpress-ha-authority"));
    assertThat(volumes(one(manifests, "Deployment", "wordpress-ha")).toString()).contains("database-ca.crt").doesNotContain("tls.key");
  }

  private static JsonNode volumes(JsonNode workload) {
    JsonNode volumes = workload.at("/spec/template/spec/volumes");
    return volumes.isMissingNode() ? workload.at("/spec/jobTemplate/spec/template/spec/volumes") : volumes;
  }

  /** What the Jobs make: a line each. */
  private static List<String> certificates(List<Manifest> manifests) {
    var lines = new ArrayList<String>();
    of(manifests, "Job").filter(job -> job.at("/metadata/name").asText().startsWith("wordpress-ha-secrets-")).findFirst().orElseThrow().at("/spec/template/spec/containers").forEach(container -> container.path("env").forEach(variable -> {
      if (variable.path("name").asText().equals("CERTIFICATES")) {
        variable.path("value").asText().lines().forEach(lines::add);
      }
    }));
    return lines;
  }

  @Test
  @DisplayName("without an issuer a Job makes the certificates, and another renews them, which may create nothing and change nothing else")
  void byJob() throws JsonProcessingException {
    List<Manifest> manifests = render("{tls: {enabled: true}}");

    assertThat(certificates(manifests)).hasSize(2);
    assertThat(one(manifests, "CronJob", "wordpress-ha-tls").at("/spec/jobTemplate/spec/template/spec/serviceAccountName").asText()).isEqualTo("wordpress-ha-tls");
    var rights = new ArrayList<String>();
    one(manifests, "Role", "wordpress-ha-tls").path("rules")
        .forEach(rule -> rights.add(String.join(" ", texts(rule.path("verbs"))) + ": " + String.join(" ", texts(rule.path("resourceNames")))));
    assertThat(rights).containsExactlyInAnyOrder("get: wordpress-ha-authority", "get patch: wordpress-ha-mysql-tls wordpress-ha-etcd-tls");
    assertThat(of(manifests, "Certificate")).isEmpty();
  }

  @Test
  @DisplayName("with an issuer cert-manager is asked for them, for the same names, and no Job is")
  void byIssuer() throws JsonProcessingException {
    List<Manifest> manifests = render("{tls: {enabled: true, issuer: {name: ours, kind: ClusterIssuer}}}");
    List<String> byJob = certificates(render("{tls: {enabled: true}}"));

    assertThat(certificates(manifests)).isEmpty();
    assertThat(of(manifests, "CronJob").map(tree -> tree.at("/metadata/name").asText())).doesNotContain("wordpress-ha-tls");
    assertThat(of(manifests, "Certificate").toList()).hasSize(2).allSatisfy(certificate -> {
      JsonNode spec = certificate.path("spec");
      assertThat(spec.path("issuerRef").toString()).contains("\"ours\"", "\"ClusterIssuer\"");
      assertThat(texts(spec.path("usages"))).contains("server auth", "client auth");
      assertThat(byJob).anySatisfy(line -> assertThat(line).startsWith(spec.path("secretName").asText() + " ")
          .endsWith("DNS:" + String.join(",DNS:", texts(spec.path("dnsNames"))) + ",IP:127.0.0.1"));
    });
  }

  @Test
  @DisplayName("certificates that are given are used, and none is made")
  void given() throws JsonProcessingException {
    List<Manifest> manifests = render("{tls: {enabled: true, etcd: {existingSecret: etcd-pair}, database: {existingSecret: mysql-pair}}}");

    assertThat(volumes(one(manifests, "StatefulSet", "wordpress-ha-etcd")).toString()).contains("\"etcd-pair\"");
    assertThat(volumes(one(manifests, "StatefulSet", "wordpress-ha-mysql")).toString()).contains("\"mysql-pair\"");
    assertThat(volumes(one(manifests, "Deployment", "wordpress-ha")).toString()).contains("\"mysql-pair\"");
    assertThat(certificates(manifests)).isEmpty();
    assertThat(manifests).extracting(Manifest::name).doesNotContain("wordpress-ha-tls");
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("values that cannot work are refused with a sentence that names the value, and what to write")
  @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
      "{tls: {issuer: {name: ours}}, database: {topology: external, existingSecret: s, external: {hosts: [db]}}} | tls: the topology external runs no server",
      "{tls: {enabled: false, issuer: {name: ours}}} | tls.enabled: it is said where certificates come from",
      "{tls: {enabled: true, etcd: {existingSecret: pair}}, database: {topology: standalone}} | tls.etcd.existingSecret: the topology standalone",
      "{wordpress: {php: {ini: {openssl.cafile: /ca.crt}}}} | wordpress.php.ini: openssl.cafile is the authority of the database's server; mount yours",
      "{tls: {enabled: true, issuer: {kind: Authority}}} | /tls/issuer/kind"})
  void isRefused(String values, String sentence) {
    assertThatThrownBy(() -> render(values)).isInstanceOf(RenderException.class).hasMessageContaining(sentence);
  }
}
