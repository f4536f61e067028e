package io.github.wordpressha.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The commands that a shell script runs, read from its text: what an image must have for the script to work.
 *
 * @param commands in the order of the text, builtins and functions included
 * @param functions that the script defines
 * @param values what variables may hold: defaults of {@code ${NAME:=value}}, and the words of arrays
 */
public record ShellScript(List<Command> commands, Set<String> functions, Map<String, List<String>> values) {

  /** Names that the shell itself answers to. */
  public static final Set<String> BUILTINS = Set.of(
      "!", ".", ":", "[", "[[", "alias", "bg", "break", "builtin", "cd", "command", "continue", "declare", "echo", "eval", "exec", "exit", "export",
      "false", "fg", "getopts", "hash", "jobs", "kill", "let", "local", "mapfile", "popd", "printf", "pushd", "pwd", "read", "readarray", "readonly",
      "return", "set", "shift", "shopt", "source", "test", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias", "unset", "wait");

  /** Words after which a command follows. */
  private static final Set<String> LEADING = Set.of("if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "time", "coproc", "function");

  /** What runs the command in its arguments. */
  private static final Set<String> RUNNERS = Set.of("command", "env", "exec", "nice", "nohup", "setsid", "xargs");

  private static final Pattern ASSIGNMENT = Pattern.compile("[A-Za-z_]\\w*(\\[[^]]*])?\\+?=.*", Pattern.DOTALL);
  private static final Pattern DEFAULT = Pattern.compile("\\$\\{(\\w+):[=-]([^}\"$]+)}");

  /**
   * A command and its arguments; quotes are gone, expansions are as written.
   *
   * @param within the function that it is in; empty: the script itself
   */
  public record Command(String within, String name, List<String> arguments) {

    /** The names of its long options. */
    List<String> options() {
      return arguments.stream().filter(a -> a.matches("(?s)--[a-z][\\w-]*(=.*)?")).map(a -> a.replaceFirst("(?s)=.*", "")).toList();
    }
  }

  public static ShellScript parse(String text) {
    var script = new ShellScript(new ArrayList<>(), new TreeSet<>(), new LinkedHashMap<>());
    Matcher fallback = DEFAULT.matcher(text);
    while (fallback.find()) {
      script.values.putIfAbsent(fallback.group(1), List.of(fallback.group(2)));
    }
    new Reader(text, script).commands("");
    return script;
  }

  /** Reads a text from left to right. */
  private static final class Reader {

    private final String text;
    private final ShellScript script;
    private final List<String> heredocs = new ArrayList<>();
    private final List<String> blocks = new ArrayList<>(List.of("")); // of the open braces: the functions that they are in
    private String function = ""; // whose body comes next
    private int at;

    Reader(String text, ShellScript script) {
      this.text = text;
      this.script = script;
    }

    private boolean atEnd() {
      return at >= text.length();
    }

    private boolean sees(String next) {
      return text.startsWith(next, at);
    }

    /** Reads commands up to a closing bracket, or to the end. */
    void commands(String close) {
      var words = new ArrayList<String>();
      var cases = new ArrayList<Boolean>(); // for each open "case": whether a pattern comes next
      while (!atEnd()) {
        boolean pattern = !cases.isEmpty() && cases.get(cases.size() - 1);
        if (sees("\\\n")) {
          at += 2;
        } else if (sees("\n")) {
          at++;
          end(words);
          skipHeredocs();
        } else if (Character.isWhitespace(text.charAt(at))) {
          at++;
        } else if (sees("#")) {
          at = lineEnd();
        } else if (!close.isEmpty() && sees(close) && !pattern) {
          end(words);
          at++;
          return;
        } else if (sees(";;")) {
          end(words);
          at += 2;
          cases.set(cases.size() - 1, true);
        } else if (pattern) {
          String word = sees("(") || sees("|") ? text.substring(at, ++at) : sees(")") ? "" : word();
          if (word.equals("esac")) {
            cases.remove(cases.size() - 1);
          } else if (sees(")")) {
            at++;
            cases.set(cases.size() - 1, false);
          }
        } else if (sees("((") && (words.isEmpty() || words.equals(List.of("for")))) {
          arithmetic();
        } else if (sees("<<<")) {
          at += 3;
          skipBlanks();
          word();
        } else if (sees("<(") || sees(">(")) {
          words.add(word());
        } else if (sees("<") || sees(">") || sees("&>")) {
          redirection();
        } else if (";&|()".indexOf(text.charAt(at)) >= 0) {
          separator(words);
        } else {
          String word = word();
          if (word.matches("\\d+|\\{\\w+}") && (sees("<") || sees(">"))) {
            redirection();
          } else if (word.equals("esac") && words.isEmpty()) {
            cases.remove(cases.size() - 1);
          } else if (word.equals("in") && words.size() == 2 && words.get(0).equals("case")) {
            words.clear();
            cases.add(true);
          } else if (word.equals("{")) {
            words.clear(); // the name of a coprocess
            open();
          } else if (word.equals("}") && words.isEmpty()) {
            blocks.remove(blocks.size() - 1);
          } else if (ASSIGNMENT.matcher(word).matches()) {
            array(word);
            if (!words.isEmpty()) {
              words.add(word);
            }
          } else if (!(words.isEmpty() && LEADING.contains(word))) {
            words.add(word);
          }
        }
      }
      end(words);
    }

    /** A bracket, or what ends a command; within {@code [[ ]]} it does not. */
    private void separator(List<String> words) {
      if (!words.isEmpty() && words.get(0).equals("[[") && !words.contains("]]")) {
        at++;
      } else if (sees("()") && words.size() == 1) {
        function = words.get(0);
        script.functions.add(function);
        words.clear();
        at += 2;
      } else if (sees("(")) {
        words.clear();
        at++;
        open();
        commands(")");
        blocks.remove(blocks.size() - 1);
      } else {
        end(words);
        at++;
      }
    }

    /** A block: the body of the function whose name was just read, or part of the block around it. */
    private void open() {
      blocks.add(function.isEmpty() ? within() : function);
      function = "";
    }

    private String within() {
      return blocks.get(blocks.size() - 1);
    }

    /** Keeps the words of {@code NAME=(...)}. */
    private void array(String assignment) {
      if (!sees("(") || !assignment.endsWith("=")) {
        return;
      }
      at++;
      var words = new ArrayList<String>();
      while (!atEnd() && !sees(")")) {
        if (Character.isWhitespace(text.charAt(at))) {
          at++;
        } else if (sees("#")) {
          at = lineEnd();
        } else {
          words.add(word());
        }
      }
      at++;
      script.values.merge(assignment.replaceAll("\\W.*", ""), words, (a, b) -> Stream.concat(a.stream(), b.stream()).toList());
    }

    /** Ends a command: what its words run. */
    private void end(List<String> words) {
      if (words.isEmpty()) {
        return;
      }
      run(List.copyOf(words));
      words.clear();
    }

    private void run(List<String> words) {
      String name = words.get(0);
      List<String> arguments = words.subList(1, words.size());
      if (Set.of("for", "case").contains(name)) {
        return;
      }
      if (ASSIGNMENT.matcher(name).matches()) {
        if (!arguments.isEmpty()) {
          run(arguments);
        }
        return;
      }
      List<String> started = started(name, arguments);
      script.commands.add(new Command(within(), name, arguments.subList(0, arguments.size() - started.size())));
      if (!started.isEmpty()) {
        run(started);
      } else if (name.equals("trap") || name.equals("eval")) {
        arguments.stream().limit(1).forEach(this::nested);
      } else if (arguments.size() > 1 && name.matches("(ba)?sh") && arguments.get(0).equals("-c")) {
        nested(arguments.get(1));
      }
      arguments.stream().filter(a -> a.startsWith("EXEC:")).forEach(a -> nested(a.substring("EXEC:".length())));
    }

    /** The command in the arguments of a program that runs one. */
    private List<String> started(String name, List<String> arguments) {
      if (RUNNERS.contains(name)) {
        // Options, with the numbers that some of them take.
        return arguments.stream().dropWhile(a -> a.matches("-.*|\\d+")).toList();
      }
      return name.equals("timeout")
          ? arguments.stream().dropWhile(a -> !a.matches("[\\d$].*")).skip(1).dropWhile(a -> a.matches("[\\d.]+[smhd]?")).toList()
          : List.of();
    }

    private void nested(String code) {
      var reader = new Reader(code, script);
      reader.blocks.add(within());
      reader.commands("");
    }

    private void redirection() {
      if (sees("<<")) {
        at += sees("<<-") ? 3 : 2;
        skipBlanks();
        heredocs.add(word());
        return;
      }
      while (!atEnd() && "<>&|-".indexOf(text.charAt(at)) >= 0 && !sees("<(") && !sees(">(")) {
        at++;
      }
      skipBlanks();
      word();
    }

    private void skipBlanks() {
      while (!atEnd() && (sees(" ") || sees("\t"))) {
        at++;
      }
    }

    private int lineEnd() {
      int end = text.indexOf('\n', at);
      return end < 0 ? text.length() : end;
    }

    /** The texts of here documents, which may run commands, too. */
    private void skipHeredocs() {
      for (String delimiter : heredocs) {
        int start = at;
        while (!atEnd() && !text.substring(at, lineEnd()).strip().equals(delimiter)) {
          at = Math.min(text.length(), lineEnd() + 1);
        }
        var reader = new Reader(text.substring(start, at), script);
        reader.blocks.add(within());
        reader.expansions();
        at = lineEnd();
      }
      heredocs.clear();
    }

    private void expansions() {
      while (!atEnd()) {
        if (sees("\\")) {
          at += 2;
        } else if (sees("$")) {
          expansion(true);
        } else {
          at++;
        }
      }
    }

    /** One word without its quotes. What it substitutes is read as commands. */
    private String word() {
      var word = new StringBuilder();
      while (!atEnd()) {
        char next = text.charAt(at);
        if (next == '\\') {
          word.append(text, Math.min(at + 1, text.length()), Math.min(at + 2, text.length()));
          at += 2;
        } else if (next == '\'') {
          int end = text.indexOf('\'', at + 1);
          word.append(text, at + 1, end);
          at = end + 1;
        } else if (sees("$'")) {
          at += 2;
          while (!sees("'")) {
            at += sees("\\") ? 2 : 1;
          }
          at++;
        } else if (next == '"') {
          word.append(quoted());
        } else if (next == '$') {
          word.append(expansion(false));
        } else if ((sees("<(") || sees(">(")) && word.isEmpty()) {
          at += 2;
          commands(")");
          word.append("<()");
        } else if (Character.isWhitespace(next) || ";&|<>()".indexOf(next) >= 0) {
          break;
        } else {
          word.append(next);
          at++;
        }
      }
      return word.toString();
    }

    private String quoted() {
      var quoted = new StringBuilder();
      at++;
      while (!atEnd() && !sees("\"")) {
        if (sees("\\")) {
          quoted.append(text, at + 1, at + 2);
          at += 2;
        } else if (sees("$")) {
          quoted.append(expansion(true));
        } else {
          quoted.append(text.charAt(at++));
        }
      }
      at++;
      return quoted.toString();
    }

    /** A substituted command, arithmetic, or a variable. */
    private String expansion(boolean quoted) {
      int start = at;
      if (sees("$((")) {
        at++;
        arithmetic();
      } else if (sees("$(")) {
        at += 2;
        commands(")");
      } else if (sees("${")) {
        at += 2;
        while (!atEnd() && !sees("}")) {
          part(quoted);
        }
        at++;
      } else {
        at++;
        while (!atEnd() && (Character.isLetterOrDigit(text.charAt(at)) || sees("_"))) {
          at++;
        }
      }
      return text.substring(start, Math.min(at, text.length()));
    }

    private void arithmetic() {
      int depth = 0;
      do {
        if (sees("(")) {
          depth++;
          at++;
        } else if (sees(")")) {
          depth--;
          at++;
        } else {
          part(true);
        }
      } while (depth > 0 && !atEnd());
    }

    /** Within double quotes a single quote is a letter like others. */
    private void part(boolean quoted) {
      if (sees("\\")) {
        at += 2;
      } else if (sees("'") && !quoted) {
        at = text.indexOf('\'', at + 1) + 1;
      } else if (sees("\"")) {
        quoted();
      } else if (sees("$")) {
        expansion(quoted);
      } else {
        at++;
      }
    }
  }
}
