<?php
/**
 * WordPress's configuration. It lies beside the core directory, which belongs to the image and is never written.
 *
 * Settings come from a JSON file (typed: nothing of it is ever run as PHP), secrets from files that are read at every
 * request, so that a changed database password needs no restart. Command line scripts read the same file.
 */

require_once '/etc/wordpress/mounted.php';
require_once '/etc/wordpress/page-cache.php';
require_once '/etc/wordpress/code.php';

const WORDPRESS_HA_SETTINGS = '/etc/wordpress/settings.json';
const WORDPRESS_HA_SECRETS  = '/run/secrets/wordpress';
/** Modified when the log last named a proxy that is not trusted. */
const WORDPRESS_HA_PROXY = '/run/wordpress/untrusted-proxy';

(static function (): void {
	$settings = json_decode((string) read_mounted(WORDPRESS_HA_SETTINGS), true, 16, JSON_THROW_ON_ERROR);
	$secret   = static function (string $name): string {
		$value = read_mounted(WORDPRESS_HA_SECRETS . '/' . $name);
		if ($value === false || $value === '') {
			error_log("wordpress: the secret $name is missing or empty in " . WORDPRESS_HA_SECRETS . '.');
			http_response_code(503);
			exit(1);
		}
		return rtrim($value, "\r\n");
	};

	define('DB_HOST', $settings['database']['host']);
	define('DB_NAME', $settings['database']['name']);
	define('DB_USER', $settings['database']['user']);
	define('DB_PASSWORD', $secret('database-password'));
	define('DB_CHARSET', 'utf8mb4');
	define('DB_COLLATE', '');
	define('MYSQL_CLIENT_FLAGS', array_sum(array_map('constant', $settings['database']['flags'])));
	foreach (['auth-key', 'secure-auth-key', 'logged-in-key', 'nonce-key', 'auth-salt', 'secure-auth-salt', 'logged-in-salt', 'nonce-salt'] as $key) {
		define(strtoupper(strtr($key, '-', '_')), $secret($key));
	}

	// The address: from the settings; else the name by which this request asked, if it looks like one; on the command line, what
	// the database says.
	$url = $settings['url'];
	if ($url === '' && PHP_SAPI !== 'cli') {
		$host = strtolower($_SERVER['HTTP_HOST'] ?? '');
		if (!preg_match('/^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/', $host)) {
			$host = 'localhost';
		}
		$url = (($_SERVER['HTTPS'] ?? '') === 'on' ? 'https://' : 'http://') . $host;
	}
	if ($url !== '') {
		define('WP_HOME', $url);
		define('WP_SITEURL', $url);
	}

	// Events run in a CronJob, not in visitors' requests.
	define('DISABLE_WP_CRON', true);
	// Core comes with the image: an update from the dashboard could not be written, and would differ from pod to pod.
	define('WP_AUTO_UPDATE_CORE', false);
	define('DISALLOW_FILE_EDIT', true);
	if (!$settings['allowPluginChanges']) {
		define('DISALLOW_FILE_MODS', true);
		define('AUTOMATIC_UPDATER_DISABLED', true);
	}
	define('FS_METHOD', 'direct');
	define('WP_DEBUG_DISPLAY', false);
	foreach ($settings['constants'] as $name => $value) {
		define($name, $value);
	}
	$GLOBALS['table_prefix'] = $settings['tablePrefix'];

	// Hooks that exist before WordPress has loaded (WP_Hook::build_preinitialized_hooks).
	$hook = static function (string $name, callable $function, int $arguments = 1, int $priority = 10): void {
		$GLOBALS['wp_filter'][$name][$priority]["wordpress-ha-$name"] = ['function' => $function, 'accepted_args' => $arguments];
	};

	WordPressHa\choose_content($hook, $settings['codeRequests']);

	// Nobody updates core from the dashboard, whatever else is allowed there.
	$hook('map_meta_cap', static fn(array $needed, string $capability): array => $capability === 'update_core' ? ['do_not_allow'] : $needed, 2);

	// The form decides what a login does, not its address: from outside of wordpress.adminFrom it may only be the password of a post.
	if (isset($_SERVER['OUTSIDE_ADMIN_RANGES'])) {
		$hook('login_init', static function (): void {
			if ($GLOBALS['action'] !== 'postpass') {
				wp_die('The administration of this site is closed to your address.', '', 403);
			}
		});
	}

	// All of its visitors share one address, in the limits of logins as well.
	if (isset($_SERVER['UNTRUSTED_PROXY']) && (int) @filemtime(WORDPRESS_HA_PROXY) < time() - 3600 && @touch(WORDPRESS_HA_PROXY)) {
		error_log("wordpress: {$_SERVER['REMOTE_ADDR']} forwards requests, but is not in wordpress.trustedProxies, so all of its visitors have this address, and an attacker uses up their attempts to log in. If it is your proxy, add its range.");
	}

	// Pages do not tell which version of WordPress made them.
	$hook('the_generator', static fn(): string => '');

	if ($settings['s3'] !== null) {
		$key = $settings['s3']['existingSecret'] === '' ? null : [$secret('s3-access-key-id'), $secret('s3-secret-access-key')];
		(require '/etc/wordpress/media-s3.php')($settings['s3'], $key, $hook);
	}

	// While a new version is rolled out, its Job has upgraded the schema already. An old pod would send everybody who opens the
	// dashboard to upgrade.php, which would write its own, older version number: it takes the newer schema for its own instead.
	$hook('option_db_version', static function ($version) {
		$own = $GLOBALS['wp_db_version'] ?? 0;
		return PHP_SAPI !== 'cli' && (int) $version > (int) $own ? $own : $version;
	});

	// A site without a fixed address: links that cron makes, in mails above all, lead to where an administrator logged in last.
	if ($settings['url'] === '') {
		$hook('wp_login', static function (string $name, WP_User $user) use ($settings): void {
			global $wpdb;
			if ($user->has_cap('manage_options') && WP_HOME !== $settings['site']['internalUrl']) {
				// Not update_option(), which takes the constants for what is stored.
				$wpdb->query($wpdb->prepare("UPDATE $wpdb->options SET option_value = %s WHERE option_name IN ('home', 'siteurl')", WP_HOME));
				wp_cache_delete('alloptions', 'options');
			}
		}, 2);
	}

	$hook('muplugins_loaded', static function () use ($settings): void {
		if ($settings['smtp']['host'] !== '') {
			require_once '/etc/wordpress/smtp.php';
		}
		if (!$settings['userEnumeration']) {
			require_once '/etc/wordpress/hidden-accounts.php';
		}
		if ($settings['loginLockout']['failures'] > 0) {
			(require '/etc/wordpress/login-lockout.php')($settings['loginLockout']);
		}
		if ($settings['pods'] !== []) {
			(require '/etc/wordpress/page-changes.php')($settings['pods']);
		}
		// By the directory that they are in now: PHP would remember that of an older version of them, which is gone.
		$mounted = '/etc/wordpress-mu-plugins';
		foreach (glob($mounted . '/' . @readlink($mounted . '/..data') . '/*.php') ?: [] as $file) {
			require_once $file;
		}
	}, 0, PHP_INT_MIN);

	// "Error establishing a database connection" is a passing state, not a defect of the page: 503, and when to try again.
	header_register_callback(static function (): void {
		global $wpdb;
		if (http_response_code() === 500 && isset($wpdb) && empty($wpdb->ready)) {
			WordPressHa\record_failure();
			header(($_SERVER['SERVER_PROTOCOL'] ?? 'HTTP/1.1') . ' 503 Service Unavailable', true, 503);
			header('Retry-After: 5');
		}
		WordPressHa\limit_storage();
	});
})();

$table_prefix = $GLOBALS['table_prefix'];

if (!defined('ABSPATH')) {
	define('ABSPATH', '/usr/src/wordpress/');
}
require_once ABSPATH . 'wp-settings.php';
