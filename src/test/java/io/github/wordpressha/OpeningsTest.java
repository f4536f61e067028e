package io.github.wordpressha;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.check.Openings;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.manifest.Problem;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A value that opens something says so: in the notes of the install, and as a warning of the verifier. */
@Tag("render")
@Tag("security")
class OpeningsTest {

  private static final String NODES = "networkPolicy: {from: {nodes: [{ipBlock: {cidr: 10.0.0.0/24}}]}}";

  /** By value, what opens it; some open only in company. */
  private static final Map<String, String> OPEN = Map.ofEntries(
      Map.entry("tls.enabled", "{tls: {enabled: false}}"),
      Map.entry("networkPolicy.enabled", "{networkPolicy: {enabled: false}}"),
      Map.entry("networkPolicy.from.nodes", "{networkPolicy: {from: {nodes: []}}}"),
      Map.entry("database.service.type", "{database: {service: {type: NodePort}}}"),
      Map.entry("etcd.service.type", "{etcd: {service: {type: LoadBalancer}}}"),
      Map.entry("database.external.tls.enabled", "{database: {topology: external, external: {hosts: [db.example.com], password: x}}}"),
      Map.entry("database.external.tls.verify", "{database: {topology: external, external: {hosts: [db.example.com], password: x, tls: {enabled: true, verify: false}}}}"),
      Map.entry("wordpress.smtp.tls", "{wordpress: {smtp: {host: mail.example.com, port: 25, tls: none}}}"),
      Map.entry("wordpress.xmlrpc", "{wordpress: {xmlrpc: true}}"),
      Map.entry("wordpress.userEnumeration", "{wordpress: {userEnumeration: true}}"),
      Map.entry("wordpress.loginsPerMinute", "{wordpress: {loginsPerMinute: 0}}"),
      Map.entry("wordpress.loginLockout.failures", "{wordpress: {loginLockout: {failures: 0}}}"),
      Map.entry("wordpress.allowPluginChanges", "{wordpress: {allowPluginChanges: true}}"));

  /** Switches that open nothing to anyone whom the site's own port does not meet already. */
  private static final Set<String> HARMLESS = Set.of(
      "database.topology", "database.replicas", "database.spread", "database.external.check.enabled", "etcd.replicas", "etcd.spread", "nfs.enabled", "nfs.serviceAccount.create",
      "secrets.serviceAccount.create", "wordpress.serviceAccount.create",
      "tls.issuer.kind", "metrics.enabled", "metrics.annotations", "metrics.podMonitor.enabled", "metrics.alerts.enabled", "metrics.dashboards.enabled",
      "portworx.enabled", "portworx.encrypted", "portworx.snapshots.enabled", "portworx.cloudBackup.enabled", "portworx.cloudBackup.day", "wordpress.autoscaling.enabled",
      "wordpress.content.accessMode", "wordpress.media.s3.publicRead", "wordpress.cache.enabled", "wordpress.accessLog", "wordpress.cron.enabled",
      "wordpress.cron.failOnError", "wordpress.service.type", "wordpress.service.externalTrafficPolicy", "wordpress.service.trafficDistribution",
      "wordpress.ingress.enabled", "wordpress.httpRoute.enabled", "wordpress.proxyProtocol", "wordpress.spread");

  @Test
  @DisplayName("of the defaults, one value opens something: the NFS server's clients are not known")
  void defaults() throws JsonProcessingException {
    assertThat(values(warnings("{}"))).containsExactly("networkPolicy.from.nodes");
    Rendering closed = Profiles.render("{" + NODES + "}");
    assertThat(closed.notes()).doesNotContain("WHAT IS OPEN");
    assertThat(warnings(closed)).isEmpty();
  }

  @Test
  @DisplayName("each value that opens something is announced by name, in the notes and by the verifier, with one sentence")
  void announced() throws JsonProcessingException {
    for (var open : OPEN.entrySet()) {
      Rendering rendering = Profiles.render(open.getValue());
      List<Problem> warnings = warnings(rendering);
      assertThat(values(warnings)).as(open.getValue()).contains(open.getKey());
      assertThat(warnings).allSatisfy(warning -> {
        assertThat(warning.message()).matches("[^.].+\\.");
        assertThat(rendering.notes()).contains("  " + warning.path() + ": " + warning.message());
      });
    }
  }

  @Test
  @DisplayName("the list is complete: every switch of the chart is announced when it opens something, or known as harmless")
  void complete() {
    Set<String> switches = new ValueSpace().switches().keySet().stream().filter(path -> !path.endsWith(".pullPolicy"))
        .collect(Collectors.toCollection(TreeSet::new));
    assertThat(switches).as("a new switch: add it to OPEN, and to templates/_openings.tpl, or to HARMLESS")
        .isSubsetOf(Stream.concat(OPEN.keySet().stream(), HARMLESS.stream()).toList());
    assertThat(switches).containsAll(HARMLESS);
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("a sentence is there only where it is true")
  @CsvSource(delimiter = '|', value = {
      "{tls: {enabled: false}} | tls.enabled | etcd takes the writes of any client that reaches it.",
      "{tls: {enabled: false}, database: {topology: standalone}} | tls.enabled | false, so passwords and pages pass between pods in the clear.",
      "{database: {service: {type: NodePort}}} | database.service.type | a password over TLS. Name them in networkPolicy.from.database.",
      "{database: {service: {type: NodePort}}, tls: {enabled: false}} | database.service.type | it wants a password. Name them in networkPolicy.from.database.",
      "{database: {service: {type: NodePort}}, networkPolicy: {from: {database: [{ipBlock: {cidr: 192.0.2.0/24}}]}}} | database.service.type | a password over TLS.",
      "{networkPolicy: {enabled: false}} | networkPolicy.from.nodes | ''",
      "{networkPolicy: {enabled: false}, database: {service: {type: NodePort}}} | database.service.type | a password over TLS.",
      "{tls: {enabled: false}, database: {topology: external, external: {hosts: [db.example.com], password: x}}} | tls.enabled | ''"})
  void exact(String values, String value, String end) throws JsonProcessingException {
    assertThat(warnings(values).stream().filter(warning -> warning.path().equals(value)).map(Problem::message).collect(Collectors.joining()))
        .satisfies(sentence -> assertThat(end.isEmpty() ? sentence.isEmpty() : sentence.endsWith(end)).as(sentence).isTrue());
  }

  private static List<Problem> warnings(String values) throws JsonProcessingException {
    return warnings(Profiles.render(values));
  }

  private static List<Problem> warnings(Rendering rendering) {
    return Checks.verify(rendering, Cluster.ofThree(34)).problems().stream().filter(problem -> problem.rule().equals(Openings.RULE)).toList();
  }

  private static List<String> values(List<Problem> warnings) {
    return warnings.stream().map(Problem::path).toList();
  }
}
