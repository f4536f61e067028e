<?php
/**
 * Installs the plugins of the values with WordPress's own upgrader, and activates each of them once: what somebody has switched off in
 * the dashboard stays off. install.php runs this under its lock, which the argument names, as a process of its own: a plugin that breaks
 * breaks nothing but this.
 */

namespace WordPressHa;

use Plugin_Upgrader;
use RuntimeException;
use WP_Ajax_Upgrader_Skin;
use WP_Error;

require __DIR__ . '/database.php';

const INSTALLED_OPTION = 'wordpress_ha_plugins';
const DOWNLOAD_SECONDS = 300;

$database = new SiteDatabase();
$plugins  = json_decode((string) file_get_contents(__DIR__ . '/plugins.json'), true, 8, JSON_THROW_ON_ERROR);
$database->imitateRequest();
// For everybody else than cron the upgrader switches a plugin off while it replaces it. Replacing is a matter of two renames.
define('DOING_CRON', true);
require '/usr/src/wordpress/wp-load.php';
require ABSPATH . 'wp-admin/includes/admin.php';
require ABSPATH . 'wp-admin/includes/class-wp-upgrader.php';
wp_mkdir_p(WP_PLUGIN_DIR);

$failed = 0;
foreach ($plugins as $plugin) {
	if ($database->lock($argv[1]) !== $argv[1]) {
		say('The lock went to another Job: leaving the plugins to it.');
		exit(1);
	}
	try {
		bring($plugin);
	} catch (RuntimeException $problem) {
		say("The plugin $plugin[slug]: " . $problem->getMessage());
		$failed++;
	}
}
exit($failed === 0 ? 0 : 1);

/**
 * @param array{slug: string, version?: string, url?: string, sha256?: string} $plugin
 * @throws RuntimeException with a sentence for people
 */
function bring(array $plugin): void
{
	$slug = $plugin['slug'];
	// What tells one release of the plugin from another.
	$want = $plugin['version'] ?? $plugin['sha256'];
	$have = get_option(INSTALLED_OPTION, [])[$slug] ?? null;
	$file = main_file($slug);
	$here = $file !== null && $have === $want;
	if ($file !== null && $have === null && isset($plugin['version']) && get_plugin_data(WP_PLUGIN_DIR . "/$file", false, false)['Version'] === $want) {
		say("The plugin $slug $want is there already.");
		$here = true;
	}
	if (!$here) {
		$archive = download($plugin);
		try {
			unpack_archive($archive, $slug, $file);
		} finally {
			unlink($archive);
		}
		$file = main_file($slug) ?? throw new RuntimeException('the archive holds no plugin.');
		say(sprintf('%s the plugin %s %s.', $have === null ? 'Installed' : 'Replaced', $slug, get_plugin_data(WP_PLUGIN_DIR . "/$file", false, false)['Version']));
	}
	if ($have === null && !is_plugin_active($file)) {
		$result = activate_plugin($file);
		if (is_wp_error($result)) {
			throw new RuntimeException('it could not be activated: ' . wp_strip_all_tags($result->get_error_message()));
		}
		say("Activated the plugin $slug.");
	}
	if ($have !== $want) {
		update_option(INSTALLED_OPTION, [$slug => $want] + get_option(INSTALLED_OPTION, []), false);
	}
}

/** The plugin's file with the header, "directory/file.php". */
function main_file(string $slug): ?string
{
	wp_cache_delete('plugins', 'plugins');
	$files = is_dir(WP_PLUGIN_DIR . "/$slug") ? array_keys(get_plugins("/$slug")) : [];
	return $files === [] ? null : "$slug/$files[0]";
}

/** A file that has the right checksum, if one is given. */
function download(array $plugin): string
{
	$url     = $plugin['url'] ?? "https://downloads.wordpress.org/plugin/$plugin[slug].$plugin[version].zip";
	$archive = wp_tempnam("$plugin[slug].zip");
	$answer  = wp_remote_get($url, ['timeout' => DOWNLOAD_SECONDS, 'stream' => true, 'filename' => $archive]);
	$status  = wp_remote_retrieve_response_code($answer);
	$sum     = hash_file('sha256', $archive);
	$problem = match (true) {
		is_wp_error($answer) => "$url could not be downloaded: " . rtrim($answer->get_error_message(), '.') . '.',
		$status !== 200 => "$url could not be downloaded: the server answers with status $status.",
		isset($plugin['sha256']) && $sum !== $plugin['sha256'] => "what $url holds has the SHA-256 $sum, not $plugin[sha256]: nothing of it was unpacked. Correct wordpress.plugins if you trust it.",
		default => null,
	};
	if ($problem !== null) {
		unlink($archive);
		throw new RuntimeException($problem);
	}
	return $archive;
}

/** @param string|null $file the plugin's main file, if it is to be replaced */
function unpack_archive(string $archive, string $slug, ?string $file): void
{
	$upgrader = new Plugin_Upgrader($skin = new WP_Ajax_Upgrader_Skin());
	// Archives of source repositories hold a directory called after the release.
	$name   = static fn($source) => is_wp_error($source) ? $source : called($source, $slug);
	$update = static fn($known) => (object) (['response' => [$file => (object) ['plugin' => $file, 'package' => $archive]]] + (array) $known);
	add_filter('upgrader_source_selection', $name);
	add_filter('site_transient_update_plugins', $update);
	try {
		$result = $file === null ? $upgrader->install($archive) : $upgrader->upgrade($file);
	} finally {
		remove_filter('site_transient_update_plugins', $update);
		remove_filter('upgrader_source_selection', $name);
	}
	if ($result !== true) {
		$reason = is_wp_error($result) ? $result->get_error_message() . ' ' . implode(' ', array_filter((array) $result->get_error_data(), 'is_string')) : $skin->get_error_messages();
		throw new RuntimeException('it could not be unpacked: ' . (trim(wp_strip_all_tags($reason)) ?: 'WordPress reported no reason.'));
	}
}

/** The unpacked directory, renamed if it is called otherwise. */
function called(string $source, string $slug): string|WP_Error
{
	$target = dirname($source) . "/$slug";
	if (basename($source) === $slug) {
		return $source;
	}
	$moved = move_dir($source, $target);
	return is_wp_error($moved) ? $moved : trailingslashit($target);
}
