<?php
/** As ActivityPub: one address has a page and JSON, by Accept, and says so in Vary. */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request !== 'federated') {
		return;
	}
	header('Vary: Accept', false);
	if (str_contains($_SERVER['HTTP_ACCEPT'] ?? '', 'application/activity+json')) {
		header('Content-Type: application/activity+json; charset=UTF-8');
		exit('{"type":"Article"}');
	}
	exit('A page');
});
