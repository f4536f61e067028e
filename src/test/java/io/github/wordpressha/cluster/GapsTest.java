package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** The arithmetic that fault drills are judged by. */
class GapsTest {

    private static List<Instant> seconds(long... seconds) {
        return Arrays.stream(seconds).mapToObj(Instant::ofEpochSecond).toList();
    }

    @Test
    @DisplayName("the longest gap is between neighbours in time, however they were collected")
    void longestGapOfUnsortedMoments() {
        assertThat(Gaps.longest(seconds(30, 1, 2, 12, 29))).isEqualTo(Duration.ofSeconds(17));
    }

    @Test
    @DisplayName("less than two moments have no gap")
    void noGapOfFewMoments() {
        assertThat(Stream.of(seconds(), seconds(5)).map(Gaps::longest)).containsOnly(Duration.ZERO);
    }

    @Test
    @DisplayName("figures have one digit, with a point")
    void figuresAreReadable() {
        assertThat(Gaps.seconds(Duration.ofMillis(2149))).isEqualTo("2.1s");
    }
}
