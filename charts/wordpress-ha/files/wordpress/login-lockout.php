<?php
/**
 * A must-use plugin: failed logins are counted by account, in the database, for all pods (wordpress.loginLockout).
 *
 * An account has one counter for all addresses that never logged in to it, and one for each address that did: guessing from elsewhere closes
 * the account to strangers, and not to its owner. Names without an account are counted alike, or a refusal would tell which accounts exist.
 */

// Plugins are loaded beside it, and may have the same names.
namespace WordPressHa;

use IXR_Error;
use WP_Error;
use WP_User;

final class LoginLockout
{
	public const REFUSED = 'too_many_failed_logins';

	/** Addresses that are remembered for an account, the newest first. */
	private const MOST_ADDRESSES = 20;
	private const ADDRESSES      = 'wordpress_ha_login_addresses';
	/** A flood of names must not fill the database. */
	private const MOST_COUNTERS = 10_000;

	private readonly string $table;

	public function __construct(private readonly int $failures, private readonly int $seconds)
	{
		$this->table = '`' . $GLOBALS['wpdb']->prefix . 'wordpress_ha`';
	}

	/** An attempt counts before its result is told: of many guesses at once, none is one too many. */
	public function attempt(mixed $result, string $name, string $password): mixed
	{
		if ($name === '' || $password === '') {
			return $result; // The form itself, or a cookie.
		}
		$counter = $this->counter($name);
		$count   = $this->count($counter);
		if ($count === null || $count > $this->failures) {
			return $this->refusal($count);
		}
		if ($result instanceof WP_User) {
			$this->uncount($counter);
			$this->remember($result);
		} else {
			$this->announce($count, $name);
		}
		return $result;
	}

	/** For passwords that are too long to be guessed: a client sends one with each request, and only those that fail are written down. */
	public function check(string $name): ?WP_Error
	{
		global $wpdb;
		$count = $wpdb->get_var($wpdb->prepare("SELECT value FROM $this->table WHERE name = %s AND renewed >= UTC_TIMESTAMP() - INTERVAL %d SECOND",
			$this->counter($name), $this->seconds));
		if ($wpdb->last_error !== '') {
			return $this->refusal(null);
		}
		return (int) $count >= $this->failures ? $this->refusal((int) $count) : null;
	}

	public function fail(string $name): void
	{
		$this->announce($this->count($this->counter($name)), $name);
	}

	/** The account's owner proved to be one, here. */
	public function remember(WP_User $user): void
	{
		$known = $this->addresses($user);
		$here  = $this->address();
		if (!in_array($here, $known, true)) {
			update_user_meta($user->ID, self::ADDRESSES, array_slice([$here, ...$known], 0, self::MOST_ADDRESSES));
		}
	}

	/** Its row in the chart's table. */
	private function counter(string $name): string
	{
		$user = get_user_by('login', $name) ?: get_user_by('email', $name);
		$key  = $user ? "account $user->ID" : 'name ' . strtolower(sanitize_user($name));
		if ($user && in_array($this->address(), $this->addresses($user), true)) {
			$key .= ' at ' . $this->address();
		}
		return 'login-' . substr(hash('sha256', $key), 0, 26);
	}

	/** @return list<string> */
	private function addresses(WP_User $user): array
	{
		return array_filter((array) get_user_meta($user->ID, self::ADDRESSES, true));
	}

	/** The visitor's address, of IPv6 the network, as a hash: the database holds no addresses of people. */
	private function address(): string
	{
		$address = (string) @inet_pton($_SERVER['REMOTE_ADDR'] ?? '');
		return substr(wp_hash(strlen($address) === 16 ? substr($address, 0, 8) : $address), 0, 16);
	}

