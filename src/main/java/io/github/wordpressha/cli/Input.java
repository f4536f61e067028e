package io.github.wordpressha.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Checks.Verdict;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.manifest.KubernetesSchema;
import io.github.wordpressha.manifest.ManifestParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import picocli.CommandLine.Option;

/** The options that say what is looked at, for all commands. */
final class Input {

  @Option(names = {"-f", "--values"}, paramLabel = "FILE", description = "Your values; give it several times, the last file wins.")
  List<Path> values = new ArrayList<>();

  @Option(names = {"-p", "--profile"}, paramLabel = "NAME", description = "Start from a profile of this chart, such as minimal.")
  String profile;

  @Option(names = "--chart", paramLabel = "PATH", description = "Another chart: a directory or a .tgz. Default: the chart that is built in.")
  Path chart;

  @Option(names = "--name", paramLabel = "NAME", defaultValue = "wordpress-ha", description = "Release name. Default: ${DEFAULT-VALUE}.")
  String name;

  @Option(names = {"-n", "--namespace"}, paramLabel = "NAME", defaultValue = "default", description = "Namespace. Default: ${DEFAULT-VALUE}.")
  String namespace;

  @Option(names = "--kube-version", paramLabel = "VERSION", defaultValue = Release.DEFAULT_KUBE_VERSION, description = "Kubernetes version of the cluster. Default: ${DEFAULT-VALUE}.")
  String kubeVersion;

  Release release() {
    if (!kubeVersion.matches("v?1\\.\\d+(\\.\\d+)?")) {
      throw new IllegalArgumentException("--kube-version " + kubeVersion + ": write a version such as 1.33 or 1.33.2");
    }
    return new Release(name, namespace, kubeVersion.replaceFirst("^v", ""));
  }

  ObjectNode userValues() {
    var files = new ArrayList<Path>();
    if (profile != null) {
      files.add(Bundled.profile(profile));
    }
    files.addAll(values);
    return Values.read(files);
  }

  Rendering render() {
    Release release = release();
    // The API description takes as long to read as the chart to render.
    CompletableFuture.runAsync(() -> KubernetesSchema.of(release.kubeMinor()));
    return Chart.open(chart == null ? Bundled.chart() : chart).render(release, userValues());
  }

  Verdict verify(Cluster cluster, Path manifests) {
    if (manifests == null) {
      return Checks.verify(render(), cluster);
    }
    ManifestParser.Result parsed = ManifestParser.parse(read(manifests));
    return Checks.verify(release(), parsed.manifests(), parsed.problems(), userValues(), cluster);
  }

  static String read(Path file) {
    try {
      return file.toString().equals("-")
          ? new String(System.in.readAllBytes(), StandardCharsets.UTF_8)
          : Files.readString(file);
    } catch (java.nio.file.NoSuchFileException e) {
      throw new IllegalArgumentException(file + ": no such file", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
