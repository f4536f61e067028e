package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.joining;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;

/** A person who is logged in: the cookies of WordPress's login form, and the nonce that the editor sends with its REST calls. */
record Session(Site site, String cookies, String nonce) {

    static final String TEST_COOKIE = "wordpress_test_cookie=WP%20Cookie%20check";

    static Session logIn(Site site, String user, String password) {
        site.get("/wp-login.php").expect(200);
        Page answer = site.postForm("/wp-login.php",
            Map.of("log", user, "pwd", password, "wp-submit", "Log In", "testcookie", "1"), Map.of("Cookie", TEST_COOKIE)).expect(302);
        String cookies = answer.headers().allValues("Set-Cookie").stream()
            .map(cookie -> cookie.split(";", 2)[0])
            .filter(cookie -> !cookie.endsWith("=%20"))
            .collect(joining("; "));
        String nonce = site.get("/wp-admin/admin-ajax.php?action=rest-nonce", Map.of("Cookie", cookies)).expect(200).text();
        return new Session(site, cookies, nonce);
    }

    /** A page of the administration. */
    Page get(String path) {
        return site.get(path, Map.of("Cookie", cookies));
    }

    /** The same person at another address of the site. */
    Session at(Site address) {
        return new Session(address, cookies, nonce);
    }

    /** Saves a draft, as the editor does. */
    void draft(String title) {
        byte[] body = new ObjectMapper().createObjectNode().put("title", title).put("status", "draft").toString().getBytes(StandardCharsets.UTF_8);
        call("/wp/v2/posts", body, Map.of("Content-Type", "application/json"));
    }

    /** Uploads a PNG image to the media library. */
    Media upload(String fileName, byte[] png) {
        return upload(fileName, "image/png", png);
    }

    /** Uploads a file of any type to the media library. */
    Media upload(String fileName, String type, byte[] bytes) {
        JsonNode media = offer(fileName, type, bytes).expect(201).json();
        return new Media(media.get("id").asLong(), Site.pathAndQuery(URI.create(media.get("source_url").asText())));
    }

    /** The site's answer to an upload, also when it refuses it. */
    Page offer(String fileName, String type, byte[] bytes) {
        return send("/wp/v2/media", bytes, Map.of("Content-Type", type, "Content-Disposition", "attachment; filename=\"" + fileName + "\""));
    }

    /** The same person, by another way to the site: its host name and so the cookies stay. */
    Session through(URI address) {
        return new Session(site.through(address), cookies, nonce);
    }

    /** Publishes a post that shows the image. */
    Post publish(String title, Media image) {
        var body = new ObjectMapper().createObjectNode()
            .put("title", title)
            .put("content", "<p>A post with an image.</p><img src=\"" + image.path() + "\">")
            .put("status", "publish")
            .put("featured_media", image.id());
        JsonNode post = call("/wp/v2/posts", body.toString().getBytes(StandardCharsets.UTF_8), Map.of("Content-Type", "application/json"));
        return new Post(post.get("id").asLong(), title, Site.pathAndQuery(URI.create(post.get("link").asText())), image);
    }

    /** Sends a form of the administration; redirects are not followed. */
    Page post(String path, String contentType, byte[] body) {
        return site.post(path, body, Map.of("Cookie", cookies, "X-WP-Nonce", nonce, "Content-Type", contentType));
    }

    /** Publishes a page of text; returns where visitors find it. */
    String publish(String title, String text) {
        return publish(title, text, "");
    }

    /** As {@link #publish(String, String)}, readable only for those who know the password. */
    String publish(String title, String text, String password) {
        var body = new ObjectMapper().createObjectNode().put("title", title).put("content", text).put("status", "publish").put("password", password);
        JsonNode post = call("/wp/v2/posts", body.toString().getBytes(StandardCharsets.UTF_8), Map.of("Content-Type", "application/json"));
        return Site.pathAndQuery(URI.create(post.get("link").asText()));
    }

    /** Publishes a post of text that is edited later. */
    Text write(String title, String text) {
        var body = new ObjectMapper().createObjectNode().put("title", title).put("content", text).put("status", "publish");
        JsonNode post = call("/wp/v2/posts", body.toString().getBytes(StandardCharsets.UTF_8), Map.of("Content-Type", "application/json"));
        return new Text(post.get("id").asLong(), Site.pathAndQuery(URI.create(post.get("link").asText())));
    }

    /** Replaces a post's text, as the editor does. */
    void edit(Text post, String text) {
        byte[] body = new ObjectMapper().createObjectNode().put("content", text).toString().getBytes(StandardCharsets.UTF_8);
        send("/wp/v2/posts/" + post.id(), body, Map.of("Content-Type", "application/json")).expect(200);
    }

    /** Schedules a post; returns where visitors will find it. */
    String publishAt(String title, Instant moment) {
        var body = new ObjectMapper().createObjectNode().put("title", title).put("content", "<p>" + title + "</p>").put("status", "future")
            .put("date_gmt", moment.truncatedTo(ChronoUnit.SECONDS).toString().replace("Z", ""));
        JsonNode post = call("/wp/v2/posts", body.toString().getBytes(StandardCharsets.UTF_8), Map.of("Content-Type", "application/json"));
        return Site.pathAndQuery(URI.create(post.get("link").asText()));
    }

    private JsonNode call(String route, byte[] body, Map<String, String> headers) {
        return send(route, body, headers).expect(201).json();
    }

    private Page send(String route, byte[] body, Map<String, String> headers) {
        var all = new HashMap<>(headers);
        all.put("Cookie", cookies);
        all.put("X-WP-Nonce", nonce);
        return site.post("/?rest_route=" + route, body, all);
    }

    /** An uploaded file; {@code path} is where visitors find it. */
    record Media(long id, String path) {
    }

    /** A published post without an image. */
    record Text(long id, String path) {
    }

    /** A published post; {@code path} is where visitors find it. */
    record Post(long id, String title, String path, Media image) {
    }
}
