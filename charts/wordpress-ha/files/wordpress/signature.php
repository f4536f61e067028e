<?php
/** How web pods recognize one another's lists of changed pages: by a key that only the release's own pods can derive. */

namespace WordPressHa;

use RuntimeException;

require_once __DIR__ . '/mounted.php';

/** A list that is older is refused, and so is one from the future. */
const SKEW_SECONDS = 60;

/** @throws RuntimeException without the release's salts: an empty key would be everybody's */
function signature(string $list): string
{
	$secrets = '';
	foreach (['secure-auth-key', 'secure-auth-salt'] as $name) {
		$secrets .= rtrim((string) read_mounted("/run/secrets/wordpress/$name"), "\r\n") ?: throw new RuntimeException("the secret $name is missing or empty.");
	}
	return hash_hmac('sha256', $list, hash_hmac('sha256', 'lists of changed pages', $secrets, true));
}

/** @return array{time: int, host: string, paths: list<string>}|null null: not from this release, or not from just now */
function genuine_list(string $list, string $signature): ?array
{
	if (!hash_equals(signature($list), $signature)) {
		return null;
	}
	$list = json_decode($list, true, 4, JSON_THROW_ON_ERROR);
	return abs(time() - $list['time']) <= SKEW_SECONDS ? $list : null;
}
