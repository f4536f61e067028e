package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * A release of the packaged chart in a namespace of its own.
 *
 * @param values values files, the later ones win
 */
record Release(ClusterUnderTest cluster, Helm helm, String namespace, String name, List<Path> values) {

    /** The chart's name, and so the name that a release has unless a test gives it another. */
    static final String NAME = "wordpress-ha";
    /** As long as Helm permits: 53 characters. */
    static final String LONGEST_NAME = "the-blog-of-my-company-and-of-all-of-its-subsidiaries";
    private static final int LONGEST_FULLNAME = 46;

    /** On two cores, where another release starts at the same time. Tests that promise a time measure it themselves. */
    static final Duration TO_ALL_READY = Duration.ofMinutes(10);
    private static final Duration QUESTION = Duration.ofSeconds(20);
    private static final String ASK = """
        $settings = json_decode(file_get_contents('/etc/wordpress/settings.json'), true)['database'];
        $password = rtrim(file_get_contents('/run/secrets/wordpress/database-password'));
        mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
        try {
            [$host, $port] = explode(':', $argv[1]) + [1 => 3306];
            $connection = mysqli_init();
            $encrypted  = $argv[3] === 'as-the-site' && $settings['flags'] ? MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT : 0;
            $connection->real_connect($host, $settings['user'], $password, $settings['name'], (int) $port, null, $encrypted);
            $result = $connection->query($argv[2]);
            echo $result === true ? '' : $result->fetch_row()[0];
        } catch (mysqli_sql_exception $error) {
            echo $error->getMessage();
        }""";
    private static final Object STARTING = new Object();
    private static final Duration HELM_TIMEOUT = Duration.ofMinutes(5);

    Release(ClusterUnderTest cluster, String namespace) {
        this(cluster, Helm.of(Path.of(System.getProperty("wordpressha.chart")), cluster.kubeconfig()), namespace, NAME, List.of());
    }

    /** Another release of the same chart in the same namespace, without values. */
    Release named(String otherName) {
        return new Release(cluster, helm, namespace, otherName, List.of());
    }

    /** The same release with one more values file, which wins over the others. */
    Release with(Path file) {
        var more = new ArrayList<>(values);
        more.add(file.toAbsolutePath());
        return new Release(cluster, helm, namespace, name, List.copyOf(more));
    }

