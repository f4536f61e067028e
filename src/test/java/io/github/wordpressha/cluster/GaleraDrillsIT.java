package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.wordpressha.cluster.Galera.Status;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Everything that can happen to a Galera cluster, under writes and reads, on three real nodes. Each drill leaves the site
 * whole; no acknowledged row may be missing, or be there twice, on any member.
 *
 * <p>With {@code -Ddrills.full=true} they have their full length: ten power losses of all nodes, cuts of 90 s, three minutes without etcd, a
 * state transfer of 2 GB. Otherwise: one, 30 s, 30 s, 256 MB.
 */
@Tag("galera")
@Tag("cluster")
@OnCluster(THREE_NODES)
@Isolated("its faults are those of nodes that all share")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class GaleraDrillsIT {

    private static final boolean FULL = Boolean.getBoolean("drills.full");
    private static final int POWER_LOSSES = FULL ? 10 : 1;
    /** A crash that leaves something behind which the next start cannot pass may be rare. */
    private static final int KILLS = 20;
    private static final Duration LATE = Duration.ofSeconds(FULL ? 60 : 20);
    private static final Duration CUT = Duration.ofSeconds(FULL ? 90 : 30);
    private static final Duration WITHOUT_ETCD = Duration.ofSeconds(FULL ? 180 : 30);
    private static final int DATA_MEGABYTES = FULL ? 2048 : 256;
    private static final String VOLUMES = FULL ? "6Gi" : "2Gi";

    /** Other pods in every tier; of the database's, two on a node, as the drills after that have five on three nodes. */
    private static final String UPGRADED = """
        etcd: {podAnnotations: {drill: upgraded}}
        database: {podAnnotations: {drill: upgraded}, spread: preferred}
        nfs: {podAnnotations: {drill: upgraded}}
        wordpress: {podAnnotations: {drill: upgraded}}
        """;

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** The limits are those of nodes with cores of their own; where all nodes share a few, and nothing is repeated, a multiple is allowed. */
    private static final int SHARED_CORES = FULL ? 1 : 3;
    private static final Duration SERVES_AGAIN = Duration.ofSeconds(60).multipliedBy(SHARED_CORES);
    private static final Duration WRITER_LOST = Duration.ofSeconds(5).multipliedBy(SHARED_CORES);
    private static final Duration NODE_LOST = Duration.ofSeconds(15).multipliedBy(SHARED_CORES);
    private static final Duration PLANNED = Duration.ofSeconds(2).multipliedBy(SHARED_CORES);

    private final Release release;
    private final Members members;
    private final Galera galera;
    private final Nodes nodes;
    private final Faults faults;
    private final Cron cron;
    private final Power power;
    private final Random random = new Random();

    GaleraDrillsIT(ClusterUnderTest cluster, Release release) {
        // A fixed number of pods: writers run on each of them.
        this.release = release.named("my-company-blog").with("""
            database: {storage: {size: %s}}
            wordpress: {replicas: 3, autoscaling: {enabled: false}}
            """.formatted(VOLUMES)).with("{database: {galera: {image: {tag: no-such-tag, digest: '%s'}}}}".formatted(ImageCopy.ofTier("database/galera", "effects/galera")))
            .with(Cron.VALUES);
        this.cron = Cron.prepare(this.release);
        this.members = this.release.members();
        this.galera = new Galera(members);
        this.nodes = new Nodes(cluster);
        this.faults = new Faults(this.release);
        this.power = new Power(nodes, LATE, SERVES_AGAIN, PATIENCE);
    }

    @BeforeAll
    void install() {
        release.install();
        drill("install").whole();
    }

    /** Whatever a drill broke and did not mend, so that the next one starts on whole nodes. */
    @AfterEach
    void mendNodes() {
        for (String node : nodes.names()) {
            nodes.start(node);
            nodes.heal(node);
            faults.uncordon(node);
        }
    }

    // --- one member, one node -----------------------------------------------------------------------------------------

    @Test
    @Order(10)
    @DisplayName("kill -9 of the member that takes the writes")
    void serverOfWriterIsKilled() throws Exception {
        Outcome outcome = drill("kill-9-writer").run((writers, reader) -> faults.killContainer(writingMember(), "mysql", nodes));
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(WRITER_LOST);
        assertThat(outcome.failedReads()).isEmpty();
    }

    @Test
    @Order(11)
    @DisplayName("the pod that takes the writes is deleted: a planned move")
    void podOfWriterIsDeleted() throws Exception {
        Outcome outcome = drill("delete-writer").run((writers, reader) -> faults.replace(writingMember()));
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(PLANNED);
        assertThat(outcome.failedReads()).isEmpty();
    }

    @Test
    @Order(12)
    @DisplayName("a pod that takes no writes is deleted")
    void podOfAnotherMemberIsDeleted() throws Exception {
        Outcome outcome = drill("delete-non-writer").run((writers, reader) -> faults.replace(otherThan(writingMember())));
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(PLANNED);
        assertThat(outcome.failedReads()).isEmpty();
    }

    @Test
    @Order(13)
    @DisplayName("WordPress's events run, each at most once, while the member that takes the writes is killed")
    void eventsRunDuringFailover() {
        cron.createTable();
        cron.survive("galera", () -> faults.killContainer(writingMember(), "mysql", nodes));
        drill("events").whole();
    }

    @Test
    @Tag("full") // half an hour
    @Order(14)
    @DisplayName("kill -9 of the member that takes the writes, 20 times in a row: each restart serves, and no write is lost")
    void serverOfWriterIsKilledAgainAndAgain() throws Exception {
        Drill drill = drill("kill-9-twenty-times");
        drill.run((writers, reader) -> faults.killAgainAndAgain(this::writingMember, "mysql", KILLS, nodes, drill::whole));
    }

    @Test
    @Order(20)
    @DisplayName("power loss of the writer's node, which comes back after the others moved on")
    void nodeOfWriterLosesPower() throws Exception {
        Outcome outcome = drill("power-loss-writer-node").run((writers, reader) -> {
            String node = nodeOf(writingMember());
            power.lose(writers, node);
            writers.awaitAckSince(Instant.now(), PATIENCE);
            Await.until("the others form a view of two", PATIENCE, () -> assertThat(statusOf(memberNotOn(node)).size()).isEqualTo(2));
            writers.awaitAckSince(Instant.now(), PATIENCE);
            power.comeBack(writers, node);
        });
        // Until Kubernetes notices that the node is gone, Services send a part of the visitors to its pods: reads are not judged.
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(NODE_LOST);
    }

    // --- all nodes ----------------------------------------------------------------------------------------------------

    @Test
    @Order(30)
    @DisplayName("power loss of all nodes at once, at a random moment under writes")
    void allNodesLosePower() throws Exception {
        for (int i = 0; i < POWER_LOSSES; i++) {
            drill("power-loss-all-nodes").run(power.lossOfAll(() -> { }, power.shuffled()));
        }
    }

    @Test
    @Tag("full") // a variant of the drill above, and a run without --full is to fit into an hour
    @Order(31)
    @DisplayName("power loss of all nodes, and one member's volume is lost meanwhile")
    void allNodesLosePowerAndOneVolumeIsLost() throws Exception {
        String victim = random(members.names());
        drill("power-loss-all-nodes-one-volume-lost").run(power.lossOfAll(() -> faults.loseVolume(victim), power.shuffled()));
    }

    @Test
    @Tag("full") // a variant of the first drill of power loss, and a run without --full is to fit into an hour
    @Order(32)
    @DisplayName("the nodes lose power one after another, and the one with the newest data comes back last")
    void newestMemberArrivesLast() throws Exception {
        drill("power-loss-newest-arrives-last").run((writers, reader) -> {
            List<String> order = power.shuffled();
            power.lose(writers, order.get(0));
            Await.until("the others go on without " + order.get(0), PATIENCE,
                () -> assertThat(statusOf(memberNotOn(order.get(0))).size()).isEqualTo(2));
            writers.awaitAckSince(Instant.now(), PATIENCE);
            power.lose(writers, order.get(1));
            power.lose(writers, order.get(2));
            power.comeBack(writers, order);
        });
    }

    // --- cuts ---------------------------------------------------------------------------------------------------------

    @Test
    @Order(50)
    @DisplayName("the writer's node is cut from the other two, then healed")
    void nodeOfWriterIsCut() throws Exception {
        Outcome outcome = drill("cut-writer-node").run((writers, reader) -> {
            String cutOff = writingMember();
            String node = nodeOf(cutOff);
            writers.nodeCut(node);
            nodes.names().stream().filter(other -> !other.equals(node)).forEach(other -> nodes.cut(node, other));
            Instant start = Instant.now();
            Await.until("the cut-off member knows that it is alone", PATIENCE,
                () -> assertThat(statusOf(cutOff).component()).isNotEqualTo("Primary"));
            Instant alone = Instant.now();
            writers.awaitAckSince(alone, PATIENCE);
            assertThat(writeDirectly(cutOff)).as("what the cut-off member says to a write").contains("ERROR");
            Await.pass(CUT.minus(Duration.between(start, Instant.now())));
            assertThat(writers.on(node)).as("rows that were acknowledged on the cut-off node").allSatisfy(writer ->
                assertThat(writer.acks()).noneMatch(ack -> ack.at().isAfter(alone)));
            nodes.heal(node);
        });
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(NODE_LOST);
    }

    @Test
    @Tag("full") // a variant of the drill above, and a run without --full is to fit into an hour
    @Order(60)
    @DisplayName("two database nodes do not reach one another, but both reach the third")
    void twoNodesAreCut() throws Exception {
        drill("cut-between-two-nodes").run((writers, reader) -> {
            String node = nodeOf(writingMember());
            String other = nodes.names().stream().filter(one -> !one.equals(node)).findFirst().orElseThrow();
            writers.nodeCut(node);
            writers.nodeCut(other);
            nodes.cut(node, other);
            Await.pass(CUT);
            nodes.heal(node);
        });
    }

    // --- etcd ---------------------------------------------------------------------------------------------------------

    @Test
    @Order(70)
    @DisplayName("one etcd member is killed")
    void etcdMemberIsKilled() throws Exception {
        unnoticed(drill("etcd-member-killed").run((writers, reader) -> faults.killContainer(etcd(random.nextInt(3)), "etcd", nodes)));
    }

    @Test
    @Tag("full") // all volumes of etcd are lost in a drill below
    @Order(71)
    @DisplayName("one etcd member loses its volume")
    void etcdMemberLosesItsVolume() throws Exception {
        unnoticed(drill("etcd-volume-lost").run((writers, reader) -> {
            String pod = etcd(random.nextInt(3));
            String uid = Pods.uid(release.pod(pod));
            faults.loseVolume(pod);
            faults.awaitAnother(pod, uid);
        }));
    }

    @Test
    @Order(72)
    @DisplayName("all etcd members are down for minutes")
    void etcdIsDown() throws Exception {
        unnoticed(drill("etcd-down").run((writers, reader) -> {
            faults.scale(etcdSet(), 0);
            faults.awaitNone("etcd");
            Await.pass(WITHOUT_ETCD);
            writers.awaitAckSince(Instant.now(), PATIENCE);
            faults.scale(etcdSet(), 3);
        }));
    }

    @Test
    @Order(73)
    @DisplayName("all etcd volumes are lost while the database runs: it registers itself again, and nothing is bootstrapped")
    void etcdLosesAllVolumes() throws Exception {
        String uuid = statusOf(members.names().get(0)).uuid();
        unnoticed(drill("etcd-all-volumes-lost").run((writers, reader) -> {
            faults.scale(etcdSet(), 0);
            faults.awaitNone("etcd");
            for (int i = 0; i < 3; i++) {
                faults.loseVolume(etcd(i));
            }
            faults.scale(etcdSet(), 3);
            Await.until("the members have registered themselves again", PATIENCE,
                () -> assertThat(new Registry(release).members()).isEqualTo(members.names()));
        }));
        assertThat(statusOf(members.names().get(0)).uuid()).isEqualTo(uuid);
        assertThat(new Registry(release).uuid()).isEqualTo(uuid);
    }

    @Test
    @Order(74)
    @DisplayName("all pods of etcd and of the database are killed at once")
    void etcdAndDatabaseAreKilled() throws Exception {
        drill("etcd-and-database-killed").run((writers, reader) -> {
            List<String> pods = new ArrayList<>(Release.names(release.pods("etcd")));
            pods.addAll(members.names());
            List<String> uids = uids();
            pods.parallelStream().forEach(faults::kill);
            Await.until("other pods", PATIENCE, () -> assertThat(uids()).hasSameSizeAs(uids).doesNotContainAnyElementsOf(uids));
        });
    }

    // --- planned work -------------------------------------------------------------------------------------------------

    @Test
    @Order(80)
    @DisplayName("each node is drained in turn")
    void nodesAreDrained() throws Exception {
        Drill drill = drill("drain-each-node");
        Outcome outcome = drill.run((writers, reader) -> {
            for (String node : nodes.names()) {
                faults.drain(node, PATIENCE);
                faults.uncordon(node);
                drill.whole();
            }
        });
        planned(outcome);
    }

    @Test
    @Order(81)
    @DisplayName("helm upgrade replaces every pod of every tier")
    void everyTierIsUpgraded() throws Exception {
        List<String> before = allUids();
        Drill drill = drill("upgrade-every-tier");
        Outcome outcome = drill.run((writers, reader) -> {
            release.with(UPGRADED).upgrade();
            Await.until("every pod is another", PATIENCE, () -> assertThat(allUids()).doesNotContainAnyElementsOf(before));
        });
        planned(outcome);
    }

    @Test
    @Order(90)
    @DisplayName("a member's disk is full: it leaves, the site goes on, and it comes back when there is room")
    void diskOfOneMemberIsFull() throws Exception {
        Outcome outcome = drill("disk-full").run((writers, reader) -> {
            String writer = writingMember();
            String victim = otherThan(writer);
            var full = faults.fillDisk(victim);
            try (full) {
                Await.until(victim + " has left", PATIENCE, () -> {
                    members.fill(writer, 4);
                    assertThat(statusOf(writer).size()).isEqualTo(2);
                });
                writers.awaitAckSince(Instant.now(), PATIENCE);
            }
        });
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(NODE_LOST);
        assertThat(outcome.failedReads()).isEmpty();
    }

    @Test
    @Order(95)
    @DisplayName("from three members to five and back, with state transfers")
    void scalesToFiveAndBack() throws Exception {
        Release spread = release.with(UPGRADED);
        spread.upgrade(); // changes nothing where every tier was upgraded before
        drill("spread").whole();
        members.fill(members.names().get(0), DATA_MEGABYTES);

        Outcome up = new Drill(spread, galera, "galera/scale-3-5", 5, PATIENCE.multipliedBy(2)).run(3, (writers, reader) ->
            spread.with("{database: {replicas: 5}}").upgrade());

        Outcome down = new Drill(spread, galera, "galera/scale-5-3", 3, PATIENCE).run(5, (writers, reader) -> {
            spread.upgrade();
            Await.until("two members are gone", PATIENCE, () -> assertThat(members.names()).hasSize(3));
        });
        Await.until("no dead member is registered", PATIENCE, () -> assertThat(new Registry(release).members()).isEqualTo(members.names()));
        planned(up);
        planned(down);
    }

    @Test
    @Tag("full") // a variant of the drill above, and a run without --full is to fit into an hour
    @Order(96)
    @DisplayName("from three members to a single one, which goes on, and back")
    void scalesToOneAndBack() throws Exception {
        Release spread = release.with(UPGRADED);
        planned(new Drill(spread, galera, "galera/scale-3-1", 1, PATIENCE).run(3, (writers, reader) -> {
            spread.with("{database: {replicas: 1}}").upgrade();
            Await.until("one member is left", PATIENCE, () -> assertThat(members.names()).hasSize(1));
        }));
        Await.until("no dead member is registered", PATIENCE, () -> assertThat(new Registry(release).members()).isEqualTo(members.names()));
        planned(new Drill(spread, galera, "galera/scale-1-3", 3, PATIENCE).run(1, (writers, reader) -> spread.upgrade()));
    }

    // --- what drills share --------------------------------------------------------------------------------------------

    private Drill drill(String name) {
        return new Drill(release, galera, "galera/" + name, 3, PATIENCE);
    }

    private static void unnoticed(Outcome outcome) {
        assertThat(outcome.writeGap()).isLessThanOrEqualTo(PLANNED);
        assertThat(outcome.failedReads()).isEmpty();
        if (FULL) { // A first attempt that times out on cores which everything shares says little.
            assertThat(outcome.reroutedReads()).isEmpty();
        }
    }

    private static void planned(Outcome outcome) {
        unnoticed(outcome);
    }

    /** The member that the site's connections go to. */
    private String writingMember() {
        return members.names().stream().max(Comparator.comparingInt(members::sessions)).orElseThrow();
    }

    private String otherThan(String member) {
        return random(members.names().stream().filter(other -> !other.equals(member)).toList());
    }

    private String memberNotOn(String node) {
        return release.pods("database").stream().filter(pod -> !node.equals(Pods.node(pod))).map(Pods::name).findFirst().orElseThrow();
    }

    private Status statusOf(String member) {
        return galera.status(member);
    }

    /** What the member's server says to somebody who writes there without the site's routing. */
    private String writeDirectly(String member) {
        try {
            return String.join("\n", members.query(member, "INSERT INTO wordpress.drill_writes (run, writer, seq) VALUES ('direct', 0, 0)"));
        } catch (Pods.ExecFailed e) {
            return e.getMessage();
        }
    }

    private String nodeOf(String pod) {
        return Pods.node(release.pod(pod));
    }

    private String etcd(int ordinal) {
        return etcdSet() + "-" + ordinal;
    }

    private String etcdSet() {
        return release.fullname() + "-etcd";
    }

    private List<String> uids() {
        return release.pods().stream()
            .filter(pod -> List.of("etcd", "database").contains(pod.getMetadata().getLabels().get("app.kubernetes.io/component")))
            .map(Pods::uid).toList();
    }

    private List<String> allUids() {
        return release.pods().stream().map(Pods::uid).toList();
    }

    private <T> T random(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }
}
