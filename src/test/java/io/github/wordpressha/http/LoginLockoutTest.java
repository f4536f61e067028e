package io.github.wordpressha.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.wordpressha.helm.Yaml;
import io.github.wordpressha.http.Row.Step;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The limit of failed logins on two pods with WordPress's core and one database; logins.yaml has what one visitor sees. */
@Tag("http")
@Tag("security")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LoginLockoutTest {

  private static final int FAILURES = 5;
  private static final String VALUES = "{wordpress: {trustedProxies: [127.0.0.0/8], loginsPerMinute: 0, loginLockout: {failures: 5, seconds: 600}}}";
  private static final String COUNTERS = "name LIKE 'login-%'";

  private LocalCore core;
  private List<LocalSite> pods;

  @BeforeAll
  void start(@TempDir Path directory) throws Exception {
    LocalCore.missing().ifPresent(reason -> assumeTrue(false, reason));
    core = new LocalCore(directory);
    pods = List.of(core.pod((ObjectNode) Yaml.parse(VALUES)), core.pod((ObjectNode) Yaml.parse(VALUES)));
  }

  @AfterAll
  void stop() {
    if (core != null) {
      core.close();
    }
  }

  @Test
  @DisplayName("of 40 guesses at once, through two pods, as many are tried as the limit says, and the log has one line, without a password")
  void guessesAtOnce() throws Exception {
    core.wordpress("wp_create_user('many', 'the-password-of-many');");
    var clients = Executors.newFixedThreadPool(10);
    try {
      List<Future<Answer>> answers = clients.invokeAll(IntStream.range(0, 40).<Callable<Answer>>mapToObj(i -> () ->
          login(pods.get(i % 2), "many", "guess-" + i, "203.0.113." + i)).toList());
      var statuses = new int[600];
      for (Future<Answer> answer : answers) {
        statuses[answer.get().status()]++;
      }
      assertThat(statuses[200]).as("tried").isEqualTo(FAILURES);
      assertThat(statuses[429]).as("refused").isEqualTo(40 - FAILURES);
    } finally {
      clients.shutdownNow();
    }
    assertThat(pods.stream().flatMap(pod -> said(pod, "login: 5 failures for the account \"many\""))).hasSize(1);
    assertThat(pods).noneMatch(pod -> pod.logs().contains("guess-"));
  }

  @Test
  @DisplayName("an owner at a new address comes back in by a new password, which the mail for a lost one leads to")
  void passwordIsReset() {
    core.wordpress("wp_create_user('lost', 'forgotten');");
    IntStream.range(0, FAILURES).forEach(i -> login(pods.get(0), "lost", "guess", "203.0.113.9"));
    assertThat(login(pods.get(0), "lost", "forgotten", "192.0.2.1").status()).isEqualTo(429);
    core.wordpress("$_SERVER['REMOTE_ADDR'] = '192.0.2.1'; reset_password(get_user_by('login', 'lost'), 'a-new-password');");
    assertThat(login(pods.get(1), "lost", "a-new-password", "192.0.2.1").status()).isEqualTo(302);
    assertThat(login(pods.get(1), "lost", "a-new-password", "192.0.2.2").status()).as("elsewhere").isEqualTo(429);
  }

  @Test
  @DisplayName("right logins count nothing, however many there are")
  void rightLogins() {
    core.wordpress("wp_create_user('often', 'right');");
    assertThat(IntStream.range(0, FAILURES * 3)).allMatch(i -> login(pods.get(i % 2), "often", "right", "192.0.2." + i).status() == 302);
  }

  @Test
  @DisplayName("the database has the last 20 addresses of an account, and none of them as it is")
  void addressesAreHashes() {
    core.wordpress("wp_create_user('travels', 'right');");
    IntStream.range(1, 23).forEach(i -> login(pods.get(i % 2), "travels", "right", "192.0.2." + i));
    String kept = core.wordpress("echo implode(' ', get_user_meta(get_user_by('login', 'travels')->ID, 'wordpress_ha_login_addresses', true));");
    assertThat(kept.split(" ")).hasSize(20).allMatch(address -> address.matches("[0-9a-f]{16}"));
  }

  @Test
  @DisplayName("an application password over REST counts with the others")
  void applicationPasswords() {
    String secret = core.wordpress("$id = wp_insert_user(['user_login' => 'client', 'user_pass' => 'right', 'role' => 'administrator']); echo WP_Application_Passwords::create_new_application_password($id, ['name' => 'app'])[0];");
    assertThat(rest("client", secret, "192.0.2.1").status()).isEqualTo(200);
    assertThat(IntStream.range(0, FAILURES).map(i -> rest("client", "guess", "203.0.113." + i).status())).containsOnly(401);
    Answer refused = rest("client", secret, "203.0.113.77");
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.text()).contains("Too many failed logins for this account");
    assertThat(login(pods.get(1), "client", "right", "203.0.113.78").status()).as("the form").isEqualTo(429);
    assertThat(rest("client", secret, "192.0.2.1").status()).as("where it has logged in").isEqualTo(200);
  }

  @Test
  @DisplayName("an attempt that the database does not count is refused, and the log says so")
  void databaseDoesNotCount() {
    core.wordpress("wp_create_user('other', 'right'); $wpdb->query('RENAME TABLE wp_wordpress_ha TO away');");
    try {
      Answer refused = login(pods.get(0), "other", "right", "192.0.2.1");
      assertThat(refused.status()).isEqualTo(503);
      assertThat(refused.text()).contains("Logins cannot be checked just now");
      assertThat(pods.get(0).logs()).contains("login: the database did not count an attempt, so it is refused");
    } finally {
      core.wordpress("$wpdb->query('RENAME TABLE away TO wp_wordpress_ha');");
    }
    assertThat(login(pods.get(0), "other", "right", "192.0.2.1").status()).isEqualTo(302);
  }

  @Test
  @DisplayName("counters of the past, and of a flood of names, go by themselves; the site's own rows stay")
  void countersGo() {
    String left = core.wordpress("""
        $wpdb->query("INSERT INTO wp_wordpress_ha SELECT CONCAT('login-flood-', seq), '1', UTC_TIMESTAMP() FROM seq_1_to_11000");
        $wpdb->query("INSERT INTO wp_wordpress_ha VALUES ('login-past', '9', UTC_TIMESTAMP() - INTERVAL 601 SECOND)");
        $sweep = new ReflectionMethod(WordPressHa\\LoginLockout::class, 'sweep');
        $sweep->setAccessible(true);
        $sweep->invoke(new WordPressHa\\LoginLockout(5, 600));
        echo $wpdb->get_var("SELECT COUNT(*) FROM wp_wordpress_ha WHERE %1$s"), ' ', $wpdb->get_var("SELECT COUNT(*) FROM wp_wordpress_ha WHERE name = 'login-past'"),
          ' ', $wpdb->get_var("SELECT value FROM wp_wordpress_ha WHERE name = 'install'");
        $wpdb->query("DELETE FROM wp_wordpress_ha WHERE name LIKE 'login-flood-%%'");
        """.formatted(COUNTERS));
    assertThat(left).isEqualTo("10000 0 done");
  }

  @Test
  @DisplayName("a proxy that is not trusted is named in the log, once in an hour")
  void untrustedProxy(@TempDir Path directory) throws Exception {
    try (var alone = new LocalCore(directory)) {
      LocalSite pod = alone.pod((ObjectNode) Yaml.parse("{wordpress: {loginsPerMinute: 0, loginLockout: {failures: 0}}}"));
      pod.send(Step.get("/wp-login.php"));
      assertThat(pod.logs()).doesNotContain("wordpress.trustedProxies");
      IntStream.range(0, 3).forEach(i -> login(pod, "any", "guess", "203.0.113.1"));
      assertThat(said(pod, "wordpress: 127.0.0.1 forwards requests, but is not in wordpress.trustedProxies")).hasSize(1);
      assertThat(IntStream.range(0, 25)).as("no limit by account").allMatch(i -> login(pod, "any", "guess", "203.0.113.1").status() == 200);
    }
    login(pods.get(0), "any", "guess", "203.0.113.1");
    assertThat(pods.get(0).logs()).as("a trusted one").doesNotContain("forwards requests");
  }

  /** Lines of PHP's log; nginx has them, too. */
  private static Stream<String> said(LocalSite pod, String beginning) {
    return pod.logs().lines().filter(line -> line.startsWith("NOTICE: PHP message: " + beginning));
  }

  private static Answer login(LocalSite pod, String name, String password, String client) {
    return pod.send(Step.request("POST", "/wp-login.php", Map.of("X-Forwarded-For", client), "log=" + name + "&pwd=" + password));
  }

  private Answer rest(String name, String password, String client) {
    String basic = Base64.getEncoder().encodeToString((name + ":" + password).getBytes(StandardCharsets.UTF_8));
    return pods.get(0).send(Step.request("GET", "/wp-json/wp/v2/settings", Map.of("Authorization", "Basic " + basic, "X-Forwarded-For", client, "X-Forwarded-Proto", "https"), ""));
  }
}
