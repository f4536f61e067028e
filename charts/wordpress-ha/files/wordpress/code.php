<?php
/**
 * Which wp-content a request has. Visitors and editors have the pod's own copy of the code, a generation (sync-code.sh): such a request is
 * wholly old or wholly new, and never waits for the shared volume. Requests that change code have the volume itself. They announce the change,
 * and the pods take it over when it has ended.
 */

namespace WordPressHa;

const CODE          = '/code';
const VOLUME        = '/usr/src/wordpress/wp-content';
const ANNOUNCEMENTS = VOLUME . '/.wordpress-ha-code';
const RETIRED       = '/run/wordpress/retired-';

const VOLUME_AWAY = 'The volume with the uploads, plugins and themes does not answer just now. Please try again in a minute.';

/** "<path>" or "<path>?action=<action>". WordPress deactivates plugins whose files it does not see, so also the lists read the volume. */
const CODE_REQUESTS = [
	'/wp-admin/(?:network/)?(?:plugins|themes|plugin-install|theme-install|update|update-core|plugin-editor|theme-editor)\.php',
	'/wp-admin/admin-ajax\.php\?action=(?:install|activate|update|delete)-(?:plugin|theme)$',
	'/wp-admin/admin-ajax\.php\?action=edit-theme-plugin-file$',
	'/wp/v2/plugins(?:/|$)',
];
/** Plugins write their configuration and drop-ins when their settings are saved; the site's language is downloaded then. */
const SETTINGS_REQUESTS = '~^/wp-admin/options\.php|^/wp-admin/(?!admin-ajax\.php)[\w-]+\.php\?page=~';
/** An edited picture is read and written; all else about media is in the database, or is refused by WordPress's own functions. */
const PICTURE_REQUESTS = '~^/wp-admin/admin-ajax\.php\?action=(?:image-editor|imgedit-preview|crop-image)$|^/wp/v2/media/\d+/edit$~';

/** Two updates at once would mix their files, and WordPress locks only its own and its automatic ones. Seconds. */
const UPGRADE_LOCK  = 'wordpress_ha_code';
const UPGRADE_WAIT  = 20;  // well within the time of a request
const UPGRADE_LEASE = 300; // for one plugin or theme, after which a process that held the lock counts as killed

/**
 * @param callable $hook adds a filter before WordPress has loaded: name, function, number of arguments
 * @param list<string> $more regular expressions like CODE_REQUESTS
 */
function choose_content(callable $hook, array $more): void
{
	take_turns($hook);
	if (PHP_SAPI === 'cli') {
		announce_upgrades($hook);
		return;
	}
	$request = request_name();
	$changes = changes_code($request, $_SERVER['REQUEST_METHOD'] ?? 'GET', $more);
	$direct  = str_starts_with($_SERVER['SCRIPT_NAME'] ?? '', '/wp-content/');
	$current = @readlink(CODE . '/current');
	if (!volume_answers()) {
		if ($changes || $direct || preg_match(PICTURE_REQUESTS, $request)) {
			refuse($request);
		}
		refuse_files($hook);
	}
	if ($current !== false && !$changes && !$direct) {
		defined('WP_CONTENT_DIR') || define('WP_CONTENT_DIR', CODE . "/$current");
		return;
	}
	// Paths of generations are never used twice; those of the volume are.
	ini_set('opcache.validate_timestamps', '1');
	ini_set('opcache.revalidate_freq', '0');
	if ($changes && ($_SERVER['REQUEST_METHOD'] !== 'GET' || isset($_GET['action']))) {
		announce_request($hook);
	}
}

/** Of an administrator alone: a change of code makes work for all pods. */
function announce_request(callable $hook): void
{
	$announce = static function (): void {
		if (current_user_can('manage_options')) {
			$change = begin_change();
			// After all that others do when the request ends.
			register_shutdown_function(static fn() => register_shutdown_function(static fn() => end_change($change)));
		}
	};
	$hook('admin_init', $announce, 0, PHP_INT_MIN);
	$hook('rest_api_init', $announce, 0, PHP_INT_MIN);
}

/** The link leads to nothing while the volume does not answer. A container without generations knows nothing about it. */
function volume_answers(): bool
{
	return @readlink(CODE . '/volume') !== 'away';
}

/** The path, with the action of admin-ajax.php and the page of a plugin; a REST route as it is called in WordPress. */
function request_name(): string
{
	$route = preg_match('~^/+(?:index\.php/)?wp-json(/[^?]*)~', $_SERVER['REQUEST_URI'] ?? '', $found) ? rawurldecode($found[1]) : $_GET['rest_route'] ?? null;
	if (is_string($route)) {
		return $route;
	}
	$path = $_SERVER['SCRIPT_NAME'] ?? '';
	foreach (['page' => $_GET, 'action' => $_POST + $_GET] as $name => $from) {
		if (is_string($from[$name] ?? null) && ($name === 'page' || str_ends_with($path, '/admin-ajax.php'))) {
			return "$path?$name=$from[$name]";
		}
	}
	return $path;
}

