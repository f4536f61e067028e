package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.cluster.Browser;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.http.Row.Step;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A person at a browser buys in a shop, first as a guest, then logged in, while others read. */
@Tag("http")
class ShopTest {

  private static final int READERS = 20;

  @Test
  @DisplayName("a customer buys as a guest and logged in, and 20 readers see neither cart nor name")
  void buys(@TempDir Path directory) throws Exception {
    LocalCore.missing().ifPresent(reason -> assumeTrue(false, reason));
    assumeTrue(Browser.isInstalled(), "chromium and chromium-driver are not installed");
    ExecutorService readers = Executors.newFixedThreadPool(READERS);
    var bought = new AtomicBoolean();
    try (var core = new LocalCore(directory)) {
      LocalSite shop = core.pod((ObjectNode) Yaml.parse("{wordpress: {loginsPerMinute: 0}}"));
      List<Future<List<Answer>>> reading = Stream.<Callable<List<Answer>>>generate(() -> () -> read(shop, bought)).limit(READERS).map(readers::submit).toList();
      try (var browser = new Browser(shop.address())) {
        buy(browser, "guest", 1);
        browser.logIn("admin", HttpRows.PASSWORD);
        buy(browser, "admin", 2);
      } finally {
        bought.set(true);
      }
      var answers = new ArrayList<Answer>();
      for (Future<List<Answer>> one : reading) {
        answers.addAll(one.get());
      }
      long hits = answers.stream().filter(answer -> List.of("HIT", "STALE").contains(answer.cache())).count();
      System.out.printf("http/shop: %d readers, %d pages, %d from the cache%n", READERS, answers.size(), hits);
      assertThat(answers).allSatisfy(answer -> {
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.text()).contains("Customer: guest").contains("Items: 0");
      });
      assertThat(hits).isGreaterThan(answers.size() * 9L / 10);
    } finally {
      bought.set(true);
      readers.shutdownNow();
    }
  }

  private static void buy(Browser browser, String customer, int items) {
    browser.open("/shop/", "shop");
    assertThat(browser.text("#customer")).isEqualTo("Customer: " + customer);
    assertThat(browser.text("#cart")).isEqualTo("Items: 0");
    for (int item = 1; item <= items; item++) {
      browser.follow("#add");
      assertThat(browser.text("#cart")).isEqualTo("Items: " + item);
    }
    browser.follow("#buy");
    assertThat(browser.text("#order")).isEqualTo("Order of %s: %d items".formatted(customer, items));
  }

  private static List<Answer> read(LocalSite shop, AtomicBoolean bought) throws InterruptedException {
    var answers = new ArrayList<Answer>();
    while (!bought.get()) {
      answers.add(shop.send(Step.request("GET", "/shop/", Map.of("Host", shop.address().getAuthority()), "")));
      Thread.sleep(200);
    }
    return answers;
  }
}
