package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.ANY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.readiness.Readiness;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.github.wordpressha.cluster.Session.Media;
import io.github.wordpressha.cluster.Session.Post;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * The profile {@code external-database-s3}: a database in another namespace, media in S3, many pods. Database and certificates are real;
 * the S3 server is a small one that checks signatures as S3 does, and the plugin a small one that reads what S3 Uploads reads.
 */
@Tag("external")
@Tag("cluster")
@OnCluster(ANY)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ExternalIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration TO_MANY = Duration.ofMinutes(8);
    private static final Duration PLUGIN = Duration.ofMinutes(2);
    private static final int MANY = 30;
    /** How long the check of the one database waits that is given more time than the others. */
    private static final Duration PATIENT = Duration.ofSeconds(25);
    private static final int AT_ONCE = 4;

    private final Release release;
    private final Outside outside;
    private final Release settings;
    private final Cron cron;
    private Media image;
    private Post post;
    private byte[] png;

    ExternalIT(ClusterUnderTest cluster, Release release) {
        this.release = release;
        this.outside = new Outside(cluster, release.namespace() + "-outside");
        this.settings = release.withProfile("external-database-s3").with("""
            # Thirty pods on machines that tests have.
            router: {resources: {requests: {cpu: 5m, memory: 16Mi}, limits: {memory: 128Mi}}}
            wordpress:
              resources: {requests: {cpu: 10m, memory: 48Mi}, limits: {memory: 512Mi}}
              nginx: {resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 128Mi}}}
              media: {s3: {bucket: media, region: us-east-1, prefix: site, endpoint: "%1$s"}}
            networkPolicy:
              enabled: true
              to:
                database: {peers: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %2$s}}}]}
                updates: {peers: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %2$s}}}], ports: [8000]}
                storage: {peers: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %2$s}}}], ports: [9000]}
            """.formatted(outside.s3Endpoint(), outside.namespace())).with(contentOf(cluster)).with(Cron.VALUES);
        this.cron = Cron.prepare(release);
    }

    /** A class that all nodes share, where the cluster has one; else the profile's NFS server. */
    private static String contentOf(ClusterUnderTest cluster) {
        return cluster.client().storage().v1().storageClasses().withName("shared").get() == null
            ? "{}" : "{nfs: {enabled: false}, wordpress: {content: {storageClass: shared, size: 1Gi}}}";
    }

    @BeforeAll
    void start() {
        Instant start = Instant.now();
        outside.start();
        secret("wordpress-database", Map.of("password", Outside.PASSWORD));
        secret("wordpress-media", Map.of("access-key-id", Outside.S3_KEY, "secret-access-key", Outside.S3_SECRET));
        secret("database-authority", Map.of("authority.pem", outside.authority()));
        release.kubernetes().resource(new ConfigMapBuilder().withNewMetadata().withName("database-authority").endMetadata()
            .addToData("ca.crt", outside.authority()).build()).inNamespace(release.namespace()).create();
        Figures.record("external/outside ready=" + Gaps.seconds(Duration.between(start, Instant.now())));
    }

    @AfterAll
    void stop() {
        outside.close();
    }

    private void secret(String name, Map<String, String> data) {
        release.kubernetes().resource(new SecretBuilder().withNewMetadata().withName(name).endMetadata().withStringData(data).build())
            .inNamespace(release.namespace()).create();
    }

    @Test
    @Order(1)
    @DisplayName("each wrong setting is told in a sentence of its own, and nothing is installed")
    void wrongSettingsAreNamed() throws Exception {
        String address = outside.pod().getStatus().getPodIP();
        var cases = new LinkedHashMap<String, String>(); // sentences by values
        cases.put("external: {hosts: [%s], port: 3399}".formatted(address), "refuses connections to port 3399");
        cases.put("external: {hosts: [%s], port: 3398, check: {waitSeconds: %d}}".formatted(address, PATIENT.toSeconds()), "refuses connections to port 3398");
        cases.put("external: {hosts: [nowhere.%s.svc.cluster.local]}".formatted(outside.namespace()), "is not known in the cluster's DNS");
        cases.put("external: {port: 3310}", "has version 5.1.73-community, and WordPress");
        cases.put("external: {tls: {enabled: true, caConfigMap: kube-root-ca.crt}}", "was not issued by the authority that is given");
        cases.put("external: {hosts: [%s], tls: {enabled: true, caConfigMap: database-authority}}".formatted(address), "is not for the name " + address);
        cases.put("external: {passwordKey: other}", "has no key other");
        cases.put("existingSecret: '', external: {password: wrong}", "denies access to the account wordpress");
        cases.put("name: nowhere", "There is no schema nowhere");
        cases.put("name: another", "has no rights on a schema another");
        cases.put("name: latin", "has the charset latin1");
        cases.put("user: reader", "may not create tables");

        Map<String, Wrong> told = new LinkedHashMap<>();
        Instant start = Instant.now();
        ExecutorService pool = Executors.newFixedThreadPool(AT_ONCE);
        try {
            var running = new LinkedHashMap<String, Future<Wrong>>();
            cases.keySet().forEach(values -> running.put(values, pool.submit(wrong("wrong-" + running.size(), values))));
            for (var one : running.entrySet()) {
                told.put(one.getKey(), one.getValue().get());
            }
        } finally {
            pool.shutdownNow();
        }
        Figures.record("external/wrong-settings cases=%d took=%s".formatted(cases.size(), Gaps.seconds(Duration.between(start, Instant.now()))));

        var softly = new SoftAssertions();
        cases.forEach((values, sentence) -> {
            softly.assertThat(told.get(values).log()).as("what the Job says to " + values).contains(sentence);
            if (release.helm() instanceof HelmProgram) {
                softly.assertThat(told.get(values).helm()).as("what Helm says to " + values).contains(sentence);
            }
            softly.assertThat(told.get(values).waited().compareTo(PATIENT) >= 0).as("%s waits for %s s or longer", values, PATIENT.toSeconds()).isEqualTo(values.contains("waitSeconds"));
        });
        softly.assertThat(release.kubernetes().apps().deployments().inNamespace(release.namespace()).list().getItems()).isEmpty();
        softly.assertAll();
    }

    /** What Helm and the check's log say, and for how long the check ran. */
    private record Wrong(String helm, String log, Duration waited) {
    }

    private Callable<Wrong> wrong(String name, String values) {
        Release one = settings
            .with("database: {external: {hosts: [%s], check: {waitSeconds: 2}}}".formatted(outside.database()))
            .with("{database: {%s}, wordpress: {plugins: []}}".formatted(values));
        Release named = new Release(one.cluster(), one.helm(), one.namespace(), name, one.values());
        return () -> {
            Throwable failure = catchThrowable(named::install);
            assertThat(failure).as("helm install with " + values).isInstanceOf(Helm.HelmFailed.class);
            String job = named.fullname() + "-database-check";
            return new Wrong(failure.getMessage(), log(job, "check"), ran(job));
        };
    }

    /** How long a Job's container ran. */
    private Duration ran(String job) {
        var ended = release.kubernetes().pods().inNamespace(release.namespace()).withLabel("batch.kubernetes.io/job-name", job).list().getItems().get(0)
            .getStatus().getContainerStatuses().get(0).getState().getTerminated();
        return Duration.between(Instant.parse(ended.getStartedAt()), Instant.parse(ended.getFinishedAt()));
    }

    /** The logs of a Job's pods. */
    private String log(String job, String container) {
        var text = new StringBuilder();
        for (Pod pod : release.kubernetes().pods().inNamespace(release.namespace()).withLabel("batch.kubernetes.io/job-name", job).list().getItems()) {
            text.append(release.kubernetes().pods().resource(pod).inContainer(container).getLog());
        }
        return text.toString();
    }

    @Test
    @Order(2)
    @DisplayName("the site runs on the first of two hosts that answers, over TLS, with three pods and no tier of its own for data")
    void siteRunsOnTheDatabaseOutside() {
        Instant start = Instant.now();
        onTwoHosts().installReady();
        Await.until("the front page is there", PATIENCE, () -> release.site().get("/").expect(200));
        Figures.record("external/install all-ready=" + Gaps.seconds(Duration.between(start, Instant.now())));

        Await.until("the autoscaler has raised the site to its least", PATIENCE, () -> assertThat(release.pods("wordpress")).hasSize(3));
        release.awaitReady(PATIENCE);
        assertThat(release.pods("database")).isEmpty();
        assertThat(release.pods("etcd")).isEmpty();
        assertThat(release.site().address().getPort()).isEqualTo(30100);
        var scaler = release.kubernetes().autoscaling().v2().horizontalPodAutoscalers().inNamespace(release.namespace()).withName(release.fullname()).require();
        assertThat(scaler.getSpec().getMinReplicas()).isEqualTo(3);
        assertThat(scaler.getSpec().getMaxReplicas()).isEqualTo(MANY);
    }

    /** The account {@code site} is let in over TLS alone. Of the first host the name is known, and nobody answers. */
    private Release onTwoHosts() {
        return settings.with(plugins("1.0.0", "")).with("""
            database:
              user: site
              external:
                hosts: [%s, %s]
                tls: {enabled: true, caSecret: database-authority, caKey: authority.pem, serverName: %s}
            """.formatted(outside.lostDatabase(), outside.database(), outside.database()));
    }

    private Release onOneHost(int pods, String morePlugins) {
        return settings.with(plugins("1.1.0", morePlugins)).with("""
            database:
              user: site
              external:
                hosts: [%s]
                tls: {enabled: true, caConfigMap: database-authority}
            wordpress: {autoscaling: {enabled: false}, replicas: %d}
            """.formatted(outside.database(), pods));
    }

    private String plugins(String version, String more) {
        return "wordpress: {plugins: [%s%s]}".formatted(outside.plugin(version).yaml(), more);
    }

    @Test
    @Order(3)
    @DisplayName("a due event runs within 90 s, once")
    void eventsRun() {
        cron.createTable();
        cron.schedule("external", 1);
        assertThat(cron.awaitRun("external", Cron.LATEST.plusSeconds(5)).secondsLate()).isLessThan(Cron.LATEST.toSeconds());
    }

    @Test
    @Order(3)
    @DisplayName("the install Job has brought the plugin, and what is uploaded lies in S3, byte for byte, and is shown from there")
    void mediaIsInS3() {
        Await.until("the plugin is there", PLUGIN, () -> assertThat(pluginsPage()).contains("Version 1.0.0"));
        Session session = release.logIn();
        png = Images.png(6);
        image = session.upload("picture.png", png);
        post = session.publish("Written with an image in S3", image);

        assertThat(image.path()).startsWith("/media/site/uploads/");
        mediaIsShown();
    }

    private void mediaIsShown() {
        assertThat(outside.object(image.path()).expect(200).bytes()).isEqualTo(png);
        for (Pod pod : release.pods("wordpress")) {
            assertThat(release.site(pod).get(post.path()).expect(200).text()).contains(post.title()).contains(outside.s3Endpoint() + image.path());
        }
    }

    private String pluginsPage() {
        return release.logIn().get("/wp-admin/plugins.php").expect(200).text();
    }

    @Test
    @Order(4)
    @DisplayName("no password and no key is in a ConfigMap, in a Job's or Deployment's text, or in a log")
    void secretsStaySecret() {
        var kubernetes = release.kubernetes();
        String namespace = release.namespace();
        var texts = new StringBuilder()
            .append(Serialization.asYaml(kubernetes.configMaps().inNamespace(namespace).list().getItems()))
            .append(Serialization.asYaml(kubernetes.apps().deployments().inNamespace(namespace).list().getItems()))
            .append(Serialization.asYaml(kubernetes.batch().v1().jobs().inNamespace(namespace).list().getItems()));
        // The autoscaler may just have added one that has no log yet.
        List<Pod> pods = release.pods("wordpress").stream().filter(Readiness::isPodReady).toList();
        assertThat(pods).isNotEmpty();
        pods.forEach(pod -> texts.append(kubernetes.pods().resource(pod).inContainer("php").getLog()));
        assertThat(texts).doesNotContain(Outside.PASSWORD).doesNotContain(Outside.S3_KEY).doesNotContain(Outside.S3_SECRET);
    }

    @Test
    @Order(4)
    @DisplayName("behind policies, WordPress reaches the servers that the values name on the database's port, and no others")
    void otherDatabasesAreOutOfReach() {
        Pod other = release.kubernetes().resource(new PodBuilder().withNewMetadata().withName("other-database").withNamespace(release.namespace()).endMetadata()
            .withNewSpec().withTerminationGracePeriodSeconds(0L)
            .addNewContainer().withName("php").withImage(release.pods("wordpress").get(0).getSpec().getContainers().get(0).getImage())
            .withCommand("php", "-S", "0.0.0.0:3306").endContainer()
            .endSpec().build()).create();
        var pods = release.kubernetes().pods().inNamespace(release.namespace());
        Await.until("the other server listens", PLUGIN, () -> assertThat(pods.withName("other-database").isReady()).isTrue());
        String wordpress = Pods.name(release.pods("wordpress").get(0));
        String address = pods.withName(Pods.name(other)).require().getStatus().getPodIP();
        assertThat(connects(outside.namespace(), "outside", "plugins", address)).as("a pod without policies").isTrue();
        assertThat(connects(release.namespace(), wordpress, "php", outside.pod().getStatus().getPodIP())).as("WordPress, the database of the values").isTrue();
        assertThat(connects(release.namespace(), wordpress, "php", address)).as("WordPress, another one").isFalse();
    }

    private boolean connects(String namespace, String pod, String container, String address) {
        return Pods.exec(release.kubernetes(), namespace, pod, container, Duration.ofSeconds(20), "bash", "-c",
            "timeout 3 bash -c 'exec 3<>/dev/tcp/%s/3306' 2>/dev/null && echo yes || echo no".formatted(address)).strip().equals("yes");
    }

    @Tag("full") // thirty pods take minutes
    @Test
    @Order(5)
    @DisplayName("another way to the database, another release of the plugin, from 3 pods to 30 and back: every page is read")
    void manyPodsAndBack() {
        String forged = ", {slug: forged, url: \"%s\", sha256: '%s'}".formatted(outside.plugin("1.0.0").url(), "0".repeat(64));
        try (var reader = new Reader(release.addresses(), release.site().address().getAuthority())) {
            // New pods make the front page of the site's address before they are ready.
            onOneHost(3, forged).with("wordpress: {site: {url: '%s'}}".formatted(release.site().address())).upgrade();
            release.awaitReady(PATIENCE);
            Await.until("the plugin is replaced", PLUGIN, () -> assertThat(pluginsPage()).contains("Version 1.1.0").doesNotContain("Version 1.0.0"));
            Await.until("the forged archive is refused", PLUGIN, () -> assertThat(installLogs()).contains("forged: what").contains("nothing of it was unpacked"));

            Instant start = Instant.now();
            // At most doubled at a time, as the autoscaler of the chart does it.
            for (int pods : new int[] {6, 12, 24, MANY}) {
                release.scale(pods);
                release.awaitReady(TO_MANY);
            }
            assertThat(release.pods("wordpress")).hasSize(MANY);
            Figures.record("external/3-to-%d took=%s pages=%d".formatted(MANY, Gaps.seconds(Duration.between(start, Instant.now())), reader.count()));
            mediaIsShown();

            Instant back = Instant.now();
            release.scale(3);
            Await.until("3 pods", TO_MANY, () -> assertThat(release.pods("wordpress")).hasSize(3));
            Figures.record("external/%d-to-3 took=%s pages=%d gap=%s".formatted(MANY,
                Gaps.seconds(Duration.between(back, Instant.now())), reader.count(), Gaps.seconds(reader.longestGap())));
            assertThat(reader.failed()).isEmpty();
            assertThat(reader.rerouted()).isEmpty();
        }
        mediaIsShown();
    }

    private String installLogs() {
        var text = new StringBuilder();
        release.kubernetes().batch().v1().jobs().inNamespace(release.namespace()).withLabel("app.kubernetes.io/component", "wordpress-install").list().getItems()
            .forEach(job -> text.append(log(job.getMetadata().getName(), "install")));
        return text.toString();
    }

    @Test
    @Order(6)
    @DisplayName("helm test passes")
    void helmTestPasses() {
        release.test();
    }
}
