package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The effects that no other test asks a running site for, one by one. effects.yaml names the probe of each. */
@Tag("effects")
@Tag("named") // 13 minutes on a slow day: too long for a run of everything
@Tag("cluster")
@OnCluster(THREE_NODES)
@ResourceLock("node ports of site.yaml")
class EffectsIT {

    private final EffectSite site;
    private final EffectStack stack;

    EffectsIT(ClusterUnderTest cluster, Release release) throws Exception {
        this.site = new EffectSite(cluster, release, "{}");
        this.stack = new EffectStack(cluster, release);
    }

    @BeforeAll
    void install() {
        Instant start = Instant.now();
        site.prepare();
        var besides = CompletableFuture.runAsync(stack::install);
        site.install();
        site.visitOnce();
        besides.join();
        Figures.record("effects/install both-ready=%ds".formatted(Duration.between(start, Instant.now()).toSeconds()));
    }

    @AfterAll
    void close() {
        site.close();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("siteProbes")
    @DisplayName("a small site shows its")
    void site(Probe<EffectSite> probe) throws Exception {
        probe.ask(site);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("stackProbes")
    @DisplayName("a site behind policies and an autoscaler shows its")
    void stack(Probe<EffectStack> probe) throws Exception {
        probe.ask(stack);
    }

    static List<Probe<EffectSite>> siteProbes() {
        return SiteProbes.ALL;
    }

    static List<Probe<EffectStack>> stackProbes() {
        return StackProbes.ALL;
    }
}
