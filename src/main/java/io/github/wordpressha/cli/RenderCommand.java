package io.github.wordpressha.cli;

import io.github.wordpressha.helm.Rendering;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "render", mixinStandardHelpOptions = true, description = "Prints every object that would be created, hooks and tests included.")
final class RenderCommand implements Callable<Integer> {

  @Mixin
  private Input input;

  @Option(names = "--notes", description = "Print what helm install would say, instead.")
  private boolean notes;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    Progress.say("rendering ...");
    Rendering rendering = input.render();
    Progress.clear();
    PrintWriter out = spec.commandLine().getOut();
    // Hooks are hooks again, so that kubectl, kustomize or a GitOps tool sees what the chart says.
    out.print(notes ? rendering.notes() : rendering.text().replace(io.github.wordpressha.helm.Chart.HOOK, "helm.sh/hook"));
    out.flush();
    return Main.OK;
  }
}
