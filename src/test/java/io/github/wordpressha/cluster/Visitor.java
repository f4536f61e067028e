package io.github.wordpressha.cluster;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/**
 * A visitor to whom DNS gives one address for every name, and who trusts one authority.
 *
 * @param http where requests for {@code http://...} go
 * @param https where requests for {@code https://...} go
 */
record Visitor(SSLSocketFactory tls, URI http, URI https) {

    static Visitor trusting(String certificate, URI http, URI https) {
        try {
            var authorities = KeyStore.getInstance(KeyStore.getDefaultType());
            authorities.load(null, null);
            authorities.setCertificateEntry("authority", CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(certificate.getBytes(StandardCharsets.US_ASCII))));
            var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(authorities);
            var context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return new Visitor(context.getSocketFactory(), http, https);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The answer, without following redirects. The server of an https URL must have a certificate for its host. */
    RawHttp.Answer get(String url) {
        URI page = URI.create(url);
        return send(page, page.getHost(), "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n".formatted(Site.pathAndQuery(page), page.getHost()));
    }

    /** As {@link #get}, through the certificate of another host. */
    RawHttp.Answer getAs(String certified, String url) {
        URI page = URI.create(url);
        return send(page, certified, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n".formatted(Site.pathAndQuery(page), page.getHost()));
    }

    /** The answer to a form. */
    RawHttp.Answer post(String url, Map<String, String> fields, String cookie) {
        URI page = URI.create(url);
        String body = Site.form(fields);
        return send(page, page.getHost(), "POST %s HTTP/1.0\r\nHost: %s\r\nCookie: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s"
            .formatted(Site.pathAndQuery(page), page.getHost(), cookie, body.length(), body));
    }

    private RawHttp.Answer send(URI page, String certified, String request) {
        return page.getScheme().equals("https") ? RawHttp.send(https, tls, certified, request) : RawHttp.send(http, request);
    }
}
