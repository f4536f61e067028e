package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.LimitRangeBuilder;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceQuotaBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Isolated;

/** Habits of clusters that platform teams have. Each release is another one, as the volumes of a release outlive it. */
@Isolated("taints all nodes")
@Tag("platforms")
@Tag("cluster")
@Tag("named")
@OnCluster(THREE_NODES)
class PlatformsIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** So long, a Job's first run takes. */
    private static final Duration A_RUN_OF_CRON = Duration.ofMinutes(3);
    private static final String TAINT = "dedicated";
    private static final String QUOTA = "quota";
    private static final int USER = 1000650000;
    private static final String VALUES = """
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 1Gi}, resources: {requests: {cpu: 50m, memory: 256Mi}, limits: {memory: 1Gi}}}
        nfs: {storage: {size: 1Gi}}
        wordpress:
          replicas: 2
          autoscaling: {enabled: false}
          content: {size: 256Mi}
          resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
        """;

    private final ClusterUnderTest cluster;
    private final Release namespace;

    PlatformsIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.namespace = release;
    }

    @AfterEach
    void mend() {
        eachNode(node -> node.editSpec().removeMatchingFromTaints(taint -> taint.getKey().equals(TAINT)).endSpec());
        namespace.kubernetes().resourceQuotas().inNamespace(namespace.namespace()).delete();
        namespace.kubernetes().limitRanges().inNamespace(namespace.namespace()).delete();
    }

    @Test
    @DisplayName("a namespace whose quota asks each container for its requests and its limit of memory, in a range")
    void quota() {
        namespace.kubernetes().resource(new ResourceQuotaBuilder().withMetadata(named(QUOTA)).withNewSpec()
            .withHard(Map.of("requests.cpu", new Quantity("4"), "requests.memory", new Quantity("8Gi"), "limits.memory", new Quantity("16Gi")))
            .endSpec().build()).create();
        namespace.kubernetes().resource(new LimitRangeBuilder().withMetadata(named(QUOTA)).withNewSpec()
            .addNewLimit().withType("Container").withMin(Map.of("cpu", new Quantity("5m"), "memory", new Quantity("8Mi"))).withMax(Map.of("memory", new Quantity("1Gi")))
            .endLimit().endSpec().build()).create();
        Release release = release("quota", "{}");
        works(release, release::install);
        assertThat(release.kubernetes().v1().events().inNamespace(release.namespace()).list().getItems())
            .filteredOn(event -> event.getReason().equals("FailedCreate")).extracting(event -> event.getMessage()).isEmpty();
        release.uninstall();
    }

    @Test
    @DisplayName("nodes that are all tainted, and one toleration for all pods")
    void taintedNodes() {
        eachNode(node -> node.editSpec().addNewTaint("NoSchedule", TAINT, null, "blog").endSpec());
        Release release = release("tainted", documented("Nodes that are all tainted"));
        works(release, release::install);
        release.uninstall();
    }

    @Test
    @DisplayName("a user and a group of files that the cluster chooses, as OpenShift does for a namespace")
    void chosenUser() {
        Release release = release("chosen", documented("OpenShift"))
            .with("{pods: {podSecurityContext: {runAsUser: %1$d, fsGroup: %1$d}}}".formatted(USER));
        works(release, release::install);
        // The image of etcd has no program that says so.
        Map.of("database", "mysql", "wordpress", "php").forEach((tier, container) -> assertThat(Release.names(release.pods(tier))).isNotEmpty().allSatisfy(pod ->
            assertThat(Pods.exec(release.kubernetes(), release.namespace(), pod, container, PATIENCE, "id", "-u").strip()).isEqualTo(String.valueOf(USER))));
        release.uninstall();
    }

    @Test
    @DisplayName("two releases side by side in one namespace, called like the programs that they run")
    void sideBySide() {
        Release one = release("mysql", "{}");
        Release other = release("wordpress", "{}");
        works(one, one::install);
        works(other, other::install);
        one.site().get("/").expect(200);
        one.uninstall();
        other.site().get("/").expect(200);
        other.uninstall();
    }

    @Test
    @DisplayName("Argo CD's way: the server applies what helm template prints; afterwards nothing differs")
    void appliedByTheServer() {
        Release release = release("applied", "{wordpress: {autoscaling: {enabled: true, minReplicas: 2, maxReplicas: 4}}}");
        var manual = new Manual(release, "README.md");
        String print = "helm template %s %s -n %s --no-hooks %s".formatted(release.name(), System.getProperty("wordpressha.chart"), release.namespace(),
            release.values().stream().map(file -> "-f " + file).collect(joining(" ")));
        works(release, () -> manual.run(print + " | kubectl apply --server-side -n " + release.namespace() + " -f -"));
        assertThat(manual.run(print + " | kubectl diff --server-side -n " + release.namespace() + " -f -")).isEmpty();
        manual.run(print + " | kubectl delete -n " + release.namespace() + " --wait=false -f -");
    }

    @Test
    @DisplayName("autoscaling is turned off: with replicas: null as many pods stay as run")
    void autoscalingIsTurnedOff() {
        Release small = release("scaled", "{database: {topology: standalone}, nfs: {enabled: false}, wordpress: {content: {storageClass: shared}}}");
        Release scaled = small.with("{wordpress: {autoscaling: {enabled: true, minReplicas: 4, maxReplicas: 5}}}");
        works(scaled, scaled::install);
        small.with(documented("without a change of the number of pods:")).upgrade();
        small.awaitReady(PATIENCE);
        assertThat(small.kubernetes().autoscaling().v2().horizontalPodAutoscalers().inNamespace(small.namespace()).list().getItems()).isEmpty();
        assertThat(small.pods("wordpress")).filteredOn(pod -> !pod.isMarkedForDeletion()).hasSize(4);
        small.uninstall();
    }

    private String documented(String words) {
        return new Manual(namespace, "docs/platforms.md").valuesBelow(words);
    }

    private Release release(String name, String values) {
        return namespace.named(name).with(VALUES).with(values);
    }

    private void works(Release release, Runnable install) {
        Instant start = Instant.now();
        install.run();
        Await.until("the front page is there", PATIENCE, () -> release.site().get("/").expect(200));
        Duration firstPage = Duration.between(start, Instant.now());
        release.awaitReady(Release.TO_ALL_READY);
        Await.until("events have run", A_RUN_OF_CRON, () -> assertThat(release.kubernetes().batch().v1().cronjobs().inNamespace(release.namespace())
            .withName(release.fullname() + "-cron").require().getStatus().getLastSuccessfulTime()).isNotNull());
        Figures.record("platforms/%s first-page=%s".formatted(release.name(), Gaps.seconds(firstPage)));
    }

    private ObjectMeta named(String name) {
        return new ObjectMetaBuilder().withName(name).withNamespace(namespace.namespace()).build();
    }

    private void eachNode(UnaryOperator<NodeBuilder> change) {
        List<String> nodes = new Nodes(cluster).names();
        nodes.forEach(node -> cluster.client().nodes().withName(node).edit(former -> change.apply(new NodeBuilder(former)).build()));
    }
}
