package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The certificates of a release with TLS, as its servers show them and as its Secrets hold them.
 *
 * @param container of a member, with openssl and the member's own certificate; of an etcd pod, {@code status} has both
 * @param databasePorts the ports on which members show theirs at rest, with what openssl has to say first
 */
record Certificates(Release release, String container, List<String> databasePorts) {

    private static final Duration COMMAND = Duration.ofMinutes(1);
    private static final Duration ARRIVES = Duration.ofMinutes(8);
    /** Prints the serial number of the certificate that a server shows, as {@code serial=...}. */
    static final String SHOWN = """
        timeout 5 openssl s_client -connect "$0" $1 -CAfile /tls/ca.crt -verify_return_error -cert /tls/tls.crt -key /tls/tls.key </dev/null 2>/dev/null | openssl x509 -noout -serial""";

    static Certificates ofGalera(Release release) {
        return new Certificates(release, "mysql", List.of(":3306 -starttls mysql", ":4567 "));
    }

    static Certificates ofReplication(Release release) {
        return new Certificates(release, "elector", List.of(":3306 -starttls mysql", ":4444 "));
    }

    /** The serial number of the certificate that each server shows, by its address and port. It is asked in its own pod: policies keep other pods out. */
    Map<String, String> shown() {
        var shown = new HashMap<String, String>();
        release.pods("etcd").forEach(pod -> List.of(":2379 ", ":2380 ").forEach(port -> shown.put(address(pod, port), shown(pod, "status", port))));
        release.pods("database").forEach(pod -> databasePorts.forEach(port -> shown.put(address(pod, port), shown(pod, container, port))));
        return shown;
    }

    private String shown(Pod pod, String in, String port) {
        return in(Pods.name(pod), in, SHOWN, address(pod, port).split(" ", 2));
    }

    private static String address(Pod pod, String port) {
        return pod.getStatus().getPodIP() + port;
    }

    /** The serial number of the certificate in a tier's Secret: {@code etcd} or {@code mysql}. */
    String serial(String tier) {
        return inMember("openssl x509 -noout -serial <<<\"$0\"", release.secret(release.fullname() + "-" + tier + "-tls", "tls.crt"));
    }

    /** Waits until every server shows the certificate of its Secret, and none of these. */
    void awaitOthersThan(Map<String, String> before, Duration atMost) {
        Await.until("every server shows its new certificate", atMost, () -> {
            release.hasten();
            assertThat(shown().values()).containsOnly(serial("etcd"), serial("mysql")).doesNotContainAnyElementsOf(before.values());
        });
    }

    /** The certificate of the authority that certifies. */
    String authority() {
        return release.secret(release.fullname() + "-authority", "tls.crt");
    }

    /** Waits until each pod that checks certificates trusts these authorities. */
    void awaitTrusted(String authorities) {
        awaitFile("wordpress", "php", "/run/secrets/wordpress/database-ca.crt", authorities);
        awaitFile("database", container, "/tls/ca.crt", authorities);
    }

    private void awaitFile(String tier, String in, String file, String text) {
        Await.until("the authority is in every pod of " + tier, ARRIVES, () -> {
            release.hasten();
            for (Pod pod : release.pods(tier)) {
                assertThat(Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), in, COMMAND, "cat", file).strip()).isEqualTo(text.strip());
            }
        });
    }

    /** What a script prints in the first member. */
    String inMember(String script, String... arguments) {
        return in(release.fullname() + "-mysql-0", container, script, arguments);
    }

    private String in(String pod, String in, String script, String... arguments) {
        String[] command = Stream.concat(Stream.of("bash", "-c", script), Stream.of(arguments)).toArray(String[]::new);
        return Pods.exec(release.kubernetes(), release.namespace(), pod, in, COMMAND, command).strip();
    }
}
