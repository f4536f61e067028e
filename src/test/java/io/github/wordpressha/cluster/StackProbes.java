package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.LoadBalancerIngressBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The probes of an {@link EffectStack}. */
final class StackProbes {

    private static final Duration SOON = Duration.ofSeconds(60);
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    /** Of the addresses for documentation: no network has it, and only the nodes' own tables know it. */
    private static final String BALANCER = "192.0.2.80";
    private static final int PORT = 8001;

    static final List<Probe<EffectStack>> ALL = List.of(
        new Probe<>("names", StackProbes::names),
        new Probe<>("registries", StackProbes::registries),
        new Probe<>("etcd size", StackProbes::etcdSize),
        new Probe<>("etcd pods", StackProbes::etcdPods),
        new Probe<>("etcd spread", StackProbes::etcdSpread),
        new Probe<>("etcd service", StackProbes::etcdService),
        new Probe<>("affinity", StackProbes::affinity),
        new Probe<>("members", StackProbes::members),
        new Probe<>("primary", StackProbes::primary),
        new Probe<>("own certificates", StackProbes::ownCertificates),
        new Probe<>("clients with tls", StackProbes::clientsWithTls),
        new Probe<>("copies", StackProbes::copies),
        new Probe<>("storage classes", StackProbes::storageClasses),
        new Probe<>("cache off", StackProbes::cacheOff),
        new Probe<>("access log off", StackProbes::accessLogOff),
        new Probe<>("peers that come in", StackProbes::peersThatComeIn),
        new Probe<>("peers outside", StackProbes::peersOutside),
        new Probe<>("load balancer", StackProbes::loadBalancer),
        new Probe<>("autoscaler", StackProbes::autoscaler),
        new Probe<>("disruption budget", StackProbes::disruptionBudget));

    private StackProbes() {
    }

    private static void names(EffectStack stack) {
        assertThat(Release.names(stack.release().pods("database"))).containsExactly("stack-mysql-0");
        assertThat(stack.release().pods()).allSatisfy(pod -> assertThat(pod.getMetadata().getLabels()).containsEntry("app.kubernetes.io/name", "press"));
        // A database of one member may move between two starts of its lease, on cores that all nodes share.
        Await.until("the site answers", SOON, () -> stack.site().get("/").expect(200));
    }

    private static void registries(EffectStack stack) {
        runs(stack, "etcd", "etcd", "etcd.effects.example/effects/etcd:effects", "Always");
        runs(stack, "etcd", "status", "tools.effects.example/effects/tools@sha256:", "IfNotPresent");
        runs(stack, "database", "mysql", "mysql.effects.example/effects/mysql@sha256:", "IfNotPresent");
        runs(stack, "database", "xtrabackup", "xtrabackup.effects.example/effects/xtrabackup:effects", "Always");
        runs(stack, "wordpress", "php", "wordpress.effects.example/effects/wordpress@sha256:", "IfNotPresent");
        runs(stack, "wordpress", "nginx", "nginx.effects.example/effects/nginx:effects", "IfNotPresent");
        runs(stack, "wordpress", "router", "haproxy.effects.example/effects/haproxy@sha256:", "IfNotPresent");
    }

    private static void runs(EffectStack stack, String tier, String name, String image, String policy) {
        Container container = containers(stack.pod(tier)).filter(one -> one.getName().equals(name)).findFirst().orElseThrow();
        assertThat(container.getImage()).startsWith(image);
        assertThat(container.getImagePullPolicy()).isEqualTo(policy);
        assertThat(status(stack.pod(tier), name).getStarted()).isTrue();
    }

    private static void etcdSize(EffectStack stack) {
        assertThat(stack.release().pods("etcd")).hasSize(1);
        String status = stack.shell(stack.release().pod("stack-mysql-0"), "elector", 
            "curl -sS --cacert /tls/ca.crt --cert /tls/tls.crt --key /tls/tls.key -X POST -d '{}' https://stack-etcd-0.stack-etcd.%s.svc.cluster.local:2379/v3/maintenance/status"
                .formatted(stack.release().namespace()));
        assertThat(status).contains("\"dbSizeQuota\":\"134217728\"");
    }

    private static void etcdPods(EffectStack stack) {
        Pod pod = stack.pod("etcd");
        assertThat(Pods.node(pod)).isEqualTo(stack.node());
        assertThat(pod.getMetadata().getAnnotations()).containsEntry("effects.example", "etcd");
        assertThat(pod.getSpec().getPriority()).isEqualTo(EffectSite.PRIORITY);
        assertThat(pod.getSpec().getTolerations()).extracting(Toleration::getKey).contains("effects.example");
        assertThat(pod.getSpec().getTopologySpreadConstraints()).singleElement().satisfies(one ->
            assertThat(one.getLabelSelector().getMatchLabels()).containsEntry("app.kubernetes.io/component", "etcd"));
        granted(pod, "etcd", "15m", 50, 200);
    }

