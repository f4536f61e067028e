<?php
/** A must-use plugin: visitors cannot enumerate the site's accounts. wordpress.userEnumeration leaves it out. */

(static function (): void {
	// Archives of authors, by number and by name. People who are logged in keep them: the dashboard's lists of posts ask by author.
	add_filter('request', static fn(array $query): array =>
		(isset($query['author']) || isset($query['author_name'])) && !is_user_logged_in() ? ['error' => '404'] : $query);
	add_filter('author_link', static fn(string $link): string => is_user_logged_in() ? $link : home_url('/'));
	add_filter('comment_class', static fn(array $classes): array => preg_grep('/^comment-author-/', $classes, PREG_GREP_INVERT));
	add_filter('wp_sitemaps_add_provider', static fn($provider, string $name) => $name === 'users' ? false : $provider, 10, 2);
	add_filter('oembed_response_data', static fn(array $data): array => array_diff_key($data, ['author_name' => '', 'author_url' => '']));
	// REST and its embedded answers. The block editor's calls come from people who are logged in.
	add_filter('rest_endpoints', static fn(array $routes): array => is_user_logged_in()
		? $routes
		: array_filter($routes, static fn(string $route): bool => !str_starts_with($route, '/wp/v2/users'), ARRAY_FILTER_USE_KEY));

	// One refusal, whichever half of a login is wrong, and after as much work: an unknown name would be answered sooner.
	$refuse = static function ($result, string $password = '') {
		$code = is_wp_error($result) ? $result->get_error_code() : '';
		if (!in_array($code, ['invalid_username', 'invalid_email', 'incorrect_password', 'application_passwords_disabled_for_user'], true)) {
			return $result;
		}
		if ($password !== '' && $code !== 'incorrect_password') {
			wp_hash_password($password);
		}
		$text = __('Incorrect username or password.') . ' <a href="' . esc_url(wp_lostpassword_url()) . '">' . __('Lost your password?') . '</a>';
		return new WP_Error('incorrect_password', $text, $result->get_error_data());
	};
	add_filter('authenticate', static fn($user, $name, $password) => $refuse($user, (string) $password), PHP_INT_MAX, 3);
	// Application passwords: core decides about them with a priority of 90.
	add_filter('rest_authentication_errors', static fn($result) => $refuse($result), 91);

	// A lost password of an account that does not exist, may not have a new one, or gets no mail: the answer of one that gets it.
	add_action('lost_password', static function ($errors): void {
		$code = is_wp_error($errors) ? $errors->get_error_code() : '';
		if (!in_array($code, ['invalid_email', 'invalidcombo', 'no_password_reset', 'retrieve_password_email_failure'], true)) {
			return;
		}
		if ($code === 'retrieve_password_email_failure') {
			error_log('login: the mail for a lost password could not be sent; check wordpress.smtp.');
		}
		wp_safe_redirect(($_REQUEST['redirect_to'] ?? '') ?: 'wp-login.php?checkemail=confirm');
		exit;
	});
})();
