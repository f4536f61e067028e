package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.scheduling.v1.PriorityClassBuilder;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A small site, with one database server and the in-chart NFS server, in which nearly every value differs from its default
 * ({@code effects/site.yaml}): what a probe finds there is no default.
 */
final class EffectSite {

    static final String URL = "http://www.effects.example";
    static final String HOST = "www.effects.example";
    static final String USER = "editor-in-chief";
    static final String VISITED_ONCE = "/?lang=visited-once";
    static final String PASSWORD = "own-admin";
    static final int PRIORITY = 1234;
    private static final String PRIORITY_CLASS = "effects";
    private static final Path FILES = Path.of("src/test/resources/cluster/effects");
    private static final Duration PATIENCE = Duration.ofMinutes(4);
    private static final Duration COMMAND = Duration.ofSeconds(60);

    private final ClusterUnderTest cluster;
    private final MailServer mail;
    private final String node;
    private Release release;
    private Session admin;
    private Instant visited;

    /** @param values that win over those of the file */
    EffectSite(ClusterUnderTest cluster, Release release, String values) throws Exception {
        this.cluster = cluster;
        this.mail = MailServer.prepare(release, "starttls");
        this.node = new Nodes(cluster).names().get(1);
        this.release = release.with(mail.values()).with(values()).with(values);
    }

    private String values() {
        return read("site.yaml")
            .replace("MAIL_AUTHORITY", MailServer.AUTHORITY)
            .replace("NODES", new Nodes(cluster).network())
            .replace("NODE", node)
            .replace("NGINX_DIGEST", ImageCopy.ofTier("wordpress/nginx", "effects/nginx"))
            .replace("PLUGIN_SHA256", HexFormat.of().formatHex(sha256(plugin())));
    }

    /** A node's address in the cluster's network. */
    String address(String nodeName) {
        return new Nodes(cluster).address(nodeName);
    }

    /** Makes what the values name. */
    void prepare() {
        ImageCopy.ofTier("wordpress", "effects/wordpress");
        ImageCopy.ofTier("router", "effects/haproxy");
        ImageCopy.ofTier("database/mysql", "effects/mysql");
        ImageCopy.ofTier("nfs", "effects/nfs-provisioner");
        ImageCopy.ofTier("tools", "effects/tools");
        objects();
    }

    /** Installs, and waits until all is ready. */
    void install() {
        release.installReady();
        mail.start();
        Await.until("the install Job has ended", PATIENCE, () -> assertThat(installLog()).contains("Activated the plugin"));
    }

    private void objects() {
        var kubernetes = release.kubernetes();
        String yaml = read("objects.yaml").replace("PLUGIN_ARCHIVE", Base64.getEncoder().encodeToString(plugin()));
        kubernetes.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))).inNamespace(release.namespace()).create();
        kubernetes.resource(new PriorityClassBuilder().withNewMetadata().withName(PRIORITY_CLASS).endMetadata().withValue(PRIORITY).build()).serverSideApply();
        kubernetes.resource(new ConfigMapBuilder().withNewMetadata().withName("probe").withNamespace(release.namespace()).endMetadata()
            .addToData("probe.php", read("probe.php")).build()).create();
    }

    /** The archive of a plugin that does nothing. */
    private static byte[] plugin() {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            var entry = new ZipEntry("witness/witness.php");
            entry.setTime(0);
            zip.putNextEntry(entry);
            zip.write("<?php\n/* Plugin Name: Witness\nVersion: 1.0 */\n".getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Removes what is not in the namespace. */
    void close() {
        release.kubernetes().scheduling().v1().priorityClasses().withName(PRIORITY_CLASS).delete();
    }

    /** Upgrades to another chart, and waits until it is in force and the site answers. */
    void upgrade(Release changed) {
        release = changed;
        release.upgrade();
        awaitWhole();
    }

    /** Waits until the pods of before have gone, and the site answers. */
    void awaitWhole() {
        release.awaitReady(PATIENCE);
        Await.until("the pods of before have gone", PATIENCE, () -> assertThat(release.pods("wordpress")).hasSize(1));
        site().get("/").expect(200);
    }

    Release release() {
        return release;
    }

    ClusterUnderTest cluster() {
        return cluster;
    }

    /** The node that the values name. */
    String node() {
        return node;
    }

    String mails() {
        return mail.mails();
    }

    /** The one pod of a tier. */
    Pod pod(String component) {
        List<Pod> pods = release.pods(component).stream().filter(pod -> !pod.isMarkedForDeletion()).toList();
        assertThat(pods).as("pods of " + component).hasSize(1);
        return pods.get(0);
    }

    /** The site as its proxy asks its pod. */
    Site site() {
        Pod pod = pod("wordpress");
        return new Site(cluster.addressOf(pod, Pods.port(pod, "http")), HOST);
    }

    /** The administrator, logged in once. */
    Session admin() {
        if (admin == null) {
            admin = site().logIn(USER, PASSWORD);
        }
        return admin.at(site());
    }

    /** The answer to a question that passes the cache. */
    Page ask(String path) {
        return site().request("GET", path, Map.of());
    }

    /** Asks for a page the first time this is called, and never again; returns when that was. */
    Instant visitOnce() {
        if (visited == null) {
            ask(VISITED_ONCE).expect(200);
            visited = Instant.now();
        }
        return visited;
    }

    /** What a request finds in PHP (probe.php). */
    JsonNode facts() {
        return facts(Map.of());
    }

    JsonNode facts(Map<String, String> headers) {
        return site().request("GET", "/?facts", headers).expect(200).json();
    }

    /** A constant of wp-config.php as a request sees it. */
    JsonNode constant(String name) {
        return facts().at("/constants/" + name);
    }

    String shell(String component, String container, String script) {
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod(component)), container, COMMAND, "sh", "-c", script).strip();
    }

    /** The first value that root gets from the database. */
    String sql(String statement) {
        return String.join("\n", release.members().query(Pods.name(pod("database")), statement));
    }

    String log(String container) {
        return release.kubernetes().pods().resource(pod("wordpress")).inContainer(container).getLog();
    }

    /** The logs of the pods that installed the site. */
    String installLog() {
        var text = new StringBuilder();
        release.kubernetes().pods().inNamespace(release.namespace()).withLabel("app.kubernetes.io/component", "wordpress-install").list().getItems()
            .forEach(pod -> text.append(release.kubernetes().pods().resource(pod).inContainer("install").getLog()));
        return text.toString();
    }

    private static String read(String file) {
        try {
            return Files.readString(FILES.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
