package io.github.wordpressha.network;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.check.Workload;
import io.github.wordpressha.diff.UpgradeDiff;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.network.Policies.End;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Who may talk to whom, asked of the rendered policies for every pair of components and every port that any pod declares, and for
 * the world outside. It must equal the tables below, which are written by hand: what the architecture needs, and nothing else.
 */
@Tag("render")
@Tag("security")
class NetworkPolicyTest {

  private static final Release RELEASE = Release.standard();
  private static final String PHP = "wordpress wordpress-cron wordpress-install";
  private static final String EVERYBODY = "stranger dns private public metadata";

  /** Ends that are no pods of the release, and the ports that they are asked on. */
  private static final End STRANGER = new End("stranger", "elsewhere", Map.of("app", "other"), "10.244.9.9");
  private static final End DNS = new End("dns", "kube-system", Map.of("k8s-app", "kube-dns"), "10.244.8.8");
  private static final Map<End, List<Integer>> OUTSIDE = Map.of(
      DNS, List.of(53),
      STRANGER, List.of(53, 443, 3306, 6443, 8080),
      End.outside("private", "10.1.2.3"), List.of(443, 587, 3306, 6443, 9000),
      End.outside("public", "203.0.113.5"), List.of(80, 443, 587, 3306, 6443, 9000),
      End.outside("metadata", "169.254.169.254"), List.of(80));

