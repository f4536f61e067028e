package io.github.wordpressha.cluster;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** Arithmetic of interruptions. */
final class Gaps {

    private Gaps() {
    }

    /** The longest time between two moments that follow one another; zero for less than two. They need not be sorted. */
    static Duration longest(Collection<Instant> moments) {
        List<Instant> sorted = moments.stream().sorted().toList();
        Duration longest = Duration.ZERO;
        for (int i = 1; i < sorted.size(); i++) {
            longest = longer(longest, Duration.between(sorted.get(i - 1), sorted.get(i)));
        }
        return longest;
    }

    static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) >= 0 ? one : other;
    }

    /** In seconds with one digit: {@code 2.1s}. */
    static String seconds(Duration duration) {
        return String.format(Locale.ROOT, "%.1fs", duration.toMillis() / 1000.0);
    }
}
