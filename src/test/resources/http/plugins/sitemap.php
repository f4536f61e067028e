<?php
/** As Yoast SEO: /sitemap.xml leads to /sitemap_index.xml, which robots shall not index (WPSEO_Sitemaps::output). */
add_action('parse_request', static function (WP $wp): void {
	if ($wp->request === 'sitemap.xml') {
		wp_redirect(home_url('/sitemap_index.xml'), 301);
		exit;
	}
	if ($wp->request === 'sitemap_index.xml') {
		header('X-Robots-Tag: noindex, follow', true);
		header('Content-Type: text/xml; charset=UTF-8');
		exit('<sitemapindex/>');
	}
});
