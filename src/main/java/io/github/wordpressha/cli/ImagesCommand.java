package io.github.wordpressha.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.wordpressha.check.Cluster;
import io.github.wordpressha.publish.Sbom;
import java.io.PrintWriter;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "images", mixinStandardHelpOptions = true, description = "Lists every image that would be pulled, one a line, for a mirror.")
final class ImagesCommand implements Callable<Integer> {

  @Mixin
  private Input input;

  @Option(names = {"-o", "--output"}, paramLabel = "FORMAT", defaultValue = "text", description = "text or json. Default: ${DEFAULT-VALUE}.")
  private Format format;

  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws JsonProcessingException {
    Progress.say("rendering ...");
    Set<String> images = Sbom.images(input.verify(Cluster.ofThree(input.release().kubeMinor()), null).objects());
    Progress.clear();
    PrintWriter out = spec.commandLine().getOut();
    if (format == Format.json) {
      out.println(new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(images));
    } else {
      images.forEach(out::println);
    }
    out.flush();
    return Main.OK;
  }
}
