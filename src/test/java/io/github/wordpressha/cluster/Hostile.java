package io.github.wordpressha.cluster;

import io.github.wordpressha.cluster.RawHttp.Answer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A request that somebody sends who means no good.
 *
 * @param bytes the request; HOST stands for the site's name
 * @param statuses one of these is meant; 0: the connection is closed without an answer
 * @param absent what the answer must not contain
 * @param present what it must contain
 */
record Hostile(String name, String bytes, Set<Integer> statuses, String absent, String present) {

    /** nginx waits 15 seconds for a header. */
    private static final Duration PATIENCE_WITH_THE_SLOW = Duration.ofSeconds(25);

    String request(String host) {
        return bytes.replace("HOST", host);
    }

    /** What is wrong with the answer; empty: nothing. */
    String problem(Answer answer) {
        if (!statuses.contains(answer.status())) {
            return "answered " + answer.status() + ", not " + statuses + ": " + answer.text().lines().limit(3).toList();
        }
        if (!absent.isEmpty() && answer.text().contains(absent)) {
            return "the answer contains " + absent;
        }
        if (!present.isEmpty() && !answer.text().contains(present)) {
            return "the answer does not contain " + present;
        }
        return statuses.contains(0) && answer.after().compareTo(PATIENCE_WITH_THE_SLOW) > 0 ? "held a connection for " + answer.after() : "";
    }

