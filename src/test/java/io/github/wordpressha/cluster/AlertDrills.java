package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.Profiles;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.metrics.AlertFault;
import io.github.wordpressha.metrics.Metric.Tier;
import io.github.wordpressha.metrics.Metrics;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** An installed release whose alerts a Prometheus evaluates: a healthy one fires none; a fault fires its own and no others, and they resolve. */
final class AlertDrills implements AutoCloseable {

    /** The longest range of an expression in a hurry, and the recovery of what was away. */
    private static final Duration TO_RESOLVE = Duration.ofMinutes(8);
    private static final Duration TO_SCRAPE = Duration.ofMinutes(4);
    /** What else a fault fires may fire a little later. */
    private static final Duration LATER = Duration.ofSeconds(20);
    private static final Pattern SELECTOR = Pattern.compile("[a-z_]\\w*\\{(?:[^\"}]|\"[^\"]*\")*}");

    private final Release release;
    private final JsonNode rules;
    private final Prometheus prometheus;

    /** @param values those of the release */
    AlertDrills(ClusterUnderTest cluster, Release release, String values) {
        this.release = release;
        this.rules = rules(release, values);
        this.prometheus = new Prometheus(cluster, release.namespace(), rules);
    }

    /** The cluster has no PrometheusRules: Prometheus gets the rules as they are rendered. */
    private static JsonNode rules(Release release, String values) {
        try {
            var all = (ObjectNode) Yaml.parse(values);
            all.withObject("/metrics/alerts").put("enabled", true);
            var named = new io.github.wordpressha.helm.Release(release.name(), release.namespace(), io.github.wordpressha.helm.Release.standard().kubeVersion());
            return Profiles.chart().render(named, all).manifests().stream().filter(manifest -> manifest.kind().equals("PrometheusRule"))
                .findFirst().orElseThrow().tree().path("spec");
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(values, e);
        }
    }

    Prometheus prometheus() {
        return prometheus;
    }

    /** Waits until there are samples of each metric of these tiers, and every target answers. */
    void awaitSamples(Set<Tier> tiers) {
        Await.until("samples of each metric", TO_SCRAPE, () -> {
            Set<String> scraped = prometheus.names();
            assertThat(Metrics.of(tiers)).allMatch(metric -> scraped.stream().anyMatch(metric::covers), "was scraped");
            assertThat(prometheus.failures()).isEmpty();
        });
    }

    /** What the alerts' expressions select, for example {@code up{namespace="blog"}}. */
    List<String> selectors() {
        return rules.findValuesAsText("expr").stream().flatMap(expression -> SELECTOR.matcher(expression).results()).map(MatchResult::group).distinct().toList();
    }

    /** Nothing fires, in a hurry or not, for so long. */
    void assertQuiet(Duration time) {
        awaitNoAlert();
        Instant start = Instant.now();
        Await.pass(time);
        assertThat(prometheus.firedSince(start)).isEmpty();
        assertThat(prometheus.firedUnhurriedSince(start)).isEmpty();
    }

    /** @param begin makes the fault, and returns what ends it */
    void drill(AlertFault fault, Function<AlertFault, Runnable> begin) {
        awaitNoAlert();
        Instant start = Instant.now();
        Runnable end = begin.apply(fault);
        Duration toFire;
        try {
            Await.until(fault.alerts() + " fire", fault.within(), () -> assertThat(prometheus.firing()).containsAll(fault.alerts()));
            toFire = Duration.between(start, Instant.now());
            Await.pass(LATER);
        } finally {
            end.run();
        }
        Instant ended = Instant.now();
        release.awaitReady(Release.TO_ALL_READY);
        awaitNoAlert();
        Figures.record("metrics/drill fault=%s fires=%ds resolves=%ds alerts=%s".formatted(
            fault, toFire.toSeconds(), Duration.between(ended, Instant.now()).toSeconds(), String.join(",", fault.alerts())));
        Set<String> others = new TreeSet<>(prometheus.firedSince(start));
        others.removeAll(fault.alerts());
        assertThat(others).as("other alerts than those of %s", fault).isSubsetOf(fault.whileHealing());
    }

    private void awaitNoAlert() {
        Await.until("no alert fires", TO_RESOLVE, () -> assertThat(prometheus.firing()).isEmpty());
    }

    @Override
    public void close() {
        prometheus.close();
    }
}
