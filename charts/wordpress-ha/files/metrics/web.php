<?php
/**
 * Serves the metrics of a web pod on one port. nginx sends a datagram for each request, which is counted here; nginx never waits for it.
 * At each scrape this asks nginx, php-fpm and the router, and adds the last answers of two probes (probe.php).
 */

namespace WordPressHa;

require '/etc/wordpress-web/php-queue.php';

const LISTEN = '0.0.0.0:9205';
const REQUESTS = '127.0.0.1:9205';
const NGINX = 'http://127.0.0.1:8081';
const ROUTER = 'http://127.0.0.1:8404';
/** The pools of php-fpm.conf. */
const PHP_SOCKETS = ['www' => '/run/wordpress/php-fpm.sock', 'queries' => '/run/wordpress/php-fpm-queries.sock'];

/** Of the router's hundreds of series, those that say whether the database is within reach. */
const ROUTER_METRICS = '~^(?:# (?:HELP|TYPE) )?haproxy_(?:backend_(?:active_servers|current_sessions|sessions_total|connection_errors_total)|server_(?:status|check_failures_total))[ {]~';
/** php-fpm's names for its figures, and what they are called in its own OpenMetrics format. */
const PHP_METRICS = [
	'accepted conn'        => ['phpfpm_accepted_connections_total', 'counter', 'Requests that the pool has accepted.'],
	'active processes'     => ['phpfpm_active_processes', 'gauge', 'Busy workers of the pool.'],
	'idle processes'       => ['phpfpm_idle_processes', 'gauge', 'Idle workers of the pool.'],
	'max children reached' => ['phpfpm_max_children_reached_total', 'counter', 'Times that the pool had no worker left to start.'],
	'slow requests'        => ['phpfpm_slow_requests_total', 'counter', 'Requests that took longer than 5 s.'],
];

/** @param array<array{array<string, string>, int|float|string}> $samples labels and value of each */
function metric(string $name, string $type, string $help, array $samples): string
{
	$family = preg_replace('~_(?:bucket|sum|count)$~', '', $name);
	$text   = $help === '' ? '' : "# HELP $family $help\n# TYPE $family $type\n";
	foreach ($samples as [$labels, $value]) {
		$pairs = array_map(static fn (string $label, string $of): string => $label . '="' . addcslashes($of, "\\\"\n") . '"', array_keys($labels), $labels);
		$text .= $name . ($pairs ? '{' . implode(',', $pairs) . '}' : '') . " $value\n";
	}
	return $text;
}

/** The requests that nginx has answered: by status and by what made the answer. */
final class Requests
{
	private const BOUNDS = ['0.05', '0.25', '1.0', '5.0', '+Inf'];
	private const FROM_CACHE = ['HIT', 'STALE', 'UPDATING', 'REVALIDATED'];

	private array $byStatus = [], $buckets = [], $seconds = [];
	private int $stale = 0, $refused = 0;

	public function __construct()
	{
		foreach (['cache', 'nginx', 'php'] as $from) {
			$this->byStatus[$from] = ['200' => 0];
			$this->buckets[$from]  = array_fill_keys(self::BOUNDS, 0);
			$this->seconds[$from]  = 0.0;
		}
	}

	/** @param string $datagram ends as log_format "counted" of nginx.conf says */
	public function add(string $datagram): void
	{
		if (!preg_match('~: (?<status>\d{3}) (?<seconds>[\d.]+) (?<cache>\S+) (?<limit>\S+) (?<fails>1?) (?<upstream>.+)$~', rtrim($datagram), $of)) {
			return;
		}
		$from = in_array($of['cache'], self::FROM_CACHE, true) ? 'cache' : ($of['upstream'] === '-' ? 'nginx' : 'php');
		$this->byStatus[$from][$of['status']] = ($this->byStatus[$from][$of['status']] ?? 0) + 1;
		$this->seconds[$from] += (float) $of['seconds'];
		foreach (self::BOUNDS as $bound) {
			$this->buckets[$from][$bound] += (int) ($bound === '+Inf' || (float) $of['seconds'] <= (float) $bound);
		}
		// While PHP works, an expired page is replaced behind the reader's back, which is no failure.
		$this->stale += (int) ($of['fails'] !== '' && in_array($of['cache'], ['STALE', 'UPDATING'], true));
		$this->refused += (int) ($of['limit'] === 'REJECTED');
	}

	public function __toString(): string
	{
		$requests = $buckets = $sums = $counts = [];
		foreach ($this->byStatus as $from => $statuses) {
			foreach ($statuses as $status => $count) {
				$requests[] = [['code' => (string) $status, 'from' => $from], $count];
			}
			foreach ($this->buckets[$from] as $bound => $count) {
				$buckets[] = [['from' => $from, 'le' => (string) $bound], $count];
			}
			$sums[]   = [['from' => $from], round($this->seconds[$from], 3)];
			$counts[] = [['from' => $from], $this->buckets[$from]['+Inf']];
		}
		return metric('wordpress_ha_http_requests_total', 'counter', 'Requests answered, by status and by what made the answer: cache, php or nginx.', $requests)
			. metric('wordpress_ha_http_request_duration_seconds_bucket', 'histogram', 'Time from the first byte of a request to the last of its answer.', $buckets)
			. metric('wordpress_ha_http_request_duration_seconds_sum', 'histogram', '', $sums)
			. metric('wordpress_ha_http_request_duration_seconds_count', 'histogram', '', $counts)
			. metric('wordpress_ha_stale_pages_total', 'counter', 'Expired pages served because PHP or the database fails.', [[[], $this->stale]])
			. metric('wordpress_ha_logins_refused_total', 'counter', 'Attempts to log in beyond wordpress.loginsPerMinute.', [[[], $this->refused]]);
	}
}

