package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Isolated;

/** Pods are lost while a release is installed, before anything is whole. The next storm has other pods at other moments; it is told by its seed. */
@Tag("storm")
@Tag("cluster")
@Tag("named") // each storm takes minutes
@OnCluster(THREE_NODES)
@Isolated("its limits are those of a release that starts alone")
class InstallStormIT {

    private static final int STORMS = 4;
    private static final int LOSSES = 8;
    private static final Duration PAUSE = Duration.ofSeconds(12);
    /** Half a minute until a copy without a donor is given up, as long until its server has ended, and a start. */
    private static final Duration PATIENCE = Duration.ofMinutes(6);
    private static final String VALUES = """
        etcd: {storage: {size: 256Mi}}
        database: {storage: {size: 1Gi}}
        nfs: {storage: {size: 1Gi}}
        wordpress: {replicas: 3, autoscaling: {enabled: false}, content: {size: 256Mi}}
        """;

    private final Release namespace;

    InstallStormIT(Release release) {
        this.namespace = release.with(VALUES);
    }

    @RepeatedTest(STORMS)
    @DisplayName("whichever pods are deleted or killed during the installation, the site comes up without a person")
    void comesUp(RepetitionInfo repetition) {
        Release release = namespace.named("storm-" + repetition.getCurrentRepetition());
        long seed = System.nanoTime();
        System.out.println("the storm's seed: " + seed);
        var random = new Random(seed);
        release.install();
        for (int i = 0; i < LOSSES; i++) {
            Await.pass(Duration.ofMillis(random.nextLong(PAUSE.toMillis())));
            lose(release, random);
        }
        Instant end = Instant.now();
        release.awaitReady(PATIENCE);
        Await.until("a whole database", PATIENCE, () -> new Galera(release.members()).assertWhole(3));
        release.site().get("/").expect(200);
        Figures.record("storm/install ready-after-the-last-loss=" + Gaps.seconds(Duration.between(end, Instant.now())));
        release.uninstall();
    }

    private static void lose(Release release, Random random) {
        var faults = new Faults(release);
        List<String> pods = Release.names(release.kubernetes().pods().inNamespace(release.namespace()).list().getItems().stream()
            .filter(pod -> !"Succeeded".equals(pod.getStatus().getPhase())).toList());
        assertThat(pods).isNotEmpty();
        String pod = pods.get(random.nextInt(pods.size()));
        boolean killed = random.nextBoolean();
        System.out.printf("%s %s is %s%n", Instant.now(), pod, killed ? "killed" : "deleted");
        if (killed) {
            faults.kill(pod);
        } else {
            faults.delete(pod);
        }
    }
}
