package io.github.wordpressha.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A change of the chart that takes an effect away and leaves all else as it is.
 *
 * @param feature what has no effect any more
 * @param file of the chart
 * @param text what is replaced; the file has it once
 * @param becomes what takes its place
 * @param probe the probe of EffectsIT that is to notice
 */
record EffectMutant(String feature, String file, String text, String becomes, String probe) {

    private static final Path FILE = Path.of("src/test/resources/cluster/effects/mutants.yaml");

    /** The mutants, those that are tried together in one list. */
    static List<List<EffectMutant>> batches() {
        try {
            return stream(Yaml.parse(Files.readString(FILE))).map(batch -> stream(batch.path("mutants")).map(EffectMutant::of).toList()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static EffectMutant of(JsonNode node) {
        return new EffectMutant(node.path("feature").asText(), node.path("file").asText(), node.path("text").asText(),
            node.path("becomes").asText(), node.path("probe").asText());
    }

    private static Stream<JsonNode> stream(JsonNode list) {
        return StreamSupport.stream(list.spliterator(), false);
    }

    /** A copy of the chart with these changes. */
    static Path chartWith(List<EffectMutant> mutants) {
        try {
            Path chart = Files.createTempDirectory("mutant").resolve("wordpress-ha");
            try (Stream<Path> files = Files.walk(Profiles.CHART_DIRECTORY)) {
                for (Path file : files.toList()) {
                    Files.copy(file, chart.resolve(Profiles.CHART_DIRECTORY.relativize(file).toString()));
                }
            }
            for (EffectMutant mutant : mutants) {
                mutant.applyTo(chart.resolve(mutant.file));
            }
            return chart;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void applyTo(Path target) throws IOException {
        String before = Files.readString(target);
        if (before.split(Pattern.quote(text), -1).length != 2) {
            throw new IllegalStateException("%s: the text is not in %s exactly once: %s".formatted(feature, file, text));
        }
        Files.writeString(target, before.replace(text, becomes));
    }
}
