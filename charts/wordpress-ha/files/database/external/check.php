<?php
/**
 * Before an install or upgrade: can WordPress use the database outside of this release? Connects as WordPress will, and says in one
 * sentence for each host what is wrong and what to write instead. A server that cannot be reached may still be starting: it is waited for.
 */

use WordPressHa\SiteDatabase;
use function WordPressHa\{routed_host, say};

require __DIR__ . '/database.php';

/** A host that cannot be used; $passing: it may come by itself. */
final class Unusable extends RuntimeException
{
	public function __construct(string $sentence, public readonly bool $passing = false)
	{
		parent::__construct($sentence);
	}
}

say_what_is_missing();
$hosts    = json_decode((string) getenv('HOSTS'), true, 4, JSON_THROW_ON_ERROR);
$patience = (int) getenv('WAIT_SECONDS');
$deadline = hrtime(true) + $patience * 1_000_000_000;
$said     = '';
while (true) {
	$usable   = [];
	$problems = [];
	foreach ($hosts as $index => $host) {
		$where = "$host[name]:$host[port]";
		try {
			reach($host['name'], $host['port'], count($hosts) > 1);
			check($where, count($hosts) > 1 ? routed_host($index) : $where);
			$usable[] = $where;
		} catch (Unusable $problem) {
			$problems[] = $problem;
		}
	}
	$reasons = implode(' ', array_map(static fn(Unusable $problem): string => $problem->getMessage(), $problems));
	if ($usable !== []) {
		say(trim(implode(', ', $usable) . ' can be used. ' . $reasons));
		exit(0);
	}
	if (array_filter($problems, static fn(Unusable $problem): bool => $problem->passing) === []) {
		give_up("The database cannot be used. $reasons");
	}
	if (hrtime(true) > $deadline) {
		give_up("The database cannot be used, also after $patience s. $reasons");
	}
	if ($reasons !== $said) {
		say("Waiting. $reasons");
		$said = $reasons;
	}
	sleep(1);
}

/** Secrets and ConfigMaps that the values name, but that are not there or lack the key: Kubernetes alone would wait for them for ever. */
function say_what_is_missing(): void
{
	$missing = [];
	if ((string) read_mounted('/run/secrets/wordpress/database-password') === '') {
		$missing[] = sprintf('There is no password: the Secret %s (database.existingSecret) does not exist, or has no key %s.', getenv('PASSWORD_SECRET'), getenv('PASSWORD_KEY'));
	}
	$authority = (string) ini_get('openssl.cafile');
	if ($authority !== '' && (string) @file_get_contents($authority) === '') {
		$missing[] = 'There is no certificate of the authority: what database.external.tls.caSecret or .caConfigMap names does not exist, or lacks the key tls.caKey.';
	}
	if ($missing !== []) {
		give_up(implode(' ', $missing));
	}
}

function give_up(string $sentence): never
{
	// What kubectl describe shows of the pod.
	@file_put_contents('/dev/termination-log', $sentence);
	say($sentence);
	exit(1);
}

/**
 * The name is known, and something listens there.
 *
 * @param bool $routed the router looks the name up, and it adds no search domain
 * @throws Unusable
 */
function reach(string $name, int $port, bool $routed): void
{
	$host   = $routed && filter_var($name, FILTER_VALIDATE_IP) === false ? "$name." : $name;
	$socket = @fsockopen($host, $port, $code, $message, SiteDatabase::CONNECT_TIMEOUT_SECONDS);
	if ($socket === false) {
		throw new Unusable(match (true) {
			str_contains($message, 'getaddrinfo') => "The name $name is not known in the cluster's DNS. Correct database.external.hosts; a server in the cluster has the full name <service>.<namespace>.svc.<cluster domain>.",
			$code === 111 => "$name refuses connections to port $port. Start the server, or correct database.external.port or .hosts.",
			default => "$name:$port cannot be reached: " . lcfirst($message) . '. Correct database.external.hosts, or let the cluster through the firewall or network policy.',
		}, true);
	}
	fclose($socket);
}

/**
 * @param string $where the host, for people
 * @param string $way "name:port" to connect to: the host's, or the router's for it
 * @throws Unusable
 */
