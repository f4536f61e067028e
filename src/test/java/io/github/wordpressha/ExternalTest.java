package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.wordpressha.helm.RenderException;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.manifest.Manifest;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the values of an external database, of media in S3 and of plugins render, and what they are refused for. */
@Tag("render")
class ExternalTest {

  private static final String ONE = "database: {topology: external, external: {hosts: [db.example.com], password: a-password}}";
  private static final String TWO = """
      database:
        topology: external
        existingSecret: theirs
        external: {hosts: [db-1.example.com, db-2.example.com], passwordKey: pw, tls: {enabled: true, caSecret: authority, serverName: db.example.com}}
      """;

  @Test
  @DisplayName("a single external host: no database, no etcd, no router; WordPress connects to the host itself")
  void oneHost() throws JsonProcessingException {
    Rendering rendering = Profiles.render(ONE);

    assertThat(rendering.manifests()).extracting(Manifest::name)
        .doesNotContain("wordpress-ha-mysql", "wordpress-ha-mysql-client", "wordpress-ha-etcd", "wordpress-ha-router")
        .contains("wordpress-ha-external-database", "wordpress-ha-database-check");
    assertThat(rendering.text()).contains("db.example.com:3306").doesNotContain("name: \"router\"");
  }

  @Test
  @DisplayName("several external hosts: a router in each pod, which is called by the name in the servers' certificates")
  void severalHosts() throws JsonProcessingException {
    String text = Profiles.render(TWO).text();

    assertThat(text).contains("db.example.com:3306", "server host-0 db-1.example.com:3306", "server host-1 db-2.example.com:3306",
        "ip: \"127.0.0.1\"", "name: \"router\"", "name: \"database-health\"", "MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT", "key: \"pw\"", "key: \"ca.crt\"");
  }

  @Test
  @DisplayName("a password of the values is in Secrets alone")
  void passwordIsInSecrets() throws JsonProcessingException {
    String encoded = Base64.getEncoder().encodeToString("a-password".getBytes(StandardCharsets.UTF_8));

    assertThat(Profiles.render(ONE).text()).doesNotContain("a-password");
    assertThat(Profiles.render(ONE).manifests()).filteredOn(manifest -> manifest.tree().toString().contains(encoded))
        .extracting(Manifest::kind).containsOnly("Secret").hasSize(2);
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("values that cannot work are refused with a sentence that names the value, and what to write")
  @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
      "database: {topology: external, external: {password: x}} | database.external.hosts: say where the database is",
      "database: {topology: external, external: {hosts: [db]}} | database.existingSecret: the account wordpress needs its password",
      "database: {topology: external, existingSecret: s, external: {hosts: [db], password: x}} | set one of them",
      "database: {topology: external, existingSecret: s, external: {hosts: [db], tls: {caSecret: c}}} | database.external.tls.enabled",
      "database: {topology: external, existingSecret: s, external: {hosts: [db], tls: {enabled: true, caSecret: c, caConfigMap: c}}} | tls.caConfigMap",
      "database: {topology: external, existingSecret: s, external: {hosts: [db.x, db]}} | write for example db.default.svc.cluster.local",
      "database: {topology: external, existingSecret: s, external: {hosts: [a.x, b.x], tls: {enabled: true}}} | database.external.tls.serverName: several",
      "database: {topology: external, existingSecret: s, external: {hosts: [db], tls: {enabled: true, serverName: a}}} | database.external.tls.serverName: a single",
      "database: {topology: external, existingSecret: s, external: {hosts: ['db:3306']}} | does not match pattern",
      "database: {name: my-site} | database.name: the servers of this release",
      "wordpress: {media: {s3: {bucket: media}}} | wordpress.media.s3.region",
      "wordpress: {media: {s3: {region: eu-central-1}}} | wordpress.media.s3.bucket",
      "wordpress: {plugins: [{slug: a, version: '1'}, {slug: a, version: '2'}]} | a is there twice",
      "wordpress: {plugins: [{slug: a}]} | /wordpress/plugins/0",
      "wordpress: {plugins: [{slug: a, url: 'https://x.example.com/a.zip'}]} | /wordpress/plugins/0",
      "wordpress: {plugins: [{slug: ../a, version: '1'}]} | /wordpress/plugins/0/slug"})
  void isRefused(String values, String sentence) {
    assertThatThrownBy(() -> Profiles.render(values)).isInstanceOf(RenderException.class).hasMessageContaining(sentence);
  }
}
