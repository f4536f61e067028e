package io.github.wordpressha.publish;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.ChartArchive;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** A chart repository that any web server can serve: archives, their provenance, and an index.yaml that only ever grows. */
public final class StaticRepository {

  private final Path directory;
  private final String url;

  /**
   * @param directory that the web server serves; made if it is not there
   * @param url under which it is served; entries of the index are relative to the index if it is empty
   */
  public StaticRepository(Path directory, String url) {
    this.directory = directory;
    this.url = url.isEmpty() || url.endsWith("/") ? url : url + "/";
  }

  /**
   * Adds a packaged chart, with the {@code .prov} file beside it if there is one. Adding the same archive again changes nothing.
   *
   * @throws IllegalStateException if the repository has this version with other content: a version that somebody may have
   *     installed never changes
   */
  public void add(Path archive, Instant created) throws IOException {
    Files.createDirectories(directory);
    Path indexFile = directory.resolve("index.yaml");
    ObjectNode index = Files.exists(indexFile) ? Yaml.readObject(indexFile) : newIndex();
    ObjectNode metadata = metadata(archive);
    String name = metadata.path("name").asText();
    String digest = sha256(archive);
    ArrayNode versions = index.withObject("/entries").withArray(name);
    for (JsonNode version : versions) {
      if (version.path("version").asText().equals(metadata.path("version").asText())) {
        if (version.path("digest").asText().equals(digest)) {
          return;
        }
        throw new IllegalStateException("version " + version.path("version").asText() + " of " + name
            + " is published already, with other content: raise the version in Chart.yaml");
      }
    }
    ObjectNode entry = metadata.deepCopy();
    entry.putArray("urls").add(url + archive.getFileName());
    entry.put("digest", digest);
    entry.put("created", created.toString());
    versions.insert(0, entry);
    sort(versions);
    index.put("generated", created.toString());
    copy(archive);
    Path provenance = archive.resolveSibling(archive.getFileName() + ".prov");
    if (Files.exists(provenance)) {
      copy(provenance);
    }
    // The index last, and at once: whoever reads it finds what it names.
    Path temporary = directory.resolve("index.yaml.new");
    Files.writeString(temporary, Yaml.write(index));
    Files.move(temporary, indexFile, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Chart.yaml of a packaged chart. */
  public static ObjectNode metadata(Path archive) throws IOException {
    for (var file : ChartArchive.read(archive).entrySet()) {
      if (file.getKey().matches("[^/]+/Chart\\.yaml")) {
        return (ObjectNode) Yaml.parse(new String(file.getValue(), StandardCharsets.UTF_8));
      }
    }
    throw new IllegalArgumentException(archive + ": not a packaged chart (no Chart.yaml)");
  }

  /** The SHA-256 of a file, in hexadecimal. */
  public static String sha256(Path file) throws IOException {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode newIndex() {
    ObjectNode index = Yaml.MAPPER.createObjectNode();
    index.put("apiVersion", "v1");
    index.putObject("entries");
    return index;
  }

  private void copy(Path file) throws IOException {
    Files.copy(file, directory.resolve(file.getFileName().toString()), StandardCopyOption.REPLACE_EXISTING);
  }

  /** The newest version first, as Helm expects. */
  private static void sort(ArrayNode versions) {
    List<JsonNode> sorted = new ArrayList<>();
    versions.forEach(sorted::add);
    sorted.sort((a, b) -> SemanticVersion.parse(b.path("version").asText()).compareTo(SemanticVersion.parse(a.path("version").asText())));
    versions.removeAll();
    versions.addAll(sorted);
  }
}
