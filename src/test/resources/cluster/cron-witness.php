<?php
/** A must-use plugin with events that leave a trace: a row for each run. */

add_filter('cron_schedules', static fn(array $schedules): array => $schedules + ['drill' => ['interval' => 60, 'display' => 'Each minute']]);

function drill_run(string $name, int $due = 0): void
{
	global $wpdb;
	$wpdb->insert('drill_cron', ['name' => $name, 'due' => $due, 'at' => microtime(true), 'host' => gethostname()]);
}

add_action('drill_event', 'drill_run', 10, 2);
add_action('drill_recurring', static fn() => drill_run('recurring'));
add_action('drill_throw', static fn() => throw new RuntimeException('thrown on purpose'));
add_action('drill_fatal', static function (): void {
	drill_run('fatal');
	drill_undefined_function();
});
add_action('drill_memory', static function (): void {
	drill_run('memory');
	for ($text = 'x'; ; $text .= $text) {
	}
});
add_action('drill_killed', static function (): void {
	drill_run('killed');
	exec('kill -9 ' . getmypid());
});
add_action('drill_exit', static function (): void {
	drill_run('exit');
	exit;
});
add_action('drill_slow', static function (int $seconds): void {
	drill_run('slow-begun');
	sleep($seconds);
	drill_run('slow-done');
});
add_action('drill_again', static function (int $rest): void {
	drill_run("again-$rest");
	if ($rest > 0) {
		wp_schedule_single_event(time(), 'drill_again', [$rest - 1]);
	}
});
add_action('drill_mail', static fn() => wp_mail('reader@example.com', 'Links', 'home=' . home_url('/') . "\nlogin=" . wp_login_url() . "\nadmin=" . admin_url() . "\n"));
