package io.github.wordpressha.manifest;

import java.util.Comparator;

/**
 * Something wrong, said so that a person can act on it.
 *
 * @param severity whether the chart can be installed with it
 * @param rule the check that found it, such as {@code reference}
 * @param file the template that the object came from, or an empty text
 * @param object the object, such as {@code StatefulSet/wordpress-ha-mysql}, or an empty text
 * @param path where in the object, such as {@code spec.template.spec.containers[0].image}, or an empty text
 * @param message one sentence: what is wrong, with the offending text
 * @param advice one sentence: what to write or do instead, or an empty text
 */
public record Problem(
    Severity severity, String rule, String file, String object, String path, String message, String advice)
    implements Comparable<Problem> {

  /** How bad it is. */
  public enum Severity {
    /** The cluster refuses it, or it cannot work. */
    ERROR,
    /** It works until something happens: a node lost, a volume full, a pod broken into. */
    WARNING,
    /** Worth knowing. */
    NOTE
  }

  private static final Comparator<Problem> ORDER = Comparator.comparing(Problem::severity)
      .thenComparing(Problem::file)
      .thenComparing(Problem::object)
      .thenComparing(Problem::path)
      .thenComparing(Problem::rule)
      .thenComparing(Problem::message);

  public static Problem error(String rule, Manifest where, String path, String message, String advice) {
    return new Problem(Severity.ERROR, rule, where.file(), where.id(), path, message, advice);
  }

  public static Problem warning(String rule, Manifest where, String path, String message, String advice) {
    return new Problem(Severity.WARNING, rule, where.file(), where.id(), path, message, advice);
  }

  public static Problem note(String rule, Manifest where, String path, String message, String advice) {
    return new Problem(Severity.NOTE, rule, where.file(), where.id(), path, message, advice);
  }

  public boolean isError() {
    return severity == Severity.ERROR;
  }

  @Override
  public int compareTo(Problem other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    var text = new StringBuilder(severity.name().toLowerCase(java.util.Locale.ROOT)).append(' ').append(rule).append(": ");
    if (!file.isEmpty()) {
      text.append(file).append(": ");
    }
    if (!object.isEmpty()) {
      text.append(object).append(": ");
    }
    if (!path.isEmpty()) {
      text.append(path).append(": ");
    }
    text.append(message);
    return advice.isEmpty() ? text.toString() : text.append(' ').append(advice).toString();
  }
}
