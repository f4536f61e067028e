package io.github.wordpressha.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.ForNode;
import java.net.ConnectException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The probes of an {@link EffectSite}. Each one sends its question to the running site. */
final class SiteProbes {

    private static final Duration SOON = Duration.ofSeconds(60);
    /** For what needs no pod to come or go. */
    private static final Duration AT_ONCE = Duration.ofSeconds(20);
    private static final String CLIENT = "X-Forwarded-For";
    private static final List<String> TIERS = List.of("wordpress", "database", "nfs");
    /** The bit of CAP_SYS_NICE in the masks of /proc. */
    private static final int SYS_NICE = 23;

    static final List<Probe<EffectSite>> ALL = List.of(
        // Every pod.
        new Probe<>("images", SiteProbes::images),
        new Probe<>("pull secrets", SiteProbes::pullSecrets),
        new Probe<>("resources", SiteProbes::resources),
        new Probe<>("nodes", SiteProbes::nodes),
        new Probe<>("tolerations", SiteProbes::tolerations),
        new Probe<>("priority", SiteProbes::priority),
        new Probe<>("pod annotations", SiteProbes::podAnnotations),
        new Probe<>("zones", SiteProbes::zones),
        new Probe<>("spread", SiteProbes::spread),
        new Probe<>("replicas", site -> assertThat(site.release().pods("wordpress")).hasSize(1)),
        new Probe<>("claims", SiteProbes::claims),
        // The database.
        new Probe<>("schema and account", SiteProbes::schemaAndAccount),
        new Probe<>("database secret", SiteProbes::databaseSecret),
        new Probe<>("database settings", site -> assertThat(site.sql("SELECT @@max_connections, @@performance_schema")).isEqualTo("77\t0")),
        new Probe<>("buffer pool", site -> assertThat(site.sql("SELECT @@innodb_buffer_pool_size DIV 1048576")).isEqualTo("256")),
        new Probe<>("database service", SiteProbes::databaseService),
        new Probe<>("grace period", site -> assertThat(site.pod("database").getSpec().getTerminationGracePeriodSeconds()).isEqualTo(75)),
        // The NFS server.
        new Probe<>("nfs mount options", SiteProbes::nfsMountOptions),
        new Probe<>("nfs grace period", site -> assertThat(site.shell("nfs", "nfs", "cat /export/vfs.conf")).containsPattern("Grace_Period\\s*=\\s*7\\b")),
        new Probe<>("nfs capabilities", SiteProbes::nfsCapabilities),
        new Probe<>("nfs clients", SiteProbes::nfsClients),
        new Probe<>("api server", SiteProbes::apiServer),
        // The installation.
        new Probe<>("site address", SiteProbes::siteAddress),
        new Probe<>("title", site -> assertThat(site.site().get("/").expect(200).text()).contains("<title>A site of effects</title>")),
        new Probe<>("language", site -> assertThat(site.site().get("/").expect(200).text()).contains("<html lang=\"de-DE\"")),
        new Probe<>("administrator", site -> assertThat(site.admin().get("/wp-admin/profile.php").expect(200).text()).contains("editor@effects.example")),
        new Probe<>("permalinks", site -> assertThat(site.admin().publish("An address", "<p>Text.</p>")).isEqualTo("/posts/an-address/")),
        new Probe<>("salts", site -> assertThat(site.constant("LOGGED_IN_SALT").asText()).startsWith("own-logged-in-salt")),
        new Probe<>("table prefix", site -> assertThat(site.sql("SHOW TABLES IN pages LIKE 'press\\_options'")).isEqualTo("press_options")),
        new Probe<>("plugin changes", site -> site.admin().get("/wp-admin/plugin-install.php?tab=upload").expect(200)),
        new Probe<>("core is fixed", SiteProbes::coreIsFixed),
        new Probe<>("plugins", site -> assertThat(site.facts().path("plugins").toString()).contains("witness/witness.php")),
        // PHP.
        new Probe<>("constants", SiteProbes::constants),
        new Probe<>("must-use plugins", site -> site.ask("/?facts").expect(200).json()),
        new Probe<>("media", SiteProbes::media),
        new Probe<>("mail", SiteProbes::mail),
        new Probe<>("php settings", site -> assertThat(site.facts().at("/ini/precision").asText()).isEqualTo("9")),
        new Probe<>("upload size", SiteProbes::uploadSize),
        new Probe<>("request timeout", SiteProbes::requestTimeout),
        new Probe<>("workers", SiteProbes::workers),
        new Probe<>("environment", site -> assertThat(site.facts().at("/environment/EFFECT").asText()).isEqualTo("seen")),
        new Probe<>("volumes", site -> assertThat(site.shell("wordpress", "php", "cat /etc/extra/file")).isEqualTo("mounted")),
        new Probe<>("sidecars", site -> assertThat(site.shell("wordpress", "beside", "echo runs")).isEqualTo("runs")),
        // nginx.
        new Probe<>("cached pages", site -> Await.until("the front page comes from the cache", AT_ONCE, () ->
            assertThat(PageCache.xCache(site.ask("/?lang=kept"))).isIn("HIT"))),
        new Probe<>("page age", SiteProbes::pageAge),
        new Probe<>("stale pages", SiteProbes::stalePages),
        new Probe<>("cache size", SiteProbes::cacheSize),
        new Probe<>("trackers", site -> Await.until("a page with a tracker comes from the cache", AT_ONCE, () ->
            assertThat(PageCache.xCache(site.ask("/?lang=tracked&effects_from_letter=1"))).isEqualTo("HIT"))),
        new Probe<>("server snippet", site -> assertThat(site.ask("/effects-snippet").expect(200).text()).isEqualTo("snippet")),
        new Probe<>("bypass by login", site -> bypasses(site, "/?lang=cookie", "wordpress_logged_in_x=1")),
        new Probe<>("bypass cookies", site -> bypasses(site, "/?lang=cookie", "effects_session=1")),
        new Probe<>("page cookies", SiteProbes::pageCookies),
        new Probe<>("bypass paths", site -> bypasses(site, "/private-page/", "")),
        new Probe<>("bypass by query", site -> bypasses(site, "/?anything", "")),
        new Probe<>("access log", SiteProbes::accessLog),
        new Probe<>("headers", SiteProbes::headers),
        new Probe<>("upload policy", SiteProbes::uploadPolicy),
        new Probe<>("xml-rpc", SiteProbes::xmlRpc),
        new Probe<>("accounts", SiteProbes::accounts),
        new Probe<>("administration", SiteProbes::administration),
        new Probe<>("login limit", SiteProbes::loginLimit),
        new Probe<>("login lockout", SiteProbes::loginLockout),
        new Probe<>("trusted proxies", SiteProbes::trustedProxies),
        new Probe<>("no version", site -> assertThat(site.site().get("/").text()).doesNotContain("name=\"generator\"")),
        new Probe<>("closed installer", site -> site.ask("/wp-admin/install.php").expect(404)),
        new Probe<>("closed configuration", site -> site.ask("/wp-config.php").expect(404)),
        new Probe<>("leftovers", SiteProbes::leftovers),
        new Probe<>("uploaded code", SiteProbes::uploadedCode),
        new Probe<>("methods", site -> site.site().request("TRACK", "/", Map.of()).expect(405)),
        // The Service.
        new Probe<>("service", SiteProbes::service),
        new Probe<>("traffic policy", SiteProbes::trafficPolicy),
        new Probe<>("traffic distribution", SiteProbes::trafficDistribution),
        // Last: the first one waits for time to pass, the second one deletes the pod.
        new Probe<>("forgotten pages", SiteProbes::forgottenPages),
        new Probe<>("drain", SiteProbes::drain));

