<?php
/**
 * Takes in a list of changed pages (page-changes.php), and asks this pod's own nginx for each of them that it has stored, in a way that
 * stores it anew (X-Refresh in nginx.conf). A page is refreshed, never dropped: while PHP or the database fails, readers have the stored one.
 * An answer that may not be stored leaves its marker (page-cache.php), and nginx serves the stored one no more.
 */

namespace WordPressHa;

require __DIR__ . '/signature.php';

const CHANGES = '/run/wordpress/changed';
/** Its holder refreshes pages. */
const REFRESHING = '/run/wordpress/refreshing';
/** For a page: one that takes longer is on its own. */
const PAGE_SECONDS = 30;

$body = (string) file_get_contents('php://input');
$list = genuine_list($body, (string) ($_SERVER['HTTP_X_SIGNATURE'] ?? ''));
if ($list === null) {
	http_response_code(403);
	exit("The list of changed pages is not signed by this release, or is older than a minute.\n");
}
keep_list($body);
http_response_code(204);
fastcgi_finish_request();
refresh_all($_SERVER['PAGE_KEY_END'] ?? '');

/** Under a name by which the oldest comes first. */
function keep_list(string $list): void
{
	@mkdir(CHANGES);
	$name = sprintf('%020d-%d', hrtime(true), getmypid());
	file_put_contents(CHANGES . "/.$name", $list);
	rename(CHANGES . "/.$name", CHANGES . "/$name");
}

/** One process at a time. A list that comes while it ends is seen after the lock is free, by one of the two. */
function refresh_all(string $keyEnd): void
{
	$lock = fopen(REFRESHING, 'c');
	while (kept_lists() !== [] && flock($lock, LOCK_EX | LOCK_NB)) {
		$begun = [];
		foreach (kept_lists() as $file) {
			$list = json_decode((string) file_get_contents($file), true, 4, JSON_THROW_ON_ERROR);
			// First: a list that ends this process is not tried for ever.
			unlink($file);
			foreach ($list['paths'] as $path) {
				refresh_since((int) basename($file), $list['host'], $path, $keyEnd, $begun);
			}
		}
		flock($lock, LOCK_UN);
	}
}

/** @return list<string> */
function kept_lists(): array
{
	return glob(CHANGES . '/*') ?: [];
}

/** @param array<string, int> $begun when pages were refreshed: one that was made after a change has it */
function refresh_since(int $change, string $host, string $path, string $keyEnd, array &$begun): void
{
	foreach (['http', 'https'] as $scheme) {
		$key = "$scheme|$host|$path$keyEnd";
		if (($begun[$key] ?? 0) <= $change && is_stored($key)) {
			$begun[$key] = hrtime(true);
			$status      = status($host, $path, "X-Refresh: $scheme\r\n");
			if ($status === 0 || $status >= 500) {
				error_log("page cache: $scheme://$host$path could not be refreshed (status $status), so the stored page stays until it expires.");
			}
		}
	}
}

/** nginx looks, as its files are closed to PHP. */
function is_stored(string $key): bool
{
	$name = md5($key);
	return status('stored', '/' . $name[31] . '/' . substr($name, 29, 2) . "/$name", '') === 204;
}

/** What this pod's nginx answers; 0 for no whole answer. */
function status(string $host, string $path, string $header): int
{
	$connection = @fsockopen('127.0.0.1', 8082, $code, $message, 1);
	if ($connection === false) {
		return 0;
	}
	stream_set_timeout($connection, PAGE_SECONDS);
	fwrite($connection, "GET $path HTTP/1.0\r\nHost: $host\r\n$header\r\n");
	$answer = (string) stream_get_contents($connection);
	return preg_match('~^HTTP/1\.\d (\d{3}) ~', $answer, $found) && !stream_get_meta_data($connection)['timed_out'] ? (int) $found[1] : 0;
}
