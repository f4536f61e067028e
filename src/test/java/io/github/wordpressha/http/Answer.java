package io.github.wordpressha.http;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map.Entry;
import java.util.stream.Stream;

/**
 * What a server answers to one request.
 *
 * @param status 0 when the server closes the connection without an answer
 */
public record Answer(int status, List<Entry<String, String>> headers, byte[] bytes) {

  Stream<String> all(String name) {
    return headers.stream().filter(header -> header.getKey().equalsIgnoreCase(name)).map(Entry::getValue);
  }

  /** The values of a header, one after the other; empty for no such header. */
  String header(String name) {
    return String.join(" && ", all(name).toList());
  }

  String cache() {
    String cache = header("X-Cache");
    return cache.isEmpty() ? "NONE" : cache;
  }

  String text() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** How often PHP has made the page, as the page says. */
  int runs() {
    return text().lines().filter(line -> line.startsWith("runs: ")).mapToInt(line -> Integer.parseInt(line.substring(6))).findFirst()
        .orElseThrow(() -> new IllegalStateException("no count of runs in: " + this));
  }

  @Override
  public String toString() {
    return "%d %s%n%.1500s".formatted(status, headers, text());
  }
}
