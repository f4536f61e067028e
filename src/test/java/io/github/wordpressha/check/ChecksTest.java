package io.github.wordpressha.check;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.github.wordpressha.Tree;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.Problem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each rule finds what it is for: a sound release, one fault at a time. */
@Tag("render")
class ChecksTest {

  private static final Release RELEASE = new Release("shop", "websites", "1.34.0");
  private static final Rendering SOUND = Chart.open(Path.of("src/test/resources/charts/sample")).render(RELEASE, Values.none());
  private static final String REMOVE = "(remove)";

  /** A change of one place, and the sentence that must come of it. */
  record Fault(String rule, String object, String path, String value, String message) {
    @Override
    public String toString() {
      return rule + ": " + object + " " + path + " = " + value;
    }
  }

  private static Fault fault(String rule, String object, String path, String value, String message) {
    return new Fault(rule, object, path, value, message);
  }

  static Stream<Fault> faults() {
    String web = "Deployment/shop-web";
    String db = "StatefulSet/shop-db";
    String pod = "spec.template.spec.";
    String container = pod + "containers[0].";
    return Stream.of(
        fault("api", web, "apiVersion", "apps/v1beta1", "Kubernetes 1.16 removed it: write apps/v1."),
        fault("api", web, "kind", "Deploymant", "no such kind of object: apps/v1 Deploymant. Did you mean \"apps/v1 Deployment\"?"),
        fault("schema", web, "spec.replicaz", "3", "unknown field \"replicaz\". Did you mean \"replicas\"?"),
        fault("schema", web, container + "image_", "a", "unknown field \"image_\". Did you mean \"image\"?"),
        fault("schema", web, container + "ports[0].containerPort", "\"8080\"", "expected a whole number, found \"8080\""),
        fault("schema", web, container + "env[2].value", "5", "expected a text, found 5. Put it in quotes."),
        fault("schema", web, pod + "securityContext.runAsNonRoot", "\"true\"", "expected true or false, found \"true\""),
        fault("schema", web, container + "imagePullPolicy", "Sometimes", "\"Sometimes\" is not allowed. Write one of Always, IfNotPresent, Never."),
        fault("schema", web, container + "resources.limits.memory", "64Mib", "expected a quantity such as 500m or 2Gi, found \"64Mib\""),
        fault("schema", web, "spec.selector", REMOVE, "required field \"selector\" is missing"),
        fault("schema", web, container + "ports[1]", "{name: other, containerPort: 8080}", "another entry with the same"),
        fault("schema", "Service/shop-web", "spec.type", "Nodeport", "\"Nodeport\" is not allowed."),
        fault("schema", "Ingress/shop-web", "spec.rules[0].hosts", "a", "unknown field \"hosts\". Did you mean \"host\"?"),
        fault("reference", web, pod + "serviceAccountName", "shop-wep", "there is no ServiceAccount \"shop-wep\". Did you mean \"shop-web\"?"),
        fault("reference", web, container + "env[0].valueFrom.configMapKeyRef.key", "color", "ConfigMap \"shop-web\" has no key \"color\". Did you mean \"colour\"?"),
        fault("reference", web, container + "env[0].valueFrom.configMapKeyRef.name", "nothing", "there is no ConfigMap \"nothing\"."),
        fault("reference", web, container + "env[1].valueFrom.secretKeyRef.key", "pasword", "Secret \"shop-web\" has no key \"pasword\". Did you mean \"password\"?"),
        fault("reference", web, container + "env[1].valueFrom.secretKeyRef.name", "shop-wb", "there is no Secret \"shop-wb\"."),
        fault("reference", web, container + "envFrom", "[{secretRef: {name: other}}]", "there is no Secret \"other\""),
        fault("reference", web, pod + "volumes[0].configMap.name", "shop-script", "there is no ConfigMap \"shop-script\""),
        fault("reference", web, pod + "volumes[1].persistentVolumeClaim.claimName", "shop-file", "there is no PersistentVolumeClaim \"shop-file\""),
        fault("reference", "PersistentVolumeClaim/shop-files", "spec.storageClassName", "shop-filez", "no StorageClass \"shop-filez\" is created here."),
        fault("reference", "HorizontalPodAutoscaler/shop-web", "spec.scaleTargetRef.name", "shop", "there is no Deployment \"shop\""),
        fault("reference", "RoleBinding/shop-web", "roleRef.name", "shop-wed", "there is no Role \"shop-wed\""),
        fault("reference", "RoleBinding/shop-web", "subjects[0].name", "web", "there is no ServiceAccount \"web\""),
        fault("reference", "Ingress/shop-web", "spec.rules[0].http.paths[0].backend.service.name", "web", "there is no Service \"web\""),
        fault("reference", db, container + "volumeMounts[1].subPath", "my.conf", "volume \"config\" has no file \"my.conf\". Did you mean \"my.cnf\"?"),
        fault("selector", web, "spec.selector.matchLabels.app", "webb", "does not match the labels of its own pods"),
        fault("selector", web, pod + "affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector.matchLabels.app", "x", "keeps nothing apart"),
        fault("selector", "Service/shop-web", "spec.selector.app", "webb", "{app=webb} finds no pod of this release."),
        fault("selector", "PodDisruptionBudget/shop-db", "spec.selector.matchLabels.app", "dbs", "{app=dbs} finds no pod"),
        fault("selector", "NetworkPolicy/shop-db", "spec.podSelector.matchLabels.app", "dbs", "{app=dbs} finds no pod"),
        fault("selector", "NetworkPolicy/shop-db", "spec.ingress[0].from[0].podSelector.matchLabels.app", "wep", "finds no pod"),
        fault("port", "Service/shop-web", "spec.ports[0].targetPort", "htpp", "declares port \"htpp\"/TCP. Declared: http (8080)."),
        fault("port", "Service/shop-web", "spec.ports[0].targetPort", "80", "declares port 80/TCP."),
        fault("port", "Service/shop-web", "spec.ports[0].protocol", "UDP", "declares port \"http\"/UDP."),
        fault("port", "Service/shop-web", "spec.ports[0].nodePort", "80", "80 is out of range. Use 30000 to 32767."),
        fault("port", web, container + "readinessProbe.httpGet.port", "web", "container \"web\" declares no port \"web\"."),
        fault("port", "NetworkPolicy/shop-db", "spec.ingress[0].ports[0].port", "3307", "no selected pod declares port 3307/TCP."),
        fault("port", "Ingress/shop-web", "spec.rules[0].http.paths[0].backend.service.port", "{number: 8080}", "Service \"shop-web\" has no port 8080."),
        fault("volume", web, container + "volumeMounts[1].name", "tmpp", "the pod has no volume \"tmpp\". Did you mean \"tmp\"?"),
        fault("volume", web, container + "volumeMounts[1].mountPath", "/files", "something else is mounted at /files already."),
        fault("volume", web, container + "volumeMounts[1].mountPath", "tmp", "\"tmp\" is no absolute path."),
        fault("volume", web, container + "volumeMounts[1]", REMOVE, "no container mounts volume \"tmp\"."),
        fault("volume", db, container + "volumeMounts[0]", REMOVE, "its data would be lost with the pod"),
        fault("volume", "PersistentVolumeClaim/shop-files", "spec.accessModes", "[ReadWriteOnce]", "pods on a second node never start"),
        fault("script", web, container + "command[1]", "/scripts/begin.sh", "volume \"scripts\" has no such file."),
        fault("script", "ConfigMap/shop-scripts", "data.\"common.sh\"", REMOVE, "uses /scripts/common.sh"),
        fault("script", web, container + "volumeMounts[0].mountPath", "/script", "nothing is mounted at /scripts."),
        fault("identity", db, "spec.serviceName", "shop-database", "there is no Service \"shop-database\": the pods have no DNS names."),
        fault("identity", "Service/shop-db", "spec.clusterIP", REMOVE, "is not headless"),
        fault("identity", web, container + "env[2].value", "shop-db-0.shop-dp.websites.svc.cluster.local", "there is no Service \"shop-dp\". Did you mean \"shop-db\"?"),
        fault("identity", web, container + "env[2].value", "shop-db-3.shop-db.websites.svc", "there is no pod \"shop-db-3\": StatefulSet \"shop-db\" has 3."),
        fault("identity", web, container + "env[2].value", "http://shop-api:80/", "there is no Service \"shop-api\""),
        fault("name", "Service/shop-web", "metadata.name", "Shop_Web", "\"Shop_Web\" is no valid name"),
        fault("name", "Service/shop-web", "metadata.name", "2nd-shop", "\"2nd-shop\" is no valid name"),
        fault("name", "StorageClass/shop-files", "provisioner", "a-provisioner-whose-name-has-more-than-sixty-three-characters.example.com", "is no valid name of a provisioner"),
        fault("name", web, "metadata.labels.app", "a b", "\"a b\" is no valid label value"),
        fault("name", web, container + "ports[0].name", "web-http-port-of-the-shop", "is no valid port name"),
        fault("name", db, "metadata.name", "a-name-that-is-so-long-that-no-label-of-a-pod-can-hold-it", "a StatefulSet may have 52"),
        fault("name", web, container + "env[0].name", "MY COLOUR", "is no valid variable name"),
        fault("label", db, "spec.volumeClaimTemplates[0].metadata.labels", "{app.kubernetes.io/component: databases}", "its claims are labelled app.kubernetes.io/component=databases, and it is database"),
        fault("label", db, "metadata.labels", "{app.kubernetes.io/component: databases}", "its pods are labelled app.kubernetes.io/component=database, and it is databases"),
        fault("restart", web, pod + "initContainers", "[{name: router, image: 'docker.io/library/haproxy:3.2', restartPolicy: Alwayss}]", "\"Alwayss\" is not allowed for an init container. Write Always for a sidecar"),
        fault("restart", web, pod + "restartPolicy", "Never", "\"Never\" is not allowed: a Deployment's pods are always restarted."),
        fault("restart", "Job/shop-setup", pod + "restartPolicy", REMOVE, "it is missing, and the default is not allowed: a Job's pods end. Write Never or OnFailure."),
        fault("reference", "HorizontalPodAutoscaler/shop-web", "spec.scaleTargetRef.apiVersion", "apps/v1beta1", "Deployment/shop-web is of apps/v1, not of apps/v1beta1"),
        fault("resources", web, container + "resources.requests.memory", "128Mi", "requests 128Mi and is limited to 64Mi"),
        fault("resources", web, container + "resources.limits", REMOVE, "has no memory limit"),
        fault("resources", web, container + "resources.requests.cpu", "500", "500 is 500 cores. Did you mean 500m?"),
        fault("resources", web, container + "resources.requests.memory", "32", "32 is 32 bytes. Did you mean 32Mi?"),
        fault("probe", web, container + "readinessProbe", REMOVE, "the pod gets traffic before it can answer"),
        fault("probe", web, container + "readinessProbe.exec", "{command: [a]}", "this one has 2"),
        fault("probe", web, container + "livenessProbe.successThreshold", "2", "must be 1"),
        fault("probe", web, container + "startupProbe", REMOVE, "Add a startupProbe"),
        fault("probe", web, container + "livenessProbe.timeoutSeconds", "20", "is above periodSeconds 5"),
        fault("probe", db, container + "livenessProbe.exec.command[0]", "ready", "a member that is busy (a state transfer) is killed for it"),
        fault("probe", db, pod + "terminationGracePeriodSeconds", "5", "it sleeps for 5 s, and the pod is killed after 5 s"),
        fault("connections", "ConfigMap/shop-scripts", "data.\"php-fpm.conf\"",
            "\"[www]\\npm.max_children = 30\\n[queries]\\npm.max_children = ${QUERY_WORKERS}\\n[changes]\\npm.max_children = 2\\n\"",
            "500 pods x 40 workers + 20 for others are 20020 connections, and the database takes 100."),
        fault("disruption", "PodDisruptionBudget/shop-db", "(all)", REMOVE, "3 pods without a PodDisruptionBudget"),
        fault("disruption", "PodDisruptionBudget/shop-db", "spec.maxUnavailable", "0", "no node that runs one can ever be drained"),
        fault("disruption", "PodDisruptionBudget/shop-db", "spec.maxUnavailable", "3", "so it protects nothing"),
        fault("disruption", "PodDisruptionBudget/shop-db", "spec.maxUnavailable", "2", "the rest is no majority"),
        fault("disruption", "PodDisruptionBudget/shop-db", "spec.maxUnavailable", "one", "\"one\" is neither a number nor a percentage"),
        fault("disruption", "PodDisruptionBudget/shop-db", "spec.minAvailable", "2", "exclude one another"),
        fault("disruption", web, pod + "affinity", REMOVE, "nothing keeps its 2 pods on different nodes"),
        fault("disruption", db, "spec.replicas", "5", "up to 5 pods must be on different nodes, and there are 3"),
        fault("disruption", "HorizontalPodAutoscaler/shop-web", "spec.minReplicas", "501", "minimum 501 is above maximum 500"),
        fault("disruption", web, "spec.strategy", "{type: Recreate}", "Recreate stops all pods at every upgrade."),
        fault("disruption", web, container + "resources.requests.cpu", REMOVE, "the autoscaler cannot compute a share of the CPU"),
        fault("security", web, pod + "securityContext.runAsNonRoot", REMOVE, "may run as root"),
        fault("security", web, pod + "securityContext.runAsUser", "0", "may run as root"),
        fault("security", web, pod + "securityContext.seccompProfile", REMOVE, "may make any system call"),
        fault("security", web, container + "securityContext.allowPrivilegeEscalation", "true", "may gain privileges"),
        fault("security", web, container + "securityContext.privileged", "true", "is privileged: it owns the node"),
        fault("security", web, container + "securityContext.capabilities.drop", "[]", "keeps the default capabilities"),
        fault("security", web, container + "securityContext.capabilities.add", "[NET_ADMIN]", "adds the capability NET_ADMIN"),
        fault("security", web, container + "securityContext.readOnlyRootFilesystem", REMOVE, "can change its own image"),
        fault("security", web, pod + "hostNetwork", "true", "the pod shares the node's network"),
        fault("security", web, pod + "volumes[2]", "{name: tmp, hostPath: {path: /tmp}}", "is a directory of the node: /tmp"),
        fault("rbac", "Role/shop-web", "rules[0].verbs", "['*']", "a wildcard grants more than anybody can review"),
        fault("rbac", "Role/shop-web", "rules[0].verbs", "[read]", "there is no verb \"read\""),
        fault("rbac", "Role/shop-web", "rules[0].resourceNames", REMOVE, "it opens every Secret of the namespace"),
        fault("rbac", "RoleBinding/shop-web", "(all)", REMOVE, "nobody is bound to this role"),
        fault("rbac", web, pod + "automountServiceAccountToken", "false", "has rights, but the pods get no token"),
        fault("rbac", db, pod + "automountServiceAccountToken", REMOVE, "to which this release grants nothing"),
        fault("image", web, container + "image", "docker.io/library/nginx", "may be another image tomorrow"),
        fault("image", web, container + "image", "docker.io/library/nginx:latest", "may be another image tomorrow"),
        fault("image", web, container + "image", "nginx:1.29.3", "leaves the registry to each node"),
        fault("image", web, container + "image", "docker.io/Nginx:1", "is no image reference"),
        fault("image", web, container + "image", REMOVE, "has no image"),
        fault("mention", web, container + "ports[0].containerPort", "8081", "nothing that the pod is given mentions port 8081"),
        fault("mention", web, container + "volumeMounts[2].mountPath", "/filez", "nothing that the pod is given mentions /filez"));
  }

