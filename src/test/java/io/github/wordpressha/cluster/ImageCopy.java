package io.github.wordpressha.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.wordpressha.Profiles;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

/** Gives images of the chart a second name in the test registry, without their layers being read. */
final class ImageCopy {

    private static final String TYPES = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /** The tag of every copy. */
    static final String TAG = "effects";

    private ImageCopy() {
    }

    /**
     * Copies the image that the chart's defaults name for a tier.
     *
     * @param tier where its {@code image} is among the values, such as {@code wordpress/nginx}
     * @param copy the repository of the copy
     * @return the digest, which both have
     */
    static String ofTier(String tier, String copy) {
        JsonNode image = Profiles.chart().defaults().at("/" + tier + "/image");
        String repository = image.path("repository").asText();
        String tag = image.path("tag").asText();
        HttpResponse<byte[]> manifest = send(request(repository + "/manifests/" + tag).header("Accept", TYPES));
        JsonNode blobs = json(manifest.body());
        mount(repository, copy, blobs.at("/config/digest").asText());
        blobs.path("layers").forEach(layer -> mount(repository, copy, layer.path("digest").asText()));
        send(request(copy + "/manifests/" + TAG).header("Content-Type", manifest.headers().firstValue("Content-Type").orElseThrow())
            .PUT(BodyPublishers.ofByteArray(manifest.body())));
        return manifest.headers().firstValue("Docker-Content-Digest").orElseThrow();
    }

    private static void mount(String from, String copy, String digest) {
        send(request(copy + "/blobs/uploads/?mount=" + digest + "&from=" + from).POST(BodyPublishers.noBody()));
    }

    private static HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://" + System.getenv("REGISTRY") + "/v2/" + path));
    }

    private static HttpResponse<byte[]> send(HttpRequest.Builder request) {
        try {
            HttpResponse<byte[]> response = CLIENT.send(request.build(), BodyHandlers.ofByteArray());
            if (response.statusCode() / 100 != 2) {
                throw new IllegalStateException(response.uri() + " answered " + response.statusCode() + ": " + new String(response.body()));
            }
            return response;
        } catch (IOException e) {
            throw new IllegalStateException("the registry does not answer", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static JsonNode json(byte[] bytes) {
        try {
            return new ObjectMapper().readTree(bytes);
        } catch (IOException e) {
            throw new IllegalStateException("the manifest is no JSON", e);
        }
    }
}
