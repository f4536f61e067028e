<?php
/** As much of WordPress's hooks and errors as the chart's must-use files need, and those files, as wp-config.php loads them. */

$hooks = [];

function add_filter(string $name, callable $function, int $priority = 10, int $arguments = 1): void
{
	$GLOBALS['hooks'][$name][$priority][] = static fn(array $given) => $function(...array_slice($given, 0, $arguments));
}

function add_action(string $name, callable $function): void
{
	add_filter($name, $function);
}

function apply_filters(string $name, ...$given)
{
	$functions = $GLOBALS['hooks'][$name] ?? [];
	ksort($functions);
	foreach (array_merge(...$functions ?: [[]]) as $function) {
		$given[0] = $function($given);
	}
	return $given[0];
}

function do_action(string $name, ...$given): void
{
	apply_filters($name, ...$given);
}

final class WP_Error
{
	public function __construct(private string $code, private string $message, private $data = null)
	{
	}

	public function get_error_code(): string
	{
		return $this->code;
	}

	public function get_error_message(): string
	{
		return $this->message;
	}

	public function get_error_data()
	{
		return $this->data;
	}
}

function is_wp_error($thing): bool
{
	return $thing instanceof WP_Error;
}

function is_user_logged_in(): bool
{
	return preg_grep('/^wordpress_logged_in_/', array_keys($_COOKIE)) !== [];
}

function wp_safe_redirect(string $location): void
{
	header("Location: $location", true, 302);
}

function wp_hash_password(string $password): string
{
	return hash('sha256', $password);
}

function home_url(string $path): string
{
	return "http://site.example$path";
}

function wp_lostpassword_url(): string
{
	return home_url('/wp-login.php?action=lostpassword');
}

function __(string $text): string
{
	return $text;
}

function esc_url(string $url): string
{
	return $url;
}

if (!json_decode(file_get_contents('/etc/wordpress/settings.json'), true)['userEnumeration']) {
	require '/etc/wordpress/hidden-accounts.php';
}