    private SiteProbes() {
    }

    // --- every pod ----------------------------------------------------------------------------------------------------

    private static void images(EffectSite site) {
        String digest = site.pod("wordpress").getSpec().getContainers().stream().filter(one -> one.getName().equals("nginx")).findFirst().orElseThrow().getImage();
        assertThat(digest).startsWith("images.effects.example/effects/nginx@sha256:");
        Map<String, String> own = Map.of("php", "wordpress:effects", "prepare", "wordpress:effects", "router", "haproxy:effects", "nginx", digest.substring(digest.lastIndexOf('/') + 1),
            "mysql", "mysql:effects", "agent", "tools:effects", "directories", "tools:effects", "nfs", "nfs-provisioner:effects");
        for (String tier : TIERS) {
            Pod pod = site.pod(tier);
            containers(pod).filter(one -> own.containsKey(one.getName())).forEach(one -> {
                assertThat(one.getImage()).isEqualTo("images.effects.example/effects/" + own.get(one.getName()));
                assertThat(one.getImagePullPolicy()).as("pull policy of %s", one.getName()).isEqualTo("Always");
            });
            assertThat(statuses(pod)).as("containers of %s that have started", tier).allMatch(one -> one.getImageID() != null && !one.getImageID().isEmpty());
        }
    }

