<?php
/** Runs the site's due events, as wp-cron.php does for a visitor, but with a process, limits and a log of their own. */

require __DIR__ . '/database.php';

// Many sites of one cluster would otherwise all begin at second 0.
usleep(random_int(0, 5_000_000));
$database = new SiteDatabase();
// Without a database nothing can be due, and the next minute brings the next run: no failure.
$progress = wait_until(30, static function () use ($database): ?string {
	try {
		return $database->progress() ?? '';
	} catch (mysqli_sql_exception $error) {
		return SiteDatabase::isAbsent($error) ? '' : throw $error;
	}
}, 0);
if ($progress !== 'done') {
	say('The site is not installed yet: nothing to do.');
	exit(0);
}
define('DOING_CRON', true);
$database->imitateRequest();
require '/usr/src/wordpress/wp-load.php';
$due = array_merge(...array_map('array_keys', array_values(wp_get_ready_cron_jobs())) ?: [[]]);
if ($due === []) {
	say('No event is due.');
	exit(0);
}
say('Running ' . implode(', ', $due) . '.');
require '/usr/src/wordpress/wp-cron.php';