/** @param list<string> $more */
function changes_code(string $request, string $method, array $more): bool
{
	foreach ([...CODE_REQUESTS, ...$more] as $pattern) {
		if (preg_match("~^(?:$pattern)~", $request)) {
			return true;
		}
	}
	return $method === 'POST' && preg_match(SETTINGS_REQUESTS, $request);
}

/** From the moment in which an upgrader touches the former files. Jobs run for longer than any lock may live. */
function announce_upgrades(callable $hook): void
{
	$change = null;
	$end    = static function () use (&$change): void {
		if ($change !== null) {
			end_change($change);
			$change = null;
		}
	};
	$hook('upgrader_pre_install', static function ($answer) use (&$change) {
		$change ??= begin_change();
		return $answer;
	});
	$hook('upgrader_process_complete', $end, 0, PHP_INT_MAX);
	register_shutdown_function($end);
}

/** One upgrade at a time, in all pods. Each begins by emptying the directory that packages are unpacked in. */
function take_turns(callable $hook): void
{
	$mine = false;
	$end  = static function () use (&$mine): void {
		if ($mine) {
			\WP_Upgrader::release_lock(UPGRADE_LOCK);
			$mine = false;
		}
	};
	$hook('upgrader_pre_download', static function ($answer) use (&$mine) {
		if ($mine) {
			// The next of several.
			update_option(UPGRADE_LOCK . '.lock', time(), false);
			return $answer;
		}
		for ($waited = 0; !($mine = \WP_Upgrader::create_lock(UPGRADE_LOCK, UPGRADE_LEASE)) && $waited < UPGRADE_WAIT; $waited++) {
			sleep(1);
			wp_cache_delete(UPGRADE_LOCK . '.lock', 'options');
			wp_cache_delete('notoptions', 'options');
		}
		return $mine ? $answer : new \WP_Error('upgrade_runs', 'Another update of plugins, themes or translations is running. Please try again in a minute.');
	});
	$hook('upgrader_process_complete', $end, 0, PHP_INT_MAX);
	register_shutdown_function($end);
}

/** @return string the change's id; the pods take nothing over before it ends */
function begin_change(): string
{
	$id = trim((string) file_get_contents('/proc/sys/kernel/random/uuid'));
	// On a volume that is full or read-only the change fails, too, and WordPress says why.
	@mkdir(ANNOUNCEMENTS . '/changing', 0775, true);
	@touch(ANNOUNCEMENTS . "/changing/$id");
	return $id;
}

function end_change(string $id): void
{
	@unlink(ANNOUNCEMENTS . "/changing/$id");
	// In place and at one length, as pods may read the file just now.
	$file = @fopen(ANNOUNCEMENTS . '/changed', 'c');
	if ($file !== false) {
		fwrite($file, "$id\n");
	}
}

/** While the volume is away: what stores files says so, and no attachment loses its row before its files. */
function refuse_files(callable $hook): void
{
	foreach (['wp_handle_upload_prefilter', 'wp_handle_sideload_prefilter'] as $filter) {
		$hook($filter, static fn(array $file): array => ['error' => VOLUME_AWAY] + $file);
	}
	$hook('pre_delete_attachment', static fn() => false);
}

/** A sentence in the form that the dashboard shows. */
function refuse(string $request): never
{
	http_response_code(503);
	header('Retry-After: 30');
	header('Cache-Control: no-store');
	if (str_starts_with($request, '/wp/')) {
		$answer = ['code' => 'volume_away', 'message' => VOLUME_AWAY, 'data' => ['status' => 503]];
	} elseif (str_contains($request, '/admin-ajax.php')) {
		$answer = ['success' => false, 'data' => ['message' => VOLUME_AWAY, 'errorMessage' => VOLUME_AWAY, 'errorCode' => 'volume_away']];
	} else {
		header('Content-Type: text/html; charset=UTF-8');
		exit('<!doctype html><title>Please try again</title><p>' . VOLUME_AWAY . "</p>\n");
	}
	header('Content-Type: application/json; charset=UTF-8');
	exit(json_encode($answer));
}

/** Frees what opcache keeps of generations that are gone: it checks no time stamps, and would keep them until its memory is full. */
function forget_retired(): void
{
	foreach (glob(RETIRED . '*') ?: [] as $mark) {
		unlink($mark);
		$gone = CODE . '/' . substr($mark, strlen(RETIRED)) . '/';
		foreach (array_keys(opcache_get_status()['scripts'] ?? []) as $script) {
			if (str_starts_with($script, $gone)) {
				opcache_invalidate($script, true);
			}
		}
	}
}
