<?php
/**
 * The one place that says how long nginx may store an answer. nginx obeys Cache-Control and has no lifetimes of its own.
 *
 * Two facts reach nginx as files, because it looks for a file in microseconds, whatever PHP does meanwhile:
 * - alive/<second>: PHP and the database work in this second. Without the file nginx serves expired pages while it refreshes them.
 * - unstored<host><path>: the answer may not be stored. nginx neither makes its readers wait for one another nor serves an older answer.
 */

// Plugins are loaded beside it, and may have the same names.
namespace WordPressHa;

const ALIVE    = '/run/wordpress/alive';
const UNSTORED = '/run/wordpress/unstored/';

/** Modified when the database answered last, and when it answered for the first time after a failure. */
const SEEN      = '/run/wordpress/database-seen';
const RECOVERED = '/run/wordpress/database-recovered';
/** Without an answer for so long, PHP or the database counts as failed, and its pages as expired. */
const FAILURE_SECONDS = 15;
/** For so long after a failure pages are refreshed in the background. */
const RECOVERY_SECONDS = 10;

/** Longer than the time between two readiness probes, and about as long as an expired page is served while it is refreshed. */
const ALIVE_SECONDS = 5;
/** An expired page is served for so long while one request refreshes it in the background. Afterwards readers wait for the new one. */
const REFRESH_SECONDS = 4;
const BROWSERS_ASK = 'max-age=0, must-revalidate';
/** A page that is not there may be published at any moment. */
const GONE_SECONDS = 5;
/** A flood of addresses must not fill the volume. */
const MOST_MARKERS = 10_000;

/** PHP calls this when it sends the headers of an answer. */
function limit_storage(): void
{
	$seconds = (int) ($_SERVER['PAGE_SECONDS'] ?? 0);
	if ($seconds === 0) {
		return; // nginx stores no answer to such a request.
	}
	$lifetime = storable_seconds(http_response_code(), answer_headers(), $seconds);
	if (http_response_code() < 500) {
		mark_unstored($_SERVER['PAGE_MARKER'], $lifetime === 0);
	}
	if ($lifetime === 0) {
		header('X-Accel-Expires: 0');
		return;
	}
	describe_lifetime($lifetime);
}

/** @param array<string, string> $headers of the answer, by names in lower case */
function storable_seconds(int $status, array $headers, int $seconds): int
{
	$gone    = in_array($status, [404, 410], true);
	$control = strtolower($headers['cache-control'] ?? '');
	if (!$gone && !in_array($status, [200, 301, 308], true)
		|| isset($headers['set-cookie'])
		|| ($headers['x-accel-expires'] ?? '') === '0'
		|| (defined('DONOTCACHEPAGE') && \DONOTCACHEPAGE)
		|| varies($headers['vary'] ?? '')) {
		return 0;
	}
	if ($gone) {
		// Core forbids to store any 404, as it may be published soon.
		return min($seconds, GONE_SECONDS);
	}
	if (preg_match('/\b(?:private|no-store|no-cache)\b/', $control) || (!isset($headers['cache-control']) && is_past($headers['expires'] ?? null))) {
		return 0;
	}
	return preg_match('/\bs-maxage=(\d+)/', $control, $age) || preg_match('/\bmax-age=(\d+)/', $control, $age) ? min($seconds, (int) $age[1]) : $seconds;
}

/** On more than what all requests for a stored page have alike: nginx compresses by itself, and who accepts JSON bypasses the cache. */
function varies(string $vary): bool
{
	return array_diff(preg_split('/[\s,]+/', strtolower($vary), -1, PREG_SPLIT_NO_EMPTY), ['accept', 'accept-encoding']) !== [];
}

function is_past(?string $date): bool
{
	return $date !== null && (int) strtotime($date) <= time();
}

/** @return array<string, string> several headers of one name become one, as in HTTP */
function answer_headers(): array
{
	$headers = [];
	foreach (headers_list() as $line) {
		[$name, $value] = explode(':', $line, 2);
		$name           = strtolower($name);
		$headers[$name] = isset($headers[$name]) ? $headers[$name] . ', ' . trim($value) : trim($value);
	}
	return $headers;
}

/** Cache-Control is for nginx, which passes X-Page-Cache-Control on to browsers in its place: they ask each time, and mostly get a 304. */
function describe_lifetime(int $lifetime): void
{
	$headers = answer_headers();
	$gone    = http_response_code() >= 400;
	header('X-Page-Cache-Control: ' . ($gone ? BROWSERS_ASK : $headers['cache-control'] ?? BROWSERS_ASK));
	header(sprintf('Cache-Control: max-age=%d, stale-while-revalidate=%d, stale-if-error=%d', $lifetime, REFRESH_SECONDS, $_SERVER['PAGE_STALE_SECONDS']));
	header_remove('X-Accel-Expires');
	if ($gone) {
		header_remove('Expires');
		header_remove('Pragma');
	} elseif (http_response_code() === 200 && !isset($headers['etag']) && !isset($headers['last-modified'])) {
		header('ETag: W/"' . bin2hex(random_bytes(8)) . '"');
	}
}

/** @param string $marker host and path, as nginx looks for them */
function mark_unstored(string $marker, bool $unstored): void
{
	$file = UNSTORED . $marker;
	if (!$unstored) {
		if (is_file($file)) {
			@unlink($file);
		}
	} elseif (!is_file($file)) {
		if (random_int(1, 100) === 1) {
			remove_markers_beyond(MOST_MARKERS);
		}
		// A path that is too long has no marker: its readers wait for one another, but not for long.
		@mkdir(dirname($file), 0755, true);
		@touch($file);
	}
}

/** Markers are made anew when their pages are. */
function remove_markers_beyond(int $most): void
{
	@mkdir(UNSTORED);
	$files = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(UNSTORED, \FilesystemIterator::SKIP_DOTS), \RecursiveIteratorIterator::CHILD_FIRST);
	if (iterator_count($files) <= $most) {
		return;
	}
	foreach ($files as $file) {
		$file->isDir() ? @rmdir($file->getPathname()) : @unlink($file->getPathname());
	}
}

/**
 * The database has answered: for the next seconds readers wait for a new page instead of getting an expired one. After a failure all pages
 * have expired, and all of their readers would wait at once: pages are refreshed in the background first.
 */
function record_alive(): void
{
	$now = time();
	if (is_file(SEEN) && filemtime(SEEN) < $now - FAILURE_SECONDS) {
		touch(RECOVERED);
	}
	touch(SEEN);
	if (is_file(RECOVERED) && filemtime(RECOVERED) > $now - RECOVERY_SECONDS) {
		return;
	}
	@mkdir(ALIVE);
	for ($second = $now; $second <= $now + ALIVE_SECONDS; $second++) {
		touch(ALIVE . "/$second");
	}
	remove_alive_before($now);
}

/** The database does not answer: expired pages are served at once. */
function record_failure(): void
{
	if (is_file(SEEN)) {
		touch(SEEN, 1);
	}
	remove_alive_before(PHP_INT_MAX);
}

function remove_alive_before(int $second): void
{
	foreach (glob(ALIVE . '/*') ?: [] as $file) {
		if ((int) basename($file) < $second) {
			@unlink($file);
		}
	}
}