    private static void pullSecrets(EffectSite site) {
        assertThat(site.release().pods()).allSatisfy(pod -> assertThat(pod.getSpec().getImagePullSecrets()).extracting("name").containsExactly("effects"));
    }

    /** The limit as the kernel enforces it, and the request as the kubelet reports it. */
    private static void resources(EffectSite site) {
        granted(site, "wordpress", "php", "50m", 120, 600);
        granted(site, "wordpress", "nginx", "30m", 40, 200);
        granted(site, "wordpress", "router", "15m", 30, 100);
        granted(site, "database", "mysql", "60m", 260, 512);
        granted(site, "nfs", "nfs", "40m", 100, 384);
    }

    private static void granted(EffectSite site, String tier, String container, String cpu, int request, int limit) {
        String kernel = site.shell(tier, container, "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes");
        assertThat(kernel).as("memory limit of %s", container).isEqualTo("" + limit * 1024L * 1024L);
        Map<String, Quantity> requests = statuses(site.pod(tier)).filter(one -> one.getName().equals(container)).findFirst().orElseThrow().getResources().getRequests();
        assertThat(requests).as("requests of %s", container).isEqualTo(Map.of("cpu", new Quantity(cpu), "memory", new Quantity(request + "Mi")));
    }

    private static void nodes(EffectSite site) {
        assertThat(site.release().pods()).extracting(Pods::node).containsOnly(site.node());
        assertThat(site.pod("nfs").getSpec().getNodeSelector()).containsEntry("kubernetes.io/os", "linux");
    }

    private static void tolerations(EffectSite site) {
        assertThat(site.release().pods()).hasSize(TIERS.size()).allSatisfy(pod ->
            assertThat(pod.getSpec().getTolerations()).extracting(Toleration::getKey).contains("effects.example"));
    }

    private static void priority(EffectSite site) {
        assertThat(site.release().pods()).hasSize(TIERS.size()).allSatisfy(pod -> assertThat(pod.getSpec().getPriority()).isEqualTo(EffectSite.PRIORITY));
    }

    private static void podAnnotations(EffectSite site) {
        TIERS.forEach(tier -> assertThat(site.pod(tier).getMetadata().getAnnotations()).containsEntry("effects.example", tier));
    }

    private static void zones(EffectSite site) {
        Stream.of("wordpress", "database").forEach(tier -> assertThat(site.pod(tier).getSpec().getTopologySpreadConstraints()).singleElement().satisfies(one -> {
            assertThat(one.getTopologyKey()).isEqualTo("topology.kubernetes.io/zone");
            assertThat(one.getLabelSelector().getMatchLabels()).containsEntry("app.kubernetes.io/component", tier);
        }));
    }

    /** A second pod of a tier that is bound to one node stays unschedulable. */
    private static void spread(EffectSite site) {
        var sets = site.release().kubernetes().apps().statefulSets().inNamespace(site.release().namespace()).withName(site.release().name() + "-mysql");
        try {
            site.release().scale(2);
            sets.scale(2);
            for (String tier : List.of("wordpress", "database")) {
                Await.until("the second pod of " + tier + " finds no node", SOON, () -> assertThat(site.release().pods(tier)).hasSize(2)
                    .filteredOn(pod -> Pods.node(pod) == null).singleElement().satisfies(pod -> assertThat(pod.getStatus().getConditions())
                        .anyMatch(one -> "Unschedulable".equals(one.getReason()) && one.getMessage().contains("anti-affinity"))));
            }
        } finally {
            site.release().scale(1);
            sets.scale(1);
        }
        Await.until("one pod of each tier", SOON, () -> TIERS.forEach(site::pod));
    }

    private static void claims(EffectSite site) {
        String name = site.release().name();
        claim(site, "own-claim", "local", "1Gi");
        assertThat(site.pod("database").getSpec().getVolumes()).anyMatch(volume -> volume.getPersistentVolumeClaim() != null
            && volume.getPersistentVolumeClaim().getClaimName().equals("own-claim"));
        claim(site, name + "-nfs", "local", "1Gi");
        var content = claim(site, name + "-content", null, "256Mi");
        assertThat(content.getSpec().getNfs()).as("the content's NFS server").isNotNull();
        assertThat(content.getSpec().getAccessModes()).containsExactly("ReadWriteMany");
    }