    /** The same release with values of its own, as YAML. */
    Release with(String yaml) {
        try {
            Path file = Files.createTempFile("values", ".yaml");
            file.toFile().deleteOnExit();
            return with(Files.writeString(file, yaml));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The same release with one of the profiles in {@code values/}. */
    Release withProfile(String profile) {
        return with(Path.of("values", profile + ".yaml"));
    }

    /** The prefix of the names of all objects, by Helm's convention: templates/_helpers.tpl says the same. */
    String fullname() {
        String full = name.contains(NAME) ? name : name + "-" + NAME;
        return full.substring(0, Math.min(full.length(), LONGEST_FULLNAME)).replaceFirst("-+$", "");
    }

    String install() {
        return helm.install(name, namespace, values, HELM_TIMEOUT);
    }

    /**
     * As {@link #install}, and waits until all is ready. One release at a time starts: two at once take longer on two cores than one after the
     * other, and the tests of the first can begin meanwhile.
     */
    String installReady() {
        synchronized (STARTING) {
            String notes = install();
            awaitReady(TO_ALL_READY);
            return notes;
        }
    }

    /** As {@link #install} with {@code --wait}. */
    String installAndWait(Duration timeout) {
        return helm.installAndWait(name, namespace, values, timeout);
    }

    String upgrade() {
        return helm.upgrade(name, namespace, values, HELM_TIMEOUT);
    }

    void test() {
        helm.test(name, namespace, HELM_TIMEOUT);
    }

    /** Uninstalls, and waits until no pod is left. */
    void uninstall() {
        helm.uninstall(name, namespace, HELM_TIMEOUT);
        Await.until("no pod of the release is left", Duration.ofMinutes(3), () -> assertThat(names(pods())).isEmpty());
    }

    /** Asks for so many web pods, and waits for nothing. */
    void scale(int pods) {
        kubernetes().apps().deployments().inNamespace(namespace).withName(fullname()).scale(pods);
    }

    /** Waits until every workload has all of its replicas, of its newest revision, ready. */
    void awaitReady(Duration atMost) {
        Await.until("all workloads in " + namespace + " are ready", atMost, () -> assertThat(unready()).isEmpty());
    }

    private List<String> unready() {
        var unready = new ArrayList<String>();
        for (StatefulSet set : kubernetes().apps().statefulSets().inNamespace(namespace).withLabels(labels()).list().getItems()) {
            int want = set.getSpec().getReplicas();
            int ready = orZero(set.getStatus().getReadyReplicas());
            boolean current = set.getMetadata().getGeneration().equals(set.getStatus().getObservedGeneration())
                && set.getStatus().getUpdateRevision().equals(set.getStatus().getCurrentRevision());
            if (ready != want || !current) {
                unready.add("%s %d/%d%s".formatted(set.getMetadata().getName(), ready, want, current ? "" : " (rolling)"));
            }
        }
        for (Deployment deployment : kubernetes().apps().deployments().inNamespace(namespace).withLabels(labels()).list().getItems()) {
            int want = Math.max(deployment.getSpec().getReplicas(), leastReplicas(deployment));
            int ready = orZero(deployment.getStatus().getReadyReplicas());
            boolean current = deployment.getMetadata().getGeneration().equals(deployment.getStatus().getObservedGeneration())
                && orZero(deployment.getStatus().getUpdatedReplicas()) == want && orZero(deployment.getStatus().getReplicas()) == want;
            if (ready != want || !current) {
                unready.add("%s %d/%d%s".formatted(deployment.getMetadata().getName(), ready, want, current ? "" : " (rolling)"));
            }
        }
        return unready;
    }

    /** A new Deployment has one pod until its autoscaler has looked at it for the first time. */
    private int leastReplicas(Deployment deployment) {
        return kubernetes().autoscaling().v2().horizontalPodAutoscalers().inNamespace(namespace).withLabels(labels()).list().getItems().stream()
            .filter(autoscaler -> autoscaler.getSpec().getScaleTargetRef().getName().equals(deployment.getMetadata().getName()))
            .mapToInt(autoscaler -> autoscaler.getSpec().getMinReplicas())
            .max().orElse(0);
    }

    /** The pods that make the site, by name: without those of Jobs and of Helm's tests. */
    List<Pod> pods() {
        return kubernetes().pods().inNamespace(namespace).withLabels(labels()).list().getItems().stream()
            .sorted(Comparator.comparing(Pods::name))
            .filter(pod -> !pod.getMetadata().getLabels().containsKey("batch.kubernetes.io/job-name"))
            .filter(pod -> !pod.getMetadata().getAnnotations().containsKey("helm.sh/hook"))
            .toList();
    }

    /** The pods of one tier (etcd, database, nfs, wordpress), by name. */
    List<Pod> pods(String component) {
        return pods().stream()
            .filter(pod -> component.equals(pod.getMetadata().getLabels().get("app.kubernetes.io/component")))
            .toList();
    }

    /** One pod. */
    Pod pod(String podName) {
        return kubernetes().pods().inNamespace(namespace).withName(podName).require();
    }

    /** Has the pods' Secrets and ConfigMaps brought to them now: a kubelet looks at them each minute, or when the pod changes. */
    void hasten() {
        String change = "{\"metadata\": {\"annotations\": {\"example.com/secrets\": \"" + Instant.now() + "\"}}}";
        pods().stream().filter(pod -> !pod.isMarkedForDeletion())
            .forEach(pod -> kubernetes().pods().inNamespace(namespace).withName(Pods.name(pod)).patch(PatchContext.of(PatchType.JSON_MERGE), change));
    }

    /** One value of one of the release's Secrets. */
    String secret(String secretName, String key) {
        Secret secret = kubernetes().secrets().inNamespace(namespace).withName(secretName).require();
        return new String(Base64.getDecoder().decode(secret.getData().get(key)), StandardCharsets.UTF_8);
    }

    /** Where the site is reached: one address a node. */
    List<URI> addresses() {
        return cluster.addressesOf(namespace, fullname());
    }

    /** The site's name, if the values give it none: new pods have its front page before they are ready. */
    String host() {
        return "%s.%s.svc.cluster.local".formatted(fullname(), namespace);
    }

    /** The site as visitors of the first node see it. */
    Site site() {
        return Site.at(addresses().get(0));
    }

    /** The site as one WordPress pod serves it. */
    Site site(Pod pod) {
        return site().through(cluster.addressOf(pod, Pods.port(pod, "http")));
    }

    /** The site's administrator, logged in. */
    Session logIn() {
        return logIn(site());
    }

    /** The same by another way to the site. */
    Session logIn(Site site) {
        return site.logIn("admin", secret(fullname() + "-wordpress", "admin-password"));
    }

    /** What a member of the database says to the site's account, asked from a WordPress pod at HOST or HOST:PORT: the first value, or the error. */
    String ask(Pod wordpress, String host, String sql) {
        return ask(wordpress, host, sql, "as-the-site");
    }

    /** The same without TLS. */
    String askInTheClear(Pod wordpress, String host, String sql) {
        return ask(wordpress, host, sql, "in-the-clear");
    }

    private String ask(Pod wordpress, String host, String sql, String how) {
        return Pods.exec(kubernetes(), namespace, Pods.name(wordpress), "php", QUESTION, "php", "-d", "display_errors=stderr", "-r", ASK, host, sql, how);
    }

    Members members() {
        return new Members(this);
    }

    KubernetesClient kubernetes() {
        return cluster.client();
    }

    Map<String, String> labels() {
        return Map.of("app.kubernetes.io/instance", name);
    }

    static List<String> names(List<Pod> pods) {
        return pods.stream().map(Pods::name).toList();
    }

    private static int orZero(Integer number) {
        return number == null ? 0 : number;
    }
}
