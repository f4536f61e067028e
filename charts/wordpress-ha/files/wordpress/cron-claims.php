<?php
/**
 * Which run has which event: rows `cron-<hash of the event>` in the chart's table. To take an event is one transaction: its claim, and its
 * removal from WordPress's schedule (or its move to the next time), on the schedule as it is in the database at that moment.
 *
 * A claim outlives its event by an hour. WordPress keeps all events in one option, which every request reads when it begins and writes
 * whole: a request that schedules something can put back an event that was taken meanwhile. Its claim says that it ran.
 */

namespace WordPressHa;

use mysqli_sql_exception;

final class CronClaims
{
	/** Events at work at the same time, in all runs. So many at once hang; a run more would hang, too. */
	public const MOST = 10;
	private const PATIENCE_SECONDS = 30;
	private const KEPT_SECONDS     = 3600;

	/** @param int $deadline seconds after which Kubernetes ends a run: an older claim that still says "running" has lost its pod */
	public function __construct(private readonly SiteDatabase $database, private readonly int $deadline)
	{
	}

	/** Removes claims that nothing asks for any more. Returns how many events are at work. */
	public function sweep(): int
	{
		$table = $this->database->stateTable();
		$this->database->query("DELETE FROM $table WHERE name LIKE 'cron-%' AND renewed < UTC_TIMESTAMP() - INTERVAL ? SECOND", max(self::KEPT_SECONDS, $this->deadline));
		return (int) $this->database->query("SELECT COUNT(*) n FROM $table WHERE name LIKE 'cron-%' AND value LIKE 'running %'
			AND renewed > UTC_TIMESTAMP() - INTERVAL ? SECOND", $this->deadline)[0]['n'];
	}

	/** @return string|null the claim; null if the event has run, or another run has it */
	public function take(int $time, string $hook, string|false $schedule, array $args): ?string
	{
		$claim = 'cron-' . substr(hash('sha256', serialize([$time, $hook, $args])), 0, 27);
		$mine  = substr('running ' . gethostname() . '/' . getmypid() . " $hook", 0, 255);
		$seen  = false;
		return wait_until(self::PATIENCE_SECONDS, function (callable $because) use (&$seen, $claim, $mine, $time, $hook, $schedule, $args): string|false|null {
			$seen = $this->claim($seen, $claim, $mine, $time, $hook, $schedule, $args) || $seen;
			// Asked anew: the answer to a commit can be lost, and a commit can be refused (Galera's certification).
			$holder = $this->database->query("SELECT value FROM {$this->database->stateTable()} WHERE name = ?", $claim)[0]['value'] ?? null;
			$because("Event $hook could not be taken from the schedule.");
			return match (true) {
				$holder === $mine => $claim,
				$holder !== null, !$seen => false,
				default => null,
			};
		}) ?: null;
	}

	/** @param string $result for people who look into the table */
	public function finish(string $claim, string $result): void
	{
		// At the second attempt over a new connection: this one was idle for as long as the event took.
		for ($attempt = 1; $attempt <= 2; $attempt++) {
			try {
				$this->database->query("UPDATE {$this->database->stateTable()} SET value = ?, renewed = UTC_TIMESTAMP() WHERE name = ?", substr($result, 0, 255), $claim);
				return;
			} catch (mysqli_sql_exception $error) {
				$reason = $error->getMessage();
			}
		}
		say("The end of the event could not be noted: $reason.");
	}

	/** WordPress remembers the schedule as it was when the process began. */
	public static function forgetSchedule(): void
	{
		wp_cache_delete('alloptions', 'options');
		wp_cache_delete('cron', 'options');
	}

	/**
	 * One attempt.
	 *
	 * @param bool $seen whether an earlier attempt found the event: its claim may be lost with a connection that took the event off the schedule
	 * @return bool whether the event was scheduled
	 */
	private function claim(bool $seen, string $claim, string $mine, int $time, string $hook, string|false $schedule, array $args): bool
	{
		global $wpdb;
		$suppressed = $wpdb->suppress_errors();
		$wpdb->query('START TRANSACTION');
		$wpdb->query("SELECT option_id FROM $wpdb->options WHERE option_name = 'cron' FOR UPDATE");
		self::forgetSchedule();
		$scheduled = wp_get_scheduled_event($hook, $args, $time) !== false;
		if ($scheduled || $seen) {
			$wpdb->query($wpdb->prepare("INSERT IGNORE INTO {$this->database->stateTable()} (name, value, renewed) VALUES (%s, %s, UTC_TIMESTAMP())", $claim, $mine));
		}
		if ($scheduled) {
			if ($schedule !== false) {
				wp_reschedule_event($time, $schedule, $hook, $args);
			}
			wp_unschedule_event($time, $hook, $args);
		}
		$wpdb->query('COMMIT');
		$wpdb->suppress_errors($suppressed);
		return $scheduled;
	}
}
