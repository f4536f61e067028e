package io.github.wordpressha.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.wordpressha.report.Outcome;
import io.github.wordpressha.report.ResilienceReport;
import io.github.wordpressha.report.Tier;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "report", mixinStandardHelpOptions = true, description = "Says what the loss of each node, zone, volume and tier would do to the site.")
final class ReportCommand implements Callable<Integer> {

  @Mixin
  private Input input;

  @Mixin
  private ClusterOptions cluster;

  @Option(names = "--manifests", paramLabel = "FILE", description = "Read rendered objects instead (- for standard input).")
  private Path manifests;

  @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "text", description = "text or json. Default: ${DEFAULT-VALUE}.")
  private Format format;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws JsonProcessingException {
    Progress.say("rendering ...");
    var where = cluster.cluster(input);
    ResilienceReport report = ResilienceReport.of(input.verify(where, manifests).objects(), where);
    Progress.clear();
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.json) {
      out.println(new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(report));
    } else {
      text(report, out);
    }
    out.flush();
    return Main.OK;
  }

  private void text(ResilienceReport report, PrintWriter out) {
    Ansi ansi = spec.commandLine().getColorScheme().ansi();
    out.printf("Nodes: %d, zones: %d. Pods placed as badly as the rules allow.%n%n", report.cluster().nodes(), report.cluster().zones());
    out.printf("%-12s %-38s %-13s %5s %9s %9s%n", "tier", "workload", "role", "pods", "per node", "per zone");
    for (Tier tier : report.tiers()) {
      out.printf("%-12s %-38s %-13s %5d %9d %9d%n", tier.name(), tier.workload(), word(tier.kind()), tier.pods(), tier.perNode(), tier.perZone());
    }
    out.printf("%n%-46s %-9s %-9s %-9s %s%n", "when this is lost", "readers", "writers", "data", "heals");
    for (Outcome outcome : report.outcomes()) {
      String row = String.format("%-46s %-9s %-9s %-9s %s",
          outcome.fault(), word(outcome.visitors()), word(outcome.editors()), word(outcome.data()), word(outcome.heals()));
      out.println(ansi.enabled() ? ansi.string("@|" + colour(outcome) + " " + row + "|@") : row);
      outcome.because().forEach(why -> out.println("    " + why));
    }
    if (!report.remarks().isEmpty()) {
      out.println();
      report.remarks().forEach(remark -> out.println("* " + remark));
    }
  }

  private static String colour(Outcome outcome) {
    if (outcome.data() != Outcome.Data.KEPT || outcome.visitors() == Outcome.Readers.DOWN) {
      return "red";
    }
    return outcome.visitors() == Outcome.Readers.SERVED && outcome.editors() != Outcome.Writers.DOWN ? "green" : "yellow";
  }

  private static String word(Enum<?> value) {
    return value.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ');
  }
}
