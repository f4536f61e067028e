package io.github.wordpressha.image;

import io.github.wordpressha.build.StageProfiles;
import io.github.wordpressha.check.Objects;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.helm.TemporaryFiles;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.manifest.Decoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Writes a directory for each container whose image is to be checked, for ci/images. */
public final class WriteImageUses {

  private WriteImageUses() {}

  /** Arguments: the chart's directory, the directory of the profiles, the directory to write. */
  public static void main(String[] args) throws IOException {
    write(ImageUses.withoutRepeats(read(Path.of(args[0]), Path.of(args[1])).stream()), Path.of(args[2]));
  }

  /** The uses of the chart's defaults and of every profile. */
  public static List<ImageUse> read(Path chartDirectory, Path profiles) throws IOException {
    Chart chart = Chart.open(chartDirectory);
    var uses = new ArrayList<>(uses(chart.render(new Release("wordpress-ha", "default", Release.DEFAULT_KUBE_VERSION), Values.none())));
    for (Path profile : StageProfiles.profiles(profiles)) {
      uses.addAll(uses(chart.render(new Release("wordpress-ha", "default", Release.DEFAULT_KUBE_VERSION), Yaml.readObject(profile))));
    }
    return uses;
  }

  private static List<ImageUse> uses(Rendering rendering) {
    var objects = new Objects(rendering.release(), Decoder.decodeAll(rendering.manifests()).manifests(), rendering.values());
    return ImageUses.of(objects).toList();
  }

  public static void write(List<ImageUse> uses, Path target) throws IOException {
    TemporaryFiles.delete(target);
    int number = 0;
    for (ImageUse use : uses) {
      Path directory = Files.createDirectories(target.resolve("%02d-%s".formatted(++number, use.container())));
      Files.writeString(directory.resolve("image"), use.image() + "\n");
      Files.writeString(directory.resolve("user"), use.user() + "\n");
      Files.writeString(directory.resolve("root"), (use.readOnly() ? "read-only" : "writable") + "\n");
      Files.writeString(directory.resolve("environment"), lines(use.environment().entrySet().stream()
          .filter(e -> !e.getValue().contains("\n")).map(e -> e.getKey() + "=" + e.getValue()).toList()));
      Files.writeString(directory.resolve("mounts"), lines(use.mounts().stream()
          .map(m -> m.source().name().toLowerCase(Locale.ROOT) + " " + m.path()).toList()));
      Files.writeString(directory.resolve("facts"), lines(use.facts().stream().map(Fact::line).toList()));
      for (ImageUse.Mount mount : use.mounts()) {
        for (Map.Entry<String, String> file : mount.paths().entrySet()) {
          Path path = directory.resolve("files" + file.getKey());
          Files.createDirectories(path.getParent());
          Files.writeString(path, file.getValue());
        }
      }
    }
  }

  private static String lines(List<String> lines) {
    return lines.stream().map(l -> l + "\n").collect(Collectors.joining());
  }
}
