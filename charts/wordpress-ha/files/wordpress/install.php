<?php
/**
 * Installs the site, or upgrades its database, with WordPress's own functions. Any number of these may run at once: one
 * works, under a lock in the database, and the others find its work done. Running it again changes nothing.
 *
 * With the argument "database" it leaves plugins alone.
 *
 * Title, language, administrator and permalinks are for the first installation; afterwards they belong to the dashboard.
 */

use WordPressHa\SiteDatabase;
use function WordPressHa\{say, wait_until};

require __DIR__ . '/database.php';

// For example a connection that breaks between two steps. All steps can be taken again, and the lock is released first.
set_exception_handler(static function (Throwable $error): never {
	say('This attempt failed, the next one begins soon: ' . $error->getMessage() . '.');
	exit(1);
});

$database = new SiteDatabase();
$me       = gethostname();
// Three Galera members that start from nothing, or a long state transfer; then the Job's next attempt begins.
const PATIENCE_SECONDS = 900;

wait_until(PATIENCE_SECONDS, static function () use ($database): bool {
	$database->createState();
	return true;
});
wait_until(PATIENCE_SECONDS, static function (callable $because) use ($database, $me): ?bool {
	$holder = $database->lock($me);
	$because("$holder is at work on the site.");
	return $holder === $me ? true : null;
});
say('Holding the lock.');

// WordPress's functions run for as long as they need, so another process renews the lock. It ends with this one: its input is closed.
$renewal = proc_open([PHP_BINARY, __DIR__ . '/renew-lock.php', $me], [0 => ['pipe', 'r'], 1 => STDOUT, 2 => STDERR], $pipes);
if ($renewal === false) {
	say('The process that renews the lock could not be started.');
	exit(1);
}
register_shutdown_function(static function () use ($database, $me, $pipes, $renewal): void {
	fclose($pipes[0]);
	proc_close($renewal);
	try {
		$database->unlock($me);
	} catch (mysqli_sql_exception $error) {
		say('The lock could not be released, it expires by itself: ' . $error->getMessage() . '.');
	}
});
/** Before each step: somebody else may have taken over, if this process was stopped for longer than the lock lives. */
$stillMine = static function () use ($database, $me): void {
	if ($database->lock($me) !== $me) {
		say('The lock went to another Job while this one stood still: leaving the work to it.');
		exit(1);
	}
};

$site = $database->settings['site'];
define('WP_INSTALLING', true);
// The installer mails the password's owner and asks the site for itself over HTTP: neither is wanted here.
function wp_new_blog_notification($title, $url, $user, $password): void {}
$database->imitateRequest();
require '/usr/src/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';
require ABSPATH . 'wp-admin/includes/translation-install.php';
global $wpdb, $wp_db_version;
$wpdb->suppress_errors();
$installed = is_blog_installed();
$progress  = $database->progress();

if ($progress === null && $installed) {
	say('The database holds a site already: keeping it as it is.');
	$stillMine();
	$database->setProgress('done');
} elseif ($progress !== 'done') {
	say($progress === null ? "Installing \"{$site['title']}\"." : 'An installation was interrupted: finishing it.');
	$password = (string) @file_get_contents('/run/secrets/admin/admin-password');
	if ($password === '') {
		say('The Secret has no admin-password: the site cannot be installed without one.');
		exit(1);
	}
	$stillMine();
	$database->setProgress('started');
	// A second pass must not write the sample post and page again.
	if ($installed && (int) $wpdb->get_var("SELECT COUNT(*) FROM $wpdb->posts") > 0) {
		function wp_install_defaults($user_id): void {}
	}
	add_action('populate_options', static fn() => update_option('permalink_structure', $site['permalinks']));
	add_filter('pre_http_request', static fn() => new WP_Error('installing', 'No requests during the installation.'));
	if (!defined('WP_SITEURL')) {
		define('WP_SITEURL', $site['internalUrl']);
	}
	$result = wp_install($site['title'], $site['adminUser'], $site['adminEmail'], true, '', wp_slash(rtrim($password, "\r\n")), '');
	if ($wpdb->last_error !== '' || !is_blog_installed() || !$result['user_id']) {
		say('WordPress could not be installed: ' . ($wpdb->last_error ?: 'it reported no error, but there is no site.'));
		exit(1);
	}
	if ($site['permalinks'] === '') {
		update_option('permalink_structure', '');
	}
	flush_rewrite_rules();
	$stillMine();
	$database->setProgress('done');
	say("Installed, the administrator is {$site['adminUser']}.");
	remove_all_filters('pre_http_request');
	language($site['language']);
}

$stillMine();
$version = (int) __get_option('db_version');
if ($version < $wp_db_version) {
	say("Upgrading the database's schema from version $version to $wp_db_version.");
	wp_upgrade();
	if ((int) __get_option('db_version') !== $wp_db_version) {
		say('The schema could not be upgraded: ' . ($wpdb->last_error ?: 'WordPress reported no error') . '.');
		exit(1);
	}
} elseif ($version > $wp_db_version) {
	say("The schema has version $version, newer than the $wp_db_version of this core: leaving it as it is.");
}
// What the table holds: WordPress's own functions would answer with the constants.
foreach (defined('WP_HOME') ? ['home' => WP_HOME, 'siteurl' => WP_SITEURL] : [] as $name => $url) {
	if ($database->option($name) !== $url) {
		$wpdb->update($wpdb->options, ['option_value' => $url], ['option_name' => $name]);
		say("The site's $name is now $url.");
	}
}
say('The site is ready.');
if (($argv[1] ?? '') !== 'database') {
	plugins($me);
}

/** Sets the language; its files come from wordpress.org and stay with the content. Without them the site speaks English. */
function language(string $language): void
{
	if ($language === '' || $language === 'en_US') {
		return;
	}
	add_filter('file_mod_allowed', static fn(bool $allowed, string $context): bool => $allowed || $context === 'can_install_language_pack', 10, 2);
	if (!in_array($language, get_available_languages(), true) && !wp_download_language_pack($language)) {
		say("The files of the language $language could not be downloaded: the site speaks English until somebody adds them in the dashboard.");
		return;
	}
	update_option('WPLANG', $language);
	say("The site's language is $language.");
}

/** In a process without WP_INSTALLING, in which WordPress loads no plugins. */
function plugins(string $me): void
{
	if (trim((string) file_get_contents(__DIR__ . '/plugins.json')) === '[]') {
		return;
	}
	passthru(escapeshellarg(PHP_BINARY) . ' ' . escapeshellarg(__DIR__ . '/plugins.php') . ' ' . escapeshellarg($me), $status);
	if ($status !== 0) {
		say('Not all plugins could be installed; the next attempt begins soon. The site is up without them.');
		exit(1);
	}
}
