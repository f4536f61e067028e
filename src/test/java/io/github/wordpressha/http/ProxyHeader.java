package io.github.wordpressha.http;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** What a balancer sends before a connection's first byte: HAProxy's PROXY protocol. */
final class ProxyHeader {

  private static final byte[] SIGNATURE = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};
  private static final byte VERSION_2_PROXY = 0x21;
  private static final byte TCP4 = 0x11;
  private static final byte TCP6 = 0x21;

  private ProxyHeader() {}

  /** @param text {@code v1 <address>}, {@code v2 <address>}, or nothing */
  static byte[] bytes(String text) throws UnknownHostException {
    if (text.isEmpty()) {
      return new byte[0];
    }
    String[] words = text.split(" ");
    InetAddress client = InetAddress.getByName(words[1]);
    return words[0].equals("v1") ? version1(client) : version2(client);
  }

  private static byte[] version1(InetAddress client) {
    boolean six = client.getAddress().length == 16;
    return "PROXY %s %s %s 40000 80\r\n".formatted(six ? "TCP6" : "TCP4", client.getHostAddress(), six ? "::1" : "127.0.0.1").getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] version2(InetAddress client) {
    byte[] address = client.getAddress();
    int length = 2 * address.length + 4;
    return ByteBuffer.allocate(16 + length).put(SIGNATURE).put(VERSION_2_PROXY).put(address.length == 16 ? TCP6 : TCP4).putShort((short) length)
        .put(address).put(new byte[address.length]).putShort((short) 40000).putShort((short) 80).array();
  }
}
