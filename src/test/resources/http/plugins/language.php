<?php
/** As Polylang: the cookie pll_language (PLL_COOKIE) has the language, and is set where it is missing or another (PLL_Choose_Lang). */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request !== 'language') {
		return;
	}
	$language = $_COOKIE['pll_language'] ?? null;
	if ($language === null) {
		setcookie('pll_language', 'en', 0, '/');
	}
	exit('Language: ' . esc_html($language ?? 'en'));
});