/** A program that is run again and again, one at a time. It may hang, for example on a file server that is away, and is left alone then. */
final class Probe
{
	private const PERIOD_SECONDS = 30, PATIENCE_SECONDS = 10;

	private mixed $process = null, $pipe = null;
	private string $output = '', $result = '';
	private bool $succeeded = false;
	private int $startedAt = 0;

	public function __construct(public readonly string $name)
	{
	}

	public function tick(int $now): void
	{
		if ($this->process !== null) {
			$this->read();
		} elseif ($now - $this->startedAt >= self::PERIOD_SECONDS) {
			$this->startedAt = $now;
			$this->output    = '';
			$this->process   = proc_open([PHP_BINARY, __DIR__ . '/metrics-probe.php', $this->name], [1 => ['pipe', 'w']], $pipes);
			$this->pipe      = $pipes[1];
			stream_set_blocking($this->pipe, false);
		}
	}

	private function read(): void
	{
		$this->output .= stream_get_contents($this->pipe);
		if (feof($this->pipe)) {
			fclose($this->pipe);
			$this->succeeded = proc_close($this->process) === 0;
			$this->result    = $this->output;
			$this->process   = null;
		}
	}

	/** What it said last; null when it failed, or has not answered in time. */
	public function result(int $now): ?string
	{
		$hangs = $this->process !== null && $now - $this->startedAt > self::PATIENCE_SECONDS;
		return $this->succeeded && !$hangs ? $this->result : null;
	}
}

/** The body of an answer; null when there is none in time. */
function fetch(string $url): ?string
{
	$body = @file_get_contents($url, false, stream_context_create(['http' => ['timeout' => 2]]));
	return $body === false ? null : $body;
}

function php_metrics(string ...$statuses): string
{
	$pools = array_filter(array_map(static fn (string $status): ?array => json_decode($status, true), $statuses));
	$waiting = array_map(static fn (string $pool, string $socket): array => [['pool' => $pool], waiting_requests($socket)], array_keys(PHP_SOCKETS), PHP_SOCKETS);
	return metric('phpfpm_listen_queue', 'gauge', 'Requests that wait for a worker of the pool.', $waiting)
		. implode('', array_map(static fn (string $figure, array $as): string => metric(...[...$as, array_map(
		static fn (array $pool): array => [['pool' => $pool['pool']], $pool[$figure]], $pools)]), array_keys(PHP_METRICS), PHP_METRICS));
}

function nginx_metrics(string $status): string
{
	return metric('nginx_connections_active', 'gauge', 'Open connections of visitors.', [[[], (int) preg_replace('~\D*(\d+).*~s', '$1', $status)]]);
}

/** @param Probe[] $probes */
function scrape(Requests $requests, array $probes): string
{
	$now     = time();
	$answers = ['nginx' => fetch(NGINX . '/nginx'), 'php' => fetch(NGINX . '/php-json'), 'php-queries' => fetch(NGINX . '/php-queries')];
	if (getenv('ROUTER') !== false) {
		$answers['router'] = fetch(ROUTER . '/metrics?scope=backend&scope=server');
	}
	foreach ($probes as $probe) {
		$answers[$probe->name] = $probe->result($now);
	}
	$up = array_map(static fn (string $source): array => [['source' => $source], (int) ($answers[$source] !== null)], array_keys($answers));
	return metric('wordpress_ha_source_up', 'gauge', 'Whether a part of the pod answers: 1 or 0.', $up)
		. metric('wordpress_ha_clock_seconds', 'gauge', 'The clock of the node, in seconds since 1970.', [[[], sprintf('%.3f', microtime(true))]])
		. $requests
		. nginx_metrics($answers['nginx'] ?? '0')
		. php_metrics($answers['php'] ?? '', $answers['php-queries'] ?? '')
		. implode("\n", preg_grep(ROUTER_METRICS, explode("\n", $answers['router'] ?? ''))) . "\n"
		. implode('', array_map(static fn (Probe $probe): string => $answers[$probe->name] ?? '', $probes));
}

/** @param resource $connection */
function answer(mixed $connection, Requests $requests, array $probes): void
{
	stream_set_timeout($connection, 1);
	$request = (string) fgets($connection, 4096);
	while (!in_array(fgets($connection, 8192), ["\r\n", "\n", false], true)) {
		continue;
	}
	$found = str_starts_with($request, 'GET /metrics');
	$body  = $found ? scrape($requests, $probes) : "GET /metrics\n";
	@fwrite($connection, sprintf("HTTP/1.0 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		$found ? '200 OK' : '404 Not Found', strlen($body), $body));
	fclose($connection);
}

$listener  = stream_socket_server('tcp://' . LISTEN, $code, $message) ?: exit("metrics: cannot listen on " . LISTEN . ": $message\n");
$datagrams = stream_socket_server('udp://' . REQUESTS, $code, $message, STREAM_SERVER_BIND) ?: exit("metrics: cannot listen on " . REQUESTS . ": $message\n");
stream_set_blocking($datagrams, false);
$requests = new Requests();
$probes   = [new Probe('database'), new Probe('content')];
while (true) {
	array_map(static fn (Probe $probe) => $probe->tick(time()), $probes);
	$read = [$listener, $datagrams];
	$none = null;
	if (!stream_select($read, $none, $none, 1)) {
		continue;
	}
	// Before the scrape, which takes longer than the kernel keeps what it has no room for.
	while (($datagram = stream_socket_recvfrom($datagrams, 4096)) !== false && $datagram !== '') {
		$requests->add($datagram);
	}
	if (in_array($listener, $read, true) && ($connection = @stream_socket_accept($listener, 0)) !== false) {
		answer($connection, $requests, $probes);
	}
}
