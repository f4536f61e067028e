package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;

/** Takes effects away, one by one, from a running site, and counts how many of the probes notice. */
@Tag("effects")
@Tag("cluster")
@Tag("named")
@OnCluster(THREE_NODES)
@ResourceLock("node ports of site.yaml")
class EffectMutantsIT {

    private static final int MOST_MISSED = 2;
    private static final Map<String, Probe<EffectSite>> PROBES = SiteProbes.ALL.stream().collect(Collectors.toMap(Probe::name, Function.identity()));
    /** On one node a second web pod needs leave to come before the first one goes. */
    private static final String ROLLING = "wordpress: {spread: preferred}";

    private final EffectSite site;
    private final Release release;

    EffectMutantsIT(ClusterUnderTest cluster, Release release) throws Exception {
        this.site = new EffectSite(cluster, release, ROLLING);
        this.release = site.release();
    }

    @BeforeAll
    void install() {
        site.prepare();
        site.install();
    }

    @AfterAll
    void close() {
        site.close();
    }

    @Test
    @DisplayName("of more than forty effects that are taken away, two at most are not noticed")
    void mutantsAreNoticed() throws Exception {
        List<List<EffectMutant>> batches = EffectMutant.batches();
        List<EffectMutant> all = batches.stream().flatMap(List::stream).toList();
        for (String probe : new LinkedHashSet<>(all.stream().map(EffectMutant::probe).toList())) {
            PROBES.get(probe).ask(site);
        }

        var missed = new ArrayList<String>();
        Instant start = Instant.now();
        for (List<EffectMutant> batch : batches) {
            site.upgrade(with(EffectMutant.chartWith(batch)));
            batch.stream().filter(mutant -> !isNoticed(mutant)).forEach(mutant -> missed.add(mutant.feature()));
        }
        Figures.record("effects/mutants noticed=%d of=%d took=%ds missed=%s".formatted(all.size() - missed.size(), all.size(),
            Duration.between(start, Instant.now()).toSeconds(), missed));
        assertThat(missed).as("missed of %d", all.size()).hasSizeLessThanOrEqualTo(MOST_MISSED);
    }

    private Release with(Path chart) {
        return new Release(release.cluster(), Helm.of(chart, release.cluster().kubeconfig()), release.namespace(), release.name(), release.values());
    }

    private boolean isNoticed(EffectMutant mutant) {
        try {
            PROBES.get(mutant.probe()).ask(site);
            return false;
        } catch (Exception | AssertionError failure) {
            System.out.printf("%s: %s%n", mutant.feature(), String.valueOf(failure.getMessage()).lines().limit(6).collect(Collectors.joining(" ")));
            return true;
        }
    }
}
