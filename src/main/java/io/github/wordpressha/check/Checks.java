package io.github.wordpressha.check;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.Rendering;
import io.github.wordpressha.manifest.Decoder;
import io.github.wordpressha.manifest.KubernetesSchema;
import io.github.wordpressha.manifest.Manifest;
import io.github.wordpressha.manifest.ManifestParser;
import io.github.wordpressha.manifest.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Everything that is verified about rendered objects: each by itself against the API, then all of them together. */
public final class Checks {

  /** All rules on the release as a whole. */
  public static final List<Check> ALL = List.of(
      new ReferenceCheck(),
      new SelectorCheck(),
      new PortCheck(),
      new VolumeCheck(),
      new ScriptCheck(),
      new IdentityCheck(),
      new NameCheck(),
      new LabelCheck(),
      new RestartCheck(),
      new ResourceCheck(),
      new ProbeCheck(),
      new DisruptionCheck(),
      new ConnectionCheck(),
      new SecurityCheck(),
      new RbacCheck(),
      new ImageCheck(),
      new MentionCheck());

  /**
   * @param objects the decoded objects
   * @param problems what is wrong with them, the worst first
   */
  public record Verdict(Objects objects, List<Problem> problems) {

    public boolean hasErrors() {
      return problems.stream().anyMatch(Problem::isError);
    }

    public List<Problem> errors() {
      return problems.stream().filter(Problem::isError).toList();
    }
  }

  private Checks() {}

  /** Decodes and checks what a chart rendered. */
  public static Verdict verify(Rendering rendering, Cluster cluster) {
    List<Problem> found = Stream.concat(rendering.problems().stream(), Openings.in(rendering.notes()).stream()).toList();
    return verify(rendering.release(), rendering.manifests(), found, rendering.values(), cluster);
  }

  /**
   * Decodes and checks objects from anywhere, such as the output of {@code kustomize build}.
   *
   * @param found problems that parsing has found already
   * @param values the values that a person gave: they name objects which exist outside of the release
   */
  public static Verdict verify(Release release, List<Manifest> manifests, List<Problem> found, ObjectNode values, Cluster cluster) {
    var problems = new ArrayList<>(found);
    ManifestParser.Result decoded = Decoder.decodeAll(manifests);
    KubernetesSchema schema = KubernetesSchema.of(cluster.kubeMinor());
    for (Manifest manifest : decoded.manifests()) {
      List<Problem> refused = schema.validate(manifest);
      problems.addAll(refused);
      // What both find is said once; the schema's sentence is the clearer one.
      decoded.problems().stream()
          .filter(p -> of(p, manifest) && refused.stream().noneMatch(r -> r.path().equals(p.path())))
          .forEach(problems::add);
    }
    Objects objects = objects(release, decoded.manifests(), values);
    boolean malformed = problems.stream().anyMatch(Problem::isError);
    ALL.forEach(check -> problems.addAll(run(check, objects, cluster, malformed)));
    return new Verdict(objects, problems.stream().distinct().sorted().toList());
  }

  private static Objects objects(Release release, List<Manifest> manifests, ObjectNode values) {
    try {
      return new Objects(release, manifests, values);
    } catch (NullPointerException e) {
      // A workload without a pod template: look at the rest as plain trees.
      return new Objects(release, manifests.stream().map(m -> m.withObject(null)).toList(), values);
    }
  }

  /** An object that lacks what the API demands may leave a check nothing to hold on to; what it lacks is reported already. */
  private static List<Problem> run(Check check, Objects objects, Cluster cluster, boolean malformed) {
    try {
      return check.run(objects, cluster);
    } catch (NullPointerException e) {
      if (malformed) {
        return List.of();
      }
      throw e;
    }
  }

  private static boolean of(Problem problem, Manifest manifest) {
    return problem.file().equals(manifest.file()) && problem.object().equals(manifest.id());
  }

  /** Rules that look at one object at a time, for the documentation of the command line. */
  public static Stream<String> objectRules() {
    return Stream.of("syntax", "api", "decode", "schema");
  }
}
