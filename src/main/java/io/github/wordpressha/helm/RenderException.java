package io.github.wordpressha.helm;

/** Helm refused to render: bad values, a guard in the chart, or a template that fails. The message is for people. */
public final class RenderException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  public RenderException(String message, Throwable cause) {
    super(message, cause);
  }

  /** Helm's message without its advice on flags that a person may not have. */
  static String readable(String message) {
    return message == null ? "Helm gave no reason" : message.replaceFirst("\\s*Use --debug flag to render out invalid YAML\\s*$", "").strip();
  }
}