    static List<Hostile> all() {
        var all = new ArrayList<Hostile>();
        // Out of the root, and to the configuration.
        for (String path : List.of("/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/wp-content/../../../etc/passwd",
                "/wp-content/uploads/..%2f..%2f..%2f..%2fetc/passwd", "/a.php%00.jpg")) {
            all.add(get(path, 400));
        }
        for (String path : List.of("/wp-config.php", "//wp-config.php", "/WP-CONFIG.PHP", "/wp-config.php~", "/wp-config.php.bak", "/wp-config.txt",
                "/wp-config-sample.php", "/.wp-config.php.swp", "/wp-content/uploads/..%2f..%2fwp-config.php", "/wp-content/plugins/%2e%2e/%2e%2e/wp-config.php",
                "/.git/config", "/.env", "/.htaccess", "/wp-content/.wordpress-ha-seeded")) {
            all.add(get(path, 404));
        }
        // Code that was uploaded, or that only other code includes.
        for (String path : List.of("/wp-content/uploads/evil.php", "/wp-content/uploads/evil.php/a.jpg", "/wp-content/uploads//evil.php", "/wp-content/uploads/evil.PHP",
                "/wp-content/uploads/evil.phtml", "/wp-content/uploads/evil.php5", "/wp-content/uploads/evil.phar", "/wp-content/uploads/evil.inc",
                "/wp-content/uploads/evil.jpg/a.php", "/wp-content/./uploads/%65vil.php", "/wp-includes/version.php", "/wp-admin/includes/file.php")) {
            all.add(new Hostile("GET " + path, line("GET", path), Set.of(404), "wasrun", ""));
        }
        all.add(new Hostile("a picture is no PHP", line("GET", "/wp-content/uploads/evil.jpg"), Set.of(200), "wasrun", "Content-Type: image/jpeg"));
        all.add(new Hostile("a script in an uploaded drawing", line("GET", "/wp-content/uploads/evil.svg"), Set.of(200), "", "sandbox"));
        all.add(new Hostile("a listing", line("GET", "/wp-content/uploads/listed/"), Set.of(301, 404), "a.txt", ""));
        // Leftovers, installers, what informs attackers.
        for (String path : List.of("/wp-content/uploads/dump.sql", "/wp-content/uploads/site.sql.gz", "/wp-content/uploads/debug.log", "/wp-content/debug.log",
                "/wp-admin/install.php", "/wp-admin/setup-config.php", "/wp-admin/upgrade.php", "/readme.html", "/license.txt", "/wp-cron.php")) {
            all.add(get(path, 404));
        }
        // XML-RPC is off.
        all.add(get("/xmlrpc.php", 404));
        all.add(get("//xmlrpc.php?rsd", 404));
        String call = "<methodCall><methodName>system.listMethods</methodName></methodCall>";
        all.add(new Hostile("an XML-RPC call", "POST /xmlrpc.php HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nContent-Length: " + call.length() + "\r\n\r\n" + call,
            Set.of(404), "methodResponse", ""));
        // Which accounts are there? The administrator of the install is called admin.
        for (String path : List.of("/?author=1", "/author/admin/", "/author/admin/feed/", "/?author_name=admin", "/wp-json/wp/v2/users", "/wp-json/wp/v2/users/1",
                "/wp-json/wp/v2/USERS", "/?rest_route=/wp/v2/users", "/wp-sitemap-users-1.xml")) {
            all.add(new Hostile("GET " + path, line("GET", path), Set.of(404), "\"admin\"", ""));
        }
        all.add(new Hostile("the author of an embedded post", line("GET", "/wp-json/oembed/1.0/embed?url=https://HOST/?p=1"), Set.of(200), "author_", "title"));
        all.add(new Hostile("a post with its author", line("GET", "/wp-json/wp/v2/posts?_embed=author"), Set.of(200), "\"slug\":\"admin\"", "rest_no_route"));
        all.add(form("a login with a wrong name", "", "log=nobody-here&pwd=wrong&testcookie=1", 200, "Incorrect username or password"));
        all.add(form("a login with a wrong password", "", "log=admin&pwd=wrong&testcookie=1", 200, "Incorrect username or password"));
        all.add(form("the lost password of no account", "?action=lostpassword", "user_login=nobody-here", 302, "checkemail=confirm"));
        all.add(form("the lost password of an account", "?action=lostpassword", "user_login=admin", 302, "checkemail=confirm"));
        // Methods.
        for (String method : List.of("TRACE", "TRACK", "DEBUG", "PROPFIND", "MOVE")) {
            all.add(new Hostile("method " + method, line(method, "/"), Set.of(405), "", ""));
        }
        all.add(new Hostile("method CONNECT", "CONNECT example.com:443 HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n", Set.of(400, 405), "", ""));
        all.add(new Hostile("method in small letters", line("get", "/"), Set.of(400), "", ""));
        // Too large, too slow.
        all.add(new Hostile("a header of 40 kB", head("GET", "/") + "X-Large: " + "a".repeat(40_000) + "\r\n\r\n", Set.of(400, 494), "", ""));
        all.add(new Hostile("cookies of 100 kB", head("GET", "/") + ("Cookie: a=" + "b".repeat(10_000) + "\r\n").repeat(10) + "\r\n", Set.of(400), "", ""));
        all.add(new Hostile("an address of 40 kB", line("GET", "/" + "a".repeat(40_000)), Set.of(414), "", ""));
        all.add(new Hostile("a body of 20 GB", head("POST", "/") + "Content-Length: 20000000000\r\n\r\n", Set.of(413), "", ""));
        all.add(new Hostile("a login of 1 MB", head("POST", "/wp-login.php") + "Content-Length: 1000000\r\n\r\n", Set.of(413), "", ""));
        all.add(new Hostile("a comment of 10 MB", head("POST", "/wp-comments-post.php") + "Content-Length: 10000000\r\n\r\n", Set.of(413), "", ""));
        all.add(new Hostile("a header that never ends", head("GET", "/") + "X-Slow: ", Set.of(0, 408), "", ""));
        // Two readings of one request.
        all.add(new Hostile("two lengths", head("POST", "/") + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", Set.of(400), "", ""));
        all.add(new Hostile("a length and chunks", head("POST", "/") + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Set.of(400), "", ""));
        all.add(new Hostile("an unknown encoding", head("POST", "/") + "Transfer-Encoding: xchunked\r\n\r\n", Set.of(400, 501), "", ""));
        all.add(new Hostile("broken chunks", head("POST", "/wp-comments-post.php") + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", Set.of(400), "", ""));
        all.add(new Hostile("a line break in the address", line("GET", "/%0d%0aSet-Cookie:%20evil=1"), Set.of(301, 302, 400, 404), "\r\nSet-Cookie: evil", ""));
        all.add(new Hostile("HTTP/9.9", "GET / HTTP/9.9\r\nHost: HOST\r\n\r\n", Set.of(400, 505), "", ""));
        // Whose site is it?
        all.add(new Hostile("no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", Set.of(400), "", ""));
        all.add(new Hostile("two hosts", "GET / HTTP/1.1\r\nHost: HOST\r\nHost: evil.example.net\r\nConnection: close\r\n\r\n", Set.of(400), "", ""));
        all.add(new Hostile("a host with a path", "GET / HTTP/1.1\r\nHost: evil.example.net/a\r\nConnection: close\r\n\r\n", Set.of(400), "", ""));
        all.add(new Hostile("another host", "GET /?host HTTP/1.1\r\nHost: evil.example.net\r\nConnection: close\r\n\r\n", Set.of(200, 301), "evil.example.net", ""));
        all.add(new Hostile("an address with another host", "GET http://evil.example.net/?absolute HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
            Set.of(200, 301), "evil.example.net", ""));
        all.add(new Hostile("a forwarded host", head("GET", "/?forwarded") + "X-Forwarded-Host: evil.example.net\r\nForwarded: host=evil.example.net\r\n\r\n",
            Set.of(200, 301), "evil.example.net", ""));
        all.add(new Hostile("a mail in another's name", head("POST", "/wp-login.php?action=lostpassword") + "X-Forwarded-Host: evil.example.net\r\n"
            + "X-Forwarded-For: 198.51.100.77\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 19\r\n\r\nuser_login=somebody", Set.of(200, 302), "evil.example.net", ""));
        all.add(new Hostile("a way out of the site", line("GET", "//evil.example.net/%2e%2e"), Set.of(200, 301, 302, 404), "Location: //evil", ""));
        all.add(new Hostile("a script in a search", line("GET", "/?s=<script>alert(1)</script>"), Set.of(200, 400), "<script>alert(1)", ""));
        return all;
    }

    private static Hostile get(String path, int status) {
        return new Hostile("GET " + path, line("GET", path), Set.of(status), "", "");
    }

    /** The login's form, from addresses that share no attempts with one another. */
    private static Hostile form(String name, String query, String body, int status, String present) {
        return new Hostile(name, head("POST", "/wp-login.php" + query) + "X-Forwarded-For: 203.0.113." + body.length() + "\r\nCookie: " + Session.TEST_COOKIE
            + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: " + body.length() + "\r\n\r\n" + body, Set.of(status), "", present);
    }

    private static String line(String method, String path) {
        return head(method, path) + "\r\n";
    }

    private static String head(String method, String path) {
        return method + " " + path + " HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n";
    }
}
