package io.github.wordpressha.build;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import io.github.wordpressha.helm.HelmSdk;
import io.github.wordpressha.helm.Release;
import io.github.wordpressha.helm.RenderException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * As much of the {@code helm} command as a build needs, on machines that have none: {@code version}, {@code lint},
 * {@code template}, {@code package} and {@code push}, by the Helm SDK. Anything else ends with code 2 and a sentence.
 */
public final class HelmCommand {

  private static final List<String> SWITCHES = List.of("--strict", "--quiet", "--plain-http", "--debug", "--short");

  private final List<String> words = new ArrayList<>();
  private final Map<String, String> options = new HashMap<>();

  private HelmCommand(String[] args) {
    var rest = new ArrayList<>(Arrays.asList(args));
    while (!rest.isEmpty()) {
      String word = rest.remove(0);
      if (!word.startsWith("-")) {
        words.add(word);
      } else if (word.contains("=")) {
        options.put(word.substring(0, word.indexOf('=')), word.substring(word.indexOf('=') + 1));
      } else if (SWITCHES.contains(word) || rest.isEmpty()) {
        options.put(word, "true");
      } else {
        options.put(word, rest.remove(0));
      }
    }
  }

  public static void main(String[] args) {
    System.exit(new HelmCommand(args).run());
  }

  private int run() {
    try {
      return switch (words.isEmpty() ? "" : words.get(0)) {
        case "version" -> print(HelmSdk.version() + " (Helm SDK in helm-java)");
        case "lint" -> lint(Path.of(words.get(1)));
        case "template" -> print(template());
        case "package" -> pack(Path.of(words.get(1)));
        case "push" -> push(Path.of(words.get(1)), words.get(2));
        default -> refuse();
      };
    } catch (IllegalStateException | RenderException e) {
      System.err.println("Error: " + e.getMessage());
      return 1;
    }
  }

  private int lint(Path chart) {
    LintResult result = HelmSdk.lint(chart, options.containsKey("--strict"));
    // The SDK lints in a namespace without a name, where the real helm has "default": a name that begins with the
    // namespace then begins with a dash, which is no fault of the chart.
    List<String> messages = result.getMessages().stream()
        .filter(m -> !m.contains("object name does not conform to Kubernetes naming requirements: \"-test-release"))
        .toList();
    boolean failed = messages.stream().anyMatch(m -> m.startsWith("[ERROR]") || options.containsKey("--strict") && m.startsWith("[WARNING]"));
    if (failed || !options.containsKey("--quiet")) {
      messages.forEach(System.out::println);
    }
    return failed ? 1 : 0;
  }

  private String template() {
    String chart = words.get(words.size() - 1);
    String name = words.size() > 2 ? words.get(1) : options.getOrDefault("--name-template", "wordpress-ha");
    var release = new Release(
        name,
        options.getOrDefault("--namespace", "default"),
        options.getOrDefault("--kube-version", Release.DEFAULT_KUBE_VERSION));
    List<Path> values = options.containsKey("--values") ? List.of(Path.of(options.get("--values"))) : List.of();
    return HelmSdk.template(Path.of(chart), release, values);
  }

  private int pack(Path chart) {
    new Helm(chart).packageIt().withDestination(Path.of(options.getOrDefault("--destination", "."))).call();
    return 0;
  }

  private int push(Path archive, String remote) {
    var command = Helm.push().withChart(archive).withRemote(java.net.URI.create(remote));
    return print((options.containsKey("--plain-http") ? command.plainHttp() : command).call());
  }

  private static int print(String text) {
    System.out.println(text);
    return 0;
  }

  private int refuse() {
    System.err.println("Error: no helm on the PATH, and the built-in one knows version, lint, template, package and push, not: "
        + String.join(" ", words));
    return 2;
  }
}
