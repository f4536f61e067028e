package io.github.wordpressha.wordpress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which requests run on the shared volume, what they announce there, and what they answer while the volume is away. */
@Tag("http")
class CodeRequestsTest {

  private static final Path CODE = Path.of("charts/wordpress-ha/files/wordpress/code.php");

  @TempDir Path directory;

  @BeforeEach
  void pod() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/usr/bin/php")), "php is not installed");
    Files.createDirectories(directory.resolve("volume/.wordpress-ha-code/changing"));
    Files.createDirectories(directory.resolve("code/abc"));
    Files.createSymbolicLink(directory.resolve("code/current"), Path.of("abc"));
    volume("there");
  }

  @ParameterizedTest(name = "{0} {1} -> {2}")
  @CsvSource({
      "GET, /, pod",
      "POST, /wp-login.php, pod",
      "POST, /wp-comments-post.php, pod",
      "POST, /wp-admin/post.php, pod",
      "POST, /wp-admin/async-upload.php, pod",
      "POST, /wp-admin/admin-ajax.php?action=heartbeat, pod",
      "GET, /wp-admin/admin.php?page=shop, pod",
      "POST, /wp-json/wp/v2/posts, pod",
      "GET, /wp-json/wp/v2/plugins-of-mine, pod",
      "GET, /wp-content/plugins/shop/image.php, volume",
      "GET, /wp-admin/plugins.php, volume",
      "GET, /wp-admin/plugins.php?action=activate, volume announced",
      "POST, /wp-admin/update.php?action=upload-plugin, volume announced",
      "POST, /wp-admin/options.php, volume announced",
      "POST, /wp-admin/admin.php?page=shop, volume announced",
      "POST, /wp-admin/admin-ajax.php?action=update-plugin, volume announced",
      "DELETE, /wp-json/wp/v2/plugins/shop/shop, volume announced",
      "POST, /?rest_route=/wp/v2/plugins, volume announced",
      "POST, /wp-json/shop/v1/install, volume announced"})
  @DisplayName("requests that change code, or that must see it as it is on the volume, run there; those that may change it announce that")
  void runsOn(String method, String uri, String where) throws Exception {
    String answer = ask(method, uri, true);
    assertThat(answer).startsWith(where.startsWith("pod") ? "content: " + directory.resolve("code/abc") : "content: default");
    boolean announced = where.endsWith("announced");
    assertThat(answer.contains("changing: 1")).as("announced while it runs").isEqualTo(announced);
    assertThat(Files.exists(directory.resolve("volume/.wordpress-ha-code/changed"))).as("announced when it has ended").isEqualTo(announced);
    assertThat(directory.resolve("volume/.wordpress-ha-code/changing")).isEmptyDirectory();
  }

  @Test
  @DisplayName("a stranger announces nothing")
  void strangers() throws Exception {
    assertThat(ask("POST", "/wp-admin/plugins.php", false)).contains("changing: 0");
    assertThat(directory.resolve("volume/.wordpress-ha-code/changed")).doesNotExist();
  }

  @Test
  @DisplayName("a change that ends in a fatal error is announced as ended")
  void fatalError() throws Exception {
    ask("POST", "/wp-admin/plugins.php?fatal=1", true);
    assertThat(directory.resolve("volume/.wordpress-ha-code/changing")).isEmptyDirectory();
    assertThat(Files.readString(directory.resolve("volume/.wordpress-ha-code/changed"))).matches("[0-9a-f-]{36}\n");
  }

  @Test
  @DisplayName("while the volume is away pages run as ever, and what needs the volume answers with a sentence in the form that the dashboard shows")
  void away() throws Exception {
    volume("away");
    assertThat(ask("POST", "/wp-admin/post.php", true)).startsWith("content: " + directory.resolve("code/abc")).contains("upload: The volume with the uploads");
    assertThat(ask("GET", "/wp-admin/plugins.php", true)).startsWith("<!doctype html>").contains("<p>The volume with the uploads");
    assertThat(ask("POST", "/wp-admin/admin-ajax.php?action=update-plugin", true)).startsWith("{\"success\":false").contains("\"errorMessage\":\"The volume");
    assertThat(ask("POST", "/wp-admin/admin-ajax.php?action=image-editor", true)).startsWith("{\"success\":false").contains("\"message\":\"The volume");
    assertThat(ask("POST", "/wp-json/wp/v2/plugins", true)).startsWith("{\"code\":\"volume_away\",\"message\":\"The volume");
  }

  private void volume(String state) throws IOException {
    Path link = directory.resolve("code/volume");
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, state.equals("away") ? Path.of("away") : directory.resolve("volume"));
  }

  /** The answer of a stand-in for WordPress behind code.php. */
  private String ask(String method, String uri, boolean administrator) throws Exception {
    String code = Files.readString(CODE)
        .replaceAll("'/code'", Matcher.quoteReplacement("'" + directory.resolve("code") + "'"))
        .replace("'/usr/src/wordpress/wp-content'", "'" + directory.resolve("volume") + "'")
        .replace("PHP_SAPI === 'cli'", "false");
    Files.writeString(directory.resolve("code.php"), code);
    Files.writeString(directory.resolve("request.php"), """
        <?php
        [, $method, $uri, $administrator] = $argv;
        $_SERVER['REQUEST_METHOD'] = $method;
        $_SERVER['REQUEST_URI'] = $uri;
        $_SERVER['SCRIPT_NAME'] = preg_match('~^[^?]*[.]php~', $uri, $found) ? $found[0] : '/index.php';
        parse_str((string) parse_url('http://x' . $uri, PHP_URL_QUERY), $_GET);
        function current_user_can(string $capability): bool { return $GLOBALS['administrator'] === 'true'; }
        require __DIR__ . '/code.php';
        $hooks = [];
        WordPressHa\\choose_content(static function (string $name, callable $function) use (&$hooks): void { $hooks[$name] = $function; }, ['/shop/v1/install']);
        echo 'content: ', defined('WP_CONTENT_DIR') ? WP_CONTENT_DIR : 'default', "\\n";
        isset($hooks['admin_init']) && $hooks['admin_init']();
        isset($hooks['wp_handle_upload_prefilter']) && print('upload: ' . $hooks['wp_handle_upload_prefilter'](['name' => 'a'])['error'] . "\\n");
        echo 'changing: ', count(glob(WordPressHa\\ANNOUNCEMENTS . '/changing/*')), "\\n";
        isset($_GET['fatal']) && undefined_function();
        """);
    Process php = new ProcessBuilder("/usr/bin/php", directory.resolve("request.php").toString(), method, uri, String.valueOf(administrator))
        .redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String answer = new String(php.getInputStream().readAllBytes());
    assertThat(php.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return answer;
  }
}
