<?php
/**
 * Answers the readiness probe: 200 when WordPress could render, that is when the database answers a query for the site.
 * It does not load WordPress: a plugin's error is shown to the people who can mend it, instead of closing the site to them.
 * nginx keeps the last good answer as it keeps pages: while it can serve those, the pod stays ready without a database.
 */

require __DIR__ . '/database.php';

try {
	$found = (new SiteDatabase())->option('siteurl') !== null;
} catch (Throwable $error) {
	error_log('readiness: ' . $error->getMessage());
	$found = false;
}
header('Content-Type: text/plain');
if (!$found) {
	http_response_code(503);
}
echo $found ? "ready\n" : "The database does not answer.\n";
