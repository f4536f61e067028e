package io.github.wordpressha.cli;

/** A line that says what is going on, while a person looks, and nothing otherwise. */
final class Progress {

  private static final boolean SHOWN = System.console() != null;

  private Progress() {}

  static void say(String what) {
    if (SHOWN) {
      System.err.print("\r\033[K" + what);
      System.err.flush();
    }
  }

  static void clear() {
    say("");
  }
}
