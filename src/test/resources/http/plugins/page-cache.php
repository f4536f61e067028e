<?php
/** As WP Super Cache: its pages carry Vary with Cookie and a short max-age (wp_cache_serve_cache_file). */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request === 'super-cached') {
		header('Vary: Accept-Encoding, Cookie');
		header('Cache-Control: max-age=3, must-revalidate');
		header('WP-Super-Cache: Served supercache file from PHP');
		exit('Super cached ' . bin2hex(random_bytes(4)));
	}
});