    private static PersistentVolume claim(EffectSite site, String name, String storageClass, String size) {
        var claim = site.release().kubernetes().persistentVolumeClaims().inNamespace(site.release().namespace()).withName(name).require();
        PersistentVolume volume = site.release().kubernetes().persistentVolumes().withName(claim.getSpec().getVolumeName()).require();
        assertThat(volume.getSpec().getCapacity().get("storage")).as("size of the volume of %s", name).isEqualTo(new Quantity(size));
        if (storageClass != null) {
            assertThat(volume.getSpec().getStorageClassName()).isEqualTo(storageClass);
        }
        return volume;
    }

    // --- database -----------------------------------------------------------------------------------------------------

    private static void schemaAndAccount(EffectSite site) {
        assertThat(site.sql("SHOW TABLES IN pages LIKE 'press\\_posts'")).isEqualTo("press_posts");
        site.ask("/?facts").expect(200);
        assertThat(site.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE user NOT IN ('writer', 'root', 'monitor', 'event_scheduler')")).isEqualTo("0");
        assertThat(site.sql("SELECT total_connections > 0 FROM (SELECT COUNT(*) AS total_connections FROM mysql.user WHERE user = 'writer') AS one")).isEqualTo("1");
    }

    private static void databaseSecret(EffectSite site) {
        assertThat(site.constant("DB_PASSWORD").asText()).isEqualTo("own-password");
        assertThat(site.shell("database", "mysql", "MYSQL_PWD=own-root mysql --socket=/tmp/mysql.sock -u root -N -e 'SELECT 1'")).isEqualTo("1");
    }

    private static void databaseService(EffectSite site) {
        Service service = service(site, "-mysql-client");
        assertThat(service.getMetadata().getAnnotations()).containsEntry("effects.example", "database");
        assertThat(service.getSpec().getType()).isEqualTo("LoadBalancer");
        // An empty packet ends the conversation at once.
        RawHttp.Answer greeting = RawHttp.send(URI.create("http://" + site.address(site.node()) + ":30178"), "\0\0\0\1");
        assertThat(greeting.text()).as("what answers on the node's port").contains("caching_sha2_password");
    }

    // --- NFS server ---------------------------------------------------------------------------------------------------

    private static void nfsMountOptions(EffectSite site) {
        String mounts = new Nodes(site.cluster()).run(site.node(), "cat", "/proc/mounts");
        String volume = site.release().kubernetes().persistentVolumeClaims().inNamespace(site.release().namespace())
            .withName(site.release().name() + "-content").require().getSpec().getVolumeName();
        assertThat(mounts.lines().filter(line -> line.contains(volume) && line.contains("nfs"))).isNotEmpty().allMatch(line -> line.contains("noatime"));
    }

    private static void nfsCapabilities(EffectSite site) {
        String mask = site.shell("nfs", "nfs", "sed -n 's/^CapEff:\\s*//p' /proc/1/status");
        assertThat(Long.parseUnsignedLong(mask, 16) >> SYS_NICE & 1).as("CAP_SYS_NICE in %s", mask).isEqualTo(1);
    }

    /** Nodes reach the server, and pods do not. */
    private static void nfsClients(EffectSite site) {
        String server = site.pod("nfs").getStatus().getPodIP();
        String other = new Nodes(site.cluster()).names().get(0);
        assertThat(new Nodes(site.cluster()).run(other, "bash", "-c", connect(server, 2049))).contains("yes");
        assertThat(exec(site, "plugins", "plugins", connect(server, 2049))).contains("no answer");
    }

    /** A closed port refuses at once what a policy would drop: another address than the API server's gives no answer. */
    private static void apiServer(EffectSite site) {
        String stranger = site.release().pod("plugins").getStatus().getPodIP();
        assertThat(exec(site, Pods.name(site.pod("nfs")), "nfs", connect(stranger, 6443))).contains("no answer");
        assertThat(exec(site, Pods.name(site.pod("nfs")), "nfs", connect("kubernetes.default.svc", 443))).contains("yes");
    }

    private static String exec(EffectSite site, String pod, String container, String script) {
        return Pods.exec(site.release().kubernetes(), site.release().namespace(), pod, container, SOON, "bash", "-c", script);
    }

    private static String connect(String address, int port) {
        return "said=$(LC_ALL=C timeout 3 bash -c 'exec 3<>/dev/tcp/%s/%d' 2>&1) && echo yes || case $said in *refused*) echo refused ;; *) echo no answer ;; esac".formatted(address, port);
    }

    // --- the installation ---------------------------------------------------------------------------------------------

    /** Under any host name, links lead to the address of the values. */
    private static void siteAddress(EffectSite site) {
        var elsewhere = new Site(site.site().address(), "other.example");
        assertThat(elsewhere.get("/").expect(200).text()).contains("href=\"" + EffectSite.URL + "/").doesNotContain("other.example");
        assertThat(site.facts().path("home").asText()).isEqualTo(EffectSite.URL);
    }

    /** Core stays read-only even when plugin changes are allowed. */
    private static void coreIsFixed(EffectSite site) {
        assertThat(site.admin().get("/wp-admin/plugin-editor.php").status()).isEqualTo(403);
        assertThat(site.admin().get("/wp-admin/update-core.php?action=do-core-upgrade").text()).doesNotContain("name=\"upgrade\"");
        assertThat(site.constant("DISALLOW_FILE_EDIT").asBoolean()).isTrue();
    }

    private static void constants(EffectSite site) {
        assertThat(site.constant("EFFECT_NUMBER").isInt()).isTrue();
        assertThat(site.constant("EFFECT_NUMBER").asInt()).isEqualTo(5);
        assertThat(site.constant("EFFECT_FLAG").isBoolean()).isTrue();
        assertThat(site.constant("EFFECT_TEXT").asText()).isEqualTo("it's text");
    }

    /** What the plugins for S3 read. */
    private static void media(EffectSite site) {
        assertThat(site.constant("S3_UPLOADS_BUCKET").asText()).isEqualTo("effects/press");
        assertThat(site.constant("S3_UPLOADS_REGION").asText()).isEqualTo("eu-effects-1");
        assertThat(site.constant("S3_UPLOADS_BUCKET_URL").asText()).isEqualTo("https://cdn.effects.example/press");
        assertThat(site.constant("S3_UPLOADS_OBJECT_ACL").asText()).isEqualTo("bucket-owner-full-control");
        assertThat(site.constant("AS3CF_SETTINGS").asText()).contains("eu-effects-1").contains("cdn.effects.example");
    }

    private static void mail(EffectSite site) {
        int before = site.mails().length();
        site.site().postForm("/wp-login.php?action=lostpassword", Map.of("user_login", EffectSite.USER), Map.of()).expect(302);
        Await.until("the mail arrives", AT_ONCE, () -> assertThat(site.mails().substring(before))
            .contains("To: editor@effects.example").contains("<site@example.com>").contains("action=rp"));
    }

    // --- PHP ----------------------------------------------------------------------------------------------------------

    private static void uploadSize(EffectSite site) {
        assertThat(site.admin().get("/wp-admin/media-new.php").expect(200).text()).contains("3 MB");
        assertThat(upload(site, 1).status()).as("a file of 1 MB").isEqualTo(201);
        assertThat(upload(site, 4).status()).as("a file of 4 MB").isBetween(400, 500);
        assertThat(upload(site, 12).status()).as("a request of 12 MB").isEqualTo(413);
    }

    private static Page upload(EffectSite site, int megabytes) {
        String form = "--form\r\nContent-Disposition: form-data; name=\"file\"; filename=\"large.txt\"\r\nContent-Type: text/plain\r\n\r\n"
            + "text ".repeat(megabytes * 1024 * 1024 / 5) + "\r\n--form--\r\n";
        return site.admin().post("/wp-json/wp/v2/media", "multipart/form-data; boundary=form", form.getBytes(UTF_8));
    }

    private static void requestTimeout(EffectSite site) {
        Instant start = Instant.now();
        Page page = site.ask("/?sleep=20");
        assertThat(page.status()).isEqualTo(503);
        assertThat(Duration.between(start, Instant.now())).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(12));
    }