function check(string $where, string $way): void
{
	$database = new SiteDatabase($way);
	$warnings = '';
	// mysqli tells what TLS found wrong by warnings.
	set_error_handler(static function (int $level, string $message) use (&$warnings): bool {
		$warnings .= $message;
		return true;
	});
	try {
		check_version($database->version(), $where);
		check_charset($database, $where);
		// The first statement of the install Job, too.
		$database->createState();
	} catch (mysqli_sql_exception $error) {
		throw explain($error, $warnings, $where, $database->settings['database']);
	} finally {
		restore_error_handler();
	}
}

function check_version(string $version, string $where): void
{
	require '/usr/src/wordpress/wp-includes/version.php';
	// MariaDB puts "5.5.5-" before its version, for old clients.
	$number = preg_replace('/^5\.5\.5-(?=\d+\..*MariaDB)/', '', $version);
	if (version_compare(preg_replace('/[^0-9.].*/', '', $number), $required_mysql_version, '<')) {
		throw new Unusable("The server at $where has version $version, and WordPress $wp_version needs $required_mysql_version or newer. Upgrade the server.");
	}
}

function check_charset(SiteDatabase $database, string $where): void
{
	$name    = $database->settings['database']['name'];
	$charset = $database->query('SELECT @@character_set_database AS value')[0]['value'];
	if ($charset !== 'utf8mb4') {
		throw new Unusable("The schema $name at $where has the charset $charset, in which texts would be damaged. Run: ALTER DATABASE `$name` CHARACTER SET utf8mb4;");
	}
}

/** @param array{name: string, user: string, flags: string[]} $settings */
function explain(mysqli_sql_exception $error, string $warnings, string $where, array $settings): Unusable
{
	['name' => $schema, 'user' => $user, 'flags' => $flags] = $settings;
	$message = rtrim($error->getMessage(), '.');
	// PHP says "expected CN=`...'" or, in newer patches, "expected name `...'".
	if (preg_match('/Peer certificate .*did not match expected (?:CN=|name )`([^\']*)\'/', $warnings, $match)) {
		return new Unusable("The certificate of $where is not for the name $match[1]. Name the host in database.external.hosts as its certificate does; for several hosts set database.external.tls.serverName.");
	}
	if (str_contains($warnings, 'certificate verify failed')) {
		return new Unusable("The certificate of $where has expired, or was not issued by "
			. (ini_get('openssl.cafile') ? 'the authority that is given. Correct database.external.tls.caSecret or .caConfigMap.' : 'an authority that the image knows. Name yours in database.external.tls.caSecret or .caConfigMap.'));
	}
	return match ($error->getCode()) {
		1045, 1698 => new Unusable("The server at $where denies access to the account $user: the password is wrong, or the account may not come from here"
			. ($flags === [] ? ', or may only with TLS (database.external.tls.enabled)' : '') . ". It says: $message."),
		1044 => new Unusable("The account $user has no rights on a schema $schema at $where, or there is none. Run: CREATE DATABASE IF NOT EXISTS `$schema` CHARACTER SET utf8mb4; GRANT ALL ON `$schema`.* TO '$user'@'%';"),
		1049 => new Unusable("There is no schema $schema at $where. Correct database.name, or run: CREATE DATABASE `$schema` CHARACTER SET utf8mb4;"),
		1142 => new Unusable("The account $user may not create tables in $schema at $where. Run: GRANT ALL ON `$schema`.* TO '$user'@'%';"),
		1290, 1836 => new Unusable("The server at $where is read-only. Name the one that takes writes."),
		3159 => new Unusable("The server at $where takes encrypted connections only. Set database.external.tls.enabled=true."),
		1115, 2019 => new Unusable("The server at $where does not know the charset utf8mb4. Upgrade it."),
		1129 => new Unusable("The server at $where has blocked the cluster's address after too many broken connections. Run there: FLUSH HOSTS;"),
		2054 => new Unusable("The account $user logs in at $where in a way that PHP does not know. Give it another one, for example caching_sha2_password. PHP says: $message."),
		1040, 1203 => new Unusable("The server at $where has no connection left: $message.", true),
		default => new Unusable(str_contains($message . $warnings, 'SSL')
			? "The server at $where offers no TLS, or none that fits. Set it up there, or set database.external.tls.enabled=false. PHP says: $message."
			: "The server at $where does not answer as MySQL does: $message.", true),
	};
}
