package io.github.wordpressha.cluster;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;

/** Sends bytes that no well-behaved client would send, and reads what comes back. */
final class RawHttp {

    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final int MOST = 1 << 20;

    private RawHttp() {
    }

    /**
     * What a server said.
     *
     * @param status 0 when it closed the connection without an answer
     */
    record Answer(int status, String text, Duration after) {
        String header(String name) {
            return text.split("\r\n\r\n", 2)[0].lines()
                .filter(line -> line.toLowerCase(java.util.Locale.ROOT).startsWith(name.toLowerCase(java.util.Locale.ROOT) + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst().orElse("");
        }
    }

    /** Sends the bytes, and reads until the server closes the connection or has sent a megabyte. */
    static Answer send(URI address, String bytes) {
        return send(address, plain -> plain, bytes);
    }

    /** The same over TLS, to a server that must have a certificate for this host. */
    static Answer send(URI address, SSLSocketFactory tls, String host, String bytes) {
        return send(address, plain -> encrypted(plain, tls, host), bytes);
    }

    private static Answer send(URI address, Layer layer, String bytes) {
        Instant start = Instant.now();
        var answer = new ByteArrayOutputStream();
        try (var plain = new Socket()) {
            plain.connect(new InetSocketAddress(address.getHost(), address.getPort()), 5000);
            plain.setSoTimeout((int) PATIENCE.toMillis());
            Socket socket = layer.over(plain);
            write(socket, bytes.getBytes(StandardCharsets.ISO_8859_1));
            read(socket.getInputStream(), answer);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        String text = answer.toString(StandardCharsets.UTF_8);
        int status = text.matches("(?s)HTTP/1\\.[01] \\d{3}.*") ? Integer.parseInt(text.substring(9, 12)) : 0;
        return new Answer(status, text, Duration.between(start, Instant.now()));
    }

    /** What is spoken over a connection. */
    private interface Layer {
        Socket over(Socket plain) throws IOException;
    }

    private static Socket encrypted(Socket plain, SSLSocketFactory tls, String host) throws IOException {
        var socket = (SSLSocket) tls.createSocket(plain, host, 443, true);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        return socket;
    }

    /** A server that has had enough answers and closes before it has read all: what it said still counts. */
    private static void write(Socket socket, byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
            socket.getOutputStream().flush();
        } catch (IOException e) {
            // Seen by the answer.
        }
    }

    private static void read(InputStream in, ByteArrayOutputStream answer) throws IOException {
        byte[] buffer = new byte[8192];
        try {
            for (int n = in.read(buffer); n > 0 && answer.size() < MOST; n = in.read(buffer)) {
                answer.write(buffer, 0, n);
            }
        } catch (SocketTimeoutException e) {
            throw e;
        } catch (IOException e) {
            // Reset: what has come so far is the answer.
        }
    }
}
