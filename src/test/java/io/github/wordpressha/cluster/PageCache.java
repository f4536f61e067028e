package io.github.wordpressha.cluster;

import static java.util.stream.Collectors.toCollection;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * The page cache of one pod, as browsers meet it.
 *
 * @param site one pod
 * @param admin somebody who is logged in
 * @param post where a post is that takes comments
 * @param locked where a post is that has a password
 */
record PageCache(Site site, Session admin, String post, String locked) {

    private static final String PASSWORD = "open-sesame";
    private static final String LOCKED_TEXT = "known-to-whoever-has-the-password";
    private static final String ADMIN_BAR = "wpadminbar";
    private static final int VISITORS = 8;
    private static final int COMMENTERS = 20;

    /** Publishes the two posts that it needs. */
    static PageCache of(Site site, Session admin) {
        return new PageCache(site, admin, admin.publish("A post for everybody", "<p>Everybody may read this.</p>"),
            admin.publish("A post for some", "<p>" + LOCKED_TEXT + "</p>", PASSWORD));
    }

    /** What the cookies' names of this site end in. */
    private String hash() {
        var matcher = Pattern.compile("wordpress_logged_in_([0-9a-f]{32})=").matcher(admin.cookies());
        if (!matcher.find()) {
            throw new IllegalStateException("no login cookie in " + admin.cookies());
        }
        return matcher.group(1);
    }

    /** A row of cache-table.csv: the answer to the second of two equal requests. */
    Page second(String method, String path, String headers) {
        String target = fill(path);
        var fields = new HashMap<String, String>();
        if (headers != null) {
            for (String header : fill(headers).split(";;")) {
                String[] pair = header.split(":", 2);
                fields.put(pair[0].strip(), pair[1].strip());
            }
        }
        site.request(method, target, fields);
        return site.request(method, target, fields);
    }

    private String fill(String text) {
        return text.replace("{post}", post).replace("{protected}", locked).replace("{hash}", hash());
    }

    static String xCache(Page page) {
        return page.headers().firstValue("X-Cache").orElse("NONE");
    }

    // --- does anything leak? -----------------------------------------------------------------------------------------

    /**
     * What many visitors saw who asked at the same time.
     *
     * @param leaks somebody's page in the hands of somebody else, or in the cache
     * @param hits anonymous answers from the cache
     * @param personal answers that were made for one person and show it
     * @param unanswered requests for which there was no time
     */
    record Findings(List<String> leaks, int hits, int personal, int unanswered) {
    }

