package io.github.wordpressha.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The site's answer to one request. */
record Page(String path, int status, HttpHeaders headers, byte[] bytes) {

    private static final ObjectMapper JSON = new ObjectMapper();

    String text() {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    JsonNode json() {
        try {
            return JSON.readTree(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(path + " is no JSON: " + text(), e);
        }
    }

    /** Where it redirects to. */
    Optional<URI> location() {
        return status / 100 == 3 ? headers.firstValue("Location").map(URI::create) : Optional.empty();
    }

    /**
     * This answer, when its status is the expected one.
     *
     * @throws IllegalStateException otherwise, with the answer's beginning
     */
    Page expect(int expected) {
        if (status != expected) {
            throw new IllegalStateException("%s answered %d, not %d: %.500s".formatted(path, status, expected, text()));
        }
        return this;
    }
}