  @Test
  @DisplayName("a sound release has no problem at all")
  void findsNothingInASoundRelease() {
    assertThat(verify(SOUND.manifests())).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("faults")
  @DisplayName("a fault is found, with a sentence that helps")
  void findsTheFault(Fault fault) throws JsonProcessingException {
    assertThat(verify(broken(fault)))
        .anySatisfy(problem -> {
          assertThat(problem.rule()).isEqualTo(fault.rule());
          assertThat(problem.toString()).contains(fault.message());
        });
  }

  @Test
  @DisplayName("every rule has a fault that it is tried on")
  void triesEveryRule() {
    Set<String> tried = faults().map(Fault::rule).collect(Collectors.toSet());
    var rules = new HashSet<>(Checks.ALL.stream().map(Check::rule).toList());
    rules.addAll(List.of("api", "schema"));
    assertThat(tried).isEqualTo(rules);
  }

  @Test
  @DisplayName("a Secret that the values name as an existing one is not missed")
  void acceptsWhatPeopleBring() throws JsonProcessingException {
    List<Manifest> manifests = broken(fault("reference", "Deployment/shop-web", "spec.template.spec.containers[0].env[1].valueFrom.secretKeyRef.name", "mine", ""));
    var values = Values.of("database.existingSecret", com.fasterxml.jackson.databind.node.TextNode.valueOf("mine"));
    assertThat(Checks.verify(RELEASE, manifests, List.of(), values, Cluster.ofThree(34)).problems()).isEmpty();
    assertThat(verify(manifests)).isNotEmpty();
  }

  @Test
  @DisplayName("nor is an account that the values name")
  void acceptsAnAccountThatPeopleBring() throws JsonProcessingException {
    List<Manifest> manifests = broken(fault("reference", "Deployment/shop-web", "spec.template.spec.serviceAccountName", "mine", ""));
    var values = Values.of("serviceAccount.name", com.fasterxml.jackson.databind.node.TextNode.valueOf("mine"));
    assertThat(Checks.verify(RELEASE, manifests, List.of(), values, Cluster.ofThree(34)).problems()).noneMatch(problem -> problem.rule().equals("reference"));
    assertThat(verify(manifests)).anyMatch(problem -> problem.rule().equals("reference"));
  }

  private static List<Problem> verify(List<Manifest> manifests) {
    return Checks.verify(RELEASE, manifests, List.of(), Values.none(), Cluster.ofThree(34)).problems();
  }

  private static List<Manifest> broken(Fault fault) throws JsonProcessingException {
    var manifests = new ArrayList<Manifest>();
    boolean found = false;
    for (Manifest manifest : SOUND.manifests()) {
      if (!manifest.id().equals(fault.object())) {
        manifests.add(manifest);
        continue;
      }
      found = true;
      var tree = manifest.tree().deepCopy();
      if (fault.path().equals("(all)")) {
        continue;
      } else if (fault.value().equals(REMOVE)) {
        Tree.remove(tree, fault.path());
      } else {
        Tree.set(tree, fault.path(), Yaml.parse(fault.value()));
      }
      manifests.add(new Manifest(manifest.file(), tree));
    }
    assertThat(found).as("object %s", fault.object()).isTrue();
    return manifests;
  }
}
