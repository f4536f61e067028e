package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.client.readiness.Readiness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * A mail server in the release's namespace, which prints what it gets ({@code mail-server.php}), and demands a login.
 *
 * @param tls as {@code wordpress.smtp.tls} has it; the server knows no other way
 */
record MailServer(Release release, String tls) {

    private static final String NAME = "mail";
    private static final int PORT = 2587;
    /** Where PHP finds the server's authority: the hash is what {@code openssl x509 -noout -hash} prints for the subject CN=mail. */
    static final String AUTHORITY = "/etc/ssl/certs/be8f103f.0";
    private static final String PASSWORD = "a password; with \"odd\" signs";

    /** Makes what the site and the server need to trust each other, and the server's address, before the site is installed. */
    static MailServer prepare(Release release, String tls) throws Exception {
        var server = new MailServer(release, tls);
        server.createKeys();
        return server;
    }

    /** The values that let the site send mail by it. */
    String values() {
        return """
            wordpress:
              smtp: {host: %s, port: %d, tls: %s, existingSecret: mail-login, from: site@example.com}
              extraVolumes: [{name: mail-authority, configMap: {name: mail-authority}}]
              extraVolumeMounts: [{name: mail-authority, mountPath: %s, subPath: ca.crt}]
            """.formatted(NAME, PORT, tls, AUTHORITY);
    }

    /** All that it has printed. */
    String mails() {
        return release.kubernetes().pods().inNamespace(release.namespace()).withName(NAME).getLog();
    }

    private void createKeys() throws Exception {
        Path directory = Files.createTempDirectory("mail");
        Path keys = directory.resolve("keys.p12");
        Path certificate = directory.resolve("ca.crt");
        keytool("-genkeypair", "-keystore", keys.toString(), "-storetype", "PKCS12", "-storepass", PASSWORD, "-alias", NAME,
            "-keyalg", "EC", "-dname", "CN=" + NAME, "-ext", "san=dns:" + NAME, "-ext", "bc:c", "-validity", "2");
        keytool("-exportcert", "-rfc", "-keystore", keys.toString(), "-storepass", PASSWORD, "-alias", NAME, "-file", certificate.toString());
        var kubernetes = release.kubernetes();
        String namespace = release.namespace();
        kubernetes.resource(new ConfigMapBuilder().withNewMetadata().withName("mail-authority").withNamespace(namespace).endMetadata()
            .addToData("ca.crt", Files.readString(certificate)).build()).create();
        kubernetes.resource(new SecretBuilder().withNewMetadata().withName("mail-login").withNamespace(namespace).endMetadata()
            .addToStringData("username", "site").addToStringData("password", PASSWORD).build()).create();
        kubernetes.resource(new SecretBuilder().withNewMetadata().withName("mail-server").withNamespace(namespace).endMetadata()
            .addToStringData("server.php", program())
            .addToData("keys.p12", Base64.getEncoder().encodeToString(Files.readAllBytes(keys))).build()).create();
        kubernetes.resource(new ServiceBuilder().withNewMetadata().withName(NAME).withNamespace(namespace).endMetadata()
            .withNewSpec().withSelector(Map.of("app", NAME)).addNewPort().withPort(PORT).endPort().endSpec().build()).create();
    }

    /** Starts it, with the PHP of the site's image. */
    void start() {
        var kubernetes = release.kubernetes();
        String image = release.pods("wordpress").get(0).getSpec().getContainers().get(0).getImage();
        var pod = kubernetes.resource(new PodBuilder().withNewMetadata().withName(NAME).withNamespace(release.namespace()).withLabels(Map.of("app", NAME)).endMetadata()
            .withNewSpec().withTerminationGracePeriodSeconds(0L)
            .addNewContainer().withName(NAME).withImage(image).withCommand("php", "/server/server.php", "" + PORT, "/server/keys.p12", PASSWORD, tls)
            .addNewVolumeMount().withName("server").withMountPath("/server").endVolumeMount().endContainer()
            .addNewVolume().withName("server").withNewSecret().withSecretName("mail-server").endSecret().endVolume()
            .endSpec().build()).create();
        Await.until("the mail server runs", Duration.ofMinutes(2), () -> {
            assertThat(Readiness.isPodReady(kubernetes.resource(pod).get())).isTrue();
            assertThat(mails()).contains("Waiting for mail.");
        });
    }

    private static String program() throws IOException {
        try (var stream = MailServer.class.getResourceAsStream("/cluster/mail-server.php")) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void keytool(String... arguments) throws IOException, InterruptedException {
        var command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IllegalStateException(command + ": " + output);
        }
    }
}
