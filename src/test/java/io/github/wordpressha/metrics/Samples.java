package io.github.wordpressha.metrics;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The samples of one scrape. */
public record Samples(List<Sample> all) {

  private static final Pattern LINE = Pattern.compile("([a-zA-Z_:][\\w:]*)(?:\\{(.*)})? (\\S+)(?: \\d+)?");
  private static final Pattern LABEL = Pattern.compile("(\\w+)=\"((?:[^\"\\\\]|\\\\.)*)\"");

  /** One line. */
  public record Sample(String name, Map<String, String> labels, double value) {}

  public static Samples parse(String text) {
    return new Samples(text.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).map(Samples::sample).toList());
  }

  private static Sample sample(String line) {
    var found = LINE.matcher(line);
    if (!found.matches()) {
      throw new IllegalArgumentException("no sample: " + line);
    }
    Map<String, String> labels = found.group(2) == null ? Map.of()
        : LABEL.matcher(found.group(2)).results().collect(Collectors.toMap(label -> label.group(1), label -> label.group(2)));
    return new Sample(found.group(1), labels, Double.parseDouble(found.group(3).replace("+Inf", "Infinity")));
  }

  public Stream<String> names() {
    return all.stream().map(Sample::name).distinct();
  }

  /** The sum of the samples with this name and these labels; 0 for none. */
  public double value(String name, Map<String, String> labels) {
    return all.stream().filter(sample -> sample.name().equals(name) && sample.labels().entrySet().containsAll(labels.entrySet())).mapToDouble(Sample::value).sum();
  }
}