  /**
   * A set of values, and its whole matrix.
   *
   * @param rows {@code from... > to: ports}
   */
  record Case(String name, String values, List<String> rows) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Case> cases() {
    List<String> site = List.of(
        PHP + " wordpress-test " + EVERYBODY + " > wordpress: 8080",
        PHP + " > wordpress: 8081",
        PHP + " wordpress-test secrets > dns: 53 5353 53/UDP 5353/UDP",
        "secrets > stranger private public: 443 6443",
        PHP + " > public: 443");
    List<String> galera = List.of(
        PHP + " > database: 3306 9200",
        "database > database: 4444 4567 4568 9200",
        "database > etcd: 2379",
        "etcd > etcd: 2379 2380 2382",
        "database etcd > dns: 53 5353 53/UDP 5353/UDP");
    return Stream.of(
        new Case("galera, everything closed that can be", """
            nfs: {enabled: false}
            wordpress: {content: {storageClass: files}}
            """, join(site, galera)),
        new Case("galera as it is by default: nodes mount from the NFS server, whatever their addresses are", "{}", join(site, galera, List.of(
            EVERYBODY + " > nfs: 111 662 875 2049 20048 32803 111/UDP 662/UDP 875/UDP 2049/UDP 20048/UDP 32803/UDP",
            "nfs > dns: 53 5353 53/UDP 5353/UDP",
            "nfs > stranger private public: 443 6443"))),
        new Case("galera with the database and etcd open to clients outside", """
            database: {service: {type: NodePort}}
            etcd: {service: {type: LoadBalancer}}
            nfs: {enabled: false}
            wordpress: {content: {storageClass: files}}
            """, join(site, galera, List.of(
                EVERYBODY + " > database: 3306",
                EVERYBODY + " > etcd: 2379"))),
        new Case("standalone", """
            database: {topology: standalone}
            nfs: {enabled: false}
            wordpress: {content: {storageClass: files}}
            """, join(site, List.of(
                PHP + " > database: 3306 9200",
                "database > dns: 53 5353 53/UDP 5353/UDP"))),
        new Case("external", """
            database: {topology: external, existingSecret: database, external: {hosts: [mysql.example.com]}}
            nfs: {enabled: false}
            wordpress: {content: {storageClass: files}}
            """, join(site, List.of(
                "database-check > dns: 53 5353 53/UDP 5353/UDP",
                "database-check " + PHP + " > stranger private public: 3306"))),
        new Case("every value of networkPolicy", """
            networkPolicy:
              from:
                site: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: elsewhere}}}]
                database: [{ipBlock: {cidr: 10.1.0.0/16}}]
                etcd: [{ipBlock: {cidr: 203.0.113.0/24}}]
                nodes: [{ipBlock: {cidr: 10.1.0.0/16, except: [10.1.9.0/24]}}]
                monitoring: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: elsewhere}}}]
              to:
                dns: {peers: [{ipBlock: {cidr: 10.1.2.3/32}}], ports: [5353]}
                apiServer: {peers: [{ipBlock: {cidr: 10.1.2.3/32}}], ports: [6443]}
                updates: {ports: []}
                mail: {ports: [587]}
                storage: {peers: [{ipBlock: {cidr: 10.1.2.0/24}}], ports: [9000]}
                others: [{peers: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [6443]}]
            """, List.of(
                PHP + " wordpress-test stranger > wordpress: 8080",
                PHP + " > wordpress: 8081",
                PHP + " > database: 3306 9200",
                "private > database: 3306",
                "database > database: 4444 4567 4568 9200",
                "database > etcd: 2379",
                "public > etcd: 2379",
                "etcd > etcd: 2379 2380 2382",
                "stranger > etcd: 2381",
                "private > nfs: 111 662 875 2049 20048 32803 111/UDP 662/UDP 875/UDP 2049/UDP 20048/UDP 32803/UDP",
                "secrets nfs > private: 6443",
                PHP + " > private public: 587",
                PHP + " > private: 9000",
                PHP + " > public: 6443")),
        new Case("metrics, for those that may read them", """
            tls: {enabled: true}
            metrics: {enabled: true}
            networkPolicy: {from: {monitoring: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: elsewhere}}}]}}
            nfs: {enabled: false}
            wordpress: {content: {storageClass: files}}
            """, join(site, galera, List.of(
                "stranger > wordpress database: 9205",
                "stranger > etcd: 2381 2382"))),
        new Case("a bucket by the role of the node or pod", """
            nfs: {enabled: false}
            wordpress: {content: {storageClass: files}, media: {s3: {bucket: media, region: r}}}
            """, join(site, galera, List.of(PHP + " > metadata: 80"))),
        new Case("servers that other values name, wherever they are", """
            nfs: {enabled: false}
            wordpress:
              content: {storageClass: files}
              smtp: {host: mail.example.com}
              media: {s3: {bucket: media, region: r, endpoint: "http://s3.example.com:9000", existingSecret: s}}
              plugins: [{slug: one, url: "http://mirror.example.com/one.zip", sha256: "%1$s"}, {slug: two, url: "https://mirror.example.com:3306/two.zip", sha256: "%1$s"}]
            """.formatted("0".repeat(64)), join(site, galera, List.of(
                PHP + " > private public: 587 9000",
                "wordpress-install > public: 80 3306",
                "wordpress-install > private: 3306",
                "wordpress-install > stranger: 3306",
                "wordpress-install > metadata: 80"))));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  @DisplayName("the matrix of all pairs and ports is the intended one")
  void isTheIntendedMatrix(Case one) throws JsonProcessingException {
    assertThat(matrix(render(one.values()))).isEqualTo(expand(one.rows()));
  }

  @Test
  @DisplayName("pods of another release, and pods elsewhere with the same labels, are strangers")
  void labelsAloneOpenNothing() throws JsonProcessingException {
    Objects objects = render("{}");
    Policies policies = policies(objects);
    for (Workload workload : objects.workloads()) {
      for (Workload source : objects.workloads()) {
        var otherRelease = new TreeMap<>(source.labels());
        otherRelease.put("app.kubernetes.io/instance", "another");
        for (ContainerPort port : ports(workload)) {
          if (!List.of("wordpress", "nfs").contains(component(workload))) { // open to everybody here
            assertThat(policies.allow(new End("", RELEASE.namespace(), otherRelease, "10.244.1.1"), end(workload), port.getContainerPort(), "TCP")).isFalse();
            assertThat(policies.allow(new End("", "elsewhere", source.labels(), "10.244.1.1"), end(workload), port.getContainerPort(), "TCP")).isFalse();
          }
        }
      }
    }
  }

  @Test
  @DisplayName("there are policies unless they are switched off")
  void areOnByDefault() throws JsonProcessingException {
    assertThat(kinds("{}")).contains("NetworkPolicy");
    assertThat(kinds("networkPolicy: {enabled: false}")).doesNotContain("NetworkPolicy");
  }

