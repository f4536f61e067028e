<?php
/**
 * For the scripts that need the database, but not WordPress: a connection with the settings of wp-config.php, and what the
 * chart itself keeps in the schema, the table `<prefix>wordpress_ha`: who works on the site, and how far it is.
 */

// Plugins are loaded beside it, and may have the same names.
namespace WordPressHa;

use mysqli;
use mysqli_driver;
use mysqli_sql_exception;

require_once __DIR__ . '/mounted.php';

final class SiteDatabase
{
	public const CONNECT_TIMEOUT_SECONDS = 5;
	/** After this time without a sign of life the holder of the lock counts as dead. It renews the lock every fifth of it. */
	public const LOCK_SECONDS = 60;

	public readonly array $settings;
	private readonly string $state;
	private ?mysqli $connection = null;

	/** @param string|null $host "name:port" instead of the settings' */
	public function __construct(private readonly ?string $host = null)
	{
		$this->settings = json_decode((string) read_mounted('/etc/wordpress/settings.json'), true, 16, JSON_THROW_ON_ERROR);
		$this->state    = '`' . $this->settings['tablePrefix'] . 'wordpress_ha`';
	}

	/** The answer's rows; a lost connection is made anew at the next call. Throws mysqli_sql_exception. */
	public function query(string $sql, string|int ...$values): array
	{
		// WordPress has errors reported otherwise, for all connections of the process.
		$driver              = new mysqli_driver();
		$others              = $driver->report_mode;
		$driver->report_mode = MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT;
		try {
			$result = $this->connection()->execute_query($sql, $values);
			return $result === true ? [] : $result->fetch_all(MYSQLI_ASSOC);
		} catch (mysqli_sql_exception $error) {
			if (in_array($error->getCode(), [2006, 2013], true)) {
				$this->connection = null;
			}
			throw $error;
		} finally {
			$driver->report_mode = $others;
		}
	}

	/** The name of the table with what the chart keeps, for SQL. */
	public function stateTable(): string
	{
		return $this->state;
	}

	/** As the server calls itself when it is greeted. */
	public function version(): string
	{
		return $this->connection()->server_info;
	}

	public function option(string $name): ?string
	{
		return $this->query("SELECT option_value v FROM `{$this->settings['tablePrefix']}options` WHERE option_name = ?", $name)[0]['v'] ?? null;
	}

	/** How far the installation is: null (never begun), 'started' or 'done'. */
	public function progress(): ?string
	{
		return $this->query("SELECT value FROM {$this->state} WHERE name = 'install'")[0]['value'] ?? null;
	}

	public function setProgress(string $value): void
	{
		$this->query("REPLACE INTO {$this->state} (name, value, renewed) VALUES ('install', ?, UTC_TIMESTAMP())", $value);
	}

	public function createState(): void
	{
		$this->query("CREATE TABLE IF NOT EXISTS {$this->state} (name varchar(32) NOT NULL PRIMARY KEY, value varchar(255) NOT NULL, renewed datetime NOT NULL) ENGINE=InnoDB");
	}

	/**
	 * Takes or renews the lock. It is a row, as GET_LOCK is forbidden on Percona XtraDB Cluster and known to one member only;
	 * ages are measured by the database's clock alone.
	 *
	 * @return string the holder now; the lock is ours if this is $me
	 */
	public function lock(string $me): string
	{
		$this->query("INSERT IGNORE INTO {$this->state} (name, value, renewed) VALUES ('lock', ?, UTC_TIMESTAMP())", $me);
		$this->query("UPDATE {$this->state} SET value = ?, renewed = UTC_TIMESTAMP() WHERE name = 'lock' AND (value = ? OR renewed < UTC_TIMESTAMP() - INTERVAL " . self::LOCK_SECONDS . ' SECOND)', $me, $me);
		return $this->query("SELECT value FROM {$this->state} WHERE name = 'lock'")[0]['value'] ?? '';
	}

	public function unlock(string $me): void
	{
		$this->query("DELETE FROM {$this->state} WHERE name = 'lock' AND value = ?", $me);
	}

	/** Where visitors find the site; without a fixed address, where the release itself does. */
	public function siteUrl(): string
	{
		return $this->settings['url'] ?: $this->settings['site']['internalUrl'];
	}

	/** WordPress reads these without asking whether they are there, and takes from them whether links begin with https (is_ssl). */
	public function imitateRequest(?string $url = null): void
	{
		$url   = parse_url($url ?? $this->siteUrl());
		$https = $url['scheme'] === 'https';
		$_SERVER += ['REQUEST_METHOD' => 'GET', 'REQUEST_URI' => '/', 'SERVER_PROTOCOL' => 'HTTP/1.1', 'REMOTE_ADDR' => '127.0.0.1',
			'SERVER_NAME' => $url['host'], 'SERVER_PORT' => (string) ($url['port'] ?? ($https ? 443 : 80)),
			'HTTP_HOST' => $url['host'] . (isset($url['port']) ? ":{$url['port']}" : '')] + ($https ? ['HTTPS' => 'on'] : []);
	}

	/** "no such table" or "no such schema": known to be absent, unlike any other error. */
	public static function isAbsent(mysqli_sql_exception $error): bool
	{
		return in_array($error->getCode(), [1146, 1049], true);
	}

	private function connection(): mysqli
	{
		if ($this->connection === null) {
			[$host, $port] = explode(':', $this->host ?? $this->settings['database']['host'], 2);
			$flags      = array_sum(array_map('constant', $this->settings['database']['flags']));
			$connection = mysqli_init();
			$connection->options(MYSQLI_OPT_CONNECT_TIMEOUT, self::CONNECT_TIMEOUT_SECONDS);
			$password = rtrim((string) read_mounted('/run/secrets/wordpress/database-password'), "\r\n");
			@$connection->real_connect($host, $this->settings['database']['user'], $password, $this->settings['database']['name'], (int) $port, null, $flags);
			$connection->set_charset('utf8mb4');
			$this->connection = $connection;
		}
		return $this->connection;
	}
}

/** Where the router of this pod leads to one of several hosts of an external database, and to no other (haproxy.cfg). */
function routed_host(int $index): string
{
	$router = json_decode((string) read_mounted('/etc/wordpress/settings.json'), true, 16, JSON_THROW_ON_ERROR)['database']['host'];
	return strtok($router, ':') . ':' . (3307 + $index);
}

function say(string $sentence): void
{
	fwrite(STDERR, gmdate('Y-m-d\TH:i:s\Z') . ' ' . basename($_SERVER['argv'][0], '.php') . ": $sentence\n");
}

/**
 * Asks again and again until $attempt returns something other than null, and says whenever the reason to wait changes.
 * $attempt gets a function to give that reason to. When the time is over the script ends, with the given status.
 */
function wait_until(int $seconds, callable $attempt, int $status = 1): mixed
{
	$deadline = hrtime(true) + $seconds * 1_000_000_000;
	$reason   = $said = '';
	$saidAt   = 0;
	while (true) {
		try {
			$result = $attempt(static function (string $why) use (&$reason): void { $reason = $why; });
			if ($result !== null) {
				return $result;
			}
		} catch (mysqli_sql_exception $error) {
			$reason = 'The database does not answer as it should: ' . $error->getMessage() . '.';
		}
		if ($reason !== $said || hrtime(true) - $saidAt > 30_000_000_000) {
			say("Waiting. $reason");
			$said   = $reason;
			$saidAt = hrtime(true);
		}
		if (hrtime(true) > $deadline) {
			say("Gave up after $seconds s. $reason");
			exit($status);
		}
		sleep(1);
	}
}
