package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The mutants of the chart, without a cluster: a change of the chart must not leave one behind that changes nothing. */
@Tag("render")
class EffectMutantTest {

    @Test
    @DisplayName("forty features are taken away")
    void forty() {
        assertThat(mutants()).extracting(EffectMutant::feature).doesNotHaveDuplicates().hasSizeGreaterThanOrEqualTo(40);
    }

    @ParameterizedTest
    @MethodSource("mutants")
    @DisplayName("each mutant's text is in its file, and its probe exists")
    void applies(EffectMutant mutant) {
        assertThatCode(() -> EffectMutant.chartWith(List.of(mutant))).doesNotThrowAnyException();
        assertThat(SiteProbes.ALL).extracting(Probe::name).contains(mutant.probe());
    }

    static Stream<EffectMutant> mutants() {
        return EffectMutant.batches().stream().flatMap(List::stream);
    }
}
