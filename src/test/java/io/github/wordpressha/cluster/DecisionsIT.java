package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** What members of a Galera cluster do when they cannot decide, or may not: they wait, refuse, and say why and which command decides. */
@Tag("effects")
@Tag("galera")
@Tag("cluster")
@Tag("named") // the members wait for minutes
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DecisionsIT {

    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final Duration NOTICE = Duration.ofSeconds(10);
    /** A look at the facts, and a processor that is shared. */
    private static final Duration LATE = Duration.ofSeconds(10);
    /** The copy takes longer than the test needs to see it. */
    private static final int COPIED_MEGABYTES = 512;
    private static final String PERSON = "drill";
    private static final String MARK = "only-the-last-member-has-this";
    private static final String ANOTHER_HISTORY = "holds transactions up to [0-9]+ of the cluster's epoch [0-9]+, but a later epoch was started without some of them";
    private static final String FOREIGN = "12345678-1234-1234-1234-123456789abc";
    private static final String CHECKSUM = "cd /var/lib/mysql && find . -type f | sort | xargs sha256sum | sha256sum";
    private static final Pattern COMMAND_IN_LOG = Pattern.compile("kubectl exec .* YOUR-NAME");
    private static final String VALUES = """
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 1
          content: {storageClass: shared, size: 1Gi}
        """;

    private final Release release;
    private final Members members;
    private final Galera galera;
    private final Registry registry;
    private final Faults faults;
    private final Manual manual;
    private final String first;
    private final String second;
    private final String last;
    private String notes;
    private Story story;

    DecisionsIT(Release release) {
        this.release = release.with(VALUES);
        this.members = this.release.members();
        this.galera = new Galera(members);
        this.registry = new Registry(this.release);
        this.faults = new Faults(this.release);
        this.manual = new Manual(this.release, "docs/operations.md");
        this.first = set() + "-0";
        this.second = set() + "-1";
        this.last = set() + "-2";
    }

    @BeforeAll
    void install() {
        notes = release.install();
        whole(3);
        story = Story.write(release, "Written on all members");
    }

    @Test
    @Order(1)
    @DisplayName("members without the one that may hold the newest write wait, and their log says who reported what, who is missing, and what decides")
    void waitsForTheNewestWrite() {
        StatefulSet before = faults.withoutController(set());
        Stream.of(first, second).forEach(faults::delete);
        Await.until("the last member is alone in the view", PATIENCE, () -> assertThat(registry.members()).containsExactly(last));
        Await.until("the last member takes the newest write", PATIENCE, () -> members.query(last,
            "CREATE TABLE IF NOT EXISTS wordpress.newest (text VARCHAR(99) PRIMARY KEY); REPLACE INTO wordpress.newest VALUES ('" + MARK + "')"));
        faults.kill(last);
        faults.awaitNone("database");
        faults.controller(before, 2);

        Await.until("both wait for the last member", PATIENCE, () -> assertThat(waits(first)).hasSizeGreaterThan(3));
        assertThat(waits(first)).allSatisfy(line -> assertThat(line)
            .contains("Not reported: " + last + ".").containsPattern(COMMAND_IN_LOG));
        List<Instant> moments = waits(first).stream().map(line -> Instant.parse(line.substring(0, line.indexOf(' ')))).toList();
        assertThat(Gaps.longest(moments)).isBetween(NOTICE, NOTICE.plus(LATE));
        assertThat(manual.run(inNotes(" logs "))).as("what the command of the notes prints").contains("Not reported: " + last).containsPattern(COMMAND_IN_LOG);
        assertThat(Stream.of(first, second)).noneMatch(this::ready);
    }

    @Test
    @Order(2)
    @DisplayName("the printed command starts the site, and etcd keeps who decided, when, and what was skipped")
    void commandStartsTheSite() {
        Instant start = Instant.now().minusSeconds(1);
        Matcher command = COMMAND_IN_LOG.matcher(waits(first).get(0));
        assertThat(command.find()).isTrue();
        manual.run(command.group().replace("YOUR-NAME", PERSON));
        whole(2);
        Figures.record("decisions/override whole-after=" + Gaps.seconds(Duration.between(start, Instant.now())));
        story.isReadEverywhere(release);

        Map<String, JsonNode> audit = registry.below("galera/audit/");
        assertThat(audit).hasSize(1);
        JsonNode record = audit.values().iterator().next();
        assertThat(record.at("/override/by").asText()).isEqualTo(PERSON);
        assertThat(record.at("/override/pod").asText()).isIn(first, second);
        assertThat(Instant.parse(record.at("/override/at").asText())).isBetween(start, Instant.now());
        assertThat(record.at("/skipped/view/value").asText()).as("the view that was not waited for").contains(last);
    }

    @Test
    @Order(3)
    @DisplayName("the volume that was left out has another history: it does not come back, and is not overwritten")
    void anotherHistoryStaysAway() {
        faults.scale(set(), 3);
        String position = refusal(last, ANOTHER_HISTORY);
        faults.replace(last);
        assertThat(refusal(last, ANOTHER_HISTORY)).as("after another start").isEqualTo(position);
        assertThat(inMember(last, "grep -rl " + MARK + " /var/lib/mysql || true")).as("files with the newest write").isNotEmpty();
        assertThat(ready(last)).isFalse();
        assertThat(galera.status(first).size()).isEqualTo(2);
        release.site().get("/?s=serves").expect(200);

        empty(last);
        whole(3);
        assertThat(members.query(last, "SHOW TABLES FROM wordpress LIKE 'newest'")).as("the history of the site").isEmpty();
    }

    @Test
    @Order(4)
    @DisplayName("a volume with data of another cluster is refused, and none of its files is changed")
    void anotherClustersDataIsRefused() {
        faults.scale(set(), 2);
        Await.until("the last member has left", PATIENCE, () -> assertThat(members.names()).containsExactly(first, second));
        String checksum = onVolume(last, "sed -i 's/^uuid:.*/uuid:    " + FOREIGN + "/' /var/lib/mysql/grastate.dat && " + CHECKSUM);
        faults.scale(set(), 3);
        refusal(last, "the data on this volume belongs to the cluster " + FOREIGN + ", but this release's cluster is " + registry.uuid());
        assertThat(inMember(last, CHECKSUM)).as("all files").isEqualTo(checksum);
        assertThat(ready(last)).isFalse();
        release.site().get("/?s=serves-on").expect(200);

        empty(last);
        whole(3);
    }

    @Test
    @Order(5)
    @DisplayName("a member that etcd does not list takes no writes, however synced it is")
    void takesWritesOnlyWhenListed() {
        faults.replace(second);
        Await.until("it joins", PATIENCE, () -> assertThat(log(second)).contains("Starting the server."));
        faults.scale(release.fullname() + "-etcd", 0);
        release.pods("etcd").stream().map(Pods::name).forEach(faults::kill);
        try {
            Await.until("it is synced", PATIENCE, () -> assertThat(galera.status(second)).matches(state ->
                state.component().equals("Primary") && state.state().equals("Synced") && state.size() == 3));
            Await.until("it says what it waits for", COMMAND, () -> assertThat(health(second)).startsWith("503").contains("as soon as etcd lists it"));
            assertThat(ready(second)).isFalse();
            assertThat(Stream.of(first, last)).allMatch(this::ready);
            release.site().get("/?s=without-etcd").expect(200);
        } finally {
            faults.scale(release.fullname() + "-etcd", 3);
        }
        whole(3);
        assertThat(health(second)).startsWith("200");
    }

    @Test
    @Order(6)
    @DisplayName("the only whole copy loses its power while all others are being copied from it: all come back without a person, with every write")
    void onlyWholeCopyIsLostWhileOthersAreCopied() {
        StatefulSet before = faults.withoutController(set());
        Stream.of(second, last).forEach(member -> {
            faults.delete(member);
            Await.until(member + " has left", PATIENCE, () -> assertThat(members.names()).doesNotContain(member));
            faults.loseVolume(member);
        });
        Await.until("the first member is alone in the view", PATIENCE, () -> assertThat(registry.members()).containsExactly(first));
        members.fill(first, COPIED_MEGABYTES);
        members.query(first, "CREATE TABLE wordpress.newest (text VARCHAR(99) PRIMARY KEY); INSERT INTO wordpress.newest VALUES ('" + MARK + "')");
        faults.controller(before, 3);
        Await.until("both are being copied", PATIENCE, () -> {
            assertThat(registry.members()).containsExactlyInAnyOrder(first, second, last);
            assertThat(Stream.of(second, last)).allMatch(member -> log(member).contains("Starting the server."));
        });
        Instant start = Instant.now();
        faults.kill(first);

        Await.until("the copies were not whole", PATIENCE, () -> assertThat(log(first)).contains(second + ": incomplete", last + ": incomplete"));
        whole(3);
        Figures.record("decisions/only-whole-copy-lost whole-after=" + Gaps.seconds(Duration.between(start, Instant.now())));
        assertThat(List.of(first, second, last)).allSatisfy(member ->
            assertThat(members.query(member, "SELECT text FROM wordpress.newest")).as(member).containsExactly(MARK));
        story.isReadEverywhere(release);
    }

    // --- what the tests share -----------------------------------------------------------------------------------------

    private String set() {
        return release.fullname() + "-mysql";
    }

    private void whole(int size) {
        release.awaitReady(PATIENCE);
        Await.until("a whole cluster of " + size, PATIENCE, () -> galera.assertWhole(size));
    }

    /** The lines of a member's log that say that it waits, since both have reported. */
    private List<String> waits(String member) {
        return log(member).lines().filter(line -> Stream.of("No Primary component runs.", first + ": data", second + ": data").allMatch(line::contains)).toList();
    }

    /** Waits until a member refuses its volume for this reason; returns what it says. */
    private String refusal(String member, String reason) {
        var said = Pattern.compile("REFUSED: .*" + reason);
        String[] found = new String[1];
        Await.until(member + " refuses its volume", PATIENCE, () -> {
            Matcher matcher = said.matcher(log(member));
            assertThat(matcher.find()).as(log(member)).isTrue();
            found[0] = matcher.group();
        });
        return found[0];
    }

    private String log(String member) {
        return release.kubernetes().pods().inNamespace(release.namespace()).withName(member).inContainer("mysql").getLog();
    }

    private String inNotes(String part) {
        String line = notes.lines().filter(one -> one.contains("kubectl ") && one.contains(part)).findFirst().orElseThrow();
        return line.substring(line.indexOf("kubectl "));
    }

    private boolean ready(String member) {
        return release.pod(member).getStatus().getContainerStatuses().stream().allMatch(status -> status.getReady());
    }

    /** What the member's check agent answers the routers: code and reason. */
    private String health(String member) {
        return Pods.exec(release.kubernetes(), release.namespace(), member, "agent", COMMAND, "cat", "/run/member/health");
    }

    private String inMember(String member, String script) {
        return Pods.exec(release.kubernetes(), release.namespace(), member, "mysql", COMMAND, "bash", "-c", script);
    }

    /** The member gets an empty volume, as its refusal says. */
    private void empty(String member) {
        String uid = Pods.uid(release.pod(member));
        faults.loseVolume(member);
        faults.awaitAnother(member, uid);
    }

    /** What a script prints that runs on a member's volume while the member is away. */
    private String onVolume(String member, String script) {
        Pod template = release.pod(first);
        var database = template.getSpec().getContainers().stream().filter(one -> one.getName().equals("mysql")).findFirst().orElseThrow();
        Pod pod = release.kubernetes().resource(new PodBuilder()
            .withNewMetadata().withName("visitor").withNamespace(release.namespace()).endMetadata()
            .withNewSpec()
            .withTerminationGracePeriodSeconds(0L)
            .withSecurityContext(template.getSpec().getSecurityContext())
            .addNewContainer().withName("visitor").withImage(database.getImage()).withCommand("sleep", "infinity")
            .addNewVolumeMount().withName("data").withMountPath("/var/lib/mysql").withSubPath("mysql").endVolumeMount()
            .endContainer()
            .addNewVolume().withName("data").withNewPersistentVolumeClaim("data-" + member, false).endVolume()
            .endSpec().build()).create();
        try {
            String[] printed = new String[1];
            Await.until("the script has run on the volume", COMMAND, () ->
                printed[0] = Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "visitor", COMMAND, "bash", "-c", script));
            return printed[0];
        } finally {
            release.kubernetes().resource(pod).delete();
            Await.until("the visitor is gone", COMMAND, () -> assertThat(release.kubernetes().resource(pod).get()).isNull());
        }
    }
}
