package io.github.wordpressha.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.wordpressha.diff.Change;
import io.github.wordpressha.diff.UpgradeDiff;
import io.github.wordpressha.helm.Chart;
import io.github.wordpressha.helm.Values;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.ManifestParser;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "diff",
    mixinStandardHelpOptions = true,
    description = {
      "Says what an upgrade from OLD to NEW changes, restarts, or cannot change.",
      "Each is a values file, a chart (directory or .tgz), or rendered objects (helm get manifest)."
    })
final class DiffCommand implements Callable<Integer> {

  private static final Pattern RENDERED = Pattern.compile("(?m)^kind: *\\S+");

  @Parameters(index = "0", paramLabel = "OLD", description = "What is installed.")
  private Path old;

  @Parameters(index = "1", paramLabel = "NEW", description = "What would be installed.")
  private Path now;

  @Mixin
  private Input input;

  @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "text", description = "text or json. Default: ${DEFAULT-VALUE}.")
  private Format format;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws JsonProcessingException {
    Progress.say("rendering both ...");
    List<Change> changes = UpgradeDiff.between(objects(old), objects(now));
    Progress.clear();
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.json) {
      out.println(new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(changes));
    } else {
      text(changes, out);
    }
    out.flush();
    return changes.stream().anyMatch(c -> c.kind() == Change.Kind.REFUSED) ? Main.FOUND : Main.OK;
  }

  private List<Manifest> objects(Path path) {
    if (Files.isDirectory(path) || path.toString().endsWith(".tgz")) {
      return Chart.open(path).render(input.release(), input.userValues()).manifests();
    }
    String text = Input.read(path);
    if (RENDERED.matcher(text).find()) {
      return ManifestParser.parse(text).manifests();
    }
    var values = Values.merge(input.userValues(), Values.read(List.of(path)));
    return Chart.open(input.chart == null ? Bundled.chart() : input.chart).render(input.release(), values).manifests();
  }

  private void text(List<Change> changes, PrintWriter out) {
    Ansi ansi = spec.commandLine().getColorScheme().ansi();
    if (changes.isEmpty()) {
      out.println("The upgrade changes nothing.");
    }
    for (Change change : changes) {
      String kind = change.kind().name().toLowerCase(java.util.Locale.ROOT);
      String colour = switch (change.kind()) {
        case REFUSED, REMOVED -> "red";
        case RESTARTS -> "yellow";
        default -> "green";
      };
      out.println((ansi.enabled() ? ansi.string("@|" + colour + " " + kind + "|@") : kind) + " " + change.object());
      change.refused().forEach(reason -> out.println("    ! " + reason));
      change.paths().forEach(path -> out.println("    " + path));
    }
  }
}
