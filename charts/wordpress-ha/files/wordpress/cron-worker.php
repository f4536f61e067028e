<?php
/**
 * Runs due events one after the other, until an event ends this process. cron.php starts it with three arguments: the file that it reports
 * to, the time until which it looks for more, and the time after which it begins no event.
 */

namespace WordPressHa;

use Throwable;

require __DIR__ . '/database.php';
require __DIR__ . '/cron-claims.php';

const PAUSE_SECONDS = 2;

/** What cron.php reads when this process has ended, however it ended. */
final class Report
{
	private ?array $event = null;
	private int $done     = 0;
	private int $failed   = 0;

	public function __construct(private readonly string $file, private readonly CronClaims $claims)
	{
	}

	public function begin(string $hook, string $claim): void
	{
		$this->event = ['hook' => $hook, 'claim' => $claim, 'begin' => microtime(true)];
		$this->write();
	}

	/** @param string|null $error null: the event is done */
	public function end(?string $error): void
	{
		['hook' => $hook, 'claim' => $claim, 'begin' => $begin] = $this->event;
		$seconds = sprintf('%.2f s', microtime(true) - $begin);
		say("Event $hook: " . ($error === null ? "done in $seconds." : "failed after $seconds: $error"));
		$this->claims->finish($claim, ($error === null ? 'done ' : 'failed ') . $hook);
		$error === null ? $this->done++ : $this->failed++;
		$this->event = null;
		$this->write();
	}

	public function isOpen(): bool
	{
		return $this->event !== null;
	}

	public function write(bool $finished = false): void
	{
		file_put_contents($this->file, json_encode(['event' => $this->event, 'done' => $this->done, 'failed' => $this->failed, 'finished' => $finished], JSON_THROW_ON_ERROR));
	}
}

// In constants, as WordPress and its plugins use any global variable.
define('CRON_REPORT', $argv[1]);
define('CRON_STAY', (int) $argv[2]);
define('CRON_LAST', (int) $argv[3]);
// As in wp-cron.php: plugins look at it while they are loaded.
define('DOING_CRON', true);
$database = new SiteDatabase();
$database->imitateRequest($database->settings['url'] ?: $database->option('home'));
require '/usr/src/wordpress/wp-load.php';
wp_raise_memory_limit('cron');
run_due_events(new CronClaims(new SiteDatabase(), (int) getenv('DEADLINE_SECONDS')));

function run_due_events(CronClaims $claims): void
{
	$report = new Report(CRON_REPORT, $claims);
	// An event may call exit, which is no failure, or run into a fatal error, which no catch sees.
	register_shutdown_function(static fn() => $report->isOpen() && $report->end(fatal_error()));
	$atWork = $claims->sweep();
	if ($atWork >= CronClaims::MOST) {
		say("$atWork events are at work already. Due events wait until one of them ends, or Kubernetes ends its run.");
		$report->write(true);
		return;
	}
	do {
		foreach (due_events() as [$time, $hook, $schedule, $arguments]) {
			if (time() >= CRON_LAST) {
				say('This run has taken events for long enough; the next one takes the others.');
				break;
			}
			$claim = $claims->take($time, $hook, $schedule, $arguments);
			if ($claim !== null) {
				$report->begin($hook, $claim);
				$report->end(run_event($time, $hook, $arguments));
				do_action('wordpress_ha_announce');
			}
		}
	} while (time() < CRON_STAY && sleep(PAUSE_SECONDS) === 0);
	$report->write(true);
}

/**
 * Plugins write into the schedule past WordPress's functions: an event without a schedule or arguments is one that has none.
 *
 * @return iterable<array{int, string, string|false, array}> time, hook, schedule, arguments
 */
function due_events(): iterable
{
	CronClaims::forgetSchedule();
	foreach (wp_get_ready_cron_jobs() as $time => $hooks) {
		foreach (is_int($time) ? (array) $hooks : [] as $hook => $events) {
			foreach (array_filter((array) $events, 'is_array') as $event) {
				yield [$time, (string) $hook, ($event['schedule'] ?? '') ?: false, (array) ($event['args'] ?? [])];
			}
		}
	}
}

/** What went wrong; null: nothing. */
function run_event(int $time, string $hook, array $arguments): ?string
{
	// What the event schedules for "now" is another event, also within the second in which this one was due.
	while (time() <= $time) {
		usleep(50_000);
	}
	try {
		do_action_ref_array($hook, $arguments);
		return null;
	} catch (Throwable $error) {
		return $error::class . ": {$error->getMessage()} in {$error->getFile()}:{$error->getLine()}";
	}
}

function fatal_error(): ?string
{
	$error = error_get_last();
	$fatal = E_ERROR | E_CORE_ERROR | E_COMPILE_ERROR | E_PARSE | E_USER_ERROR | E_RECOVERABLE_ERROR;
	return $error !== null && ($error['type'] & $fatal) !== 0 ? strtok($error['message'], "\n") . " in {$error['file']}:{$error['line']}" : null;
}