    /** From the status, which the kubelet writes after it has applied the limits. */
    private static void granted(Pod pod, String container, String cpu, int request, int limit) {
        var resources = status(pod, container).getResources();
        assertThat(resources.getRequests()).isEqualTo(Map.of("cpu", new Quantity(cpu), "memory", new Quantity(request + "Mi")));
        assertThat(resources.getLimits()).isEqualTo(Map.of("memory", new Quantity(limit + "Mi")));
    }

    /** A second member that has to be on the same node is never started. */
    private static void etcdSpread(EffectStack stack) {
        var set = stack.release().kubernetes().apps().statefulSets().inNamespace(stack.release().namespace()).withName("stack-etcd");
        try {
            set.scale(2);
            Await.until("the second member finds no node", SOON, () -> assertThat(stack.release().pods("etcd")).filteredOn(pod -> Pods.node(pod) == null)
                .singleElement().satisfies(pod -> assertThat(pod.getStatus().getConditions()).anyMatch(one -> String.valueOf(one.getMessage()).contains("anti-affinity"))));
        } finally {
            set.scale(1);
        }
        Await.until("one member", SOON, () -> assertThat(stack.release().pods("etcd")).hasSize(1));
    }

    private static void etcdService(EffectStack stack) {
        var service = stack.release().kubernetes().services().inNamespace(stack.release().namespace()).withName("stack-etcd-client").require();
        assertThat(service.getMetadata().getAnnotations()).containsEntry("effects.example", "etcd");
        assertThat(service.getSpec().getType()).isEqualTo("LoadBalancer");
        assertThat(service.getSpec().getPorts().get(0).getNodePort()).isEqualTo(30179);
    }

    /** The affinity of the values replaces the anti-affinity of `spread`. */
    private static void affinity(EffectStack stack) {
        for (String tier : List.of("database", "wordpress")) {
            assertThat(stack.release().pods(tier)).isNotEmpty().allSatisfy(pod -> {
                assertThat(Pods.node(pod)).isEqualTo(stack.node());
                assertThat(pod.getSpec().getAffinity().getPodAntiAffinity()).isNull();
            });
        }
    }

    private static void members(EffectStack stack) {
        assertThat(stack.release().pods("database")).hasSize(1);
        assertThat(stack.release().members().query("stack-mysql-0", "SELECT @@max_connections")).containsExactly("88");
        assertThat(stack.release().kubernetes().services().inNamespace(stack.release().namespace()).withName("stack-mysql-client").require().getSpec().getType()).isEqualTo("ClusterIP");
    }

    /** By the command in the chart's notes. */
    private static void primary(EffectStack stack) {
        assertThat(stack.shell(stack.pod("database"), "mysql", "cat /run/member/primary")).contains("stack-mysql-0");
    }

    private static void ownCertificates(EffectStack stack) {
        String shown = "timeout 5 openssl s_client -connect %s -cert /tls/tls.crt -key /tls/tls.key </dev/null 2>/dev/null | openssl x509 -noout -issuer -subject";
        Pod pod = stack.pod("database");
        for (String server : List.of(stack.pod("etcd").getStatus().getPodIP() + ":2379", pod.getStatus().getPodIP() + ":3306 -starttls mysql")) {
            Await.until("the server shows its certificate", SOON, () -> assertThat(stack.shell(pod, "elector", shown.formatted(server))).as("certificate of %s", server).contains("the team's own"));
        }
    }

    /** A client outside of the chart checks the server with the authority's certificate alone. */
    private static void clientsWithTls(EffectStack stack) {
        Pod pod = stack.pod("database");
        String handshake = "timeout 5 openssl s_client -connect %s:%d -starttls mysql -CAfile /tmp/ca.crt -verify_return_error </dev/null 2>&1 || true"
            .formatted(pod.getStatus().getPodIP(), Pods.port(pod, "client"));
        stack.callAs("database-client");
        try {
            Await.until("the client is connected", SOON, () -> assertThat(stack.call(handshake)).contains("Verify return code: 0 (ok)"));
        } finally {
            stack.callAs("stranger");
        }
    }

    private static void copies(EffectStack stack) {
        granted(stack.pod("database"), "xtrabackup", "10m", 50, 300);
    }

    private static void storageClasses(EffectStack stack) {
        claim(stack, "data-stack-mysql-0", "local", "1Gi");
        claim(stack, "data-stack-etcd-0", "local", "256Mi");
        claim(stack, "stack-content", "shared", "300Mi");
    }

    private static void claim(EffectStack stack, String name, String storageClass, String size) {
        var kubernetes = stack.release().kubernetes();
        var claim = kubernetes.persistentVolumeClaims().inNamespace(stack.release().namespace()).withName(name).require();
        var volume = kubernetes.persistentVolumes().withName(claim.getSpec().getVolumeName()).require();
        assertThat(volume.getSpec().getStorageClassName()).isEqualTo(storageClass);
        assertThat(volume.getSpec().getCapacity().get("storage")).isEqualTo(new Quantity(size));
    }

