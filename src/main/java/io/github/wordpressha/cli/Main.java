package io.github.wordpressha.cli;

import io.github.wordpressha.helm.RenderException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command line: know before you install. */
@Command(
    name = "wordpress-ha-verify",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    description = "Renders a chart with your values, checks every object, and says what each fault would do to the site.",
    footer = {
      "",
      "Exit codes:",
      "  0  nothing is wrong (check), nothing is refused (diff), or the answer was given",
      "  1  check found errors, or diff found changes that the cluster refuses",
      "  2  the command line is wrong",
      "  3  the chart cannot be rendered with these values, or a file cannot be read",
      "",
      "Nothing here talks to a cluster, and nothing is changed."
    },
    subcommands = {CheckCommand.class, ReportCommand.class, DiffCommand.class, ImagesCommand.class, RenderCommand.class})
public final class Main implements Callable<Integer> {

  static final int OK = 0;
  static final int FOUND = 1;
  static final int UNUSABLE = 3;

  @Spec
  private CommandSpec spec;

  public static void main(String[] args) {
    System.exit(run(new PrintWriter(System.out, true), new PrintWriter(System.err, true), args));
  }

  /** Runs one command line and gives its exit code. */
  static int run(PrintWriter out, PrintWriter err, String... args) {
    return new CommandLine(new Main())
        .setOut(out)
        .setErr(err)
        .setExecutionExceptionHandler((e, command, parsed) -> {
          if (e instanceof RenderException) {
            command.getErr().println(command.getColorScheme().errorText("cannot render: " + e.getMessage()));
            return UNUSABLE;
          }
          if (e instanceof IllegalArgumentException || e instanceof java.io.UncheckedIOException || e instanceof IllegalStateException) {
            command.getErr().println(command.getColorScheme().errorText(String.valueOf(e.getMessage())));
            return UNUSABLE;
          }
          throw e;
        })
        .execute(args);
  }

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "Give a command: check, report, diff, images or render.");
  }

  /** The chart's version, which is this program's, too. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"wordpress-ha-verify " + (version == null ? "(development)" : version)};
    }
  }
}