    /** Three, of which one is for queries. */
    private static void workers(EffectSite site) {
        var visitors = Executors.newFixedThreadPool(8);
        try {
            IntStream.range(0, 8).forEach(i -> visitors.submit(() -> site.site().request("POST", "/?sleep=4&n=" + i, Map.of())));
            Await.until("all workers are busy", AT_ONCE, () -> assertThat(site.shell("wordpress", "nginx",
                "wget -qO- http://127.0.0.1:8081/php")).containsPattern("total processes:\\s+2\n").containsPattern("max children reached:\\s+[1-9]"));
        } finally {
            visitors.shutdownNow();
        }
        // A POST takes one of the same workers; a query of a stranger would find the one for queries free.
        Await.until("the workers are free", SOON, () -> assertThat(site.site().request("POST", "/?free", Map.of()).status()).isEqualTo(200));
    }

    // --- nginx --------------------------------------------------------------------------------------------------------

    private static void pageCookies(EffectSite site) {
        for (String currency : List.of("EUR", "USD")) {
            Await.until("the page in " + currency + " comes from the cache", AT_ONCE, () -> {
                Page page = site.site().request("GET", "/?lang=priced", Map.of("Cookie", "shop_currency=" + currency));
                assertThat(page.text()).contains("<!-- currency: " + currency + " -->");
                assertThat(PageCache.xCache(page)).isEqualTo("HIT");
            });
        }
    }

