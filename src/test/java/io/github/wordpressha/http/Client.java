package io.github.wordpressha.http;

import io.github.wordpressha.http.Row.Step;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Map.Entry;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Sends a request as it is written: an HTTP library would refuse or mend the spellings that the rows are about. */
public record Client(InetSocketAddress address, String host) {

  private static final int PATIENCE_MILLIS = 70_000;
  private static final byte[] END_OF_HEAD = "\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

  public Answer send(Step step) {
    try (var socket = new Socket()) {
      socket.connect(address, 5000);
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.getOutputStream().write(ProxyHeader.bytes(step.proxy()));
      socket.getOutputStream().write(request(step).getBytes(StandardCharsets.ISO_8859_1));
      return parse(read(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(step.method() + " " + step.path(), e);
    }
  }

  private static byte[] read(Socket socket) throws IOException {
    var answer = new ByteArrayOutputStream();
    try {
      socket.getInputStream().transferTo(answer);
    } catch (SocketException e) {
      // After a refusal nginx waits 5 s for the body that it was promised, and resets the connection; without a PROXY header, at once.
    }
    return answer.toByteArray();
  }

  private String request(Step step) {
    Map<String, String> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    fields.put("Host", host);
    fields.put("Connection", "close");
    if (step.method().equals("POST")) {
      fields.put("Content-Length", String.valueOf(step.form().length()));
    }
    if (!step.form().isEmpty()) {
      fields.put("Content-Type", "application/x-www-form-urlencoded");
    }
    fields.putAll(step.headers());
    return step.method() + " " + step.path() + " HTTP/1.1\r\n"
        + fields.entrySet().stream().map(field -> field.getKey() + ": " + field.getValue() + "\r\n").collect(Collectors.joining()) + "\r\n" + step.form();
  }

  private static Answer parse(byte[] answer) {
    int end = indexOf(answer, END_OF_HEAD, 0);
    if (end < 0) {
      return new Answer(0, List.of(), answer);
    }
    List<String> head = new String(answer, 0, end, StandardCharsets.ISO_8859_1).lines().toList();
    List<Entry<String, String>> headers = head.stream().skip(1).map(line -> line.split(":", 2))
        .map(pair -> Map.entry(pair[0], pair[1].strip())).toList();
    byte[] body = Arrays.copyOfRange(answer, end + END_OF_HEAD.length, answer.length);
    boolean chunked = headers.stream().anyMatch(header -> header.getKey().equalsIgnoreCase("Transfer-Encoding"));
    return new Answer(Integer.parseInt(head.get(0).split(" ")[1]), headers, chunked ? unchunk(body) : body);
  }

  private static byte[] unchunk(byte[] body) {
    var whole = new ByteArrayOutputStream();
    for (int at = 0; at < body.length;) {
      int end = indexOf(body, new byte[] {'\r', '\n'}, at);
      int length = end < 0 ? 0 : Integer.parseInt(new String(body, at, end - at, StandardCharsets.US_ASCII).strip(), 16);
      if (length == 0) {
        break;
      }
      whole.write(body, end + 2, Math.min(length, body.length - end - 2));
      at = end + 2 + length + 2;
    }
    return whole.toByteArray();
  }

  private static int indexOf(byte[] all, byte[] part, int from) {
    for (int at = from; at <= all.length - part.length; at++) {
      if (Arrays.equals(all, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
    return -1;
  }
}