    /** So many requests of people of every kind, mixed at random. */
    Findings mix(int requests, long seed) {
        String opened = cookieForPassword();
        var findings = new CopyOnWriteArrayList<Findings>();
        var visitors = Executors.newFixedThreadPool(VISITORS);
        try {
            var all = new ArrayList<Future<?>>();
            for (int visitor = 0; visitor < VISITORS; visitor++) {
                var random = new Random(seed + visitor);
                all.add(visitors.submit(() -> findings.add(visit(requests / VISITORS, random, opened))));
            }
            for (Future<?> one : all) {
                one.get(30, TimeUnit.MINUTES);
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("a visitor gave up; seed " + seed, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            visitors.shutdownNow();
        }
        return new Findings(
            findings.stream().flatMap(one -> one.leaks().stream()).toList(),
            findings.stream().mapToInt(Findings::hits).sum(),
            findings.stream().mapToInt(Findings::personal).sum(),
            findings.stream().mapToInt(Findings::unanswered).sum());
    }

    private Findings visit(int requests, Random random, String opened) {
        var leaks = new ArrayList<String>();
        int hits = 0;
        int personal = 0;
        int unanswered = 0;
        for (int i = 0; i < requests; i++) {
            Person person = person(random, opened);
            Map<String, String> headers = oddHeaders(random);
            if (!person.cookies().isEmpty()) {
                headers.put("Cookie", person.cookies());
            }
            String method = pick(random, "GET", "GET", "GET", "GET", "GET", "GET", "HEAD", "POST");
            String path = path(random);
            Page page;
            try {
                page = site.request(method, path, headers);
            } catch (UncheckedIOException e) {
                unanswered++;
                continue;
            }
            String text = page.text();
            String cached = xCache(page);
            for (String secret : secretsIn(text)) {
                if (!secret.equals(person.secret())) {
                    leaks.add("%s saw %s: %s %s %s X-Cache %s".formatted(person, secret, method, path, headers, cached));
                }
            }
            boolean setsCookie = page.headers().allValues("Set-Cookie").stream().anyMatch(cookie -> !cookie.startsWith("wordpress_test_cookie"));
            if (setsCookie && person.secret().isEmpty() || setsCookie && cached.equals("HIT")) {
                leaks.add("%s was given cookies: %s %s %s".formatted(person, method, path, page.headers().allValues("Set-Cookie")));
            }
            if (!person.secret().isEmpty() && !cached.equals("BYPASS") && !cached.equals("NONE")) {
                leaks.add("%s was answered from everybody's pages: %s %s X-Cache %s".formatted(person, method, path, cached));
            }
            hits += person.secret().isEmpty() && cached.equals("HIT") ? 1 : 0;
            personal += !person.secret().isEmpty() && text.contains(person.secret()) ? 1 : 0;
        }
        return new Findings(leaks, hits, personal, unanswered);
    }

    /** Somebody with cookies, and what only this person's pages show; nothing for an anonymous visitor. */
    private record Person(String cookies, String secret) {
        @Override
        public String toString() {
            return secret.isEmpty() ? "an anonymous visitor" : "the person of " + secret;
        }
    }

    private Person person(Random random, String opened) {
        String harmless = pick(random, "", "", "_ga=GA1.2", "wordpress_test_cookie=WP%20Cookie%20check", "lang=de; consent=yes");
        String before = harmless.isEmpty() ? "" : harmless + pick(random, "; ", ";");
        return switch (random.nextInt(10)) {
            case 0, 1 -> new Person(before + admin.cookies(), ADMIN_BAR);
            case 2 -> {
                String name = "commenter" + random.nextInt(COMMENTERS) + "x";
                yield new Person(before + "comment_author_%s=%s; comment_author_email_%s=%s%%40example.com".formatted(hash(), name, hash(), name), name);
            }
            case 3 -> new Person(before + opened, LOCKED_TEXT);
            default -> new Person(harmless, "");
        };
    }

    private static TreeSet<String> secretsIn(String text) {
        var found = Pattern.compile(ADMIN_BAR + "|" + LOCKED_TEXT + "|commenter\\d+x").matcher(text).results()
            .map(result -> result.group()).collect(toCollection(TreeSet::new));
        return found;
    }

    private String path(Random random) {
        String page = pick(random, "/", "/", post, post, locked, locked, "/feed/", post + "feed/", "/author/admin/", "/no-such-page/", "/index.php",
            "/wp-json/wp/v2/posts", "/wp-admin/", "/wp-login.php", "/sample-page/", "/robots.txt", "/wp-sitemap.xml");
        String query = pick(random, "", "", "", "", "?utm_source=x", "?fbclid=1&utm_x=2", "?s=post", "?paged=1", "?preview=true", "?replytocom=1", "?x=" + random.nextInt(5));
        return pick(random, "", "", "", "", "", "", "/") + page + query;
    }

    private static Map<String, String> oddHeaders(Random random) {
        var headers = new HashMap<String, String>();
        switch (random.nextInt(12)) {
            case 0 -> headers.put("Cache-Control", "no-cache");
            case 1 -> headers.put("Range", "bytes=0-500");
            case 2 -> headers.put("X-Forwarded-Proto", "https");
            case 3 -> headers.put("X-Forwarded-Host", "evil.example");
            case 4 -> headers.put("If-Modified-Since", "Sat, 01 Jan 2000 00:00:00 GMT");
            case 5 -> headers.put("X-HTTP-Method-Override", "POST");
            case 6 -> headers.put("X-Original-URL", "/wp-admin/");
            default -> { }
        }
        return headers;
    }

    /** The cookie that opens the post with a password. */
    private String cookieForPassword() {
        Page answer = site.postForm("/wp-login.php?action=postpass", Map.of("post_password", PASSWORD), Map.of("Referer", "http://" + site.host() + locked));
        return answer.headers().allValues("Set-Cookie").stream().map(cookie -> cookie.split(";", 2)[0])
            .filter(cookie -> cookie.startsWith("wp-postpass_")).findFirst()
            .orElseThrow(() -> new IllegalStateException("no cookie for the password: " + answer.status() + " " + answer.headers()));
    }

    private static String pick(Random random, String... all) {
        return all[random.nextInt(all.length)];
    }
}
