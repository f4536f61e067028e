package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.http.Row.Step;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** How soon an editor's change is what readers of three pods get. */
@Tag("http")
@Isolated("it measures time")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FreshnessTest {

  private static final int CACHE_SECONDS = 20;
  /** What the chart promises for a pod that hears of no change. */
  private static final Duration EXPIRED = Duration.ofSeconds(CACHE_SECONDS + 5);
  private static final Duration REFRESHED = Duration.ofSeconds(1);
  /** Three pods refresh a post and the front page each, with the same processors. */
  private static final int PAGES_OF_PHP = 6;
  private static final Duration PATIENCE = Duration.ofMinutes(1);
  private static final String SITE = """
      update_option('comment_previously_approved', 0);
      foreach (['published', 'edited', 'renamed', 'trashed', 'restored', 'locked', 'discussed', 'quiet', 'away', 'forged', 'kept', 'gone'] as $name) {
        wp_insert_post(['post_title' => "The $name one", 'post_name' => "the-$name", 'post_content' => 'As it was', 'post_status' => 'publish']);
      }
      wp_update_post(['ID' => $find('the-published'), 'post_status' => 'draft']);
      wp_trash_post($find('the-restored'));
      """;
  private static final String POST = "$find = static fn($name) => get_page_by_path($name, OBJECT, 'post')->ID;\n";
  private static final String EDIT = "wp_update_post(['ID' => $find('the-%s'), 'post_content' => 'As it is now']);";

  /** @param code an editor's; "" for a reader's comment */
  private record Change(String name, String path, String code, Predicate<Answer> right) {

    static Change of(String post, String code, Predicate<Answer> right) {
      return new Change(post, "/the-" + post + "/", code, right);
    }
  }

  private LocalCore core;
  private List<LocalSite> pods;

  @BeforeAll
  void start(@TempDir Path directory) throws IOException {
    LocalCore.missing().ifPresent(reason -> assumeTrue(false, reason));
    core = new LocalCore(directory);
    ObjectNode values = (ObjectNode) Yaml.parse("""
        wordpress:
          loginsPerMinute: 0
          site: {url: 'http://site.example', permalinks: '/%%postname%%/'}
          cache: {seconds: %d}
        """.formatted(CACHE_SECONDS));
    pods = Stream.generate(() -> core.pod(values)).limit(3).toList();
    wordpress(SITE);
  }

  @AfterAll
  void stop() {
    if (core != null) {
      core.close();
    }
  }

  @Test
  @Order(1)
  @DisplayName("publish, edit, rename, trash, restore, password, comment: right on each of three pods within 1 s, and the time of the pages")
  void changesArrive() {
    List<Change> changes = List.of(
        Change.of("published", "wp_publish_post($find('the-published'));", shows("As it was")),
        Change.of("edited", EDIT.formatted("edited"), shows("As it is now")),
        Change.of("renamed", "wp_update_post(['ID' => $find('the-renamed'), 'post_name' => 'another-name']);", answer -> answer.status() == 301),
        new Change("front page", "/", "wp_update_post(['ID' => $find('the-edited'), 'post_title' => 'Its new title']);", shows("Its new title")),
        Change.of("trashed", "wp_trash_post($find('the-trashed'));", answer -> answer.status() == 404),
        Change.of("restored", "wp_untrash_post($id = $find('the-restored__trashed')); wp_publish_post($id);", shows("As it was")),
        Change.of("locked", "wp_update_post(['ID' => $find('the-locked'), 'post_password' => 'secret']);",
            shows("post-password-form").and(shows("As it was").negate())),
        Change.of("discussed", "", shows("What a reader thinks")));
    Duration promised = REFRESHED.plus(timeOfPhp().multipliedBy(PAGES_OF_PHP));
    for (Change change : changes) {
      awaitStored(change, pods);
      make(change);
      Duration took = untilRight(change, pods);
      System.out.printf("http/fresh %s: right on the slowest of %d pods after %.1f s, at most %.1f s%n",
          change.name(), pods.size(), took.toMillis() / 1000.0, promised.toMillis() / 1000.0);
      assertThat(took).as(change.name()).isLessThanOrEqualTo(promised);
    }
  }

  @Test
  @Order(2)
  @DisplayName("a pod that cannot be reached keeps an editor for 1 s at most, and is right when its page expires")
  void podIsSilent() throws IOException {
    try (var silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      pods.get(0).tells(List.of("127.0.0.1:" + silent.getLocalPort(), pods.get(0).changes(), pods.get(1).changes()));
      Change change = Change.of("quiet", EDIT.formatted("quiet"), shows("As it is now"));
      awaitStored(change, pods);
      String said = wordpress(change.code() + """
          $start = microtime(true);
          do_action('wordpress_ha_announce');
          echo 'told in ', (int) (1000 * (microtime(true) - $start)), ' ms';
          """);
      Matcher told = Pattern.compile("told in (\\d+) ms").matcher(said);
      assertThat(told.find()).as(said).isTrue();
      assertThat(Integer.parseInt(told.group(1))).as(said).isBetween(900, 2000);
      assertThat(said).contains("127.0.0.1:" + silent.getLocalPort() + " (no answer in time)");
      untilRight(change, pods.subList(0, 2));
      assertThat(untilRight(change, pods)).isLessThanOrEqualTo(EXPIRED.plus(timeOfPhp().multipliedBy(PAGES_OF_PHP)));
    } finally {
      pods.get(0).tells(pods.stream().map(LocalSite::changes).toList());
    }
  }

  @Test
  @Order(3)
  @DisplayName("a list that is not signed, not signed right, or old is refused and refreshes nothing")
  void strangersAreRefused() {
    LocalSite pod = pods.get(0);
    Change change = Change.of("forged", "$GLOBALS['wpdb']->update($GLOBALS['wpdb']->posts, ['post_content' => 'As it is now'], ['ID' => $find('the-forged')]);",
        shows("As it is now"));
    awaitStored(change, List.of(pod));
    wordpress(change.code());
    String list = list(Instant.now());
    String old = list(Instant.now().minusSeconds(120));
    String signature = signature(list);
    assertThat(pod.sendChanges(list, "").status()).isEqualTo(403);
    assertThat(pod.sendChanges(list, signature.replace(signature.charAt(0), '_')).status()).isEqualTo(403);
    assertThat(pod.sendChanges(list.replace("forged", "edited"), signature).status()).isEqualTo(403);
    assertThat(pod.sendChanges(old, signature(old)).status()).isEqualTo(403);
    // The one after the others: what they had begun would have come first.
    assertThat(change.right().test(pod.send(Step.request("GET", change.path(), Map.of("X-Refresh", "http"), "")))).as("a visitor's header").isFalse();
    assertThat(pod.sendChanges(list, signature).status()).isEqualTo(204);
    assertThat(untilRight(change, List.of(pod))).isLessThan(Duration.ofSeconds(CACHE_SECONDS));
  }

  @Test
  @Order(4)
  @DisplayName("the database goes away after an edit: readers get the edited page, and the trashed one does not come back")
  void databaseGoesAway() {
    Change edit = Change.of("kept", EDIT.formatted("kept"), shows("As it is now"));
    Change trash = Change.of("gone", "wp_trash_post($find('the-gone'));", answer -> answer.status() == 404);
    awaitStored(edit, pods);
    awaitStored(trash, pods);
    wordpress(edit.code() + trash.code());
    untilRight(edit, pods);
    untilRight(trash, pods);
    core.stopDatabase();
    for (LocalSite pod : pods) {
      for (Change change : List.of(edit, trash)) {
        Awaitility.await(change.name() + " has expired").atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).until(() -> {
          Answer answer = pod.send(Step.get(change.path()));
          assertThat(answer).matches(change.right(), change.name());
          return answer.cache().equals("STALE");
        });
      }
    }
  }

  private static Predicate<Answer> shows(String text) {
    return answer -> answer.status() == 200 && answer.text().contains(text);
  }

  private String wordpress(String code) {
    return core.wordpress(POST + code);
  }

  private void make(Change change) {
    if (change.code().isEmpty()) {
      String id = wordpress("echo $find('%s');".formatted(change.path().replace("/", "")));
      String form = "comment=What+a+reader+thinks&author=Reader&email=reader%40example.com&comment_post_ID=" + id;
      assertThat(pods.get(1).send(Step.request("POST", "/wp-comments-post.php", Map.of(), form)).status()).isEqualTo(302);
    } else {
      wordpress(change.code());
    }
  }

  private static String list(Instant time) {
    return "{\"time\":%d,\"host\":\"site.example\",\"paths\":[\"/the-forged/\"]}".formatted(time.getEpochSecond());
  }

  private String signature(String list) {
    return core.wordpress("echo WordPressHa\\signature('%s');".formatted(list));
  }

  /** What it changes is what all of them have stored just now. */
  private static void awaitStored(Change change, List<LocalSite> pods) {
    pods.forEach(pod -> Awaitility.await(change.name() + " is stored").atMost(PATIENCE).until(() -> {
      Answer answer = pod.send(Step.get(change.path()));
      return !change.right().test(answer) && answer.cache().equals("HIT");
    }));
  }

  /** Of one page that is made; the first ones, and those that this busy machine holds up, take longer. */
  private Duration timeOfPhp() {
    return Stream.generate(() -> {
      long start = System.nanoTime();
      pods.get(0).send(Step.get("/?s=not-stored"));
      return Duration.ofNanos(System.nanoTime() - start);
    }).limit(5).sorted().toList().get(2);
  }

  /** Readers ask all of them all the time. */
  private static Duration untilRight(Change change, List<LocalSite> pods) {
    long start = System.nanoTime();
    Awaitility.await(change.name() + " is right").atMost(PATIENCE).pollInterval(Duration.ofMillis(100))
        .until(() -> pods.stream().map(pod -> pod.send(Step.get(change.path()))).toList().stream().allMatch(change.right()));
    return Duration.ofNanos(System.nanoTime() - start);
  }
}
