package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
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
    private static final List<String> ETCD_PORTS = List.of(":2379 ", ":2380 ");
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
        return Stream.concat(servers("etcd", "status", ETCD_PORTS), servers("database", container, databasePorts))
            .collect(toMap(Server::address, server -> run(Pods.name(server.pod), server.container, SHOWN, server.address().split(" ", 2))));
    }

    private Stream<Server> servers(String tier, String inContainer, List<String> ports) {
        return release.pods(tier).stream().flatMap(pod -> ports.stream().map(port -> new Server(pod, inContainer, port)));
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
        return run(release.fullname() + "-mysql-0", container, script, arguments);
    }

    private String run(String pod, String inContainer, String script, String... arguments) {
        String[] command = Stream.concat(Stream.of("bash", "-c", script), Stream.of(arguments)).toArray(String[]::new);
        return Pods.exec(release.kubernetes(), release.namespace(), pod, inContainer, COMMAND, command).strip();
    }

    /** A port that shows a certificate, and the container that asks it. */
    private record Server(Pod pod, String container, String port) {

        String address() {
            return pod.getStatus().getPodIP() + port;
        }
    }
}
