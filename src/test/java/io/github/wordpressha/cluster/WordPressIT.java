package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.readiness.Readiness;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/**
 * The web tier: what its page cache keeps and what it never gives to others, and that visitors notice neither a database that is down, nor
 * upgrades, drained nodes and scaling.
 *
 * <p>With {@code -Ddrills.full=true} on the reference stack, so that each node can be drained, up to 30 pods, and 10,000 mixed requests. Otherwise
 * with one database server, which stays on its node; 8 pods; 2,000 requests.
 */
@Tag("wordpress")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class WordPressIT {

    private static final boolean FULL = Boolean.getBoolean("drills.full");
    private static final int MIXED_REQUESTS = FULL ? 10_000 : 700;
    private static final int MOST_PODS = FULL ? 30 : 8;
    private static final int PODS = 3;
    private static final int MORE_PODS = 4;
    private static final int PAGES = 20;
    /** Requests a second. Nodes may share two cores, and those of people who are logged in are all made by PHP. */
    private static final int ANONYMOUS = 49;
    private static final int LOGGED_IN = 1;
    /** Pages that are asked for while pods come and go: each new pod makes them all at once. */
    private static final int BUSY_PAGES = 5;
    private static final Duration DATABASE_DOWN = Duration.ofSeconds(60);
    /** Longer than a new pod waits for a front page that is an error. */
    private static final Duration LOCKED = Duration.ofSeconds(60);
    /** For an edit to be on every pod, on a cluster that shares its processors with the rest of the test. */
    private static final Duration REFRESHED = Duration.ofSeconds(2);
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** What a constant's value may be without being run as PHP. */
    private static final String TEXT = "it's \"so\" . phpinfo() <?php";
    private static final int SLOW_SECONDS = 25;
    /** More than a pod has PHP processes. */
    private static final int SLOW_PAGES = 60;
    private static final String PROBE = """
        <?php
        add_action('send_headers', static function (): void {
            if (isset($_GET['once']) && @touch($file = '/tmp/' . md5($_GET['once'] . $_SERVER['REQUEST_METHOD'])) && filesize($file) === 0) {
                file_put_contents($file, 'asked');
                status_header(503);
                exit('for the first time');
            }
            for ($second = 0; isset($_GET['sleep']) && $second < %d && !file_exists('/tmp/awake'); $second++) {
                clearstatcache();
                sleep(1);
            }
            header('X-Settings: ' . json_encode([WP_POST_REVISIONS, DRILL_FLAG, DRILL_TEXT, ini_get('precision')], JSON_UNESCAPED_SLASHES));
        });
        """.formatted(SLOW_SECONDS);

    private final Nodes nodes;
    private final Faults faults;
    private final List<String> pages = new ArrayList<>();
    private final MailServer mail;
    private final String databaseNode;
    /** With the values that it has now. */
    private Release release;
    private Session admin;
    private PageCache cache;
    private Future<NewerCore> newerCore;

    WordPressIT(ClusterUnderTest cluster, Release release) throws Exception {
        this.nodes = new Nodes(cluster);
        this.mail = MailServer.prepare(release, "implicit");
        // Nothing in here asks wordpress.org, which is far away or not there at all.
        Release site = release.with("""
            database: {storage: {size: 2Gi}}
            wordpress:
              replicas: %d
              autoscaling: {enabled: false}
              resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 768Mi}}
              constants: {WP_HTTP_BLOCK_EXTERNAL: true, WP_POST_REVISIONS: 5, DRILL_FLAG: false, DRILL_TEXT: %s}
              php: {ini: {precision: 9}}
              muPlugins: [probe]
            """.formatted(PODS, Serialization.asJson(TEXT))).with(mail.values());
        // What there is only one of stays on one node, which is not drained; other drills are about its absence.
        this.databaseNode = nodes.names().get(0);
        site = site.with("""
            database: {topology: standalone, nodeSelector: {kubernetes.io/hostname: %1$s}}
            nfs: {nodeSelector: {kubernetes.io/hostname: %1$s}}
            """.formatted(databaseNode));
        if (FULL) { // Every pod renews every page this often, with the cores that the database and all nodes have, too.
            site = site.with("wordpress: {cache: {seconds: 30}}");
        }
        this.release = site;
        this.faults = new Faults(this.release);
    }

    @BeforeAll
    void install() {
        release.kubernetes().resource(new ConfigMapBuilder().withNewMetadata().withName("probe").withNamespace(release.namespace()).endMetadata()
            .addToData("probe.php", PROBE).build()).create();
        release.installReady();
        mail.start();
        if (FULL) {
            newerCore = Executors.newSingleThreadExecutor().submit(() -> NewerCore.of(release)); // It takes a while, and is needed later.
        }
        admin = release.logIn();
        for (int page = 1; page <= PAGES; page++) {
            pages.add(admin.publish("Page " + page, "<p>Text of page " + page + ".</p>"));
        }
        cache = PageCache.of(release.site(release.pods("wordpress").get(0)), admin);
    }

    @AfterEach
    void mendNodes() {
        nodes.names().forEach(faults::uncordon);
    }

    // --- the page cache -----------------------------------------------------------------------------------------------

    @ParameterizedTest(name = "{4}: {0}")
    @CsvFileSource(resources = "/cluster/cache-table.csv", delimiter = '|')
    @Order(1)
    @DisplayName("what is kept, and what is not")
    void cacheTable(String expected, String method, String path, String headers, String why) {
        Page answer = cache.second(method, path, headers);
        assertThat(PageCache.xCache(answer)).as("X-Cache of %s %s %s, status %d", method, path, headers, answer.status()).isEqualTo(expected);
    }

    @Test
    @Tag("full")
    @Order(2)
    @DisplayName("in a mix of requests of all kinds of people nobody sees another one's page")
    void nothingLeaks() {
        long seed = System.nanoTime();
        PageCache.Findings findings = cache.mix(MIXED_REQUESTS, seed);
        Figures.record("wordpress/mix requests=%d hits=%d personal=%d unanswered=%d leaks=%d seed=%d"
            .formatted(MIXED_REQUESTS, findings.hits(), findings.personal(), findings.unanswered(), findings.leaks().size(), seed));
        assertThat(findings.leaks()).isEmpty();
        assertThat(findings.hits()).isGreaterThan(MIXED_REQUESTS / 20);
        assertThat(findings.personal()).isGreaterThan(MIXED_REQUESTS / 20);
        assertThat(findings.unanswered()).isLessThan(MIXED_REQUESTS / 100);
    }

    @Test
    @Order(2)
    @DisplayName("an edit is what readers of every pod get within 2 s")
    void editReachesEveryPod() {
        Session.Text post = admin.write("Edited", "<p>As it was.</p>");
        List<Site> pods = release.pods("wordpress").stream().map(release::site).toList();
        assertThat(pods).hasSize(PODS);
        Await.until("every pod has stored the post", PATIENCE, () -> assertThat(pods).allSatisfy(pod -> {
            Page page = pod.get(post.path()).expect(200);
            assertThat(page.text()).contains("As it was.");
            assertThat(PageCache.xCache(page)).isEqualTo("HIT");
        }));
        admin.edit(post, "<p>As it is now.</p>");
        Instant edited = Instant.now();
        Awaitility.await("every pod has the edited post").atMost(PATIENCE).pollInterval(Duration.ofMillis(100))
            .until(() -> pods.stream().allMatch(pod -> pod.get(post.path()).text().contains("As it is now.")));
        Duration took = Duration.between(edited, Instant.now());
        Figures.record("wordpress/edit pods=%d seconds=%.1f".formatted(PODS, took.toMillis() / 1000.0));
        assertThat(took).isLessThanOrEqualTo(REFRESHED);
    }

    // --- people -------------------------------------------------------------------------------------------------------

    @Test
    @Order(3)
    @DisplayName("in a real browser: log in, write a post with an image, see it as a visitor, log out")
    void browser() throws Exception {
        assertThat(Browser.isInstalled()).as("chromium and chromedriver are on the PATH (Debian: chromium, chromium-driver)").isTrue();
        var address = release.addresses().get(0);
        Path image = Files.write(Files.createTempDirectory("image").resolve("picture.png"), Images.png(1));
        try (var visitor = new Browser(address); var author = new Browser(address)) {
            try {
                visitor.open("/", "front-page");
                author.logIn("admin", release.secret(release.fullname() + "-wordpress", "admin-password"));
                String post = author.publish("Written in a browser", image);

                visitor.open(post, "visitor");
                assertThat(visitor.title()).contains("Written in a browser");
                assertThat(visitor.pictureWidths()).isNotEmpty().allMatch(width -> width > 0);
                assertThat(visitor.shows("#wpadminbar")).isFalse();
                assertThat(visitor.complaints()).isEmpty();

                author.open(post, "author");
                assertThat(author.shows("#wpadminbar")).isTrue();
                author.logOut();
                author.open(post, "author-logged-out");
                assertThat(author.shows("#wpadminbar")).isFalse();
                assertThat(author.cookies()).noneMatch(name -> name.startsWith("wordpress_logged_in"));
            } catch (Exception | AssertionError e) {
                author.keepFailure();
                throw e;
            }
        }
    }

    @Test
    @Order(4)
    @DisplayName("who has logged in stays logged in when the pod that did it dies, and on every other pod")
    void loginOutlivesItsPod() {
        Pod first = release.pods("wordpress").get(0);
        Session session = release.site(first).logIn("admin", release.secret(release.fullname() + "-wordpress", "admin-password"));
        faults.kill(Pods.name(first));
        Await.until("another pod", PATIENCE, () -> assertThat(release.pods("wordpress")).hasSize(PODS)
            .noneMatch(pod -> Pods.name(pod).equals(Pods.name(first))).allMatch(Readiness::isPodReady));
        for (Pod pod : release.pods("wordpress")) {
            var elsewhere = new Session(release.site(pod), session.cookies(), session.nonce());
            assertThat(elsewhere.get("/wp-admin/profile.php").expect(200).text()).contains("wpadminbar");
            elsewhere.publish("Written through " + Pods.name(pod), "<p>With a form that another pod had made.</p>");
        }
    }

    @Test
    @Order(4)
    @DisplayName("a pod has the front page in its cache before its first visitor comes")
    void podsAreWarm() {
        assertThat(release.pods("wordpress")).allSatisfy(this::hasFrontPage);
    }

    @Test
    @Tag("full")
    @Order(4)
    @DisplayName("a new pod that cannot make the front page gets no visitors until it can, while others have it")
    void coldPodsWait() throws Exception {
        var before = new HashSet<>(Release.names(release.pods("wordpress")));
        // Pages wait for the posts; the readiness probe's own question is about an option.
        Future<Instant> locked = Executors.newSingleThreadExecutor().submit(() -> {
            Pods.exec(release.kubernetes(), release.namespace(), release.members().names().get(0), "mysql", LOCKED.multipliedBy(2),
                "/scripts/mysql", "-e", "LOCK TABLES wordpress.wp_posts WRITE; SELECT SLEEP(%d)".formatted(LOCKED.toSeconds()));
            return Instant.now();
        });
        Await.until("the posts are locked", PATIENCE, () ->
            assertThat(sql("SELECT info FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(%'")).isNotEmpty());
        release.scale(PODS + 1);
        Instant unlocked = locked.get(2, TimeUnit.MINUTES);
        awaitPods(PODS + 1);
        Pod pod = release.pods("wordpress").stream().filter(one -> !before.contains(Pods.name(one))).findFirst().orElseThrow();
        assertThat(readySince(pod)).isAfterOrEqualTo(unlocked.truncatedTo(ChronoUnit.SECONDS));
        hasFrontPage(pod);
        scale(PODS);
    }

    /** nginx has stored the front page, under the name by which only the pods themselves ask. */
    private void hasFrontPage(Pod pod) {
        String key = "KEY: http|%s|/".formatted(release.host());
        assertThat(Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "nginx", Duration.ofSeconds(10),
            "grep", "-rlaFx", key, "/var/cache/nginx/pages")).as(key).isNotBlank();
    }

    // --- settings -----------------------------------------------------------------------------------------------------

    @Test
    @Order(5)
    @DisplayName("constants keep their types; PHP's settings and must-use plugins are in force")
    void settings() {
        assertThat(release.site().request("GET", "/?anything", Map.of()).headers().firstValue("X-Settings"))
            .hasValue(Serialization.asJson(List.of(5, false, TEXT, "9")));
    }

    @Test
    @Tag("full")
    @Order(5)
    @DisplayName("who is refused for a moment is asked for again by nginx, but nothing is done twice")
    void readsAreTriedTwice() {
        Site pod = release.site(release.pods("wordpress").get(0));
        String path = "/?once=" + System.nanoTime();
        assertThat(pod.request("GET", path, Map.of()).status()).isEqualTo(200);
        assertThat(pod.request("POST", path, Map.of()).status()).isEqualTo(503);
    }

    @Test
    @Order(5)
    @DisplayName("a pod whose PHP is busy with slow pages stays ready, and serves what it has in its cache")
    void busyPodsStayReady() {
        Pod pod = release.pods("wordpress").get(0);
        Site site = release.site(pod);
        Map<String, String> alone = Map.of("Connection", "close");
        site.get("/", alone).expect(200);
        ExecutorService authors = Executors.newFixedThreadPool(SLOW_PAGES);
        try {
            Instant start = Instant.now();
            IntStream.range(0, SLOW_PAGES).forEach(i -> authors.submit(() -> site.request("POST", "/?sleep", Map.of())));
            while (Instant.now().isBefore(start.plusSeconds(SLOW_SECONDS))) {
                Instant asked = Instant.now();
                assertThat(PageCache.xCache(site.get("/", alone).expect(200))).isIn("HIT", "STALE", "UPDATING");
                assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofSeconds(3));
                assertThat(Readiness.isPodReady(release.pod(Pods.name(pod)))).as("%s is ready", Pods.name(pod)).isTrue();
                Await.pass(Duration.ofMillis(500));
            }
        } finally {
            authors.shutdownNow();
            // PHP does not see that the authors have gone, and would sleep through the whole queue.
            Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "php", PATIENCE, "touch", "/tmp/awake");
        }
        Await.until("PHP has time again", PATIENCE, () -> site.get("/wp-login.php", alone).expect(200));
    }

    @Test
    @Order(5)
    @DisplayName("mail goes to the server of the values, encrypted and after a login")
    void sendsMail() {
        Page answer = release.site().postForm("/wp-login.php?action=lostpassword", Map.of("user_login", "admin"), Map.of()).expect(302);
        assertThat(answer.headers().firstValue("Location")).hasValueSatisfying(where -> assertThat(where).contains("checkemail=confirm"));
        Await.until("the mail arrives", Duration.ofSeconds(30), () -> assertThat(mail.mails())
            .contains("To: admin@example.com").contains("<site@example.com>").contains("wp-login.php?login=admin").contains("action=rp"));
    }

    // --- the installation ---------------------------------------------------------------------------------------------

    @Test
    @Order(6)
    @DisplayName("ten install Jobs at once install once")
    void tenJobsInstallOnce() throws Exception {
        String prefix = "ten_";
        ConfigMap settings = settingsWithPrefix(prefix);
        Job job = tenTimes(settings);

        Await.until("all ten have ended", PATIENCE, () -> {
            Job now = release.kubernetes().resource(job).get();
            assertThat(now.getStatus().getFailed()).as("failed attempts").isIn(null, 0);
            assertThat(now.getStatus().getSucceeded()).isEqualTo(10);
        });

        List<String> logs = release.kubernetes().pods().inNamespace(release.namespace())
            .withLabel("batch.kubernetes.io/job-name", job.getMetadata().getName()).list().getItems().stream()
            .map(pod -> release.kubernetes().pods().resource(pod).inContainer("install").getLog()).toList();
        assertThat(logs).hasSize(10).allMatch(log -> log.contains("The site is ready."));
        assertThat(logs.stream().filter(log -> log.contains("Installed, the administrator is"))).hasSize(1);
        assertThat(count("ten_users")).isEqualTo(1);
        assertThat(count("ten_posts WHERE post_name = 'hello-world'")).isEqualTo(1);
        assertThat(count("ten_options WHERE option_name = 'siteurl'")).isEqualTo(1);
        assertThat(count("ten_terms")).isEqualTo(1);
    }

    /** The site's settings, but for tables that do not exist yet. */
    private ConfigMap settingsWithPrefix(String prefix) throws Exception {
        ConfigMap site = release.kubernetes().configMaps().inNamespace(release.namespace()).withName(release.fullname() + "-wordpress").require();
        var json = new ObjectMapper();
        var settings = (ObjectNode) json.readTree(site.getData().get("settings.json"));
        var data = new TreeMap<>(site.getData());
        data.put("settings.json", json.writeValueAsString(settings.put("tablePrefix", prefix)));
        return release.kubernetes().resource(new ConfigMapBuilder()
            .withNewMetadata().withName("ten").withNamespace(release.namespace()).endMetadata().withData(data).build()).create();
    }

    private Job tenTimes(ConfigMap settings) {
        Job site = release.kubernetes().batch().v1().jobs().inNamespace(release.namespace()).list().getItems().stream()
            .filter(one -> one.getMetadata().getName().startsWith(release.fullname() + "-install-")).findFirst().orElseThrow();
        var template = site.getSpec().getTemplate();
        // Network policies know the pods by the chart's labels; those of the former Job are its own.
        template.getMetadata().getLabels().keySet().removeIf(label -> !label.startsWith("app.kubernetes.io/"));
        template.getSpec().getVolumes().stream().filter(volume -> volume.getName().equals("configuration"))
            .forEach(volume -> volume.getConfigMap().setName(settings.getMetadata().getName()));
        return release.kubernetes().resource(new JobBuilder()
            .withNewMetadata().withName("ten").withNamespace(release.namespace()).endMetadata()
            .withNewSpec().withParallelism(10).withCompletions(10).withTemplate(template).endSpec().build()).create();
    }

    private long count(String what) {
        return Long.parseLong(sql("SELECT COUNT(*) FROM wordpress." + what).get(0));
    }

    private List<String> sql(String statement) {
        return release.members().query(release.members().names().get(0), statement);
    }

    // --- faults and changes, under load -------------------------------------------------------------------------------

    @Test
    @Order(7)
    @DisplayName("while the database is down for a minute visitors see all pages, and who is logged in is told to come again")
    void databaseIsDown() {
        String set = release.fullname() + "-mysql";
        int members = release.members().names().size();
        Map<String, Integer> restarts = restarts();
        warm(pages);
        try (var visitors = Load.anonymous(release, ANONYMOUS + LOGGED_IN, pages)) {
            faults.scale(set, 0);
            faults.awaitNone("database");
            Instant down = Instant.now();
            Await.until("who is logged in is told to come again", Duration.ofSeconds(30), () -> {
                Page answer = admin.get("/wp-admin/profile.php").expect(503);
                assertThat(answer.headers().firstValue("Retry-After")).hasValueSatisfying(seconds -> assertThat(seconds).matches("[1-9][0-9]*"));
                assertThat(answer.headers().firstValue("Cache-Control").orElse("")).contains("no-");
                assertThat(answer.text()).containsIgnoringCase("<title>");
            });
            passUntil(down.plus(DATABASE_DOWN));
            assertThat(PageCache.xCache(release.site().get(pages.get(0)))).isEqualTo("STALE");
            faults.scale(set, members);
            Instant back = Instant.now();
            Await.until("the site heals by itself", PATIENCE, () -> assertThat(admin.get("/wp-admin/profile.php").expect(200).text()).contains("wpadminbar"));
            Await.until("pages are fresh", PATIENCE, () -> assertThat(PageCache.xCache(release.site().get(pages.get(0)))).isIn("HIT", "MISS"));
            Figures.record("wordpress/database-down-60s %s healed=%s".formatted(visitors.figures(), Gaps.seconds(Duration.between(back, Instant.now()))));
            nobodyNoticed(visitors);
        }
        release.awaitReady(PATIENCE);
        assertThat(restarts()).as("restarts of the web pods").isEqualTo(restarts);
    }

    @Test
    @Tag("full")
    @Order(8)
    @DisplayName("an upgrade to an image with a newer core and schema, a fixed address and changes in the dashboard interrupts nobody")
    void upgradesCore() throws Exception {
        assertThat(admin.get("/wp-admin/plugin-install.php?tab=upload").status()).as("plugins cannot be changed").isEqualTo(403);
        NewerCore newer = newerCore.get(5, TimeUnit.MINUTES);
        String url = "http://" + release.site().host();
        assertThat(sql("SHOW COLUMNS FROM wordpress.wp_comments LIKE '" + NewerCore.COLUMN + "'")).isEmpty();
        underLoad("upgrade", () -> {
            upgrade("{wordpress: {image: {tag: %s}, site: {url: '%s'}, allowPluginChanges: true}}".formatted(newer.tag(), url));
        });
        assertThat(sql("SELECT option_value FROM wordpress.wp_options WHERE option_name = 'db_version'")).containsExactly("" + newer.schemaVersion());
        assertThat(sql("SHOW COLUMNS FROM wordpress.wp_comments LIKE '" + NewerCore.COLUMN + "'")).hasSize(1);
        assertThat(release.pods("wordpress")).allMatch(pod -> pod.getSpec().getContainers().get(0).getImage().endsWith(newer.tag()));
        assertThat(sql("SELECT DISTINCT option_value FROM wordpress.wp_options WHERE option_name IN ('home', 'siteurl')")).containsExactly(url);
        // Whatever name the site is asked by, it gives its own; but the port is that of the name, or WordPress would redirect.
        var elsewhere = new Site(release.addresses().get(0), "other.example:" + release.addresses().get(0).getPort());
        assertThat(elsewhere.get(pages.get(0)).expect(200).text()).contains("<link rel=\"canonical\" href=\"" + url + pages.get(0) + "\"");
    }

    @Test
    @Tag("full")
    @Order(9)
    @DisplayName("a plugin that is uploaded in the dashboard works in every pod")
    void takesPlugins() throws Exception {
        var form = Pattern.compile("name=\"_wpnonce\" value=\"([0-9a-f]+)\"")
            .matcher(admin.get("/wp-admin/plugin-install.php?tab=upload").expect(200).text());
        assertThat(form.find()).isTrue();
        String boundary = "----form";
        var body = new ByteArrayOutputStream();
        body.write(("--" + boundary + "\r\nContent-Disposition: form-data; name=\"_wpnonce\"\r\n\r\n" + form.group(1) + "\r\n--" + boundary
            + "\r\nContent-Disposition: form-data; name=\"pluginzip\"; filename=\"uploaded.zip\"\r\nContent-Type: application/zip\r\n\r\n").getBytes(UTF_8));
        try (var zip = new ZipOutputStream(body)) {
            zip.putNextEntry(new ZipEntry("uploaded/uploaded.php"));
            zip.write("<?php\n/* Plugin Name: Uploaded */\nadd_action('login_init', static fn() => header('X-Uploaded: works'));\n".getBytes(UTF_8));
            zip.closeEntry();
            zip.finish();
            body.write(("\r\n--" + boundary + "--\r\n").getBytes(UTF_8));
        }
        Page answer = admin.post("/wp-admin/update.php?action=upload-plugin", "multipart/form-data; boundary=" + boundary, body.toByteArray());
        assertThat(answer.expect(200).text()).contains("Plugin installed successfully");
        admin.post("/wp-json/wp/v2/plugins/uploaded/uploaded", "application/json", "{\"status\": \"active\"}".getBytes(UTF_8)).expect(200);
        for (Pod pod : release.pods("wordpress")) {
            Await.until("the plugin works in " + Pods.name(pod), Duration.ofSeconds(90), () ->
                assertThat(release.site(pod).get("/wp-login.php").headers().firstValue("X-Uploaded")).hasValue("works"));
        }
    }

    @Test
    @Tag("full")
    @Order(10)
    @DisplayName("draining a node interrupts nobody")
    void nodesAreDrained() throws Exception {
        for (String node : nodes.names()) {
            if (node.equals(databaseNode)) {
                continue;
            }
            underLoad("drain-" + node, () -> {
                faults.drain(node, PATIENCE);
                release.awaitReady(PATIENCE);
            });
            faults.uncordon(node);
        }
    }

    @Test
    @Tag("full")
    @Order(11)
    @DisplayName("scaling up and down interrupts nobody")
    void scales() throws Exception {
        // All nodes share two cores: what is shown is that pods come and go, not how many pages those cores can make. So visitors ask for
        // the page that every new pod has made before it is ready, the pods do not make it again meanwhile, and nobody is logged in: each
        // of thirty pods would make pages for the first time.
        upgrade("{wordpress: {cache: {seconds: 900}, site: {url: 'http://%s'}}}".formatted(release.site().host()));
        List<String> front = List.of("/");
        warm(front);
        under("scale-%d-%d-%d".formatted(PODS, MOST_PODS, PODS), Map.of("anonymous", Load.anonymous(release, ANONYMOUS + LOGGED_IN, front)), () -> {
            pendingToReady(1, scaleUp(PODS + 1));
            // So many as the autoscaler adds at a time at least: these cores have to start them all.
            var seconds = new ArrayList<Double>();
            for (int pods = PODS + 1; pods < MOST_PODS; pods += MORE_PODS) {
                seconds.addAll(scaleUp(Math.min(pods + MORE_PODS, MOST_PODS)));
            }
            pendingToReady(MORE_PODS, seconds);
            scale(PODS);
        });
    }

    /** How long each new pod took from its creation to being ready. */
    private List<Double> scaleUp(int replicas) {
        var before = new HashSet<>(Release.names(release.pods("wordpress")));
        scale(replicas);
        return secondsToReady(before);
    }

    private static void pendingToReady(int atOnce, List<Double> seconds) {
        List<Double> sorted = seconds.stream().sorted().toList();
        Figures.record("wordpress/pod-pending-to-ready at-once=%d pods=%d fastest=%.0fs median=%.0fs slowest=%.0fs".formatted(
            atOnce, sorted.size(), sorted.get(0), sorted.get(sorted.size() / 2), sorted.get(sorted.size() - 1)));
    }

    private void upgrade(String values) {
        release = release.with(values);
        release.upgrade();
        awaitPods(PODS);
    }

    private void scale(int replicas) {
        release.scale(replicas);
        awaitPods(replicas);
    }

    /** So many are ready, and those that had to end are gone. */
    private void awaitPods(int count) {
        release.awaitReady(PATIENCE);
        Await.until(count + " web pods", PATIENCE, () -> assertThat(release.pods("wordpress")).hasSize(count));
    }

    /** Of the pods that came. Kubernetes notes both times in whole seconds. */
    private List<Double> secondsToReady(Set<String> before) {
        return release.pods("wordpress").stream().filter(pod -> !before.contains(Pods.name(pod)))
            .map(pod -> (double) Duration.between(Instant.parse(pod.getMetadata().getCreationTimestamp()), readySince(pod)).toSeconds())
            .toList();
    }

    private static Instant readySince(Pod pod) {
        return pod.getStatus().getConditions().stream().filter(condition -> condition.getType().equals("Ready"))
            .map(PodCondition::getLastTransitionTime).map(Instant::parse).findFirst().orElseThrow();
    }

    /** What happens while both kinds of visitors come. */
    @FunctionalInterface
    private interface Change {
        void happen() throws Exception;
    }

    private void underLoad(String name, Change change) throws Exception {
        List<String> visited = pages.subList(0, BUSY_PAGES);
        warm(visited);
        under(name, Map.of(
            "anonymous", Load.anonymous(release, ANONYMOUS, visited),
            "logged-in", Load.loggedIn(release, admin, LOGGED_IN, List.of("/", pages.get(0), "/wp-admin/profile.php"))), change);
    }

    private static void under(String name, Map<String, Load> loads, Change change) throws Exception {
        try {
            Instant start = Instant.now();
            change.happen();
            String took = Gaps.seconds(Duration.between(start, Instant.now()));
            loads.values().forEach(Load::close);
            Figures.record("wordpress/%s took=%s %s".formatted(name, took, new TreeMap<>(loads).entrySet().stream()
                .map(load -> load.getKey() + ": " + load.getValue().figures()).collect(Collectors.joining(" "))));
            loads.values().forEach(WordPressIT::nobodyNoticed);
        } finally {
            loads.values().forEach(Load::close);
        }
    }

    private static void nobodyNoticed(Load load) {
        load.failed().forEach(request -> System.out.println("failed request: " + request));
        assertThat(load.failed()).isEmpty();
        assertThat(load.count()).isPositive();
    }

    /** Every pod has these pages in its cache. */
    private void warm(List<String> paths) {
        for (Pod pod : release.pods("wordpress")) {
            paths.forEach(page -> release.site(pod).get(page).expect(200));
        }
    }

    private Map<String, Integer> restarts() {
        var restarts = new TreeMap<String, Integer>();
        release.pods("wordpress").forEach(pod -> restarts.put(Pods.name(pod), Pods.restarts(pod)));
        return restarts;
    }

    /** The fault lasts until then; nothing is waited for. */
    private static void passUntil(Instant moment) {
        try {
            Thread.sleep(Math.max(0, Duration.between(Instant.now(), moment).toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
