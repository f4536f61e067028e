<?php
/** As core's form: an account called admin, whose password is right, and no way to send mail. Rows have no bodies, so fields are in the query. */
require __DIR__ . '/core.php';

header('Cache-Control: no-cache, must-revalidate, max-age=0, no-store, private');
header('Set-Cookie: wordpress_test_cookie=WP%20Cookie%20check; path=/; HttpOnly');
$known = ($_REQUEST['log'] ?? $_REQUEST['user_login'] ?? '') === 'admin';
if (isset($_REQUEST['user_login'])) {
	$error = $known ? new WP_Error('retrieve_password_email_failure', 'The email could not be sent.') : new WP_Error('invalidcombo', 'There is no account with that name.');
	do_action('lost_password', $error);
	exit($error->get_error_message());
}
if (isset($_REQUEST['log'])) {
	$error = $known ? new WP_Error('incorrect_password', 'The password is wrong.') : new WP_Error('invalid_username', 'The name is not registered.');
	$user  = $known && $_REQUEST['pwd'] === 'right' ? (object) ['name' => 'admin'] : $error;
	$user  = apply_filters('authenticate', $user, $_REQUEST['log'], $_REQUEST['pwd']);
	exit(is_wp_error($user) ? $user->get_error_message() : 'Welcome');
}
echo 'Log In, as ', $_SERVER['REQUEST_URI'], isset($_SERVER['OUTSIDE_ADMIN_RANGES']) ? ', from outside' : '';
