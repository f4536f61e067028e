package io.github.wordpressha;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Ports of this machine for servers that a test starts. A port that the system itself would choose is one that any connection may get
 * before the server starts, as tests run side by side; so these are below the range that it chooses from, and each is given once.
 */
public final class Ports {

  private static final int FIRST = 10_000;
  /** Linux chooses from 32768 on (ip_local_port_range), Kubernetes' services from 30000 on. */
  private static final int END = 30_000;
  private static final Set<Integer> GIVEN = new HashSet<>();

  private Ports() {
  }

  /** One that no server has. */
  public static synchronized int free() {
    return ThreadLocalRandom.current().ints(FIRST, END).filter(port -> isFree(port) && GIVEN.add(port)).findFirst().orElseThrow();
  }

  private static boolean isFree(int port) {
    try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }
}