	/** @return int|null attempts in this period, with this one; null if the database did not count it */
	private function count(string $counter): ?int
	{
		global $wpdb;
		$counted = $wpdb->query($wpdb->prepare("INSERT INTO $this->table (name, value, renewed) VALUES (%s, LAST_INSERT_ID(1), UTC_TIMESTAMP()) ON DUPLICATE KEY UPDATE
			value = LAST_INSERT_ID(IF(renewed < UTC_TIMESTAMP() - INTERVAL %d SECOND, 1, value + 1)), renewed = IF(value = 1, UTC_TIMESTAMP(), renewed)", $counter, $this->seconds));
		if ($counted === false) {
			error_log("login: the database did not count an attempt, so it is refused: $wpdb->last_error");
			return null;
		}
		$count = (int) $wpdb->insert_id;
		if ($count === 1 && random_int(1, 100) === 1) {
			$this->sweep();
		}
		return $count;
	}

	/** A line when the last attempt of the period has failed. The account's name is the visitor's text. */
	private function announce(?int $count, string $name): void
	{
		if ($count === $this->failures) {
			error_log(sprintf('login: %d failures for the account %s, the last from %s. Addresses that never logged in to it are refused until %d s after the first failure.',
				$count, json_encode(substr($name, 0, 60), JSON_INVALID_UTF8_SUBSTITUTE), $_SERVER['REMOTE_ADDR'] ?? 'unknown', $this->seconds));
		}
	}

	private function uncount(string $counter): void
	{
		global $wpdb;
		$wpdb->query($wpdb->prepare("UPDATE $this->table SET value = value - 1 WHERE name = %s AND value > 0", $counter));
	}

	/** Counters of the past; then the oldest, if a flood has left too many. */
	private function sweep(): void
	{
		global $wpdb;
		$wpdb->query($wpdb->prepare("DELETE FROM $this->table WHERE name LIKE 'login-%%' AND renewed < UTC_TIMESTAMP() - INTERVAL %d SECOND", $this->seconds));
		$beyond = (int) $wpdb->get_var("SELECT COUNT(*) FROM $this->table WHERE name LIKE 'login-%'") - self::MOST_COUNTERS;
		if ($beyond > 0) {
			$wpdb->query("DELETE FROM $this->table WHERE name LIKE 'login-%' ORDER BY renewed LIMIT $beyond");
		}
	}

	/** The same for a wrong and for the right password. */
	private function refusal(?int $count): WP_Error
	{
		if (!headers_sent() && !defined('XMLRPC_REQUEST')) {
			status_header($count === null ? 503 : 429);
			header('Retry-After: ' . ($count === null ? 5 : $this->seconds));
		}
		return $count === null
			? new WP_Error(self::REFUSED, 'Logins cannot be checked just now. Please try again in a moment.', ['status' => 503])
			: new WP_Error(self::REFUSED, sprintf('Too many failed logins for this account. Please try again in %s, or reset the password.', human_time_diff(0, $this->seconds)), ['status' => 429]);
	}
}

/** @param array{failures: int, seconds: int} $settings */
return static function (array $settings): void {
	$lockout = new LoginLockout($settings['failures'], $settings['seconds']);
	// By this every password comes in: the form, XML-RPC with each call of a multicall, and plugins.
	add_filter('authenticate', static fn($result, $name, $password) => $lockout->attempt($result, (string) $name, (string) $password), PHP_INT_MAX - 1, 3);
	add_filter('xmlrpc_login_error', static fn($error, $refused) => is_wp_error($refused) && $refused->get_error_code() === LoginLockout::REFUSED
		? new IXR_Error($refused->get_error_data()['status'], $refused->get_error_message()) : $error, 10, 2);

	// Application passwords over REST come in without it. XML-RPC's have been counted.
	$refused = null;
	$name    = defined('XMLRPC_REQUEST') ? '' : (string) ($_SERVER['PHP_AUTH_USER'] ?? '');
	add_filter('application_password_is_api_request', static function (bool $is) use ($lockout, $name, &$refused): bool {
		$refused = $is && $name !== '' ? $lockout->check($name) : null;
		return $is && $refused === null;
	}, PHP_INT_MAX);
	add_action('application_password_failed_authentication', static fn() => $name === '' || $lockout->fail($name));
	add_action('application_password_did_authenticate', static fn(WP_User $user) => $lockout->remember($user));
	add_filter('rest_authentication_errors', static function ($result) use (&$refused) { return $refused ?? $result; }, PHP_INT_MAX);

	// The way back in for an owner at a new address.
	add_action('after_password_reset', static fn(WP_User $user) => $lockout->remember($user));
};
