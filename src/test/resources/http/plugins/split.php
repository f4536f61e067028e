<?php
/** As Nelio A/B Testing and its like: a visitor without a group gets one at random, and a cookie that keeps it. */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request !== 'split') {
		return;
	}
	$group = $_COOKIE['nabAlternative'] ?? null;
	if ($group === null) {
		setcookie('nabAlternative', $group = (string) random_int(0, 1), 0, '/');
	}
	exit('Group ' . esc_html($group));
});
