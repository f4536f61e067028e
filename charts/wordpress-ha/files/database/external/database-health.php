<?php
/**
 * Answers the router's question about one of several hosts of an external database, /host-0, /host-1...: 200 when the site's account
 * can log in there and the server takes writes. It goes the way that WordPress goes, through the router's port for this one host.
 */

use WordPressHa\SiteDatabase;
use function WordPressHa\routed_host;

require __DIR__ . '/database.php';

$reason = '';
if (!preg_match('~^/host-(\d)$~', $_SERVER['REQUEST_URI'], $match)) {
	http_response_code(404);
	exit;
}
try {
	$readOnly = (new SiteDatabase(routed_host((int) $match[1])))->query('SELECT @@GLOBAL.read_only AS value')[0]['value'];
	$reason   = $readOnly ? 'It is read-only.' : '';
} catch (mysqli_sql_exception $error) {
	$reason = $error->getMessage() . '.';
}
if ($reason !== '') {
	http_response_code(503);
}
header('Content-Type: text/plain');
echo $reason === '' ? "It takes writes.\n" : "$reason\n";
