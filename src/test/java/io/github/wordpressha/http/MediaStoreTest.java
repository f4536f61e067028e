package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.http.Row.Expected;
import io.github.wordpressha.http.Row.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files of the shared volume while it answers, hangs and is known to be away. */
@Tag("http")
class MediaStoreTest {

  private static final String PICTURE = "/wp-content/uploads/picture of a cat.jpg";
  private static final String ADDRESS = PICTURE.replace(" ", "%20");
  /** cache.seconds + 5 s. */
  private static final Duration RIGHT = Duration.ofSeconds(6);
  /** cache.seconds, and the second that nginx's clock may be late. */
  private static final Duration EXPIRED = Duration.ofSeconds(3);

  @TempDir Path directory;
  private LocalSite site;

  @BeforeEach
  void start() throws IOException {
    LocalSite.missing().ifPresent(reason -> assumeTrue(false, reason));
    site = LocalSite.start(directory, (ObjectNode) Yaml.parse("{wordpress: {cache: {seconds: 1}}}"));
    Files.writeString(file(PICTURE), "0123456789");
  }

  @AfterEach
  void stop() {
    if (site != null) {
      site.volumeHangs(false);
      site.close();
    }
  }

  @Test
  @DisplayName("a stored file is answered as a file: type, ranges, HEAD, conditional requests")
  void answersAsAFile() {
    for (int time = 0; time < 2; time++) {
      Answer whole = get(ADDRESS);
      assertThat(whole.status()).isEqualTo(200);
      assertThat(whole.text()).isEqualTo("0123456789");
      assertThat(whole.header("Content-Type")).isEqualTo("image/jpeg");
      assertThat(whole.header("Cache-Control")).isEqualTo("public, max-age=86400");
      assertThat(whole.header("X-Content-Type-Options")).isEqualTo("nosniff");
      Answer range = get(ADDRESS, Map.of("Range", "bytes=2-4"));
      assertThat(range.status()).isEqualTo(206);
      assertThat(range.text()).isEqualTo("234");
      assertThat(range.header("Content-Range")).isEqualTo("bytes 2-4/10");
      assertThat(get(ADDRESS, Map.of("Range", "bytes=99-")).status()).isEqualTo(416);
      assertThat(get(ADDRESS, Map.of("If-None-Match", whole.header("ETag"))).status()).isEqualTo(304);
      assertThat(get(ADDRESS, Map.of("If-Modified-Since", whole.header("Last-Modified"))).status()).isEqualTo(304);
      Answer head = send("HEAD", ADDRESS, Map.of());
      assertThat(head.status()).isEqualTo(200);
      assertThat(head.header("Content-Length")).isEqualTo("10");
      assertThat(head.bytes()).isEmpty();
    }
  }

  @Test
  @DisplayName("an empty file, and one larger than any buffer")
  void sizes() throws IOException {
    byte[] large = new byte[20_000_000];
    new Random(1).nextBytes(large);
    Files.write(file("/wp-content/uploads/large.mp4"), large);
    Files.createFile(file("/wp-content/uploads/empty.css"));
    for (int time = 0; time < 2; time++) {
      assertThat(get("/wp-content/uploads/large.mp4", Map.of("Range", "bytes=19999990-")).bytes()).hasSize(10);
      assertThat(get("/wp-content/uploads/large.mp4").bytes()).isEqualTo(large);
      assertThat(get("/wp-content/uploads/empty.css").status()).isEqualTo(200);
    }
  }

  @Test
  @DisplayName("a replaced file is right within cache.seconds + 5 s, and so is a deleted one")
  void replacedAndDeleted() throws IOException {
    assertThat(get(ADDRESS).text()).isEqualTo("0123456789");
    Files.writeString(file(PICTURE), "another");
    Awaitility.await("the new file").atMost(RIGHT).until(() -> get(ADDRESS).text().equals("another"));
    Files.delete(file(PICTURE));
    Awaitility.await("WordPress's 404").atMost(RIGHT).until(() -> get(ADDRESS).status() == 404 && get(ADDRESS).text().contains("<title>WordPress</title>"));
  }

  @Test
  @DisplayName("while the volume hangs, what was read stays, pages are served, and what was never read gets 503 and a time to try again, within 3 s")
  void hangs() throws Exception {
    assertThat(get(ADDRESS).status()).isEqualTo(200);
    Thread.sleep(EXPIRED.toMillis()); // A file that has expired is what this is about.
    site.volumeHangs(true);

    assertThat(get(ADDRESS).text()).isEqualTo("0123456789");
    refusedWithin(Duration.ofMillis(3_500), "/wp-content/uploads/picture.webp");

    site.volumeIsKnownAway(true);
    // More at once than the server that hangs has workers.
    List<CompletableFuture<Answer>> never = IntStream.range(0, 100).mapToObj(number ->
        CompletableFuture.supplyAsync(() -> get("/wp-content/uploads/never-%d.jpg".formatted(number)), command -> new Thread(command).start())).toList();
    never.forEach(answer -> assertThat(answer.join().status()).isEqualTo(503));
    for (int time = 0; time < 20; time++) {
      Instant begin = Instant.now();
      assertThat(get(ADDRESS).text()).isEqualTo("0123456789");
      assertThat(get(ADDRESS, Map.of("Range", "bytes=2-4")).text()).isEqualTo("234");
      assertThat(Duration.between(begin, Instant.now())).isLessThan(Duration.ofSeconds(1));
    }
    refusedWithin(Duration.ofMillis(3_000), "/wp-content/uploads/picture.avif");
    assertThat(get("/a-page/").status()).isEqualTo(200);
    assertThat(get("/wp-content/themes/theme/style.css").status()).isEqualTo(200);

    site.volumeHangs(false);
    site.volumeIsKnownAway(false);
    Files.writeString(file(PICTURE), "another");
    Awaitility.await("the new file").atMost(RIGHT).until(() -> get(ADDRESS).text().equals("another"));
    assertThat(get("/wp-content/uploads/picture.avif").status()).isEqualTo(200);
  }

  private void refusedWithin(Duration time, String path) {
    Instant begin = Instant.now();
    Answer answer = get(path);
    assertThat(Duration.between(begin, Instant.now())).isLessThan(time);
    assertThat(answer.status()).isEqualTo(503);
    assertThat(answer.header("Retry-After")).isEqualTo("5");
    assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
  }

  private Path file(String path) {
    return site.shared(path.replace("/wp-content/", ""));
  }

  private Answer get(String path) {
    return get(path, Map.of());
  }

  private Answer get(String path, Map<String, String> headers) {
    return send("GET", path, headers);
  }

  private Answer send(String method, String path, Map<String, String> headers) {
    return site.send(Step.request(method, path, headers, ""));
  }
}
