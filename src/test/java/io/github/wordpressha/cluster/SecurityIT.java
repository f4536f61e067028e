package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.authorization.v1.ResourceRule;
import io.fabric8.kubernetes.api.model.authorization.v1.SelfSubjectRulesReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SelfSubjectRulesReviewBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBinding;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.api.model.rbac.RoleBinding;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Values;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The profile {@code production} in a namespace that enforces the Pod Security level "restricted", with every network policy:
 * it installs and serves, its secrets are nowhere but in its Secrets, and what it refuses is refused.
 */
@Tag("security")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SecurityIT {

    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final String HOST = "www.example.com";
    private static final String ELSEWHERE = "test-security-elsewhere";
    private static final int PODS = 2;
    /** Of one pod. */
    private static final int LOGINS = 5;
    /** Longer than Galera's limits for the names of members and clusters, 31 and 32. */
    private static final String NAME = "the-magazine-of-my-company-and-me";

    /** Small enough for a test cluster; and this machine is the ingress controller. */
    private static final String OVERRIDES = """
        networkPolicy:
          from: {site: [{ipBlock: {cidr: %1$s}}]}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: %3$d
          resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 512Mi}}
          content: {storageClass: shared, size: 1Gi}
          trustedProxies: ["%1$s"]
          loginsPerMinute: %2$d
        """;

    private final ClusterUnderTest cluster;
    private final Release release;

    SecurityIT(ClusterUnderTest cluster, Release release) {
        this.cluster = cluster;
        this.release = release.named(NAME).withProfile("production").with(OVERRIDES.formatted(new Nodes(cluster).network(), LOGINS * PODS, PODS));
    }

    @BeforeAll
    void install() {
        restrict(release.namespace());
        String notes = release.installReady();
        secrets().forEach((name, value) -> assertThat(notes).as("%s in the notes", name).doesNotContain(value));
    }

    @AfterAll
    void removeStrangers() {
        cluster.client().namespaces().withName(ELSEWHERE).delete();
    }

    private void restrict(String namespace) {
        release.kubernetes().namespaces().withName(namespace).edit(one -> new NamespaceBuilder(one).editMetadata()
            .addToLabels("pod-security.kubernetes.io/enforce", "restricted").endMetadata().build());
    }

    // --- pods ---------------------------------------------------------------------------------------------------------

    @Test
    @Order(1)
    @DisplayName("the namespace refuses pods that are not restricted, and the site runs in it and answers")
    void servesInARestrictedNamespace() {
        assertThatThrownBy(() -> release.kubernetes().resource(new PodBuilder()
                .withNewMetadata().withName("careless").withNamespace(release.namespace()).endMetadata()
                .withNewSpec().addNewContainer().withName("one").withImage("docker.io/library/nginx:1.30-alpine").endContainer().endSpec()
                .build()).create())
            .isInstanceOf(KubernetesClientException.class).hasMessageContaining("restricted");
        for (Pod pod : release.pods("wordpress")) {
            assertThat(site(pod).get("/").expect(200).text()).contains("</html>");
        }
    }

    @Test
    @Order(1)
    @DisplayName("no container can write to its own image, and no pod has a token")
    void nothingMoreThanNeeded() {
        for (Pod pod : release.pods()) {
            assertThat(pod.getSpec().getVolumes()).as(Pods.name(pod)).noneMatch(volume -> volume.getName().startsWith("kube-api-access"));
            containers(pod).filter(container -> !container.getName().equals("etcd")).forEach(container ->
                assertThat(shell(pod, container.getName(), "touch /written 2>&1; ls /var/run/secrets/kubernetes.io 2>&1; true"))
                    .as("%s/%s", Pods.name(pod), container.getName())
                    .contains("Read-only file system").contains("No such file"));
        }
    }

    // --- secrets ------------------------------------------------------------------------------------------------------

    @Test
    @Order(2)
    @DisplayName("no secret is in a log, an argument, an environment, a ConfigMap, an event or Helm's record")
    void secretsAreNowhereElse() {
        Map<String, String> secrets = secrets();
        assertThat(secrets.keySet()).anyMatch(name -> name.contains("root-password")).anyMatch(name -> name.contains("auth-salt"));
        var places = new LinkedHashMap<String, String>();
        var client = release.kubernetes();
        String namespace = release.namespace();
        client.pods().inNamespace(namespace).list().getItems().forEach(pod -> {
            places.put("object of pod " + Pods.name(pod), Serialization.asJson(pod));
            allContainers(pod).forEach(container -> {
                var one = client.pods().resource(pod).inContainer(container.getName());
                places.put("log of " + Pods.name(pod) + "/" + container.getName(), logOf(one::getLog));
                places.put("last log of " + Pods.name(pod) + "/" + container.getName(), logOf(() -> one.terminated().getLog()));
            });
        });
        release.pods().forEach(pod -> containers(pod).filter(container -> !container.getName().equals("etcd")).forEach(container ->
            places.put("processes of " + Pods.name(pod) + "/" + container.getName(),
                shell(pod, container.getName(), "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; true"))));
        assertThat(places.entrySet()).filteredOn(place -> place.getKey().startsWith("processes")).allMatch(place -> place.getValue().contains("PATH="));
        Stream.<List<? extends HasMetadata>>of(
                client.configMaps().inNamespace(namespace).list().getItems(),
                client.v1().events().inNamespace(namespace).list().getItems(),
                client.apps().statefulSets().inNamespace(namespace).list().getItems(),
                client.apps().deployments().inNamespace(namespace).list().getItems(),
                client.batch().v1().jobs().inNamespace(namespace).list().getItems(),
                client.batch().v1().cronjobs().inNamespace(namespace).list().getItems())
            .flatMap(List::stream)
            .forEach(object -> places.put(object.getKind() + " " + object.getMetadata().getName(), Serialization.asJson(object)));
        client.secrets().inNamespace(namespace).list().getItems().stream().filter(secret -> secret.getType().startsWith("helm.sh/"))
            .forEach(secret -> places.put("Helm's record", recordOf(secret)));

        assertThat(places).hasSizeGreaterThan(40);
        secrets.forEach((name, value) -> {
            String encoded = Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8));
            assertThat(places.entrySet().stream()
                .filter(place -> place.getValue().contains(value) || place.getValue().contains(encoded)).map(Map.Entry::getKey))
                .as("where %s is seen", name).isEmpty();
        });
        Figures.record("security/secrets searched=%d places=%d".formatted(secrets.size(), places.size()));
    }

    /** Every value of the Secrets that the release made, by Secret and key. */
    private Map<String, String> secrets() {
        var values = new TreeMap<String, String>();
        release.kubernetes().secrets().inNamespace(release.namespace()).list().getItems().stream()
            .filter(secret -> secret.getType().equals("Opaque"))
            .forEach(secret -> secret.getData().forEach((key, value) -> values.put(secret.getMetadata().getName() + "/" + key,
                new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8))));
        return values;
    }

    private static String logOf(java.util.function.Supplier<String> log) {
        try {
            String text = log.get();
            return text == null ? "" : text;
        } catch (KubernetesClientException e) {
            return ""; // It was never restarted, or its log is gone.
        }
    }

    /** Helm keeps a release as JSON: compressed, and encoded twice. */
    private static String recordOf(Secret secret) {
        byte[] twice = Base64.getDecoder().decode(secret.getData().get("release"));
        try (var in = new java.util.zip.GZIPInputStream(new java.io.ByteArrayInputStream(Base64.getDecoder().decode(twice)))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    // --- accounts -----------------------------------------------------------------------------------------------------

    @Test
    @Order(3)
    @DisplayName("the database has one account for each purpose, with least privilege; root and the monitor only from inside")
    void accounts() {
        String member = release.members().names().get(0);
        List<String> accounts = release.members().query(member, "SELECT CONCAT(user, '@', host) FROM mysql.user");
        assertThat(accounts).filteredOn(account -> !account.startsWith("mysql.") && !account.startsWith("mariadb.sys@") && !account.startsWith("PUBLIC@"))
            .containsExactlyInAnyOrder("root@localhost", "monitor@127.0.0.1", "wordpress@%");
        assertThat(release.members().query(member, "SHOW GRANTS FOR 'wordpress'@'%'")).allSatisfy(grant -> assertThat(grant)
            .doesNotContain("GRANT OPTION").doesNotContain("ALL PRIVILEGES").containsAnyOf("GRANT USAGE ON *.*", "ON `wordpress`.*"));
        assertThat(release.members().query(member, "SHOW GRANTS FOR 'monitor'@'127.0.0.1'")).allSatisfy(grant -> assertThat(grant)
            .containsAnyOf("GRANT USAGE ON *.*", "GRANT SELECT ON `mysql`.`wsrep_cluster_members`"));
        assertThat(release.members().query(member, "SELECT ssl_type FROM mysql.user WHERE user = 'wordpress'")).containsExactly("ANY");
        Pod pod = release.pods("wordpress").get(0);
        assertThat(Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "php", COMMAND, "php", "-r", """
            mysqli_report(MYSQLI_REPORT_OFF); $c = mysqli_init();
            $c->real_connect('127.0.0.1', 'wordpress', rtrim(file_get_contents('/run/secrets/wordpress/database-password')), '', 3306, null, MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT);
            foreach (['mysql.user', 'mysql.global_priv'] as $table) { echo $c->query("SELECT * FROM $table LIMIT 1") ? 'read ' : 'refused '; }"""))
            .as("the site's account reads the passwords of the accounts").isEqualTo("refused refused ");
        for (String user : List.of("root", "monitor", "")) {
            String secret = release.secret(release.fullname() + "-database", user.equals("monitor") ? "monitor-password" : "root-password");
            assertThat(Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "php", COMMAND, "php", "-r", """
                mysqli_report(MYSQLI_REPORT_OFF); $c = mysqli_init();
                echo @$c->real_connect('127.0.0.1', $argv[1], $argv[2], '', 3306, null, MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT) ? 'in' : $c->connect_errno;""", user, secret))
                .as("'%s' from a WordPress pod, with its password", user).isIn("1045", "1130", "1698");
        }
    }

    // --- service accounts ---------------------------------------------------------------------------------------------

    @Test
    @Order(4)
    @DisplayName("each service account may do what is documented, and nothing else")
    void serviceAccounts() {
        assertThat(release.kubernetes().serviceAccounts().inNamespace(release.namespace()).list().getItems())
            .extracting(one -> one.getMetadata().getName()).as("service accounts of the running release")
            .containsExactlyInAnyOrder("default", release.fullname() + "-secrets", release.fullname() + "-tls");
        strangers();
        // The NFS server is not in this profile.
        var rendering = Profiles.chart().render(new io.github.wordpressha.helm.Release(Release.NAME, ELSEWHERE, "1.34.0"), Values.none());
        List<HasMetadata> objects = Checks.verify(rendering, Cluster.ofThree(34)).objects().manifests().stream()
            .map(manifest -> (HasMetadata) manifest.object())
            .filter(object -> object instanceof io.fabric8.kubernetes.api.model.ServiceAccount || object instanceof Role
                || object instanceof RoleBinding || object instanceof ClusterRole || object instanceof ClusterRoleBinding)
            .toList();
        try {
            objects.forEach(object -> {
                if (object instanceof ClusterRole || object instanceof ClusterRoleBinding) {
                    object.getMetadata().setNamespace(null);
                } else {
                    object.getMetadata().setNamespace(ELSEWHERE);
                }
                release.kubernetes().resource(object).serverSideApply();
            });
            Set<String> everybody = mayDo("default");
            assertThat(minus(mayDo(Release.NAME + "-secrets"), everybody)).containsExactlyInAnyOrder(
                "create secrets",
                "get patch secrets wordpress-ha-authority wordpress-ha-database wordpress-ha-etcd-tls wordpress-ha-mysql-tls wordpress-ha-wordpress");
            assertThat(minus(mayDo(Release.NAME + "-tls"), everybody)).containsExactlyInAnyOrder(
                "get secrets wordpress-ha-authority",
                "get patch secrets wordpress-ha-etcd-tls wordpress-ha-mysql-tls");
            assertThat(minus(mayDo(Release.NAME + "-nfs"), everybody)).containsExactlyInAnyOrder(
                "create delete get list watch persistentvolumes",
                "get list update watch persistentvolumeclaims",
                "get list watch storageclasses",
                "create patch update events",
                "get services",
                "create get list patch update watch endpoints");
        } finally {
            objects.forEach(object -> release.kubernetes().resource(object).delete());
        }
    }

    private static Set<String> minus(Set<String> all, Set<String> some) {
        var rest = new TreeSet<>(all);
        rest.removeAll(some);
        return rest;
    }

    /** As {@code kubectl auth can-i --list} asks it: verbs, resources and names. */
    private Set<String> mayDo(String serviceAccount) {
        Config config = new ConfigBuilder(Config.fromKubeconfig(cluster.kubeconfig().toFile()))
            .withImpersonateUsername("system:serviceaccount:" + ELSEWHERE + ":" + serviceAccount)
            .withImpersonateGroups("system:serviceaccounts", "system:serviceaccounts:" + ELSEWHERE, "system:authenticated")
            .build();
        try (var client = new KubernetesClientBuilder().withConfig(config).build()) {
            SelfSubjectRulesReview review = client.resource(new SelfSubjectRulesReviewBuilder().withNewSpec().withNamespace(ELSEWHERE).endSpec().build()).create();
            return review.getStatus().getResourceRules().stream().map(SecurityIT::said).collect(toCollection(TreeSet::new));
        }
    }

    private static String said(ResourceRule rule) {
        return Stream.of(rule.getVerbs(), rule.getResources(), rule.getResourceNames())
            .flatMap(words -> words.stream().sorted()).collect(joining(" "));
    }

    // --- network ------------------------------------------------------------------------------------------------------

    @Test
    @Tag("full")
    @Order(5)
    @DisplayName("real connections agree with the architecture: between all tiers, from a pod beside them, and from another namespace")
    void connections() {
        strangers();
        var sources = new LinkedHashMap<String, Pod>();
        sources.put("wordpress", release.pods("wordpress").get(0));
        sources.put("database", release.pods("database").get(0));
        sources.put("etcd", release.pods("etcd").get(0));
        sources.put("neighbour", pod(release.namespace(), "neighbour"));
        sources.put("stranger", pod(ELSEWHERE, "stranger"));
        sources.put("impostor", pod(ELSEWHERE, "impostor"));

        var targets = new TreeMap<String, String>(); // "address port" by "component: port"
        for (String component : List.of("wordpress", "database", "etcd")) {
            Pod last = release.pods(component).get(release.pods(component).size() - 1);
            allContainers(last).flatMap(container -> container.getPorts().stream()).map(ContainerPort::getContainerPort).forEach(port ->
                targets.put(component + ": " + port, last.getStatus().getPodIP() + " " + port));
        }
        targets.put("stranger: 8000", sources.get("stranger").getStatus().getPodIP() + " 8000");
        targets.put("api: 6443", cluster.client().endpoints().inNamespace("default").withName("kubernetes").require().getSubsets().get(0).getAddresses().get(0).getIp() + " 6443");
        targets.put("dns: 53", cluster.client().services().inNamespace("kube-system").withName("kube-dns").require().getSpec().getClusterIP() + " 53");

        Set<String> intended = Set.of(
            "wordpress > wordpress: 8080", "wordpress > wordpress: 8081", "wordpress > database: 3306", "wordpress > database: 9200", "wordpress > dns: 53",
            "database > database: 4444", "database > database: 4567", "database > database: 4568", "database > database: 9200",
            "database > etcd: 2379", "database > dns: 53",
            "etcd > etcd: 2379", "etcd > etcd: 2380", "etcd > etcd: 2382", "etcd > dns: 53",
            // These are not of the release: nothing is closed to them but the release.
            "neighbour > stranger: 8000", "neighbour > api: 6443", "neighbour > dns: 53",
            "stranger > stranger: 8000", "stranger > api: 6443", "stranger > dns: 53",
            "impostor > stranger: 8000", "impostor > api: 6443", "impostor > dns: 53");
        // What is forbidden never answers; what is allowed may be slow to, where nodes share few cores.
        var seen = new TreeSet<String>();
        for (int attempt = 0; attempt < 3 && !seen.containsAll(intended); attempt++) {
            sources.forEach((name, pod) -> Strangers.reached(release, pod, containerOf(name), targets).forEach(target -> seen.add(name + " > " + target)));
        }
        assertThat(seen).containsExactlyInAnyOrderElementsOf(intended);
        Figures.record("security/connections tried=%d reached=%d".formatted(sources.size() * targets.size(), seen.size()));
    }

    private static String containerOf(String component) {
        return switch (component) {
            case "wordpress" -> "php";
            case "database" -> "mysql";
            case "etcd" -> "status";
            default -> Strangers.CONTAINER;
        };
    }

    /** Pods that are not of the release: one beside it, two in another namespace, of which one has the labels of a WordPress pod. */
    private void strangers() {
        Map<String, String> labels = release.pods("wordpress").get(0).getMetadata().getLabels();
        Strangers.start(release, release.namespace(), "neighbour", Map.of("app", "other"));
        Strangers.start(release, ELSEWHERE, "stranger", Map.of("app", "other"));
        Strangers.start(release, ELSEWHERE, "impostor", labels);
    }

    private Pod pod(String namespace, String name) {
        return release.kubernetes().pods().inNamespace(namespace).withName(name).require();
    }

    // --- HTTP ---------------------------------------------------------------------------------------------------------

    @Test
    @Order(6)
    @DisplayName("hostile requests get the answers that are meant for them")
    void hostileRequests() {
        Pod pod = release.pods("wordpress").get(0);
        shell(pod, "php", """
            cd /usr/src/wordpress/wp-content/uploads && for name in evil.php evil.phtml evil.php5 evil.PHP evil.phar evil.jpg evil.inc; do
            echo '<?php echo "was"."run";' >$name; done; echo '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>' >evil.svg
            echo secret >dump.sql; echo secret >debug.log; echo secret >site.sql.gz; mkdir -p listed; echo secret >listed/a.txt""");
        URI address = cluster.addressOf(pod, Pods.port(pod, "http"));
        var wrong = new ArrayList<String>();
        List<Hostile> all = Hostile.all();
        assertThat(all).hasSizeGreaterThanOrEqualTo(40);
        all.parallelStream().forEach(one -> {
            String problem = one.problem(answer(address, one.request(HOST)));
            if (!problem.isEmpty()) {
                synchronized (wrong) {
                    wrong.add(one.name() + ": " + problem);
                }
            }
        });
        assertThat(wrong).isEmpty();
        Figures.record("security/hostile requests=%d".formatted(all.size()));
    }

    /** 503 is a passing state, of a busy database for example, and no answer to what was asked. */
    private static RawHttp.Answer answer(URI address, String request) {
        var answer = new AtomicReference<RawHttp.Answer>();
        Await.until("an answer other than 503", Duration.ofMinutes(1), () -> {
            answer.set(RawHttp.send(address, request));
            assertThat(answer.get().status()).isNotEqualTo(503);
        });
        return answer.get();
    }

    @Test
    @Order(7)
    @DisplayName("answers carry the security headers, and no version")
    void headers() {
        Pod pod = release.pods("wordpress").get(0);
        String version = shell(pod, "php", "sed -n \"s/^.wp_version = '\\(.*\\)';/\\1/p\" /usr/src/wordpress/wp-includes/version.php").strip();
        assertThat(version).isNotEmpty();
        for (String path : List.of("/", "/wp-login.php", "/wp-json/", "/feed/", "/wp-includes/css/dashicons.min.css", "/not-there", "/wp-config.php")) {
            Page page = site(pod).get(path);
            assertThat(page.headers().map()).as(path)
                .containsEntry("x-content-type-options", List.of("nosniff"))
                .containsEntry("x-frame-options", List.of("SAMEORIGIN"))
                .containsEntry("referrer-policy", List.of("strict-origin-when-cross-origin"))
                .containsEntry("strict-transport-security", List.of("max-age=31536000"))
                .containsEntry("server", List.of("nginx"))
                .containsKey("permissions-policy")
                .doesNotContainKeys("x-powered-by", "x-pingback");
            assertThat(page.text()).as(path).doesNotContain("WordPress " + version).doesNotContain("wordpress.org/?v=");
        }
    }

    @Test
    @Order(8)
    @DisplayName("guessing passwords is slowed down for the address that does it, as a trusted proxy tells it, and for nobody else")
    void loginsAreLimited() {
        Pod pod = release.pods("wordpress").get(1);
        List<Integer> guesses = Stream.generate(() -> attempt(pod, "198.51.100.1")).limit(LOGINS * 2L + 2).toList();

        assertThat(guesses.subList(0, LOGINS)).containsOnly(200);
        assertThat(guesses.subList(LOGINS + 1, guesses.size())).contains(429);
        assertThat(attempt(pod, "198.51.100.2")).isEqualTo(200);
        assertThat(site(pod).get("/wp-login.php", Map.of("X-Forwarded-For", "198.51.100.1")).status()).as("the form itself").isEqualTo(200);
    }

    /** A login without a name: refused by WordPress at once, but counted. */
    private int attempt(Pod pod, String client) {
        return site(pod).postForm("/wp-login.php", Map.of("log", "", "pwd", "x"), Map.of("X-Forwarded-For", client)).status();
    }

    // --- help ---------------------------------------------------------------------------------------------------------

    /** As the ingress controller asks a pod. */
    private Site site(Pod pod) {
        return new Site(cluster.addressOf(pod, Pods.port(pod, "http")), HOST);
    }

    private String shell(Pod pod, String container, String script) {
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), container, COMMAND, "sh", "-c", script);
    }

    private static Stream<Container> containers(Pod pod) {
        return allContainers(pod).filter(container -> pod.getSpec().getContainers().contains(container) || "Always".equals(container.getRestartPolicy()));
    }

    private static Stream<Container> allContainers(Pod pod) {
        return Stream.concat(pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream());
    }
}
