<?php
/**
 * nginx does not read .htaccess. A directory below wp-content whose .htaccess denies all is found here, and marked by a file that nginx looks
 * for: closed/<directory>%. closed-directories.txt has the directories that are known before a plugin makes them.
 */

namespace WordPressHa;

require_once __DIR__ . '/code.php';

const CONTENT        = '/code/current';
const CLOSED         = '/run/wordpress/closed/';
const SEARCHED       = '/run/wordpress/closed-searched';
const SEARCH_SECONDS = 60;
/** nginx looks at as many levels of an address. */
const SEARCH_LEVELS  = 3;
/** A directory with more entries is one of uploads, whose files would all be asked for. */
const MOST_ENTRIES   = 1_000;

function searched_before(): bool
{
	return is_file(SEARCHED);
}

function search_is_due(): bool
{
	return filemtime(SEARCHED) < time() - SEARCH_SECONDS;
}

function close_directories(): void
{
	if (!volume_answers()) {
		return;
	}
	if (searched_before()) {
		touch(SEARCHED); // No second process begins meanwhile.
	}
	@mkdir(CLOSED);
	try {
		$denied = iterator_to_array(denied_directories('', SEARCH_LEVELS), false);
	} catch (\UnexpectedValueException $error) {
		// Unknown is not absent: what is closed stays closed.
		error_log('wordpress: the search for directories to close failed, the next one is in ' . SEARCH_SECONDS . ' s: ' . $error->getMessage());
		return;
	}
	// Unknown is not absent here, either.
	if (volume_answers()) {
		mark_closed($denied);
		touch(SEARCHED);
	}
}

/** @param list<string> $directories */
function mark_closed(array $directories): void
{
	$wanted = array_map(static fn(string $directory): string => CLOSED . $directory . '%', $directories);
	$marked = markers();
	foreach (array_diff($wanted, $marked) as $marker) {
		@mkdir(dirname($marker), 0755, true);
		touch($marker);
		error_log('wordpress: ' . directory_of($marker) . ' is closed to visitors: its .htaccess denies all.');
	}
	foreach (array_diff($marked, $wanted) as $marker) {
		unlink($marker);
		error_log('wordpress: ' . directory_of($marker) . ' is open again: no .htaccess of its own denies all.');
	}
}

function directory_of(string $marker): string
{
	return 'wp-content/' . substr($marker, strlen(CLOSED), -1);
}

/** @return iterable<string> relative to wp-content; what is below a denied one is denied, too */
function denied_directories(string $parent, int $levels): iterable
{
	// Throws if the directory cannot be read.
	foreach (new \LimitIterator(new \FilesystemIterator(CONTENT . "/$parent"), 0, MOST_ENTRIES) as $entry) {
		$directory = ltrim("$parent/{$entry->getFilename()}", '/');
		if (!$entry->isDir()) {
			continue;
		}
		if (denies_all(CONTENT . "/$directory/.htaccess")) {
			yield $directory;
		} elseif ($levels > 1) {
			yield from denied_directories($directory, $levels - 1);
		}
	}
}

/** In Apache 2.2's words or 2.4's; not for some files or methods alone. Apache denies all if it cannot read the file. */
function denies_all(string $file): bool
{
	if (!file_exists($file)) {
		return false;
	}
	$htaccess = @file_get_contents($file);
	if ($htaccess === false) {
		return true;
	}
	$all = preg_replace('~<(Files|FilesMatch|Limit|LimitExcept|If)\b.*?</\1>~is', '', $htaccess);
	// Akismet denies all but its style sheets and scripts, which the dashboard needs.
	$exceptions = preg_match('/^\s*(?:allow\s+from|require\s+(?!all\s+denied))/im', $htaccess);
	return !$exceptions && preg_match('/^\s*(?:deny\s+from\s+all|require\s+all\s+denied)\s*$/im', $all);
}

/** @return list<string> */
function markers(): array
{
	$files = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(CLOSED, \FilesystemIterator::SKIP_DOTS | \FilesystemIterator::CURRENT_AS_PATHNAME));
	return array_values(iterator_to_array($files, false));
}
