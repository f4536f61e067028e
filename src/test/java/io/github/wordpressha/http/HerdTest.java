package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.http.Row.Step;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Many visitors ask for one page at once, each page a quarter of a second of PHP's time. */
@Tag("http")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HerdTest {

  private static final int CLIENTS = 60;
  private static final double MOST_RATIO = 1.5;
  private static final int FEW_RUNS = 3;
  private static final int FLOOD = 200;

  private final ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
  private LocalSite cached;
  private LocalSite uncached;

  @BeforeAll
  void start(@TempDir Path directory) throws Exception {
    LocalSite.missing().ifPresent(reason -> assumeTrue(false, reason));
    cached = LocalSite.start(Files.createDirectories(directory.resolve("cached")), Values.none());
    uncached = LocalSite.start(Files.createDirectories(directory.resolve("uncached")),
        Values.of("wordpress.cache.enabled", Yaml.MAPPER.getNodeFactory().booleanNode(false)));
    // php-fpm starts its workers when they are needed, one after the other.
    for (LocalSite site : List.of(uncached, cached)) {
      herd(site, "/cookie-warm-slow/");
      herd(site, "/cookie-warm-slow/");
      herd(site, "/?slow");
    }
  }

  @AfterAll
  void stop() {
    clients.shutdownNow();
    for (LocalSite site : new LocalSite[] {cached, uncached}) {
      if (site != null) {
        site.close();
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
      "not found, /missing-slow/",
      "a search, /?s=word&slow",
      "sets a cookie, /cookie-slow/",
      "no-store, /locked-slow/",
      "a plugin's constant, /donotcache-slow/",
      "another Vary, /vary-slow/"})
  @DisplayName("60 clients on one page that cannot be stored take at most 1.5 times as long as without the cache")
  void noReaderQueues(String why, String path) throws Exception {
    Duration without = herd(uncached, path).took();
    Duration with = herd(cached, path).took();
    double ratio = with.toMillis() / (double) without.toMillis();
    System.out.printf("http/herd %s: %d clients, without the cache %d ms, with it %d ms, ratio %.2f%n", path, CLIENTS, without.toMillis(), with.toMillis(), ratio);
    assertThat(ratio).as("%s: %s", path, why).isLessThanOrEqualTo(MOST_RATIO);
  }

  @Test
  @DisplayName("60 clients on one page that nginx has not stored yet cost a few runs of PHP")
  void oneRunForAll() throws Exception {
    List<Answer> answers = herd(cached, "/page-slow/").answers();
    assertThat(answers).allMatch(answer -> answer.status() == 200);
    assertThat(answers).extracting(Answer::runs).allMatch(runs -> runs <= FEW_RUNS);
  }

  @Test
  @DisplayName("when the database is back, 60 readers of an expired page get it at once, and PHP makes it a few times")
  void databaseComesBack(@TempDir Path directory) throws Exception {
    try (LocalSite site = LocalSite.start(directory, Values.of("wordpress.cache.seconds", Yaml.MAPPER.getNodeFactory().numberNode(1)))) {
      Step page = Step.get("/page-slow/");
      site.send(page);
      site.database(false);
      Awaitility.await("the page has expired").atMost(Duration.ofSeconds(10)).until(() -> site.send(page).cache().equals("STALE"));
      site.database(true);
      Herd herd = herd(site, page.path());
      assertThat(herd.answers()).allMatch(answer -> answer.status() == 200 && answer.runs() <= FEW_RUNS);
      assertThat(herd.answers()).extracting(Answer::cache).contains("STALE");
    }
  }

  @Test
  @DisplayName("while 200 strangers ask slow queries that are all new, pages are made and people are answered")
  void floodOfQueries(@TempDir Path directory) throws Exception {
    ExecutorService strangers = Executors.newFixedThreadPool(FLOOD);
    try (LocalSite site = LocalSite.start(directory, Values.none())) {
      List<Future<Answer>> flood = IntStream.range(0, FLOOD).mapToObj(i -> strangers.submit(() -> site.send(Step.get("/?slow&unique=" + i)))).toList();
      Awaitility.await("the flood is there").atMost(Duration.ofSeconds(30)).until(() -> flood.stream().filter(Future::isDone).count() > CLIENTS);
      for (int i = 0; i < FEW_RUNS; i++) {
        long start = System.nanoTime();
        assertThat(site.send(Step.get("/page-beside-" + i + "/")).status()).isEqualTo(200);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
      }
      assertThat(flood).as("some are still waiting").anyMatch(one -> !one.isDone());
      List<Answer> answers = flood.stream().map(HerdTest::answer).toList();
      assertThat(answers).extracting(answer -> answer.status() + answer.header("Retry-After")).allMatch(Set.of("200", "5035")::contains);
      assertThat(answers).anyMatch(answer -> answer.status() == 503).anyMatch(answer -> answer.status() == 200);
    } finally {
      strangers.shutdownNow();
    }
  }

  private record Herd(List<Answer> answers, Duration took) {}

  private Herd herd(HttpTarget target, String path) throws Exception {
    List<Callable<Answer>> requests = IntStream.range(0, CLIENTS).<Callable<Answer>>mapToObj(i -> () -> target.send(Step.get(path))).toList();
    long start = System.nanoTime();
    List<Future<Answer>> futures = clients.invokeAll(requests);
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    return new Herd(futures.stream().map(HerdTest::answer).toList(), took);
  }

  private static Answer answer(Future<Answer> done) {
    try {
      return done.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
