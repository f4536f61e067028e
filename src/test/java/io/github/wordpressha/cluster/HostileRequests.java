package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toMap;

import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a stranger asks of each port of a release where no policies are enforced, and what must not change by it.
 *
 * @param topology of the database
 */
record HostileRequests(Release release, String topology) {

    private static final Duration COMMAND = Duration.ofMinutes(3);
    private static final Path FILES = Path.of("src/test/resources/cluster/closed");
    private static final String ASK_ETCD = "curl -sf --cacert /tls/ca.crt --cert /tls/tls.crt --key /tls/tls.key https://%s-etcd-client.%s.svc.cluster.local:2379/v3/%s -d '%s' | jq -c '%s'";

    /** The answers to a pod with the tools' image: each line begins with {@code refused} or {@code ACCEPTED}. */
    List<String> from(Pod stranger) {
        return ask(stranger.getMetadata().getNamespace(), Pods.name(stranger), Strangers.CONTAINER, "");
    }

    /** The answers to a member, which has a certificate, to requests that change nothing. */
    List<String> fromMember() {
        return ask(release.namespace(), release.members().names().get(0), tools(), "CERTIFICATE=/tls/tls.crt KEY=/tls/tls.key");
    }

    private List<String> ask(String namespace, String pod, String container, String variables) {
        String secret = release.fullname() + "-database";
        return Pods.exec(release.kubernetes(), namespace, pod, container, COMMAND, "bash", "-c", "env " + variables + " bash -c \"$0\" \"$@\"", read("hostile.sh"), "hostile",
            topology, address("etcd"), address("database"), release.secret(secret, "password"), release.secret(secret, "root-password"), release.secret(secret, "monitor-password"))
            .lines().toList();
    }

    /** The address of a tier's first pod; none, if the topology does not have the tier. */
    private String address(String tier) {
        return release.pods(tier).stream().map(pod -> pod.getStatus().getPodIP()).findFirst().orElse("none");
    }

    /** What must not change: etcd's lasting keys and members, the database's accounts, and the pods. */
    Map<String, String> state() {
        var state = new TreeMap<String, String>();
        if (!release.pods("etcd").isEmpty()) {
            state.put("keys", etcd("kv/range", "{\"key\": \"AA==\", \"range_end\": \"AA==\"}", "[.kvs[] | select(.lease == null) | [.key, .value]]"));
            state.put("members of etcd", etcd("cluster/member/list", "{}", "[.members[].ID] | sort"));
            state.put("alarms of etcd", etcd("maintenance/alarm", "{}", ".alarms"));
        }
        state.putAll(release.members().names().stream().collect(toMap(member -> "accounts of " + member,
            member -> release.members().query(member, "SELECT user, host FROM mysql.user ORDER BY 1, 2").toString())));
        if (topology.equals("galera")) {
            state.put("members", release.members().query(release.members().names().get(0), "SHOW STATUS LIKE 'wsrep_cluster_size'").toString());
        }
        state.put("pods", release.pods().stream().map(pod -> Pods.uid(pod) + " " + Pods.restarts(pod)).toList().toString());
        return state;
    }

    private String etcd(String path, String body, String filter) {
        return Pods.exec(release.kubernetes(), release.namespace(), release.members().names().get(0), tools(), COMMAND, "bash", "-o", "pipefail", "-c",
            ASK_ETCD.formatted(release.fullname(), release.namespace(), path, body, filter));
    }

    /** A container of each member with the tools and the certificate. */
    private String tools() {
        return topology.equals("galera") ? "mysql" : "elector";
    }

    static String read(String file) {
        try {
            return Files.readString(FILES.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