    private static void cacheOff(EffectStack stack) {
        Site site = stack.site();
        site.get("/").expect(200);
        assertThat(PageCache.xCache(site.request("GET", "/", Map.of()).expect(200))).isEqualTo("BYPASS");
    }

    private static void accessLogOff(EffectStack stack) {
        stack.site().get("/?unseen").expect(200);
        Pod pod = stack.pod("wordpress");
        assertThat(stack.release().kubernetes().pods().resource(pod).inContainer("nginx").getLog()).doesNotContain("\"uri\":");
    }

    /** Only pods with the label get in. */
    private static void peersThatComeIn(EffectStack stack) {
        comesIn(stack, "visitor", "wordpress", "http");
        comesIn(stack, "database-client", "database", "client");
        comesIn(stack, "etcd-client", "etcd", "client");
        comesIn(stack, "monitor", "etcd", "metrics");
    }

    private static void comesIn(EffectStack stack, String label, String tier, String port) {
        Pod pod = stack.pod(tier);
        String address = pod.getStatus().getPodIP();
        int number = Pods.port(pod, port);
        stack.callAs(label);
        Await.until(label + " reaches " + tier, SOON, () -> assertThat(stack.reaches("caller", "tools", address, number)).isTrue());
        stack.callAs("stranger");
        Await.until("a stranger does not reach " + tier, SOON, () -> assertThat(stack.reaches("caller", "tools", address, number)).isFalse());
    }

    /** WordPress reaches pods with the labels of updates, mail and storage, and no others. */
    private static void peersOutside(EffectStack stack) {
        String pod = Pods.name(stack.pod("wordpress"));
        for (String label : List.of("updates", "mail", "storage", "others")) {
            stack.callAs(label);
            Await.until("WordPress reaches " + label, SOON, () -> assertThat(stack.reaches(pod, "php", stack.callerAddress(), PORT)).isTrue());
            stack.callAs("stranger");
            Await.until("WordPress does not reach a stranger", SOON, () -> assertThat(stack.reaches(pod, "php", stack.callerAddress(), PORT)).isFalse());
        }
    }

    /** The test stands in for a load balancer: it writes an address into the Service's status, and kube-proxy enforces the source ranges. */
    private static void loadBalancer(EffectStack stack) {
        var services = stack.release().kubernetes().services().inNamespace(stack.release().namespace()).withName(EffectStack.FULLNAME);
        assertThat(services.require().getSpec().getLoadBalancerClass()).isEqualTo("effects.example/none");
        services.editStatus(service -> {
            service.getStatus().getLoadBalancer().setIngress(List.of(new LoadBalancerIngressBuilder().withIp(BALANCER).build()));
            return service;
        });
        stack.callAs("visitor");
        try {
            Await.until("the allowed address is let in", SOON, () -> assertThat(stack.reaches("allowed", "tools", BALANCER, 8086)).isTrue());
            assertThat(stack.reaches("caller", "tools", BALANCER, 8086)).as("another address").isFalse();
        } finally {
            stack.callAs("stranger");
        }
    }

    /** The target is so low that an idle site needs more pods than it may have. */
    private static void autoscaler(EffectStack stack) {
        Await.until("as many pods as are allowed", PATIENCE, () -> assertThat(stack.release().pods("wordpress")).hasSize(3));
        var scaler = stack.release().kubernetes().autoscaling().v2().horizontalPodAutoscalers().inNamespace(stack.release().namespace()).withName(EffectStack.FULLNAME);
        Await.until("the autoscaler has reached its limit", PATIENCE, () -> assertThat(scaler.require().getStatus().getConditions())
            .anyMatch(one -> one.getType().equals("ScalingLimited") && "TooManyReplicas".equals(one.getReason())));
        assertThat(scaler.require().getSpec().getMinReplicas()).isEqualTo(2);
        stack.release().awaitReady(PATIENCE);
    }

    /** Without retries: by default the client repeats a refused eviction until the first pod is replaced. */
    private static void disruptionBudget(EffectStack stack) {
        List<Pod> pods = stack.release().pods("wordpress");
        assertThat(pods).hasSizeGreaterThanOrEqualTo(2);
        Config once = new ConfigBuilder(Config.fromKubeconfig(stack.cluster().kubeconfig().toFile())).withRequestRetryBackoffLimit(0).build();
        try (var kubernetes = new KubernetesClientBuilder().withConfig(once).build()) {
            assertThat(kubernetes.pods().resource(pods.get(0)).evict()).as("the first pod may go").isTrue();
            assertThat(kubernetes.pods().resource(pods.get(1)).evict()).as("the second pod may go meanwhile").isFalse();
        }
    }

    private static Stream<Container> containers(Pod pod) {
        return Stream.concat(pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream());
    }

    private static ContainerStatus status(Pod pod, String container) {
        return Stream.concat(pod.getStatus().getInitContainerStatuses().stream(), pod.getStatus().getContainerStatuses().stream())
            .filter(one -> one.getName().equals(container)).findFirst().orElseThrow();
    }
}
