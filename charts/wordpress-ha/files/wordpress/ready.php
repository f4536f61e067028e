<?php
/**
 * Answers the readiness probe: 200 when WordPress could render, that is when the database answers a query for the site.
 * It does not load WordPress: a plugin's error is shown to the people who can mend it, instead of closing the site to them.
 * nginx keeps the last good answer as it keeps pages: while it can serve those, the pod stays ready without a database.
 *
 * A new pod is ready when it has made the front page once, through its own nginx: its first visitors find the page in the cache,
 * and PHP's code in memory, also when the database or the server of the content goes just then.
 */

require __DIR__ . '/database.php';

const WARMED = '/run/wordpress/warmed', WARMING = '/run/wordpress/warming';
const WARM_SECONDS = 3;         // less than nginx waits for this answer
const GIVE_UP_SECONDS = 30;     // a front page that never ends, or is an error, is the visitors' to see, too

/** Asks for the front page until there is one: an error may be that of a database that is just away. */
function is_warm(SiteDatabase $database): bool
{
	if (is_file(WARMED) || (is_file(WARMING) && filemtime(WARMING) < time() - GIVE_UP_SECONDS)) {
		return true;
	}
	if (!is_file(WARMING)) {
		touch(WARMING);
	}
	$connection = @fsockopen('127.0.0.1', 8080, $code, $message, 1);
	if ($connection === false) {
		return false;
	}
	$url = parse_url($database->siteUrl());
	fwrite($connection, sprintf("GET %s/ HTTP/1.0\r\nHost: %s\r\n\r\n", rtrim($url['path'] ?? '', '/'), $url['host'] . (isset($url['port']) ? ":{$url['port']}" : '')));
	$end = microtime(true) + WARM_SECONDS;
	stream_set_timeout($connection, 1);
	for ($answer = ''; !feof($connection) && microtime(true) < $end;) {
		$answer .= fread($connection, 65536);
	}
	return feof($connection) && preg_match('~^HTTP/1\.\d [234]~', $answer) && touch(WARMED);
}

$reason = '';
try {
	$database = new SiteDatabase();
	if ($database->option('siteurl') === null) {
		$reason = 'The database does not answer.';
	} elseif (!is_warm($database)) {
		$reason = 'The front page has not been made yet.';
	}
} catch (Throwable $error) {
	error_log('readiness: ' . $error->getMessage());
	$reason = 'The database does not answer.';
}
header('Content-Type: text/plain');
if ($reason !== '') {
	http_response_code(503);
}
echo $reason ?: 'ready', "\n";