    private static void bypasses(EffectSite site, String path, String cookie) {
        Map<String, String> headers = cookie.isEmpty() ? Map.of() : Map.of("Cookie", cookie);
        site.site().request("GET", path, headers);
        assertThat(PageCache.xCache(site.site().request("GET", path, headers))).isEqualTo("BYPASS");
    }

    /** A page is renewed in the background by the first request after its time. */
    private static void pageAge(EffectSite site) {
        String path = "/?lang=age";
        Await.until("the page is kept", AT_ONCE, () -> assertThat(PageCache.xCache(site.ask(path))).isEqualTo("HIT"));
        Await.until("the page's time is over", Duration.ofSeconds(8), () -> assertThat(PageCache.xCache(site.ask(path))).isEqualTo("STALE"));
    }

    private static void stalePages(EffectSite site) {
        String path = "/?lang=stale";
        site.ask(path).expect(200);
        site.shell("wordpress", "php", "touch /tmp/php-fails");
        try {
            assertThat(site.ask("/?facts").status()).isEqualTo(503);
            Await.until("the page is stale", AT_ONCE, () -> assertThat(PageCache.xCache(site.ask(path).expect(200))).isEqualTo("STALE"));
            Instant start = Instant.now();
            Await.until("5 s later it still is", AT_ONCE, () -> {
                assertThat(PageCache.xCache(site.ask(path).expect(200))).isEqualTo("STALE");
                assertThat(Duration.between(start, Instant.now())).isGreaterThan(Duration.ofSeconds(5));
            });
        } finally {
            site.shell("wordpress", "php", "rm -f /tmp/php-fails");
        }
    }

    /** A page that had no visitor for staleSeconds (60) is gone, and not before. */
    private static void forgottenPages(EffectSite site) {
        Instant visited = site.visitOnce();
        String files = "grep -rl 'KEY: .*" + EffectSite.VISITED_ONCE.replace("?", ".") + "' /var/cache/nginx/pages || true";
        Await.until("the page is gone", SOON.plusSeconds(30), () -> assertThat(site.shell("wordpress", "nginx", files)).isEmpty());
        assertThat(Duration.between(visited, Instant.now())).isGreaterThan(Duration.ofSeconds(55));
    }

    private static void cacheSize(EffectSite site) {
        IntStream.range(0, 40).forEach(page -> site.ask("/?lang=size" + page).expect(200));
        Await.until("the cache has its size again", Duration.ofSeconds(14), () -> assertThat(Integer.parseInt(
            site.shell("wordpress", "nginx", "du -sk /var/cache/nginx/pages | cut -f1"))).isLessThan(1600));
    }

    private static void accessLog(EffectSite site) {
        String mark = "/?log=" + System.nanoTime();
        site.ask(mark);
        Await.until("the request is in the log", AT_ONCE, () -> assertThat(site.log("nginx").lines()).anyMatch(line ->
            line.startsWith("{") && line.contains("\"uri\":\"" + mark + "\"") && line.contains("\"status\":200")));
    }

