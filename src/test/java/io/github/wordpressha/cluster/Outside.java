package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.readiness.Readiness;
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
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * What a site uses that is outside of its release, in a namespace of its own: a MySQL server (database.NAMESPACE.svc.cluster.local, with
 * a certificate for this name), an S3 server and a server of plugins (outside.NAMESPACE.svc.cluster.local, ports 9000 and 8000).
 */
record Outside(ClusterUnderTest cluster, String namespace) implements AutoCloseable {

    static final String PASSWORD = "a-password";
    static final String S3_KEY = "test-key";
    static final String S3_SECRET = "test-secret";
    private static final Path FILES = Path.of("src/test/resources/cluster/outside");
    private static final Duration START = Duration.ofMinutes(10);

    /** Starts all of it, and waits until it answers. */
    Outside start() {
        Namespaces.remove(client(), namespace, START);
        client().resource(new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build()).create();
        var files = new ConfigMapBuilder().withNewMetadata().withName("outside").endMetadata()
            .addToBinaryData(plugin("1.0.0").file(), base64(plugin("1.0.0").archive()))
            .addToBinaryData(plugin("1.1.0").file(), base64(plugin("1.1.0").archive()));
        for (String name : List.of("s3.php", "old-mysql.php", "certificates.sh", "accounts.sql")) {
            files.addToData(name, read(name));
        }
        client().resource(files.build()).inNamespace(namespace).create();
        for (HasMetadata object : client().load(new ByteArrayInputStream(
                read("outside.yaml").replace("NAMESPACE", namespace).getBytes(StandardCharsets.UTF_8))).items()) {
            client().resource(object).inNamespace(namespace).create();
        }
        Await.until("database, S3 and plugins are there", START, () -> assertThat(Readiness.isPodReady(pod())).isTrue());
        return this;
    }

    String database() {
        return "database." + namespace + ".svc.cluster.local";
    }

    /** A name that is known, but nobody answers. */
    String lostDatabase() {
        return "lost." + namespace + ".svc.cluster.local";
    }

    String s3Endpoint() {
        return "http://outside." + namespace + ".svc.cluster.local:9000";
    }

    /** The certificate of the authority that the database's own comes from. */
    String authority() {
        return Pods.exec(client(), namespace, "outside", "mysql", Duration.ofSeconds(30), "cat", "/certificates/ca.crt");
    }

    Pod pod() {
        return client().pods().inNamespace(namespace).withName("outside").require();
    }

    /** An object in S3, as everybody may read it. */
    Page object(String path) {
        return Site.at(cluster.addressOf(pod(), 9000)).get(path);
    }

    /** A plugin that brings uploads to S3, packed as archives of source repositories are: its directory is called after the release. */
    Plugin plugin(String version) {
        var bytes = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(bytes)) {
            var entry = new ZipEntry("media-to-s3-" + version + "/media-to-s3.php");
            entry.setTime(0);
            zip.putNextEntry(entry);
            zip.write(read("media-to-s3.php").replace("VERSION", version).getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Plugin("media-to-s3", "media-to-s3-" + version + ".zip", "http://outside." + namespace + ".svc.cluster.local:8000", bytes.toByteArray());
    }

    /** An archive on the server of plugins. */
    record Plugin(String slug, String file, String server, byte[] archive) {

        String url() {
            return server + "/" + file;
        }

        /** As in {@code wordpress.plugins}. */
        String yaml() {
            try {
                String sum = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(archive));
                return "{slug: %s, url: \"%s\", sha256: '%s'}".formatted(slug, url(), sum);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Override
    public void close() {
        Namespaces.delete(client(), namespace);
    }

    private KubernetesClient client() {
        return cluster.client();
    }

    private static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    private static String read(String name) {
        try {
            return Files.readString(FILES.resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
