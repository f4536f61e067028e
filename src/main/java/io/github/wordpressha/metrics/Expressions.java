package io.github.wordpressha.metrics;

import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Expressions of PromQL, as far as is needed to know on what they rest. */
public final class Expressions {

  private static final Pattern TEXTS = Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"");
  private static final Pattern SELECTORS = Pattern.compile("\\{[^}]*}");
  private static final Pattern LABEL_LISTS = Pattern.compile("\\b(?:by|without|on|ignoring|group_left|group_right)\\s*\\([^)]*\\)");
  /** A name that is no function: no parenthesis follows. */
  private static final Pattern NAMES = Pattern.compile("\\b[a-z_:][a-zA-Z0-9_:]*\\b(?!\\s*\\()");
  private static final Set<String> WORDS = Set.of("and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset");
  /** Grafana's, of a range. */
  private static final Pattern RANGES = Pattern.compile("\\[[^]]*]|\\$\\w+");

  private Expressions() {}

  /** The names of the metrics that an expression reads. */
  public static Set<String> metrics(String expression) {
    String bare = expression;
    for (Pattern pattern : new Pattern[] {TEXTS, SELECTORS, LABEL_LISTS, RANGES}) {
      bare = pattern.matcher(bare).replaceAll(" ");
    }
    return NAMES.matcher(bare).results().map(MatchResult::group)
        .filter(name -> !WORDS.contains(name) && !name.matches("e\\d*|[dhms]")).collect(Collectors.toCollection(TreeSet::new));
  }
}
