<?php
/**
 * Answers the readiness probe: 200 when WordPress could render, that is when the database answers a query for the site.
 * It does not load WordPress: a plugin's error is shown to the people who can mend it, instead of closing the site to them.
 * nginx keeps the last good answer as it keeps pages: while it can serve those, the pod stays ready without a database.
 *
 * A new pod is ready when it has made the front page once, through its own nginx: its first visitors find the page in the cache,
 * and PHP's code in memory, also when the database or the server of the content goes just then.
 */

use WordPressHa\SiteDatabase;

require __DIR__ . '/database.php';
require __DIR__ . '/page-cache.php';
require __DIR__ . '/closed-directories.php';

const WARMED = '/run/wordpress/warmed', WARMING = '/run/wordpress/warming';
const WARM_SECONDS = 3;         // less than nginx waits for this answer
const ERROR_SECONDS = 30;       // a front page that stays an error is the visitors' to see, too
const SILENCE_SECONDS = 300;    // and one that never ends; but mostly all is slow just then, and a pod without pages would make it slower
const NO_DATABASE = "The database does not answer.\n";
const NOT_WARM = "The front page has not been made yet.\n";

/**
 * Asks for the front page until there is one: an error may be that of a database that is just away. One process asks at a time, and
 * waits to the end behind the probe's back: a page that is slow would be slower still with a second one being made beside it.
 */
function is_warm(SiteDatabase $database): bool
{
	if (is_file(WARMED)) {
		return true;
	}
	$warming = fopen(WARMING, 'c');
	$since   = fstat($warming)['mtime'];
	if ($since < time() - SILENCE_SECONDS) {
		return touch(WARMED);
	}
	if (!flock($warming, LOCK_EX | LOCK_NB)) {
		return false;
	}
	$status = front_page_status($database->siteUrl());
	return (($status >= 200 && $status < 500) || ($status >= 500 && $since < time() - ERROR_SECONDS)) && touch(WARMED);
}

/** What this pod's nginx answers; 0 for no whole answer. When it takes long the probe is told no meanwhile. */
function front_page_status(string $siteUrl): int
{
	$connection = @fsockopen('127.0.0.1', 8082, $code, $message, 1);
	if ($connection === false) {
		return 0;
	}
	$url = parse_url($siteUrl);
	fwrite($connection, sprintf("GET %s/ HTTP/1.0\r\nHost: %s\r\n\r\n", rtrim($url['path'] ?? '', '/'), $url['host'] . (isset($url['port']) ? ":{$url['port']}" : '')));
	stream_set_timeout($connection, 1);
	$end = microtime(true) + WARM_SECONDS;
	for ($answer = ''; !feof($connection);) {
		$answer .= fread($connection, 65536);
		if (microtime(true) > $end) {
			$end = INF;
			answer_probe(NOT_WARM);
			fastcgi_finish_request();
		}
	}
	return preg_match('~^HTTP/1\.\d ([2-5]\d\d) ~', $answer, $found) ? (int) $found[1] : 0;
}

/** @param string $reason why this pod is not ready; nothing when it is */
function answer_probe(string $reason): void
{
	if (headers_sent()) {
		return;
	}
	header('Content-Type: text/plain');
	if ($reason !== '') {
		http_response_code(503);
	}
	echo $reason ?: "ready\n";
}

// Before the first visitor, and afterwards behind the probe's back.
if (!WordPressHa\searched_before()) {
	WordPressHa\close_directories();
}
$reason = '';
try {
	$database = new SiteDatabase();
	if ($database->option('siteurl') === null) {
		$reason = NO_DATABASE;
	} else {
		WordPressHa\record_alive();
		$reason = is_warm($database) ? '' : NOT_WARM;
	}
} catch (Throwable $error) {
	error_log('readiness: ' . $error->getMessage());
	$reason = NO_DATABASE;
}
if ($reason === NO_DATABASE) {
	WordPressHa\record_failure();
}
answer_probe($reason);
WordPressHa\forget_retired();
if (WordPressHa\search_is_due()) {
	fastcgi_finish_request();
	WordPressHa\close_directories();
}