    private static void headers(EffectSite site) {
        for (String path : List.of("/", "/wp-login.php", "/wp-includes/css/dashicons.min.css", "/not-there/")) {
            assertThat(site.ask(path).headers().map()).as(path)
                .containsEntry("x-frame-options", List.of("DENY")).containsEntry("x-effects", List.of("seen"))
                .containsEntry("x-content-type-options", List.of("nosniff")).containsEntry("referrer-policy", List.of("strict-origin-when-cross-origin"))
                .doesNotContainKey("permissions-policy");
        }
    }

    private static void uploadPolicy(EffectSite site) {
        site.shell("wordpress", "php", "mkdir -p /usr/src/wordpress/wp-content/uploads && echo '<svg/>' >/usr/src/wordpress/wp-content/uploads/drawing.svg");
        assertThat(site.ask("/wp-content/uploads/drawing.svg").expect(200).headers().firstValue("Content-Security-Policy"))
            .hasValueSatisfying(policy -> assertThat(policy).contains("sandbox"));
    }

    private static void xmlRpc(EffectSite site) {
        String call = "<?xml version=\"1.0\"?><methodCall><methodName>demo.sayHello</methodName></methodCall>";
        assertThat(site.site().post("/xmlrpc.php", call.getBytes(UTF_8), Map.of("Content-Type", "text/xml", CLIENT, "198.51.100.9")).expect(200).text()).contains("Hello!");
    }

    /** SecurityIT asks a site that hides them. */
    private static void accounts(EffectSite site) {
        assertThat(site.ask("/?author=1").expect(301).headers().firstValue("Location")).get().asString().endsWith("/author/editor-in-chief/");
        assertThat(site.ask("/wp-json/wp/v2/users").expect(200).text()).contains("\"slug\":\"editor-in-chief\"");
        assertThat(site.site().postForm("/wp-login.php", Map.of("log", "unknown-name", "pwd", "x"), Map.of(CLIENT, "198.51.100.3")).text()).contains("unknown-name</strong> is not registered");
    }

    private static void administration(EffectSite site) {
        Map<String, String> outside = Map.of(CLIENT, "192.0.2.1");
        assertThat(site.site().get("/wp-login.php", outside).expect(403).text()).contains("closed to your address");
        site.site().get("/wp-admin/", outside).expect(403);
        site.site().get("/wp-admin/admin-ajax.php", outside).expect(400);
        site.site().get("/wp-login.php", Map.of(CLIENT, "198.51.100.4")).expect(200);
        // The password of a post, and nothing else in its name.
        site.site().postForm("/wp-login.php?action=postpass", Map.of("post_password", "x", "redirect_to", "/"), outside).expect(302);
        site.site().postForm("/wp-login.php?action=postpass", Map.of("action", "login", "log", "editor-in-chief", "pwd", "x"), outside).expect(403);
    }

    private static void loginLimit(EffectSite site) {
        List<Integer> answers = Stream.generate(() -> site.site().postForm("/wp-login.php", Map.of("log", "", "pwd", "x"), Map.of(CLIENT, "198.51.100.1")).status())
            .limit(24).toList();
        assertThat(answers.subList(0, 8)).containsOnly(200);
        assertThat(answers).contains(429);
        assertThat(site.site().postForm("/wp-login.php", Map.of("log", "", "pwd", "x"), Map.of(CLIENT, "198.51.100.2")).status()).isEqualTo(200);
    }

    /** Three failures, from an address each; and as many again when the period of 20 s is over. */
    private static void loginLockout(EffectSite site) {
        IntStream.range(0, 3).forEach(i -> assertThat(guess(site, "198.51.100.2" + i).text()).contains("is not registered"));
        Page refused = guess(site, "198.51.100.29").expect(429);
        assertThat(refused.text()).contains("Too many failed logins for this account");
        assertThat(refused.headers().firstValue("Retry-After")).contains("20");
        assertThat(site.log("php")).contains("login: 3 failures for the account \"guessed\"");
        Await.until("the period is over", SOON, () -> assertThat(guess(site, "198.51.100.30").text()).contains("is not registered"));
    }

    private static Page guess(EffectSite site, String client) {
        return site.site().postForm("/wp-login.php", Map.of("log", "guessed", "pwd", "x"), Map.of(CLIENT, client));
    }

