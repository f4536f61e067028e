package io.github.wordpressha.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.Profiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a pod logs while it waits, refuses or was overridden is found in docs/troubleshooting.md. */
@Tag("render")
class MessagesTest {

  private static final Path DOCUMENT = Path.of("docs/troubleshooting.md");
  private static final Pattern COMMENT = Pattern.compile("^\\s*(?:#|//|/?\\*(?=[\\s/*]|$)).*");
  /** Where a message begins: an argument of these functions, or a reason that one of them logs later. */
  private static final Pattern BEGIN = Pattern.compile("(?:\\b(say|log|refuse|wait)[ (]|\\b(?:why|command)=|why: |; |\\| |\\): )\"");
  private static final Pattern HAS_A_REMEDY =
      Pattern.compile("Waiting|waiting|waited for|REFUSED|[Oo]verride|OVERRIDE|FENCED|DROPPED|No Primary component");
  private static final Pattern FIRST_SENTENCE = Pattern.compile("^.*?[^.…]\\.(?= |$)");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  @Test
  @DisplayName("each message that waits, refuses or overrides is listed with its cause and its remedy")
  void everyMessageIsListed() throws IOException {
    List<String> listed = CODE.matcher(Files.readString(DOCUMENT)).results().map(code -> code.group(1)).toList();
    List<String> messages = messages();
    assertThat(messages).as("messages of the scripts").hasSizeGreaterThan(50);
    assertThat(messages.stream().filter(message -> listed.stream().noneMatch(code -> covers(code, message))))
        .as("messages that %s does not list; … stands for what varies", DOCUMENT).isEmpty();
  }

  @Test
  @DisplayName("the document lists no message that no script logs")
  void noMessageIsObsolete() throws IOException {
    List<String> messages = messages();
    assertThat(CODE.matcher(Files.readString(DOCUMENT)).results().map(code -> code.group(1))
        .filter(code -> code.contains("…") && HAS_A_REMEDY.matcher(code).find() || code.startsWith("Waiting"))
        .filter(code -> messages.stream().noneMatch(message -> message.startsWith(code)))).isEmpty();
  }

  @Test
  @DisplayName("expansions of a script become … in its messages")
  void takesScriptsApart() {
    assertThat(messagesIn("""
        # say "Waiting in a comment"
          if a; then say "Waiting for ${pod:-any} and $(fact "x" | jq ".[]"), at $1."; fi
        *) why="OVERRIDE refused: \\"$x\\"" ;;
        refuse "no data"
        log "Serving."
        """)).containsExactly("Waiting for … and …, at ….", "OVERRIDE refused: \"…\"", "REFUSED: no data");
  }

  /** Whether the text is the message, or its beginning, with its first sentence at least. */
  private static boolean covers(String text, String message) {
    return message.startsWith(text) && text.length() >= firstSentence(message).length();
  }

  private static String firstSentence(String message) {
    return FIRST_SENTENCE.matcher(message).results().map(MatchResult::group).findFirst().orElse(message);
  }

  private static List<String> messages() throws IOException {
    try (Stream<Path> files = Files.walk(Profiles.CHART_DIRECTORY.resolve("files"))) {
      var all = Stream.<String>builder();
      for (Path file : files.filter(path -> path.toString().matches(".*\\.(sh|php|jq)")).sorted().toList()) {
        messagesIn(Files.readString(file)).forEach(all);
      }
      return all.build().toList();
    }
  }

  private static List<String> messagesIn(String script) {
    return script.lines()
        .filter(line -> !COMMENT.matcher(line).matches())
        .flatMap(line -> BEGIN.matcher(line).results().map(begin -> ("refuse".equals(begin.group(1)) ? "REFUSED: " : "") + text(line, begin.end())))
        .filter(HAS_A_REMEDY.asPredicate())
        .toList();
  }

  /** The string that begins here, up to its closing quote. */
  private static String text(String line, int begin) {
    var text = new StringBuilder();
    for (int at = begin; at < line.length() && line.charAt(at) != '"'; at++) {
      char c = line.charAt(at);
      if (c == '$' || c == '\\' && line.charAt(at + 1) == '(') {
        at = endOfExpansion(line, c == '$' ? at : at + 1);
        text.append('…');
      } else {
        text.append(c == '\\' ? line.charAt(++at) : c);
      }
    }
    return text.toString();
  }

  /** The last character of {@code $name}, <code>${...}</code>, {@code $(...)} or jq's {@code \\(...)}, which nest. */
  private static int endOfExpansion(String line, int dollar) {
    boolean jq = line.charAt(dollar) == '(';
    char open = line.charAt(jq ? dollar : dollar + 1);
    if (open != '(' && open != '{') {
      int end = dollar + 1;
      while (end + 1 < line.length() && Character.isJavaIdentifierPart(line.charAt(end + 1)) && line.charAt(end + 1) != '$') {
        end++;
      }
      return end;
    }
    char close = open == '(' ? ')' : '}';
    int depth = 1;
    int end = jq ? dollar + 1 : dollar + 2;
    for (; depth > 0; end++) {
      depth += line.charAt(end) == open ? 1 : line.charAt(end) == close ? -1 : 0;
    }
    return end - 1;
  }
}
