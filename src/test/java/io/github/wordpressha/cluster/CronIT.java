package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * WordPress's events: each runs soon and once, however many runs overlap, and whatever another event does. On one database server; the drills
 * of the other topologies have an event of their own.
 *
 * <p>With {@code -Ddrills.full=true} the slow event takes ten minutes, and a thousand events, not 250, are measured with 1, 3 and 10 pods.
 */
@Tag("cron")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class CronIT {

    private static final boolean FULL = Boolean.getBoolean("drills.full");
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    private static final int CACHE_SECONDS = 5;
    /** WordPress publishes at once what is due within a minute. */
    private static final Duration SCHEDULED_AHEAD = Duration.ofSeconds(65);
    private static final int DEADLINE_SECONDS = 60;
    private static final int MANY = FULL ? 1000 : 250;
    /** Longer than the pause between two runs. */
    private static final int SLOW_SECONDS = FULL ? 600 : 100;
    private static final String VERSION = "SELECT option_value FROM wordpress.wp_options WHERE option_name = 'db_version'";
    /** That of WordPress 6.1. */
    private static final String OLDER = "53496";
    private static final List<String> ENDS = List.of("drill_throw", "drill_fatal", "drill_memory", "drill_killed", "drill_exit");

    private final MailServer mail;
    private final Cron cron;
    private final Faults faults;
    private Release release;
    /** When the recurring event was due first, in seconds since the epoch. */
    private long recurringSince;

    CronIT(ClusterUnderTest cluster, Release release) throws Exception {
        this.mail = MailServer.prepare(release, "none");
        this.release = release.with("""
            database:
              topology: standalone
              storage: {size: 1Gi}
            nfs: {storage: {size: 2Gi}}
            wordpress:
              replicas: 2
              autoscaling: {enabled: false}
              content: {size: 1Gi}
              cache: {seconds: %d}
              constants: {WP_HTTP_BLOCK_EXTERNAL: true}
              cron: {failOnError: true}
              resources: {requests: {cpu: 50m, memory: 128Mi}, limits: {memory: 768Mi}}
            """.formatted(CACHE_SECONDS)).with(Cron.VALUES).with(mail.values());
        this.cron = Cron.prepare(this.release);
        this.faults = new Faults(this.release);
    }

    @BeforeAll
    void install() {
        release.installReady();
        mail.start();
        cron.createTable();
        // Both are at work, or due, while the tests go on.
        cron.scheduleNow("drill_slow", Integer.toString(SLOW_SECONDS));
        recurringSince = Long.parseLong(cron.php("$at = time(); wp_schedule_event($at, 'drill', 'drill_recurring'); echo $at;"));
    }

    @Test
    @Order(1)
    @DisplayName("a due event runs within 90 s, once")
    void dueEventsRunOnce() {
        cron.schedule("one", 5);
        Cron.Run run = cron.awaitRun("one", Cron.LATEST.plusSeconds(10));
        Figures.record("cron/one-event %s".formatted(Cron.lateness(List.of(run))));
        assertThat(run.secondsLate()).isBetween(0.0, (double) Cron.LATEST.toSeconds());
    }

    @Test
    @Order(2)
    @DisplayName("a scheduled post appears for anonymous readers of every pod")
    void scheduledPostAppears() {
        Session admin = release.logIn();
        Instant due = Instant.now().plus(SCHEDULED_AHEAD);
        String path = admin.publishAt("Scheduled for later", due);
        assertThat(release.pods("wordpress")).allSatisfy(pod ->
            assertThat(release.site(pod).get("/").expect(200).text()).doesNotContain("Scheduled for later"));
        for (Pod pod : release.pods("wordpress")) {
            Await.until("the post is public in " + Pods.name(pod), Cron.LATEST.plus(SCHEDULED_AHEAD).plusSeconds(CACHE_SECONDS), () -> {
                assertThat(release.site(pod).get("/").expect(200).text()).contains("Scheduled for later");
                assertThat(release.site(pod).get(path).expect(200).text()).contains("Scheduled for later");
            });
        }
        Figures.record("cron/scheduled-post visible-after=%ds".formatted(Duration.between(due, Instant.now()).toSeconds()));
        assertThat(Duration.between(due, Instant.now())).isLessThan(Cron.LATEST.plusSeconds(CACHE_SECONDS));
    }

    @Test
    @Order(3)
    @DisplayName("an event that throws, breaks, needs too much memory, is killed or exits stops no other; the log names it, and its Job fails")
    void brokenEventsStopNoOther() {
        ENDS.forEach(hook -> cron.scheduleNow(hook, ""));
        cron.schedule("after-them", 0);
        Job job = cron.start("broken");
        cron.awaitRun("after-them", Cron.LATEST);
        for (String name : List.of("fatal", "memory", "killed", "exit")) {
            assertThat(cron.runs(name)).as("runs of " + name).hasSize(1);
        }
        // A run of the schedule may have taken some of them.
        Await.until("the runs say how each of them ended", Cron.LATEST, () -> assertThat(cron.logs())
            .containsPattern("Event drill_throw: failed after [0-9.]+ s: RuntimeException: thrown on purpose in ")
            .containsPattern("Event drill_fatal: failed after [0-9.]+ s: .*drill_undefined_function")
            .containsPattern("Event drill_memory: failed after [0-9.]+ s: Allowed memory size")
            .containsPattern("Event drill_killed: failed, its process ended with status ")
            .containsPattern("Event drill_exit: done in [0-9.]+ s\\.")
            .containsPattern("Event drill_event: done in [0-9.]+ s\\."));
        Await.until("a Job has failed", Cron.LATEST, () -> assertThat(cron.jobs()).anyMatch(cron::hasFailed));

        // One a second, so that this run takes some of them, and the run of the schedule others.
        cron.php("for ($i = 0; $i < 30; $i++) { wp_schedule_single_event(time() + $i, 'drill_throw', [$i]); }");
        Job quiet = cron.start("quiet", Map.of("FAIL_ON_ERROR", "false", "STAY_SECONDS", "30"));
        Await.until("the run is over", Cron.LATEST, () -> assertThat(cron.isOver(quiet)).isTrue());
        assertThat(cron.logOf(quiet)).contains("Event drill_throw: failed after");
        assertThat(cron.hasFailed(quiet)).as("failed, although wordpress.cron.failOnError is false").isFalse();
    }

    @Test
    @Order(5)
    @DisplayName("many due events are worked off, each once, by runs that overlap, while pods schedule more")
    void manyEvents() {
        for (int pods : FULL ? List.of(1, 3, 10) : List.of(2)) {
            release.scale(pods);
            release.awaitReady(PATIENCE);
            String name = "many-" + pods;
            Instant start = Instant.now();
            cron.scheduleMany(name, MANY);
            List<Job> jobs = IntStream.range(0, 3).mapToObj(i -> cron.start(name + "-" + i)).toList();
            Await.until("all events have run", Duration.ofMinutes(5), () -> assertThat(cron.count(name)).isGreaterThanOrEqualTo(MANY));
            Duration took = Duration.between(start, Instant.now());
            cron.schedule("one-of-" + pods, 1);
            Cron.Run one = cron.awaitRun("one-of-" + pods, Cron.LATEST.plusSeconds(5));
            Await.until("all runs are over", PATIENCE, () -> assertThat(jobs).allMatch(cron::isOver));
            List<Cron.Run> runs = cron.runs(name);
            Figures.record("cron/%d-events pods=%d took=%ds hosts=%d %s then-one %s".formatted(MANY, pods, took.toSeconds(),
                runs.stream().map(Cron.Run::host).distinct().count(), Cron.lateness(runs), Cron.lateness(List.of(one))));
            assertThat(runs).extracting(Cron.Run::name).doesNotHaveDuplicates().hasSize(MANY);
        }
        release.scale(2);
    }

    @Test
    @Order(6)
    @DisplayName("an event that a request puts back, as it was, does not run again; one that schedules itself for now does")
    void onceMeansOnce() {
        long due = cron.schedule("put-back", 0);
        cron.start("put-back-0");
        cron.awaitRun("put-back", Cron.LATEST);
        cron.php("wp_schedule_single_event(%1$d, 'drill_event', ['put-back', %1$d]);".formatted(due));
        cron.scheduleNow("drill_again", "2");
        for (int runs = 1; runs <= 3; runs++) {
            int sofar = runs;
            cron.start("again-" + runs);
            Await.until("the event that schedules itself has run again", Cron.LATEST, () -> assertThat(cron.runs("again-")).hasSizeGreaterThanOrEqualTo(sofar));
        }
        assertThat(cron.runs("again-")).hasSize(3);
        assertThat(cron.php("echo wp_next_scheduled('drill_event', ['put-back', %d]) ? 'yes' : 'no';".formatted(due))).as("still scheduled").isEqualTo("no");
        assertThat(cron.runs("put-back")).hasSize(1);
    }

    @Test
    @Order(7)
    @DisplayName("a long event is not cut off, runs once, and keeps no other waiting")
    void longEventBlocksNothing() {
        Cron.Run done = cron.awaitRun("slow-done", Duration.ofSeconds(SLOW_SECONDS).plus(Cron.LATEST));
        assertThat(cron.runs("slow-begun")).hasSize(1);
        Cron.Run begun = cron.runs("slow-begun").get(0);
        List<Cron.Run> meanwhile = cron.runs("one").stream().filter(run -> run.at() > begun.at() && run.at() < done.at()).toList();
        Figures.record("cron/long-event took=%.0fs others-meanwhile=%d".formatted(done.at() - begun.at(), meanwhile.size()));
        assertThat(done.at() - begun.at()).isGreaterThanOrEqualTo(SLOW_SECONDS);
        assertThat(meanwhile).as("events that ran while it was at work").isNotEmpty();
    }

    @Test
    @Order(7)
    @DisplayName("a recurring event keeps its schedule, once each time, through a database that is killed")
    void recurringEventsKeepTheirSchedule() {
        int before = cron.runs("recurring").size();
        faults.kill(release.members().names().get(0));
        release.awaitReady(PATIENCE);
        Await.until("it runs after the database is back", Cron.LATEST.multipliedBy(2), () -> assertThat(cron.runs("recurring")).hasSizeGreaterThan(before));
        List<Cron.Run> runs = cron.runs("recurring");
        assertThat(runs).extracting(run -> ((long) run.at() - recurringSince) / 60).as("minutes of its schedule in which it ran").doesNotHaveDuplicates();
        assertThat(runs).hasSizeGreaterThanOrEqualTo(3);
        assertThat(Long.parseLong(cron.php("echo wp_next_scheduled('drill_recurring');")) % 60).as("second of the minute at which it is due").isEqualTo(recurringSince % 60);
    }

    @Test
    @Order(8)
    @DisplayName("links in mails that events send have the site's address: that of the last administrator, or that of the values")
    void linksInMails() {
        String address = "http://" + URI.create(release.addresses().get(0).toString()).getAuthority();
        release.logIn();
        mailLinks(address);
        release = release.with("wordpress: {site: {url: 'https://www.example.com'}, cron: {deadlineSeconds: %d}}".formatted(DEADLINE_SECONDS));
        release.upgrade();
        release.awaitReady(PATIENCE);
        mailLinks("https://www.example.com");
        // Looked at by the next test, which takes longer than that. A run of before the upgrade, with its longer deadline, must not take the event.
        cron.suspend(true);
        Await.until("no run of before is at work", PATIENCE, () -> assertThat(cron.jobs()).allMatch(cron::isOver));
        cron.scheduleNow("drill_slow", "3600");
        cron.start("hung");
        Await.until("the hung event is at work", Cron.LATEST, () -> assertThat(cron.runs("slow-begun")).hasSize(2));
        cron.suspend(false);
    }

    @Test
    @Order(10)
    @DisplayName("a run that hangs is ended after deadlineSeconds")
    void hungRunIsEnded() {
        Await.until("a run was ended", Duration.ofSeconds(DEADLINE_SECONDS).plus(Cron.LATEST), () -> assertThat(cron.jobs()).anyMatch(cron::wasTooLong));
    }

    @Test
    @Order(9)
    @DisplayName("without the shared volume events wait, and run when it is back")
    void eventsWaitForTheContent() {
        String server = release.fullname() + "-nfs";
        faults.scale(server, 0);
        faults.awaitNone("nfs");
        Instant gone = Instant.now();
        Job job = cron.start("without-content");
        Await.pass(Duration.ofSeconds(20));
        assertThat(cron.isOver(job)).as("a run without the content").isFalse();
        faults.scale(server, 1);
        release.awaitReady(PATIENCE);
        Instant back = Instant.now();
        cron.schedule("after-the-volume", 0);
        cron.awaitRun("after-the-volume", Cron.LATEST);
        Figures.record("cron/content-away for=%ds event-after=%ds".formatted(
            Duration.between(gone, back).toSeconds(), Duration.between(back, Instant.now()).toSeconds()));
        Await.until("the run that waited is over", PATIENCE, () -> assertThat(cron.isOver(job)).isTrue());
    }

    @Test
    @Order(11)
    @DisplayName("a restored dump of an older core, made by another installation, is brought up to date once by runs that overlap, and its events run")
    void restoredDumpIsUpgraded() {
        cron.suspend(true);
        cron.endRuns();
        Members members = release.members();
        String member = members.names().get(0);
        List<String> version = members.query(member, VERSION);
        members.query(member, "UPDATE wordpress.wp_options SET option_value = '%s' WHERE option_name = 'db_version'".formatted(OLDER));
        members.query(member, "DROP TABLE wordpress.wp_wordpress_ha");
        Instant restored = Instant.now();
        List<Job> jobs = IntStream.range(0, 3).mapToObj(i -> cron.start("restored-" + i)).toList();
        Await.until("the schema is this core's", Cron.LATEST, () -> assertThat(members.query(member, VERSION)).isEqualTo(version));
        Figures.record("cron/restored-dump upgraded-after=%ds".formatted(Duration.between(restored, Instant.now()).toSeconds()));
        cron.schedule("after-the-restore", 0);
        cron.awaitRun("after-the-restore", Cron.LATEST);
        Await.until("all runs are over", PATIENCE, () -> assertThat(jobs).allMatch(cron::isOver));
        assertThat(jobs).extracting(cron::logOf).filteredOn(log -> log.contains("Upgrading the database's schema from version " + OLDER))
            .as("runs that have upgraded it").hasSize(1);
        cron.suspend(false);
    }

    /** A run that began before the address changed may take the first mails. */
    private void mailLinks(String address) {
        var links = Pattern.compile("home=%1$s/\\s+.*login=%1$s/wp-login.php\\s+.*admin=%1$s/wp-admin/\\s".formatted(Pattern.quote(address)));
        var mails = new AtomicInteger();
        Await.until("a mail has links to " + address, Cron.LATEST, () -> {
            cron.scheduleNow("drill_mail", "'%s-%d'".formatted(address, mails.incrementAndGet()));
            assertThat(mail.mails()).containsPattern(links);
        });
    }
}