    private static void trustedProxies(EffectSite site) {
        var facts = site.facts(Map.of(CLIENT, "198.51.100.5", "X-Forwarded-Proto", "https"));
        assertThat(facts.path("client").asText()).isEqualTo("198.51.100.5");
        assertThat(facts.path("https").asBoolean()).isTrue();
    }

    private static void leftovers(EffectSite site) {
        site.shell("wordpress", "php", "mkdir -p /usr/src/wordpress/wp-content/uploads && echo secret >/usr/src/wordpress/wp-content/uploads/dump.sql");
        site.ask("/wp-content/uploads/dump.sql").expect(404);
        site.ask("/.git/config").expect(404);
    }

    private static void uploadedCode(EffectSite site) {
        site.shell("wordpress", "php", "mkdir -p /usr/src/wordpress/wp-content/uploads && echo '<?php echo \"was\".\"run\";' >/usr/src/wordpress/wp-content/uploads/evil.php");
        assertThat(site.ask("/wp-content/uploads/evil.php").expect(404).text()).doesNotContain("wasrun");
    }

    // --- the Service --------------------------------------------------------------------------------------------------

    private static void service(EffectSite site) {
        Service service = service(site, "");
        assertThat(service.getMetadata().getAnnotations()).containsEntry("effects.example", "service");
        new Site(URI.create("http://" + site.address(site.node()) + ":30177"), EffectSite.HOST).get("/").expect(200);
        String inside = "echo @file_get_contents('http://%s:8085/', false, stream_context_create(['http' => ['header' => 'Host: %s', 'timeout' => 5]]));".formatted(site.release().name(), EffectSite.HOST);
        assertThat(Pods.exec(site.release().kubernetes(), site.release().namespace(), "plugins", "plugins", SOON, "php", "-r", inside)).contains("</html>");
    }

    /** With Local only the pod's own node answers, and visitors keep their addresses. */
    private static void trafficPolicy(EffectSite site) {
        String other = new Nodes(site.cluster()).names().stream().filter(node -> !node.equals(site.node())).findFirst().orElseThrow();
        boolean answers;
        try {
            new Site(URI.create("http://" + site.address(other) + ":30177"), EffectSite.HOST).get("/");
            answers = true;
        } catch (RuntimeException e) {
            answers = false;
        }
        assertThat(answers).as("%s, which has no pod, answers", other).isFalse();
    }

    /** What kube-proxy reads: a node sends its requests to the pod only if the pod is near to it, or no other pod is. */
    private static void trafficDistribution(EffectSite site) {
        assertThat(site.release().kubernetes().discovery().v1().endpointSlices().inNamespace(site.release().namespace())
            .withLabel("kubernetes.io/service-name", site.release().name()).list().getItems())
            .flatExtracting(EndpointSlice::getEndpoints).isNotEmpty()
            .allSatisfy(endpoint -> assertThat(endpoint.getHints().getForNodes()).extracting(ForNode::getName).containsExactly(endpoint.getNodeName()));
    }

    /** A pod that has to stop serves on for drainSeconds (8); without them, for as long as the kubelet takes to stop it. */
    private static void drain(EffectSite site) {
        Pod pod = site.pod("wordpress");
        Site before = site.site();
        site.ask("/").expect(200);
        Instant start = Instant.now();
        site.release().kubernetes().resource(pod).delete();
        Instant last = start;
        while (Duration.between(start, Instant.now()).compareTo(Duration.ofSeconds(30)) < 0) {
            try {
                before.request("GET", "/wp-includes/css/dashicons.min.css", Map.of("Connection", "close")).expect(200);
                last = Instant.now();
            } catch (RuntimeException e) {
                break;
            }
        }
        site.awaitWhole();
        assertThat(Duration.between(start, last)).isBetween(Duration.ofMillis(7500), Duration.ofSeconds(20));
    }

    // --- help ---------------------------------------------------------------------------------------------------------

    private static Service service(EffectSite site, String suffix) {
        return site.release().kubernetes().services().inNamespace(site.release().namespace()).withName(site.release().name() + suffix).require();
    }

    private static Stream<Container> containers(Pod pod) {
        return Stream.concat(pod.getSpec().getInitContainers().stream(), pod.getSpec().getContainers().stream());
    }

    private static Stream<ContainerStatus> statuses(Pod pod) {
        return Stream.concat(pod.getStatus().getInitContainerStatuses().stream(), pod.getStatus().getContainerStatuses().stream());
    }
}
