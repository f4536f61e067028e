#!/usr/bin/env php
<?php
/**
 * Prints the state of the release, as a web pod sees it: kubectl exec deploy/<fullname> -c php -- status
 * It changes nothing, and each look has a time limit. Status 1 when something is not well.
 */

namespace WordPressHa;

use Throwable;

require '/etc/wordpress/database.php';
require '/etc/wordpress-web/php-queue.php';

const AGENT_PORT = 9200;
const SITE_PORT = 8082;
const STATUS_PORT = 8081;
const PHP_SOCKET = '/run/wordpress/php-fpm.sock';
const CONTENT = '/usr/src/wordpress/wp-content';
const PATIENCE_SECONDS = 3;
/** A due event waits for the CronJob's next run, and for the start of its pod. */
const CRON_LATE_SECONDS = 300;

final class Report
{
	private bool $well = true;

	public function line(string $subject, bool $well, string $text): void
	{
		printf("%-10s %-9s %s\n", $subject, $well ? 'well' : 'NOT WELL', $text);
		$this->well = $this->well && $well;
	}

	/** A part of the line before, which says whether the whole is well. */
	public function detail(string $text): void
	{
		echo str_repeat(' ', 21), "$text\n";
	}

	public function exitStatus(): int
	{
		return $this->well ? 0 : 1;
	}
}

/** @return array{int, array<string, string>, string} status, headers, body; status 0 for no answer in time */
function get(string $host, int $port, string $path, string $name): array
{
	$connection = @fsockopen($host, $port, $code, $message, PATIENCE_SECONDS);
	if ($connection === false) {
		return [0, [], $message];
	}
	stream_set_timeout($connection, PATIENCE_SECONDS);
	fwrite($connection, "GET $path HTTP/1.0\r\nHost: $name\r\n\r\n");
	$answer = (string) stream_get_contents($connection);
	[$head, $body] = explode("\r\n\r\n", $answer, 2) + ['', ''];
	preg_match('~^HTTP/1\.\d (\d{3})~', $head, $status);
	preg_match_all('~^([\w-]+): *(.*)$~m', str_replace("\r", '', $head), $headers, PREG_SET_ORDER);
	return [(int) ($status[1] ?? 0), array_column($headers, 2, 1), trim($body)];
}

function site(Report $report, SiteDatabase $database): void
{
	$url   = parse_url($database->siteUrl());
	$begin = microtime(true);
	[$status, $headers] = get('127.0.0.1', SITE_PORT, ($url['path'] ?? '') . '/', $url['host']);
	$report->line('site', $status >= 200 && $status < 500, sprintf('The front page answers %s in %.2f s, cache %s.', $status ?: 'nothing', microtime(true) - $begin, $headers['X-Cache'] ?? 'unknown'));
}

/** Whether this pod can log in and read; the routers' way to the member that takes writes. */
function database(Report $report, SiteDatabase $database): void
{
	try {
		$version = $database->option('siteurl') === null ? null : $database->version();
		$report->line('database', $version !== null, $version === null ? 'It answers, but the site is not installed.' : "It answers this pod, version $version.");
	} catch (Throwable $error) {
		$report->line('database', false, 'It does not answer this pod: ' . $error->getMessage());
	}
}

function members(Report $report, array $names): void
{
	$serving = 0;
	$lines   = [];
	foreach ($names as $name) {
		[$status, , $reason] = get($name, AGENT_PORT, '/ready', $name);
		[$writes, , $why]    = get($name, AGENT_PORT, '/', $name);
		$ready               = $status === 200 || $writes === 200;
		$serving            += (int) $ready;
		$lines[]             = sprintf('%s: %s%s', strtok($name, '.'), $writes === 200 ? 'takes writes. ' : '', $writes === 200 || $status !== 200 ? ($why ?: 'no answer') : $reason);
	}
	$report->line('members', $serving === count($names), sprintf('%d of %d serve.', $serving, count($names)));
	array_map([$report, 'detail'], $lines);
}

function cron(Report $report, SiteDatabase $database): void
{
	try {
		$events = unserialize($database->option('cron') ?? '', ['allowed_classes' => false]) ?: [];
		$due    = array_filter(array_keys($events), static fn (int|string $at): bool => is_int($at) && $at <= time());
		$age    = $due === [] ? 0 : time() - min($due);
		$report->line('cron', $age < CRON_LATE_SECONDS, $due === [] ? 'No event is due.' : sprintf('%d due, the oldest for %d s.', count($due), $age));
	} catch (Throwable) {
		$report->line('cron', false, 'Unknown without the database.');
	}
}

/** By a process of its own, which hangs while the file server is away. */
function content(Report $report): void
{
	$room = explode(' ', trim((string) shell_exec('timeout -s KILL ' . PATIENCE_SECONDS . ' stat -f -c "%a %b %S" ' . CONTENT . ' 2>/dev/null')));
	if (count($room) < 3) {
		$report->line('content', false, 'The volume does not answer.');
		return;
	}
	[$free, $all, $block] = array_map('intval', $room);
	$report->line('content', $free > $all / 20, sprintf('%.1f GiB of %.1f GiB are free.', $free * $block / 2 ** 30, $all * $block / 2 ** 30));
}

function php(Report $report): void
{
	[$status, , $body] = get('127.0.0.1', STATUS_PORT, '/php', 'status');
	preg_match_all('~^([a-z ]+):\s+(\d+)~m', $body, $found, PREG_SET_ORDER);
	$is = array_column($found, 2, 1);
	$waiting = waiting_requests(PHP_SOCKET);
	$report->line('php', $status === 200 && $waiting === 0, sprintf('%d of %d workers are busy, %d requests wait.', $is['active processes'] ?? 0, $is['total processes'] ?? 0, $waiting));
}

$release  = json_decode((string) file_get_contents('/etc/wordpress-web/release.json'), true, 4, JSON_THROW_ON_ERROR);
$report   = new Report();
$database = new SiteDatabase();
printf("Release %s, seen by %s at %s\n", $release['name'], gethostname(), gmdate('Y-m-d\TH:i:s\Z'));
site($report, $database);
php($report);
database($report, $database);
if ($release['members'] !== []) {
	members($report, $release['members']);
}
cron($report, $database);
content($report);
exit($report->exitStatus());
