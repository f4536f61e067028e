<?php
/** As Restrict Content Pro: a page for members sends others to the login (rcp_redirect), and tells caches not to keep it (DONOTCACHEPAGE). */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request !== 'members') {
		return;
	}
	define('DONOTCACHEPAGE', true);
	if (!is_user_logged_in()) {
		wp_redirect(wp_login_url(home_url('/members/')));
		exit;
	}
	exit('For ' . wp_get_current_user()->user_login);
});
