package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The site over HTTP, as an anonymous visitor. Requests go to one address, whatever host name the site has: a redirect
 * to the site's own name changes the name that is asked for, not the address.
 *
 * @param address where the requests go, {@code http://host:port}
 * @param host the name in the {@code Host} header
 */
record Site(URI address, String host) {

    private static final HttpClient CLIENT = HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1).connectTimeout(Duration.ofSeconds(5)).build();
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final int MOST_REDIRECTS = 5;

    static Site at(URI address) {
        return new Site(address, address.getAuthority());
    }

    /** The same site at another address, for example at one pod. */
    Site through(URI otherAddress) {
        return new Site(otherAddress, host);
    }

    /** A page, after redirects. */
    Page get(String path) {
        return get(path, Map.of());
    }

    Page get(String path, Map<String, String> headers) {
        Site site = this;
        String target = path;
        for (int hop = 0; hop < MOST_REDIRECTS; hop++) {
            Page page = site.send("GET", target, headers, BodyPublishers.noBody());
            Optional<URI> location = page.location();
            if (location.isEmpty()) {
                return page;
            }
            target = pathAndQuery(location.get());
            site = new Site(address, Optional.ofNullable(location.get().getAuthority()).orElse(site.host));
        }
        throw new IllegalStateException(path + " redirects more than " + MOST_REDIRECTS + " times");
    }

    /** Any request without a body; redirects are not followed. */
    Page request(String method, String path, Map<String, String> headers) {
        return send(method, path, headers, BodyPublishers.noBody());
    }

    /** A form, posted; redirects are not followed. */
    Page postForm(String path, Map<String, String> fields, Map<String, String> headers) {
        var all = new HashMap<>(headers);
        all.put("Content-Type", "application/x-www-form-urlencoded");
        return send("POST", path, all, BodyPublishers.ofString(form(fields)));
    }

    /** The fields of a form, as browsers send them. */
    static String form(Map<String, String> fields) {
        return fields.entrySet().stream().map(field -> encode(field.getKey()) + "=" + encode(field.getValue())).collect(joining("&"));
    }

    /** Bytes, posted; redirects are not followed. */
    Page post(String path, byte[] body, Map<String, String> headers) {
        return send("POST", path, headers, BodyPublishers.ofByteArray(body));
    }

    /** Logs in by the form that people use. */
    Session logIn(String user, String password) {
        return Session.logIn(this, user, password);
    }

    private Page send(String method, String path, Map<String, String> headers, BodyPublisher body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(address + path)).timeout(TIMEOUT).setHeader("Host", host).method(method, body);
        headers.forEach(request::setHeader);
        try {
            HttpResponse<byte[]> response = CLIENT.send(request.build(), BodyHandlers.ofByteArray());
            return new Page(path, response.statusCode(), response.headers(), response.body());
        } catch (ConnectException e) {
            throw new UncheckedIOException("nothing listens at " + address, e);
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path + " at " + address, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** The path of a URL of the site, without its host. */
    static String pathAndQuery(URI url) {
        return url.getRawPath() + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery());
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
