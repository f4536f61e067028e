package io.github.wordpressha.publish;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.marcnuri.helm.Helm;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An OCI registry that holds charts. Credentials are those of {@code helm registry login}
 * ({@code $HELM_REGISTRY_CONFIG}, else Helm's own place).
 */
public final class OciRegistry {

  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  private static final String CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final URI remote;
  private final boolean plainHttp;
  private final HttpClient http = HttpClient.newBuilder().connectTimeout(PATIENCE).followRedirects(HttpClient.Redirect.NORMAL).build();

  /**
   * @param remote such as {@code oci://ghcr.io/owner/charts}; the chart's name is added to it
   * @param plainHttp for a registry without TLS, on this machine
   */
  public OciRegistry(URI remote, boolean plainHttp) {
    if (!"oci".equals(remote.getScheme())) {
      throw new IllegalArgumentException(remote + ": an OCI registry's address begins with oci://");
    }
    this.remote = remote;
    this.plainHttp = plainHttp;
  }

  /**
   * Pushes a packaged chart, with its provenance if that lies beside it. Pushing the same archive again changes nothing.
   *
   * @throws IllegalStateException if the registry has this version with other content, or does not say what it has
   */
  public void push(Path archive) throws IOException, InterruptedException {
    JsonNode metadata = StaticRepository.metadata(archive);
    String version = metadata.path("version").asText();
    Optional<String> published = digest(metadata.path("name").asText(), version);
    String digest = "sha256:" + StaticRepository.sha256(archive);
    if (published.isPresent() && !published.get().equals(digest)) {
      throw new IllegalStateException("version " + version + " is in " + remote + " already, with other content: raise the version in Chart.yaml");
    }
    var command = Helm.push().withChart(archive).withRemote(remote);
    (plainHttp ? command.plainHttp() : command).call();
  }

  /** The digest of a published archive; empty if the registry says that it has no such version. */
  public Optional<String> digest(String chart, String version) throws IOException, InterruptedException {
    // A plus is not allowed in a tag; Helm writes an underscore.
    String path = "/v2" + remote.getPath().replaceAll("/$", "") + "/" + chart + "/manifests/" + version.replace('+', '_');
    URI uri = URI.create((plainHttp ? "http://" : "https://") + remote.getAuthority() + path);
    HttpResponse<String> response = get(uri, credentials().map(c -> "Basic " + c));
    if (response.statusCode() == 401) {
      response = get(uri, token(response.headers().firstValue("www-authenticate").orElse("")));
    }
    if (response.statusCode() == 404) {
      return Optional.empty();
    }
    if (response.statusCode() != 200) {
      throw new IllegalStateException(uri + " answers " + response.statusCode() + ": what is published cannot be compared");
    }
    for (JsonNode layer : new ObjectMapper().readTree(response.body()).path("layers")) {
      if (layer.path("mediaType").asText().equals(CHART_LAYER)) {
        return Optional.of(layer.path("digest").asText());
      }
    }
    throw new IllegalStateException(uri + " is no Helm chart");
  }

  private HttpResponse<String> get(URI uri, Optional<String> authorization) throws IOException, InterruptedException {
    var request = HttpRequest.newBuilder(uri).timeout(PATIENCE).header("Accept", MANIFEST);
    authorization.ifPresent(a -> request.header("Authorization", a));
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  /** {@code Bearer realm="...",service="...",scope="..."}: where to get a token. */
  private Optional<String> token(String challenge) throws IOException, InterruptedException {
    Optional<String> realm = parameter(challenge, "realm");
    if (!challenge.startsWith("Bearer") || realm.isEmpty()) {
      return credentials().map(c -> "Basic " + c);
    }
    String query = "?service=" + parameter(challenge, "service").orElse("") + "&scope=" + parameter(challenge, "scope").orElse("");
    HttpResponse<String> response = get(URI.create(realm.get() + query), credentials().map(c -> "Basic " + c));
    JsonNode answer = response.statusCode() == 200 ? new ObjectMapper().readTree(response.body()) : new ObjectMapper().createObjectNode();
    return Optional.of(answer.path("token").asText(answer.path("access_token").asText(""))).filter(t -> !t.isEmpty()).map(t -> "Bearer " + t);
  }

  private static Optional<String> parameter(String challenge, String name) {
    Matcher matcher = Pattern.compile(name + "=\"([^\"]*)\"").matcher(challenge);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  private Optional<String> credentials() throws IOException {
    String configured = System.getenv("HELM_REGISTRY_CONFIG");
    String home = System.getenv().getOrDefault("HELM_CONFIG_HOME", System.getProperty("user.home") + "/.config/helm");
    Path file = configured == null ? Path.of(home, "registry", "config.json") : Path.of(configured);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    String auth = new ObjectMapper().readTree(file.toFile()).path("auths").path(remote.getAuthority()).path("auth").asText("");
    return Optional.of(auth).filter(a -> !a.isEmpty());
  }
}
