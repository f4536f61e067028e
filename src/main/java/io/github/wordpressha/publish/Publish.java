package io.github.wordpressha.publish;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Values;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Build step of {@code mvn deploy}: signs the archive, lists its images, and puts it where people install it from. */
@Command(name = "publish", mixinStandardHelpOptions = true, description = "Publishes a packaged chart.")
public final class Publish implements Callable<Integer> {

  @Parameters(index = "0", paramLabel = "ARCHIVE", description = "The packaged chart.")
  private Path archive;

  @Parameters(index = "1", paramLabel = "PROFILES", description = "The directory of the profiles, whose images are listed, too.")
  private Path profiles;

  @Option(names = "--oci", paramLabel = "URL", description = "Push to this registry, for example oci://ghcr.io/owner/charts.")
  private String oci = "";

  @Option(names = "--plain-http", arity = "1", description = "The registry has no TLS.")
  private boolean plainHttp;

  @Option(names = "--repository", paramLabel = "DIR", description = "Add to the static chart repository in this directory.")
  private String repository = "";

  @Option(names = "--url", paramLabel = "URL", description = "Address of the static repository; empty: entries relative to the index.")
  private String url = "";

  @Option(names = "--keyring", paramLabel = "FILE", description = "Sign with a secret key of this keyring (gpg --export-secret-keys).")
  private String keyring = "";

  @Option(names = "--key", paramLabel = "NAME", description = "Name or address of the key.")
  private String key = "";

  @Option(names = "--passphrase-file", paramLabel = "FILE", description = "File with the key's passphrase.")
  private String passphraseFile = "";

  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs one command line and gives its exit code. */
  static int run(String... args) {
    return new CommandLine(new Publish())
        .setExecutionExceptionHandler((e, command, parsed) -> {
          command.getErr().println("cannot publish: " + e.getMessage());
          return 1;
        })
        .execute(args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (oci.isEmpty() && repository.isEmpty()) {
      throw new IllegalArgumentException("say where to: -Dpublish.oci=oci://registry/path, -Dpublish.repository=directory, or both");
    }
    if (!keyring.isEmpty()) {
      char[] passphrase = passphraseFile.isEmpty() ? new char[0] : Files.readString(Path.of(passphraseFile)).strip().toCharArray();
      System.out.println("signed: " + Provenance.sign(archive, Path.of(keyring), key, passphrase));
    }
    Path sbom = writeSbom();
    System.out.println("images: " + sbom);
    if (!repository.isEmpty()) {
      new StaticRepository(Path.of(repository), url).add(archive, Instant.now().truncatedTo(java.time.temporal.ChronoUnit.SECONDS));
      Files.copy(sbom, Path.of(repository).resolve(sbom.getFileName()), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      System.out.println("added to the repository in " + repository);
    }
    if (!oci.isEmpty()) {
      new OciRegistry(URI.create(oci), plainHttp).push(archive);
      System.out.println("pushed to " + oci);
    }
    return 0;
  }

  /** The images of the defaults and of every profile. */
  private Path writeSbom() throws IOException {
    Chart chart = Chart.open(archive);
    var images = new TreeSet<String>();
    var values = new java.util.ArrayList<com.fasterxml.jackson.databind.node.ObjectNode>();
    values.add(Values.none());
    if (Files.isDirectory(profiles)) {
      try (Stream<Path> files = Files.list(profiles)) {
        files.filter(f -> f.toString().endsWith(".yaml")).sorted().forEach(f -> values.add(io.github.wordpressha.helm.Yaml.readObject(f)));
      }
    }
    values.forEach(v -> images.addAll(Sbom.images(Checks.verify(chart.render(Release.standard(), v), Cluster.ofThree(34)).objects())));
    Path sbom = archive.resolveSibling(archive.getFileName().toString().replaceFirst("\\.tgz$", ".cdx.json"));
    Files.writeString(sbom, new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT)
        .writeValueAsString(Sbom.cycloneDx(chart.name(), chart.version(), images)) + "\n");
    return sbom;
  }
}
