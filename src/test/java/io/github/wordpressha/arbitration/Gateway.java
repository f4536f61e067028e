package io.github.wordpressha.arbitration;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Stands between the scripts and etcd, and spoils what it is told to spoil. */
final class Gateway implements AutoCloseable {

  /** A request: the path behind /v3/, and its body with every base64 text in plain. */
  record Request(String path, String body) {
    boolean claims() {
      return path.equals("kv/txn") && body.contains("galera/bootstrap") && body.contains("request_put") && body.contains("galera/epoch");
    }

    boolean registers() {
      return path.equals("kv/txn") && body.contains("galera/uuid") && body.contains("\"CREATE\"");
    }
  }

  /** What happens to a request. */
  enum Fate {
    PASS,
    /** The connection ends without an answer; etcd never sees the request. */
    DROP,
    /** The request is carried out, and the connection ends before the answer. */
    LOSE_ANSWER,
    /** The request is carried out, and half of the answer arrives. */
    HALF_ANSWER,
    /** Half of the answer arrives in a way that looks whole to HTTP. */
    TORN_ANSWER,
    /** The answer does not come within any patience. */
    SILENCE,
    UNAVAILABLE, INTERNAL_ERROR, NOT_JSON,
    /** HTTP 200 and valid JSON, but not etcd's: whatever answers there is not etcd. */
    STRANGER
  }

  private static final Pattern TEXT = Pattern.compile("\"(?<name>key|value|range_end)\":\"(?<text>[A-Za-z0-9+/=]*)\"");
  private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final HttpServer server;
  private final String upstream;
  private volatile Function<Request, Fate> plan = request -> Fate.PASS;

  Gateway(String upstream) throws IOException {
    this.upstream = upstream;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  void plan(Function<Request, Fate> plan) {
    this.plan = plan;
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      Fate fate = plan.apply(new Request(exchange.getRequestURI().getPath().substring("/v3/".length()), plain(new String(body, StandardCharsets.UTF_8))));
      switch (fate) {
        case DROP -> { }
        case SILENCE -> closed.await();
        case UNAVAILABLE -> answer(exchange, 503, "{\"code\":14,\"message\":\"etcdserver: no leader\"}");
        case INTERNAL_ERROR -> answer(exchange, 500, "<html>Internal Server Error</html>");
        case NOT_JSON -> answer(exchange, 200, "It works!");
        case STRANGER -> answer(exchange, 200, "{}");
        default -> forward(exchange, body, fate);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void forward(HttpExchange exchange, byte[] body, Fate fate) throws IOException, InterruptedException {
    var response = http.send(HttpRequest.newBuilder(URI.create(upstream + exchange.getRequestURI().getPath()))
        .POST(HttpRequest.BodyPublishers.ofByteArray(body)).build(), HttpResponse.BodyHandlers.ofByteArray());
    byte[] whole = response.body();
    switch (fate) {
      case LOSE_ANSWER -> { }
      case HALF_ANSWER -> {
        exchange.sendResponseHeaders(response.statusCode(), whole.length);
        exchange.getResponseBody().write(whole, 0, whole.length / 2);
        exchange.getResponseBody().flush();
      }
      case TORN_ANSWER -> answer(exchange, 200, new String(whole, 0, whole.length / 2, StandardCharsets.UTF_8));
      default -> answer(exchange, response.statusCode(), new String(whole, StandardCharsets.UTF_8));
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static String plain(String body) {
    Matcher matcher = TEXT.matcher(body);
    return matcher.replaceAll(m -> Matcher.quoteReplacement("\"" + matcher.group("name") + "\":\"" + new String(Base64.getDecoder().decode(matcher.group("text")), StandardCharsets.UTF_8) + "\""));
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
