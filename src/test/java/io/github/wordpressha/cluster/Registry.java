package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toMap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** What the database's members have written to etcd about themselves, below {@code /<namespace>/<fullname>/}. */
record Registry(Release release) {

    private static final int CLIENT_PORT = 2379;
    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final String INSIDE = """
        . /scripts/client.sh && ETCD_ENDPOINTS=https://127.0.0.1:2379 && etcd_call kv/range "$0" && printf %s "$etcd_reply"
        """;

    /** The Galera cluster's UUID. */
    String uuid() {
        return value("galera/uuid");
    }

    /** The names of the members of the last Galera view that was recorded, sorted. */
    List<String> members() {
        return StreamSupport.stream(json(value("galera/view")).get("members").spliterator(), false).map(JsonNode::asText).sorted().toList();
    }

    /** The member that may write, by replication's lease. */
    String primary() {
        return json(value("replication/primary")).get("pod").asText();
    }

    /** What is recorded below a prefix that ends in a slash, by the rest of the key. */
    Map<String, JsonNode> below(String prefix) {
        String path = path(prefix);
        // The next text of the same length: a slash is followed by a zero.
        String end = path.substring(0, path.length() - 1) + '0';
        JsonNode found = ask(range("{\"key\": \"%s\", \"range_end\": \"%s\"}".formatted(encoded(path), encoded(end))));
        return StreamSupport.stream(found.path("kvs").spliterator(), false)
            .collect(toMap(pair -> decoded(pair.get("key")).substring(path.length()), pair -> json(decoded(pair.get("value")))));
    }

    private String value(String key) {
        JsonNode found = ask(range("{\"key\": \"%s\"}".formatted(encoded(path(key)))));
        if (!found.has("kvs")) {
            throw new IllegalStateException("etcd has no " + path(key));
        }
        return decoded(found.get("kvs").get(0).get("value"));
    }

    private String path(String key) {
        return "/%s/%s/%s".formatted(release.namespace(), release.fullname(), key);
    }

    private static byte[] range(String json) {
        return json.getBytes(StandardCharsets.UTF_8);
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String decoded(JsonNode text) {
        return new String(Base64.getDecoder().decode(text.asText()), StandardCharsets.UTF_8);
    }

    /** By the first member of etcd that answers: one may be on a node that is lost. */
    private JsonNode ask(byte[] range) {
        RuntimeException last = new IllegalStateException("there is no pod of etcd");
        for (Pod etcd : release.pods("etcd")) {
            try {
                return encrypts(etcd) ? askInside(etcd, range)
                    : Site.at(release.cluster().addressOf(etcd, CLIENT_PORT)).post("/v3/kv/range", range, Map.of("Content-Type", "application/json")).expect(200).json();
            } catch (UncheckedIOException | IllegalStateException e) {
                last = e;
            }
        }
        throw last;
    }

    private static boolean encrypts(Pod etcd) {
        return etcd.getSpec().getVolumes().stream().anyMatch(volume -> volume.getName().equals("tls"));
    }

    /** From the member's own pod, which has a certificate. */
    private JsonNode askInside(Pod etcd, byte[] range) {
        return json(Pods.exec(release.kubernetes(), release.namespace(), Pods.name(etcd), "status", TIMEOUT, "bash", "-c", INSIDE, new String(range, StandardCharsets.UTF_8)));
    }

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        }
    }
}
