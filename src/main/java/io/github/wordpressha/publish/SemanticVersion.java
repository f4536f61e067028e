package io.github.wordpressha.publish;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version by the rules of semver.org 2.0.0; build metadata is ignored.
 *
 * @param numbers major, minor, patch
 * @param preRelease its identifiers; empty for a release
 */
public record SemanticVersion(List<Integer> numbers, List<String> preRelease) implements Comparable<SemanticVersion> {

  private static final Pattern FORM = Pattern.compile("v?(\\d+)\\.(\\d+)\\.(\\d+)(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z.-]+)?");

  /** @throws IllegalArgumentException if the text is no version */
  public static SemanticVersion parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("\"" + text + "\" is no version such as 1.2.3 or 1.3.0-rc.1");
    }
    List<Integer> numbers = List.of(Integer.valueOf(matcher.group(1)), Integer.valueOf(matcher.group(2)), Integer.valueOf(matcher.group(3)));
    return new SemanticVersion(numbers, matcher.group(4) == null ? List.of() : Arrays.asList(matcher.group(4).split("\\.")));
  }

  @Override
  public int compareTo(SemanticVersion other) {
    for (int i = 0; i < 3; i++) {
      int order = Integer.compare(numbers.get(i), other.numbers.get(i));
      if (order != 0) {
        return order;
      }
    }
    if (preRelease.isEmpty() || other.preRelease.isEmpty()) {
      return Boolean.compare(preRelease.isEmpty(), other.preRelease.isEmpty());
    }
    for (int i = 0; i < Math.min(preRelease.size(), other.preRelease.size()); i++) {
      int order = compare(preRelease.get(i), other.preRelease.get(i));
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(preRelease.size(), other.preRelease.size());
  }

  /** Numbers count as numbers and come before words. */
  private static int compare(String a, String b) {
    boolean numericA = a.matches("\\d+");
    boolean numericB = b.matches("\\d+");
    if (numericA && numericB) {
      return Integer.compare(Integer.parseInt(a), Integer.parseInt(b));
    }
    return numericA != numericB ? Boolean.compare(numericB, numericA) : a.compareTo(b);
  }
}
