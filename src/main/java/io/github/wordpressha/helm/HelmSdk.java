package io.github.wordpressha.helm;

import com.marcnuri.helm.Helm;
import com.marcnuri.helm.LintResult;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The Helm SDK inside this process (helm-java), with its traps closed: name, namespace and Kubernetes version are
 * always given, and the process still ends on SIGTERM and SIGINT after Go has taken these signals over.
 *
 * <p>Safe for use by many threads.
 */
public final class HelmSdk {

  private static final AtomicBoolean SIGNALS_RESTORED = new AtomicBoolean();

  private HelmSdk() {}

  /** The version of the SDK, such as {@code v3.21.0}. */
  public static String version() {
    return Helm.version().call();
  }

  /**
   * Renders the templates of a chart, hooks and notes excepted (see {@link Chart#render} for all of it).
   *
   * @param chart a chart directory or archive
   * @param valuesFiles later files win over earlier ones, all of them over the chart's defaults
   * @return the documents in the order in which Helm would apply them
   * @throws RenderException with Helm's own message
   */
  public static String template(Path chart, Release release, List<Path> valuesFiles) {
    try {
      var command = new Helm(chart)
          .template()
          .withName(release.name())
          .withNamespace(release.namespace())
          .withKubeVersion(release.kubeVersion());
      valuesFiles.forEach(command::withValuesFile);
      return command.call();
    } catch (IllegalStateException e) {
      throw new RenderException(RenderException.readable(e.getMessage()), e);
    } finally {
      restoreSignals();
    }
  }

  /** Lints a chart directory with its default values. */
  public static LintResult lint(Path chart, boolean strict) {
    var command = new Helm(chart).lint();
    return strict ? command.strict().call() : command.call();
  }

  /** Go's {@code signal.Notify}, called by the first rendering, leaves a JVM that neither signal can end. */
  private static void restoreSignals() {
    if (SIGNALS_RESTORED.compareAndSet(false, true)) {
      for (String signal : List.of("TERM", "INT")) {
        sun.misc.Signal.handle(new sun.misc.Signal(signal), s -> System.exit(128 + s.getNumber()));
      }
    }
  }
}
