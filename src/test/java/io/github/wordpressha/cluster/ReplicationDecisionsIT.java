package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** What the members of a replicated database do when some of them are missing: who may acknowledge, who waits, and who is promoted. */
@Tag("effects")
@Tag("replication")
@Tag("cluster")
@Tag("named") // its members start and wait for minutes
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ReplicationDecisionsIT {

    private static final Duration PATIENCE = Duration.ofMinutes(6);
    private static final Duration COMMAND = Duration.ofMinutes(2);
    private static final String WRITE = "REPLACE INTO wp_options (option_name, option_value) VALUES ('drill', UUID())";
    private static final String VALUES = """
        nfs: {enabled: false}
        etcd: {storage: {size: 256Mi}, resources: {requests: {cpu: 20m, memory: 64Mi}}}
        database: {topology: replication, storage: {size: 2Gi}, resources: {requests: {cpu: 50m, memory: 384Mi}, limits: {memory: 1Gi}}}
        wordpress:
          autoscaling: {enabled: false}
          replicas: 1
          content: {storageClass: shared, size: 1Gi}
        """;

    private final Release release;
    private final Members members;
    private final Replication replication;
    private final Registry registry;
    private final Faults faults;
    private final Manual manual;
    private final String set;
    private final String first;
    private String notes;

    ReplicationDecisionsIT(Release release) {
        this.release = release.with(VALUES);
        this.members = this.release.members();
        this.replication = new Replication(this.release);
        this.registry = new Registry(this.release);
        this.faults = new Faults(this.release);
        this.manual = new Manual(this.release, "docs/operations.md");
        this.set = this.release.fullname() + "-mysql";
        this.first = set + "-0";
    }

    @BeforeAll
    void install() {
        notes = release.install();
        whole();
    }

    @Test
    @Order(1)
    @DisplayName("each replica that etcd lists follows over an account of its own; the account is locked before etcd stops listing it")
    void onlyListedReplicasAcknowledge() {
        String primary = replication.writable();
        List<String> replicas = replication.replicas();
        assertThat(listed()).containsExactlyInAnyOrderElementsOf(replicas);
        assertThat(accounts(primary)).containsExactlyInAnyOrderEntriesOf(locked(replicas));
        assertThat(replicas).allSatisfy(replica -> assertThat(members.query(replica, "SELECT USER FROM performance_schema.replication_connection_configuration"))
            .containsExactly(account(replica)));

        StatefulSet controller = faults.withoutController(set);
        String gone = replicas.get(0);
        faults.kill(gone);
        Await.until("etcd lists the other replica alone", PATIENCE, () -> {
            boolean locked = accounts(primary).get(account(gone));
            // The list is read first: a replica that it lacks had its account locked before.
            List<String> listed = listed();
            assertThat(listed.contains(gone) || accounts(primary).get(account(gone))).as("listed, or locked (before: %s)", locked).isTrue();
            assertThat(listed).containsExactly(replicas.get(1));
        });
        assertThat(accounts(primary).get(account(gone))).as("%s is locked", account(gone)).isTrue();
        faults.controller(controller, 3);
        whole();
    }

    @Test
    @Order(2)
    @DisplayName("a former replica alone stops receiving, reports what it has, and waits for those that may hold an acknowledged write")
    void formerReplicaWaits() {
        if (replication.writable().equals(first)) {
            faults.replace(first);
            whole();
        }
        String primary = replication.writable();
        assertThat(primary).isNotEqualTo(first);
        StatefulSet controller = faults.withoutController(set);
        members.names().parallelStream().forEach(faults::kill);
        faults.awaitNone("database");
        faults.controller(controller, 1);

        Await.until("it says for whom it waits", PATIENCE, () -> assertThat(manual.run(inNotes(" logs ")))
            .contains("what is missing may hold an acknowledged write alone", "Waiting for the last primary (" + primary + ")")
            .containsPattern("kubectl -n \\S+ exec " + first + " -c elector -- bash /scripts/override.sh POD YOUR-NAME"));
        assertThat(registry.below("replication/report/")).containsOnlyKeys(first);
        JsonNode report = registry.below("replication/report/").get(first);
        assertThat(report.get("state").asText()).isEqualTo("data");
        assertThat(report.get("received").asText()).isNotEmpty();
        assertThat(members.query(first, "SELECT SERVICE_STATE FROM performance_schema.replication_connection_status")).doesNotContain("ON", "CONNECTING");
        assertThat(members.query(first, "SELECT @@GLOBAL.super_read_only")).containsExactly("1");
    }

    @Test
    @Order(3)
    @DisplayName("of equals a replica is promoted before the last primary")
    void replicaGoesFirst() {
        String last = registry.below("replication/").get("view").get("primary").asText();
        faults.scale(set, 3);
        whole();
        assertThat(replication.writable()).isNotEqualTo(last);
        assertThat(replication.replicas()).contains(last);
    }

    @Test
    @Order(4)
    @DisplayName("with acknowledge 0 the primary takes writes when it is alone")
    void primaryAloneTakesWrites() {
        release.with("{database: {replication: {acknowledge: 0}}}").upgrade();
        Await.until("writes wait for no replica", PATIENCE, () -> {
            release.hasten();
            assertThat(registry.below("replication/").get("view").get("acknowledge").asInt()).isZero();
        });
        release.awaitReady(PATIENCE);
        String primary = replication.writable();
        StatefulSet controller = faults.withoutController(set);
        replication.replicas().forEach(faults::kill);
        Await.until("etcd lists no replica", PATIENCE, () -> assertThat(listed()).isEmpty());
        assertThat(release.ask(release.pods("wordpress").get(0), "127.0.0.1", WRITE)).as("a write of the site").isEmpty();
        assertThat(replication.writable()).isEqualTo(primary);
        faults.controller(controller, 3);
        release.upgrade();
        whole();
    }

    private void whole() {
        release.awaitReady(PATIENCE);
        Await.until("a whole database", PATIENCE, () -> replication.assertWhole(3));
    }

    /** The replicas that etcd lists: they may acknowledge writes. */
    private List<String> listed() {
        JsonNode replicas = registry.below("replication/").get("view").get("replicas");
        return StreamSupport.stream(replicas.spliterator(), false).map(JsonNode::asText).toList();
    }

    /** Whether each member's account is locked on the primary. */
    private Map<String, Boolean> accounts(String primary) {
        return members.query(primary, "SELECT User, account_locked FROM mysql.user WHERE User REGEXP '^replica-[0-2]$'").stream()
            .map(line -> line.split("\t")).collect(toMap(pair -> pair[0], pair -> pair[1].equals("Y")));
    }

    private Map<String, Boolean> locked(List<String> replicas) {
        return members.names().stream().collect(toMap(ReplicationDecisionsIT::account, member -> !replicas.contains(member)));
    }

    private static String account(String member) {
        return "replica-" + member.substring(member.lastIndexOf('-') + 1);
    }

    private String inNotes(String part) {
        String line = notes.lines().filter(one -> one.contains("kubectl ") && one.contains(part)).findFirst().orElseThrow();
        return line.substring(line.indexOf("kubectl "));
    }
}
