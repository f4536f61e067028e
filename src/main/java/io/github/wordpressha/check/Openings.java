package io.github.wordpressha.check;

import io.github.wordpressha.manifest.Problem;
import io.github.wordpressha.manifest.Problem.Severity;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** The values that open something, as the chart's own notes list them. */
public final class Openings {

  public static final String RULE = "open";
  public static final String DESCRIPTION = "No value opens the release to more than its visitors, as far as the chart's notes tell.";

  private static final Pattern SECTION = Pattern.compile("(?m)^WHAT IS OPEN\\n((?:  .+\\n?)+)");
  private static final Pattern LINE = Pattern.compile("(?m)^  (?<value>[\\w.]+): (?<sentence>.+)$");

  private Openings() {}

  /** A warning for each value of the section. */
  static List<Problem> in(String notes) {
    return SECTION.matcher(notes).results()
        .flatMap(section -> LINE.matcher(section.group(1)).results())
        .map(Openings::warning)
        .toList();
  }

  private static Problem warning(MatchResult line) {
    return new Problem(Severity.WARNING, RULE, "", "values.yaml", line.group(1), line.group(2), "");
  }
}
