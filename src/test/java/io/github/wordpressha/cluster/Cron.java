package io.github.wordpressha.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;

/**
 * The events of a site. A must-use plugin ({@code cron-witness.php}) gives the site events that write a row each time they run.
 *
 * @param release a release with {@link #VALUES}
 */
record Cron(Release release) {

    static final String VALUES = "wordpress: {muPlugins: [cron-witness]}";
    /** How late an event may run: the schedule of a minute, and the time in which a pod starts. */
    static final Duration LATEST = Duration.ofSeconds(90);

    private static final String COMPONENT = "app.kubernetes.io/component";
    private static final String LOAD = "define('WP_USE_THEMES', false); require '/usr/src/wordpress/wp-load.php'; global $wpdb; ";
    private static final int UNDER_FAULT = 400;
    private static final Duration ANSWER = Duration.ofMinutes(2);

    /**
     * One run of an event.
     *
     * @param due when it was to run, by the site's clock, in seconds since the epoch; 0: not known
     * @param at when it ran
     */
    record Run(String name, double due, double at, String host) {

        double secondsLate() {
            return at - due;
        }
    }

    /** Before the install: the plugin. */
    static Cron prepare(Release release) {
        release.kubernetes().resource(new ConfigMapBuilder().withNewMetadata().withName("cron-witness").withNamespace(release.namespace()).endMetadata()
            .addToData("cron-witness.php", resource("/cluster/cron-witness.php")).build()).create();
        return new Cron(release);
    }

    /** After the install: the table with the runs. */
    Cron createTable() {
        php("$wpdb->query('CREATE TABLE IF NOT EXISTS drill_cron (id bigint AUTO_INCREMENT PRIMARY KEY, name varchar(64) NOT NULL, due double NOT NULL,"
            + " at double NOT NULL, host varchar(64) NOT NULL)') !== false || exit(1);");
        return this;
    }

    /** Schedules the event {@code drill_event} by this name. Returns when it is due. */
    long schedule(String name, int inSeconds) {
        return Long.parseLong(php("$due = time() + %d; wp_schedule_single_event($due, 'drill_event', ['%s', $due]); echo $due;".formatted(inSeconds, name)));
    }

    /** Schedules so many events at once, all of them overdue: {@code <name>-0}, {@code <name>-1}... in one write, as a plugin's queue does. */
    void scheduleMany(String name, int count) {
        php("""
            $crons = _get_cron_array();
            for ($i = 0; $i < %d; $i++) {
                $due = time() - 1;
                $args = ["%s-$i", $due];
                $crons[$due]['drill_event'][md5(serialize($args))] = ['schedule' => false, 'args' => $args];
            }
            ksort($crons);
            _set_cron_array($crons);
            """.formatted(count, name));
    }

    /** Schedules an event of the plugin, due now. */
    void scheduleNow(String hook, String phpArguments) {
        php("wp_schedule_single_event(time(), '%s', [%s]);".formatted(hook, phpArguments));
    }

