package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.http.Row.Step;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each visitor's request carries its number in every place that PHP echoes, so an answer shows whose request made it. */
@Tag("http")
class MixedVisitorsTest {

  private static final int VISITORS = Integer.getInteger("http.visitors", 2000);
  private static final long SEED = Long.getLong("http.seed", 20);
  private static final int CLIENTS = 8;
  private static final Pattern NUMBER = Pattern.compile("visitor(\\d+)");
  private static final List<String> PAGES = List.of("/", "/page-a/", "/page-b/", "/page-c", "/cookie-a/", "/locked-a/", "/vary-a/", "/missing-a/", "/private-a/",
      "/moved-a/", "/page-a/feed/", "/wp-json/wp/v2/posts/", "/robots.txt");
  private static final List<String> QUERIES = List.of("", "", "", "?utm_source=%s", "?utm_medium=%s", "?gclid=%s", "?s=%s", "?p=7&fbclid=%s", "?x=%s&utm_source=%1$s");
  private static final List<String> COOKIES = List.of("", "", "", "_ga=%s", "_fbp=%s", "wordpress_test_cookie=%s", "currency=%s", "_ga=%s; currency=%1$s", "wordpress_logged_in_x=%s", "comment_author_x=%s",
      "PHPSESSID=%s", "woocommerce_items_in_cart=%s");
  private static final Map<String, List<String>> HEADERS = Map.of(
      "Accept", List.of("text/html, x/%s", "application/activity+json; profile=%s"),
      "Accept-Language", List.of("%s"),
      "Authorization", List.of("Bearer %s"),
      "Referer", List.of("https://%s.example/"),
      "User-Agent", List.of("Browser of %s"),
      "X-Forwarded-For", List.of("%s"),
      "X-Forwarded-Host", List.of("%s.example"),
      "X-Original-URL", List.of("/%s"),
      "X-Requested-With", List.of("%s"),
      "X-WP-Nonce", List.of("%s"));

  @Test
  @DisplayName("no visitor of many different ones sees what is another's")
  void noVisitorSeesAnother(@TempDir Path directory) throws Exception {
    LocalSite.missing().ifPresent(reason -> assumeTrue(false, reason));
    var random = new Random(SEED);
    List<Step> requests = IntStream.range(0, VISITORS).mapToObj(number -> request("visitor" + number, random)).toList();
    ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
    try (LocalSite site = LocalSite.start(directory, (ObjectNode) Yaml.parse("{wordpress: {cache: {cookies: [currency]}}}"))) {
      List<Future<Answer>> answers = clients.invokeAll(requests.stream().<Callable<Answer>>map(request -> () -> site.send(request)).toList());
      var mixed = new ArrayList<String>();
      var caches = new TreeMap<String, Integer>();
      for (int number = 0; number < VISITORS; number++) {
        Answer answer = answers.get(number).get();
        caches.merge(answer.cache(), 1, Integer::sum);
        int own = number;
        NUMBER.matcher(answer.headers() + answer.text()).results().map(found -> found.group(1)).filter(found -> !found.equals(String.valueOf(own))).distinct()
            .forEach(other -> mixed.add("%s got what is visitor%s's: %s".formatted(requests.get(own), other, answer)));
      }
      System.out.printf("http/mixed seed %d: %d visitors, %s%n", SEED, VISITORS, caches);
      assertThat(mixed).isEmpty();
      assertThat(caches).as("stored and personal pages").containsKeys("HIT", "BYPASS");
    } finally {
      clients.shutdownNow();
    }
  }

  private static Step request(String visitor, Random random) {
    var headers = new TreeMap<String, String>();
    HEADERS.keySet().stream().sorted().filter(name -> random.nextInt(25) == 0).forEach(name -> headers.put(name, one(HEADERS.get(name), random).formatted(visitor)));
    String cookie = one(COOKIES, random);
    if (!cookie.isEmpty()) {
      headers.put("Cookie", cookie.formatted(visitor));
    }
    return Step.request("GET", one(PAGES, random) + one(QUERIES, random).formatted(visitor), headers, "");
  }

  private static String one(List<String> all, Random random) {
    return all.get(random.nextInt(all.size()));
  }
}
