package io.github.wordpressha.image;

/**
 * Something that the chart relies on in an image.
 *
 * @param subject the program, file, account or directory
 * @param detail what is expected of it: an option, an interpreter, an ID, a command line; may be empty
 */
public record Fact(Kind kind, String subject, String detail) implements Comparable<Fact> {

  /** How a fact is checked, by ci/inside-image. */
  public enum Kind {
    PROGRAM("programs", "`command -v`"),
    OPTION("options of", "the program's help names it"),
    SCRIPT("scripts", "`bash -n`, `sh -n` or `php -l`"),
    EXTENSION("extensions of PHP", "`php -m`"),
    USER("account and its ID", "`id -u`"),
    READABLE("files and directories that it reads", "`test -r`, as the container's user"),
    WRITABLE("directories that it writes to", "a file is made there, as the container's user, under a read-only root"),
    ACCEPTS("accepted configuration", "the program's own test, as the container's user, under a read-only root"),
    STARTS("server, without a shell", "it prints its version");

    private final String meaning;
    private final String check;

    Kind(String meaning, String check) {
      this.meaning = meaning;
      this.check = check;
    }

    public String meaning() {
      return meaning;
    }

    public String check() {
      return check;
    }
  }

  /** What ci/inside-image reads. */
  public String line() {
    return kind.name().toLowerCase(java.util.Locale.ROOT) + "\t" + subject + "\t" + detail;
  }

  @Override
  public int compareTo(Fact other) {
    return line().compareTo(other.line());
  }
}
