package io.github.wordpressha.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.Pod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/** What the database's members have written to etcd about themselves, below {@code /<namespace>/<fullname>/}. */
record Registry(Release release) {

    private static final int CLIENT_PORT = 2379;

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

    private String value(String key) {
        String path = "/%s/%s/%s".formatted(release.namespace(), release.fullname(), key);
        String body = "{\"key\": \"" + Base64.getEncoder().encodeToString(path.getBytes(StandardCharsets.UTF_8)) + "\"}";
        JsonNode found = ask(body.getBytes(StandardCharsets.UTF_8));
        if (!found.has("kvs")) {
            throw new IllegalStateException("etcd has no " + path);
        }
        return new String(Base64.getDecoder().decode(found.get("kvs").get(0).get("value").asText()), StandardCharsets.UTF_8);
    }

    /** By the first member of etcd that answers: one may be on a node that is lost. */
    private JsonNode ask(byte[] range) {
        RuntimeException last = new IllegalStateException("there is no pod of etcd");
        for (Pod etcd : release.pods("etcd")) {
            try {
                return Site.at(release.cluster().addressOf(etcd, CLIENT_PORT)).post("/v3/kv/range", range, Map.of("Content-Type", "application/json")).expect(200).json();
            } catch (UncheckedIOException | IllegalStateException e) {
                last = e;
            }
        }
        throw last;
    }

    private static JsonNode json(String text) {
        try {
            return new ObjectMapper().readTree(text);
        } catch (IOException e) {
            throw new UncheckedIOException(text, e);
        }
    }
}
