package io.github.wordpressha.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.wordpressha.check.Check;
import io.github.wordpressha.check.Checks;
import io.github.wordpressha.check.Checks.Verdict;
import io.github.wordpressha.check.Openings;
import io.github.wordpressha.manifest.Problem;
import io.github.wordpressha.manifest.Problem.Severity;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "check", mixinStandardHelpOptions = true, description = "Renders the chart with your values and says what is wrong with the result.")
final class CheckCommand implements Callable<Integer> {

  @Mixin
  private Input input;

  @Mixin
  private ClusterOptions cluster;

  @Option(names = "--manifests", paramLabel = "FILE", description = "Check rendered objects instead (- for standard input), such as the output of kustomize build.")
  private Path manifests;

  @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "text", description = "text, json or sarif. Default: ${DEFAULT-VALUE}.")
  private Format format;

  @Option(names = "--notes", description = "Print notes, too: what may be a slip of the pen, and may be meant.")
  private boolean notes;

  @Option(names = "--strict", description = "Warnings count as errors.")
  private boolean strict;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws JsonProcessingException {
    Progress.say("rendering and checking ...");
    Verdict verdict = input.verify(cluster.cluster(input), manifests);
    Progress.clear();
    PrintWriter out = spec.commandLine().getOut();
    var json = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    switch (format) {
      case json -> out.println(json.writeValueAsString(Map.of("objects", verdict.objects().manifests().size(), "problems", verdict.problems())));
      case sarif -> out.println(json.writeValueAsString(Sarif.of(verdict.problems())));
      default -> text(verdict, out);
    }
    out.flush();
    boolean bad = verdict.problems().stream().anyMatch(p -> p.isError() || strict && p.severity() == Severity.WARNING);
    return bad ? Main.FOUND : Main.OK;
  }

  private void text(Verdict verdict, PrintWriter out) {
    Ansi ansi = spec.commandLine().getColorScheme().ansi();
    for (Problem problem : verdict.problems()) {
      if (problem.severity() == Severity.NOTE && !notes) {
        continue;
      }
      String colour = switch (problem.severity()) {
        case ERROR -> "bold,red";
        case WARNING -> "yellow";
        case NOTE -> "cyan";
      };
      String place = problem.object() + (problem.path().isEmpty() ? "" : " " + problem.path());
      out.println(coloured(ansi, colour, problem.severity().name().toLowerCase(Locale.ROOT)) + " [" + problem.rule() + "] " + place);
      out.println("    " + problem.message() + (problem.advice().isEmpty() ? "" : " " + problem.advice()));
      if (!problem.file().isEmpty()) {
        out.println("    in " + problem.file());
      }
    }
    long errors = count(verdict.problems(), Severity.ERROR);
    long warnings = count(verdict.problems(), Severity.WARNING);
    out.println(verdict.objects().manifests().size() + " objects, " + rules().size() + " rules: "
        + coloured(ansi, errors > 0 ? "bold,red" : "green", errors + (errors == 1 ? " error" : " errors")) + ", "
        + coloured(ansi, warnings > 0 ? "yellow" : "green", warnings + (warnings == 1 ? " warning" : " warnings"))
        + (notes ? "" : " (" + count(verdict.problems(), Severity.NOTE) + " notes: --notes)"));
  }

  /** Not by picocli's markup: messages may hold any character. */
  private static String coloured(Ansi ansi, String colour, String text) {
    return ansi.enabled() ? ansi.string("@|" + colour + " " + text + "|@") : text;
  }

  private static long count(List<Problem> problems, Severity severity) {
    return problems.stream().filter(p -> p.severity() == severity).count();
  }

  /** Each rule with what it looks for; the object rules first. */
  static List<Map.Entry<String, String>> rules() {
    var rules = new java.util.ArrayList<Map.Entry<String, String>>(List.of(
        Map.entry("syntax", "Every document is YAML without repeated keys, and a Kubernetes object."),
        Map.entry("api", "Every kind and apiVersion exists in the cluster's Kubernetes version."),
        Map.entry("decode", "Every field exists and has a value of its type."),
        Map.entry("schema", "Required fields are there; enums, quantities and lists are as the API demands.")));
    for (Check check : Checks.ALL) {
      rules.add(Map.entry(check.rule(), check.description()));
    }
    rules.add(Map.entry(Openings.RULE, Openings.DESCRIPTION));
    return rules;
  }
}