  @Test
  @DisplayName("policies that are switched on in a running release come beside its objects, and restart no pod")
  void restartNothing() throws JsonProcessingException {
    List<Manifest> without = manifests("networkPolicy: {enabled: false}");
    assertThat(UpgradeDiff.between(without, manifests("{}"))).isNotEmpty()
        .allSatisfy(change -> assertThat(change.kind() + " " + change.object()).startsWith("ADDED NetworkPolicy/"));
  }

  private static List<Manifest> manifests(String values) throws JsonProcessingException {
    return Profiles.chart().render(RELEASE, (ObjectNode) Yaml.parse(values)).manifests();
  }

  private static Stream<String> kinds(String values) throws JsonProcessingException {
    return manifests(values).stream().map(Manifest::kind);
  }

  private static Objects render(String values) throws JsonProcessingException {
    Rendering rendering = Profiles.chart().render(RELEASE, (ObjectNode) Yaml.parse(values));
    Checks.Verdict verdict = Checks.verify(rendering, Cluster.ofThree(34));
    assertThat(verdict.errors()).isEmpty();
    return verdict.objects();
  }

  private static Policies policies(Objects objects) {
    return new Policies(RELEASE.namespace(), objects.all(NetworkPolicy.class).map(Map.Entry::getValue).toList());
  }

  /** Every connection that is allowed and has a pod of the release at one end: {@code from > to: port}. */
  private static Set<String> matrix(Objects objects) {
    Policies policies = policies(objects);
    var pods = new TreeMap<String, Workload>();
    objects.workloads().forEach(w -> pods.put(component(w), w));
    Map<Integer, Set<String>> declared = pods.values().stream().flatMap(w -> ports(w).stream()).collect(Collectors.groupingBy(
        ContainerPort::getContainerPort, TreeMap::new, Collectors.mapping(p -> p.getProtocol() == null ? "TCP" : p.getProtocol(), Collectors.toSet())));
    var found = new TreeSet<String>();
    for (Workload to : pods.values()) {
      Stream.concat(pods.values().stream().map(NetworkPolicyTest::end), OUTSIDE.keySet().stream()).forEach(from ->
          declared.forEach((port, protocols) -> protocols.forEach(protocol -> add(found, policies, from, end(to), port, protocol))));
    }
    for (Workload from : pods.values()) {
      OUTSIDE.forEach((to, ports) -> ports.forEach(port -> {
        add(found, policies, end(from), to, port, "TCP");
        add(found, policies, end(from), to, port, "UDP");
        if (port == 53) {
          add(found, policies, end(from), to, 5353, "TCP");
          add(found, policies, end(from), to, 5353, "UDP");
        }
      }));
    }
    return found;
  }

  private static void add(Set<String> found, Policies policies, End from, End to, int port, String protocol) {
    if (policies.allow(from, to, port, protocol)) {
      found.add(row(from.name(), to.name(), port + (protocol.equals("TCP") ? "" : "/" + protocol)));
    }
  }

  private static Set<String> expand(List<String> rows) {
    var all = new TreeSet<String>();
    for (String line : rows) {
      String[] parts = line.split(" > |: ");
      for (String from : parts[0].split(" ")) {
        for (String to : parts[1].split(" ")) {
          for (String port : parts[2].split(" ")) {
            all.add(row(from, to, port));
          }
        }
      }
    }
    return all;
  }

  private static String row(String from, String to, String port) {
    return from + " > " + to + ": " + port;
  }

  private static List<ContainerPort> ports(Workload workload) {
    return workload.running().flatMap(c -> c.container().getPorts().stream()).toList();
  }

  private static End end(Workload workload) {
    return new End(component(workload), RELEASE.namespace(), workload.labels(), "10.244.1.1");
  }

  private static String component(Workload workload) {
    return workload.labels().get("app.kubernetes.io/component");
  }

  @SafeVarargs
  private static List<String> join(List<String>... lists) {
    var all = new ArrayList<String>();
    Stream.of(lists).forEach(all::addAll);
    return all;
  }
}
