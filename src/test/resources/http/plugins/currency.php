<?php
/** As CURCY: prices follow the cookie wmc_current_currency, which its own widget sets in the browser. */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request === 'price') {
		exit('Price in ' . esc_html($_COOKIE['wmc_current_currency'] ?? 'EUR'));
	}
});