    /** Runs PHP in a WordPress pod, with WordPress loaded; returns what it printed. */
    String php(String code) {
        Pod pod = release.pods("wordpress").stream().filter(one -> !one.isMarkedForDeletion()).findFirst().orElseThrow();
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), "php", ANSWER, "php", "-d", "display_errors=stderr", "-r", LOAD + code);
    }

    /** The runs whose event's name begins so, in order. */
    List<Run> runs(String prefix) {
        try {
            JsonNode rows = new ObjectMapper().readTree(
                php("echo json_encode($wpdb->get_results(\"SELECT name, due, at, host FROM drill_cron WHERE name LIKE '%s%%' ORDER BY id\"));".formatted(prefix)));
            return StreamSupport.stream(rows.spliterator(), false)
                .map(row -> new Run(row.get("name").asText(), row.get("due").asDouble(), row.get("at").asDouble(), row.get("host").asText())).toList();
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until the event has run; returns its one run. */
    Run awaitRun(String name, Duration atMost) {
        Await.until("event " + name + " runs", atMost, () -> assertThat(runs(name)).isNotEmpty());
        assertThat(runs(name)).hasSize(1);
        return runs(name).get(0);
    }

    /**
     * Overdue events are worked off by two runs while something breaks: each runs at most once, and none is missing but one a run, which was at
     * work when it broke.
     */
    void survive(String name, Runnable fault) {
        int runs = 2;
        scheduleMany(name, UNDER_FAULT);
        Instant start = Instant.now();
        IntStream.range(0, runs).forEach(i -> start(name + "-" + i));
        Await.until("the runs are at work", LATEST, () -> assertThat(count(name)).isPositive());
        int before = count(name);
        fault.run();
        Await.until("the events have run", LATEST.plus(ANSWER), () -> assertThat(count(name)).isGreaterThanOrEqualTo(UNDER_FAULT - runs));
        Figures.record("cron/%s events=%d before-the-fault=%d run=%d all-after=%ds".formatted(
            name, UNDER_FAULT, before, count(name), Duration.between(start, Instant.now()).toSeconds()));
        // WordPress repeats a statement whose answer was lost with the connection: the same run then has two rows, of the same microsecond.
        assertThat(runs(name).stream().distinct().map(Run::name)).doesNotHaveDuplicates();
    }

    /** Starts one more run beside those of the schedule, which ends when nothing is due. */
    Job start(String jobName) {
        return start(jobName, Map.of());
    }

    /** As {@link #start(String)}, with other values of the environment. */
    Job start(String jobName, Map<String, String> changes) {
        var environment = new HashMap<>(Map.of("STAY_SECONDS", "0"));
        environment.putAll(changes);
        CronJob cronJob = release.kubernetes().batch().v1().cronjobs().inNamespace(release.namespace()).withName(release.fullname() + "-cron").require();
        var job = new JobBuilder().withNewMetadata().withName(jobName).withNamespace(release.namespace())
            .withLabels(cronJob.getSpec().getJobTemplate().getMetadata().getLabels()).endMetadata()
            .withSpec(cronJob.getSpec().getJobTemplate().getSpec()).build();
        job.getSpec().getTemplate().getSpec().getContainers().get(0).getEnv().stream()
            .filter(variable -> environment.containsKey(variable.getName()))
            .forEach(variable -> variable.setValue(environment.get(variable.getName())));
        return release.kubernetes().resource(job).create();
    }

    /** How many runs there were of events whose name begins so. */
    int count(String prefix) {
        return Integer.parseInt(php("echo $wpdb->get_var(\"SELECT COUNT(*) FROM drill_cron WHERE name LIKE '%s-%%'\");".formatted(prefix)));
    }

    /** Whether the schedule starts no runs. */
    void suspend(boolean suspended) {
        release.kubernetes().batch().v1().cronjobs().inNamespace(release.namespace()).withName(release.fullname() + "-cron")
            .edit(job -> new CronJobBuilder(job).editSpec().withSuspend(suspended).endSpec().build());
    }

    /** Ends all runs, whatever they are at. */
    void endRuns() {
        release.kubernetes().batch().v1().jobs().inNamespace(release.namespace()).withLabel(COMPONENT, "wordpress-cron")
            .withPropagationPolicy(DeletionPropagation.FOREGROUND).delete();
        Await.until("no run is left", ANSWER, () -> assertThat(jobs()).isEmpty());
    }

    /** Those of the schedule, and those that tests started. */
    List<Job> jobs() {
        return release.kubernetes().batch().v1().jobs().inNamespace(release.namespace()).withLabel(COMPONENT, "wordpress-cron").list().getItems();
    }

    /** What the runs whose pods are still there have logged. */
    String logs() {
        return jobs().stream().map(this::logOf).collect(Collectors.joining("\n"));
    }

    /** The log of a run. */
    String logOf(Job job) {
        Pod pod = release.kubernetes().pods().inNamespace(release.namespace())
            .withLabel("batch.kubernetes.io/job-name", job.getMetadata().getName()).list().getItems().get(0);
        return release.kubernetes().pods().resource(pod).inContainer("cron").getLog();
    }

    boolean isOver(Job job) {
        return has(job, "Complete", "") || hasFailed(job);
    }

    boolean hasFailed(Job job) {
        return has(job, "Failed", "");
    }

    /** Whether Kubernetes has ended the run, or is about to. */
    boolean wasTooLong(Job job) {
        return has(job, "FailureTarget", "DeadlineExceeded") || has(job, "Failed", "DeadlineExceeded");
    }

    private boolean has(Job job, String type, String reason) {
        return release.kubernetes().resource(job).get().getStatus().getConditions().stream().anyMatch(condition ->
            type.equals(condition.getType()) && "True".equals(condition.getStatus()) && (reason.isEmpty() || reason.equals(condition.getReason())));
    }

    /** "<median> s, <longest> s", for people. */
    static String lateness(List<Run> runs) {
        List<Double> late = runs.stream().map(Run::secondsLate).sorted(Comparator.naturalOrder()).collect(Collectors.toList());
        return "median=%.1fs longest=%.1fs".formatted(late.get(late.size() / 2), late.get(late.size() - 1));
    }

    private static String resource(String path) {
        try (var stream = Cron.class.getResourceAsStream(path)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
