<?php
/**
 * Runs the site's due events, as `wp cron event run --due-now` does. A worker process (cron-worker.php) runs one event after the other;
 * when an event ends the worker (a fatal error, exit, the memory limit), another worker takes over with the next event.
 *
 * Any number of runs may overlap: an event is claimed in the database before it starts (CronClaims), so it runs once. A run looks for more
 * events until STAY_SECONDS have passed, as the next one needs some seconds to start. It takes no new event after TAKING_SECONDS, so that a
 * backlog keeps a few runs busy and an event of hours keeps one.
 */

namespace WordPressHa;

use mysqli_sql_exception;

require __DIR__ . '/database.php';
require __DIR__ . '/cron-claims.php';

const TAKING_SECONDS = 300;
/** A worker's report before it has begun. */
const NOTHING = '{"event": null, "done": 0, "failed": 0, "finished": false}';

// Many sites of one cluster would otherwise all begin at second 0.
usleep(random_int(0, 3_000_000));
$database = new SiteDatabase();
// Without a database no event can be read, and the next minute brings the next run: no failure.
$progress = wait_until(30, static function () use ($database): ?string {
	try {
		return $database->progress() ?? '';
	} catch (mysqli_sql_exception $error) {
		return SiteDatabase::isAbsent($error) ? '' : throw $error;
	}
}, 0);
// A dump may have been restored: of an older core, or of a site that another installation made. install.php brings it to this core.
if (is_restored($database, $progress)) {
	say('The database holds a site of an older core, or of another installation: bringing it up to date.');
	passthru(escapeshellarg(PHP_BINARY) . ' ' . escapeshellarg(__DIR__ . '/install.php') . ' database', $status);
	if ($status !== 0) {
		exit($status);
	}
	$progress = $database->progress();
}
if ($progress !== 'done') {
	say('The site is not installed yet: nothing to do.');
	exit(0);
}

$begin  = time();
$report = tempnam(sys_get_temp_dir(), 'cron');
$done   = $failed = 0;
do {
	file_put_contents($report, NOTHING);
	$worker = proc_open([PHP_BINARY, __DIR__ . '/cron-worker.php', $report, (string) ($begin + (int) getenv('STAY_SECONDS')), (string) ($begin + TAKING_SECONDS)], [STDIN, STDOUT, STDERR], $pipes);
	$status = $worker === false ? -1 : proc_close($worker);
	$state  = json_decode((string) file_get_contents($report), true, 4, JSON_THROW_ON_ERROR);
	$done   += $state['done'];
	$failed += $state['failed'];
	if ($state['event'] !== null) { // Killed, for example for its memory: its own last words are missing.
		say("Event {$state['event']['hook']}: failed, its process ended with status $status.");
		(new CronClaims($database, 0))->finish($state['event']['claim'], "failed {$state['event']['hook']}");
		$failed++;
	}
	$progressed = $state['done'] + $state['failed'] > 0 || $state['event'] !== null;
} while (!$state['finished'] && $progressed);
unlink($report);

if (!$state['finished']) {
	say("WordPress could not be loaded, or lost the database (status $status; its messages are above). The next run tries again.");
	exit(1);
}
if ($done + $failed === 0) {
	say('No event is due.');
	exit(0);
}
say(sprintf('Events: %d done, %d failed, in %d s.', $done, $failed, time() - $begin));
exit($failed > 0 && getenv('FAIL_ON_ERROR') === 'true' ? 1 : 0);

function is_restored(SiteDatabase $database, string $progress): bool
{
	require '/usr/src/wordpress/wp-includes/version.php';
	try {
		return match ($progress) {
			'done'  => (int) ($database->option('db_version') ?? $wp_db_version) < $wp_db_version,
			''      => $database->option('db_version') !== null,
			default => false, // the install Job is at work
		};
	} catch (mysqli_sql_exception $error) {
		return SiteDatabase::isAbsent($error) ? false : throw $error;
	}
}
