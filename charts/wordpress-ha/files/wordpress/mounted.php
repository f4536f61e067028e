<?php
/**
 * The content of a file of a mounted Secret or ConfigMap; false if there is none. When such an object changes, the kubelet puts
 * another directory in the place of the one before, whose path PHP's worker remembers for minutes: so it forgets, and looks again.
 */
function read_mounted(string $file): string|false
{
	$content = @file_get_contents($file);
	if ($content === false) {
		clearstatcache(true);
		$content = @file_get_contents($file);
	}
	return $content;
}
