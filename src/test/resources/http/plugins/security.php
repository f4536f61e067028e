<?php
/** As Wordfence: it counts visits by a cookie, wfvt_<id>, and answers a visitor whom it blocks with 503 and no-cache headers (wordfence::blockedPage). */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request === 'guarded') {
		setcookie('wfvt_1', bin2hex(random_bytes(6)), time() + 1800, '/');
		exit('Guarded');
	}
	if ($wp->request === 'blocked') {
		nocache_headers();
		status_header(503);
		exit('Your access to this site has been limited');
	}
});
