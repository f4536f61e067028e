package io.github.wordpressha.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.Profiles;
import io.github.wordpressha.Profiles.Profile;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.manifest.ManifestParser;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rules that many clusters enforce by Kyverno: every profile passes them, but for what SECURITY.md and the profile say. */
@Tag("render")
@Tag("security")
class PolicyTest {

  private static final Release BLOG = new Release("blog", "websites", Release.DEFAULT_KUBE_VERSION);
  /** It serves files of any user, so it runs as root and reads past permissions: SECURITY.md, "Pods". */
  private static final List<String> NFS_SERVER = Stream.of("disallow-capabilities-strict", "disallow-privilege-escalation", "require-run-as-nonroot",
      "require-run-as-non-root-user", "require-ro-rootfs").map(policy -> policy + ": Deployment/blog-wordpress-ha-nfs nfs").toList();

  static Stream<Profile> profiles() {
    return Profiles.all();
  }

  @ParameterizedTest
  @MethodSource("profiles")
  @DisplayName("every profile breaks no policy, but for the NFS server and the node ports that it is about")
  void profilesPass(Profile profile) {
    Objects objects = Checks.verify(Profiles.chart().render(BLOG, profile.values()), Cluster.ofThree(34)).objects();
    var expected = new ArrayList<String>(objects.has("Deployment", "blog-wordpress-ha-nfs") ? NFS_SERVER : List.of());
    switch (profile.name()) {
      case "galera-etcd-nfs" -> expected.addAll(nodePorts("", "-mysql-client", "-etcd-client"));
      case "production", "replication-xtrabackup-nfs" -> { }
      default -> expected.addAll(nodePorts(""));
    }
    assertThat(Policy.violations(objects)).containsExactlyInAnyOrderElementsOf(expected);
  }

  private static List<String> nodePorts(String... services) {
    return Stream.of(services).map(service -> "restrict-node-port: Service/blog-wordpress-ha" + service).toList();
  }

  @Test
  @DisplayName("each policy refuses what it is for")
  void refuses() {
    var careless = ManifestParser.parse("""
        apiVersion: v1
        kind: Pod
        metadata: {name: careless, namespace: default}
        spec:
          hostNetwork: true
          securityContext: {sysctls: [{name: kernel.msgmax, value: "1"}], windowsOptions: {hostProcess: true}}
          volumes: [{name: root, hostPath: {path: /}}]
          containers:
            - name: one
              image: docker.io/library/nginx:latest
              ports: [{containerPort: 80, hostPort: 80}]
              securityContext: {privileged: true, runAsUser: 0, procMount: Unmasked, seLinuxOptions: {type: spc_t}, appArmorProfile: {type: Unconfined}}
              volumeMounts: [{name: root, mountPath: /run/containerd/containerd.sock}]
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: blind}
        spec:
          selector: {matchLabels: {app: blind}}
          template:
            metadata: {labels: {app: blind}}
            spec: {containers: [{name: one, image: "docker.io/library/nginx:1.28"}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: open}
        spec: {type: NodePort, externalIPs: [192.0.2.1], ports: [{port: 80}]}
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: any}
        spec: {rules: [{http: {paths: []}}]}
        """);
    Objects objects = Checks.verify(BLOG, careless.manifests(), careless.problems(), Values.none(), Cluster.ofThree(34)).objects();
    assertThat(Policy.violations(objects).map(violation -> violation.replaceFirst(":.*", "")).distinct())
        .containsExactlyInAnyOrderElementsOf(Policy.ALL.stream().map(Policy::name).toList());
  }
}
