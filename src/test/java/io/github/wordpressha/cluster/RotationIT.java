package io.github.wordpressha.cluster;

import static io.github.wordpressha.cluster.OnCluster.Needs.THREE_NODES;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Passwords and salts are changed, as the chart's README says it, while visitors ask for pages that need the database. The
 * topology is standalone: its server is MySQL's own, which keeps two passwords for an account.
 */
@Tag("security")
@Tag("cluster")
@OnCluster(THREE_NODES)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RotationIT {

    private static final Duration COMMAND = Duration.ofMinutes(1);
    private static final List<String> KEYS = List.of("password", "root-password", "monitor-password");
    private static final String VALUES = """
        database: {storage: {size: 1Gi}}
        wordpress:
          replicas: 2
          content: {accessMode: ReadWriteMany, storageClass: shared}
        """;

    private final Release release;
    private final String databasePod;

    RotationIT(Release release) {
        this.release = release.withProfile("minimal").with(VALUES);
        this.databasePod = this.release.fullname() + "-mysql-0";
    }

    @BeforeAll
    void install() {
        release.installReady();
    }

    @Test
    @Order(1)
    @DisplayName("all passwords of the database and the salts are changed under load, and no request fails")
    void changesUnderLoad() {
        Map<String, String> before = database();
        Session session = release.logIn();
        try (var load = new Load(release)) {
            Instant start = Instant.now();
            for (String key : KEYS) {
                patch("database", command(key));
            }
            patch("wordpress", Pods.exec(release.kubernetes(), release.namespace(), Pods.name(release.pods("wordpress").get(0)), "php", COMMAND,
                "php", "/etc/wordpress/new-salts.php"));
            assertThat(database()).hasSize(KEYS.size()).doesNotContainValue(before.get("password")).doesNotContainValue(before.get("root-password"));
            assertThatThrownBy(() -> command("password")).as("a second change before the first is finished").hasMessageContaining("is not finished");

            release.hasten();
            release.pods("wordpress").forEach(pod -> Await.until("the new password and salts in " + Pods.name(pod), Duration.ofMinutes(3), () -> {
                assertThat(read(pod, "php", "/run/secrets/wordpress/database-password")).isEqualTo(release.secret(release.fullname() + "-database", "password"));
                assertThat(read(pod, "php", "/run/secrets/wordpress/auth-salt")).isEqualTo(release.secret(release.fullname() + "-wordpress", "auth-salt"));
            }));
            Await.until("the new passwords are accepted as final", Duration.ofMinutes(3), () -> KEYS.forEach(this::finish));
            load.goOn(20);
            assertThat(load.failures()).isEmpty();
            Figures.record("security/rotation requests=%d failed=0 took=%ds".formatted(load.count(), Duration.between(start, Instant.now()).toSeconds()));
        }
        Await.until("the old session has ended", Duration.ofMinutes(1), () -> assertThat(session.site().get("/wp-admin/", Map.of("Cookie", session.cookies())).text()).contains("loginform"));
        assertThat(release.logIn().get("/wp-admin/").text()).contains("wp-admin-bar");
        assertThat(logsInWith(before.get("password"))).as("the old password").isFalse();
        assertThat(logsInWith(database().get("password"))).as("the new password").isTrue();
    }

    @Test
    @Order(2)
    @DisplayName("a change whose patch never arrived is undone, and the site goes on")
    void isUndone() {
        command("password");
        exec("bash", "/scripts/rotate.sh", "password", "undo");

        assertThat(logsInWith(database().get("password"))).isTrue();
        assertThat(command("password")).as("it can begin anew").contains("\"password\"");
        exec("bash", "/scripts/rotate.sh", "password", "undo");
        release.site().get("/?s=undone").expect(200);
    }

    private Map<String, String> database() {
        var values = new java.util.TreeMap<String, String>();
        KEYS.forEach(key -> values.put(key, release.secret(release.fullname() + "-database", key)));
        return values;
    }

    private String command(String key) {
        return exec("bash", "/scripts/rotate.sh", key);
    }

    private void finish(String key) {
        if (Pods.exec(release.kubernetes(), release.namespace(), databasePod, "mysql", COMMAND, "bash", "-c", "ls /run/member").contains("rotating-" + key)) {
            exec("bash", "/scripts/rotate.sh", key, "finish");
        }
    }

    private String exec(String... command) {
        return Pods.exec(release.kubernetes(), release.namespace(), databasePod, "mysql", COMMAND, command);
    }

    private String read(Pod pod, String container, String file) {
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(pod), container, COMMAND, "cat", file);
    }

    /** As {@code kubectl patch} does. */
    private void patch(String secret, String patch) {
        release.kubernetes().secrets().inNamespace(release.namespace()).withName(release.fullname() + "-" + secret)
            .patch(PatchContext.of(PatchType.STRATEGIC_MERGE), patch);
    }

    private boolean logsInWith(String password) {
        return Pods.exec(release.kubernetes(), release.namespace(), Pods.name(release.pods("wordpress").get(0)), "php", COMMAND, "php", "-r", """
            mysqli_report(MYSQLI_REPORT_OFF); $c = mysqli_init(); echo @$c->real_connect('127.0.0.1', 'wordpress', $argv[1], 'wordpress', 3306, null, MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT) ? 'in' : $c->connect_errno;""",
            password).equals("in");
    }

    /** Visitors whose pages are made anew each time: a search passes the cache. */
    private static final class Load implements AutoCloseable {

        private final AtomicBoolean ends = new AtomicBoolean();
        private final AtomicInteger count = new AtomicInteger();
        private final ConcurrentLinkedQueue<String> failures = new ConcurrentLinkedQueue<>();
        private final List<Thread> visitors = new ArrayList<>();

        Load(Release release) {
            for (Pod pod : release.pods("wordpress")) {
                var visitor = new Thread(() -> visit(release.site(pod)));
                visitors.add(visitor);
                visitor.start();
            }
        }

        private void visit(Site site) {
            while (!ends.get()) {
                int number = count.incrementAndGet();
                try {
                    Page page = site.get("/?s=n" + number);
                    if (page.status() != 200) {
                        failures.add(Instant.now() + " " + page.status() + ": " + page.text().lines().limit(2).toList());
                    }
                } catch (RuntimeException e) {
                    failures.add(Instant.now() + " " + e);
                }
            }
        }

        int count() {
            return count.get();
        }

        List<String> failures() {
            return List.copyOf(failures);
        }

        /** Waits until so many more pages were asked for. */
        void goOn(int pages) {
            int target = count.get() + pages;
            Await.until(pages + " more pages", Duration.ofMinutes(2), () -> assertThat(count.get()).isGreaterThanOrEqualTo(target));
        }

        @Override
        public void close() {
            ends.set(true);
            for (Thread visitor : visitors) {
                try {
                    visitor.join(35_000);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }
}
