package io.github.wordpressha.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Arithmetic of interruptions. */
final class Gaps {

    private Gaps() {
    }

    /** Two moments that follow one another. */
    record Gap(Instant from, Instant to) {

        Duration length() {
            return Duration.between(from, to);
        }
    }

    /** The times between moments, which need not be sorted. */
    static Stream<Gap> between(Collection<Instant> moments) {
        List<Instant> sorted = moments.stream().sorted().toList();
        return IntStream.range(1, sorted.size()).mapToObj(i -> new Gap(sorted.get(i - 1), sorted.get(i)));
    }

    /** The longest time between two moments that follow one another; zero for less than two. They need not be sorted. */
    static Duration longest(Collection<Instant> moments) {
        return between(moments).map(Gap::length).reduce(Duration.ZERO, Gaps::longer);
    }

    static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) >= 0 ? one : other;
    }

    /** In seconds with one digit: {@code 2.1s}. */
    static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1fs", duration.toMillis() / 1000.0);
    }
}
