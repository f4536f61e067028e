<?php
/** A must-use plugin for tests: tells what a request finds in PHP, takes long, or fails, as the request asks. */

// The installation has no internet: the language's files come from here, by WordPress's own ways.
add_filter('translations_api', static fn(): array => ['translations' => [['language' => 'de_DE', 'version' => '1', 'updated' => '2026-01-01',
	'english_name' => 'German', 'native_name' => 'Deutsch', 'package' => 'https://translate.example.com/de_DE.zip', 'iso' => [1 => 'de'], 'strings' => ['continue' => 'Weiter']]]]);
add_filter('upgrader_pre_download', static function ($reply, string $package) {
	if (!str_starts_with($package, 'https://translate.example.com/')) {
		return $reply;
	}
	$zip = new ZipArchive();
	$zip->open($file = '/tmp/language.zip', ZipArchive::CREATE | ZipArchive::OVERWRITE);
	$zip->addFromString('de_DE.po', '');
	// The head of a file of GNU gettext without any text.
	$zip->addFromString('de_DE.mo', pack('V7', 0x950412de, 0, 0, 28, 28, 0, 28));
	$zip->close();
	return $file;
}, 10, 2);

add_action('wp_head', static function (): void {
	echo '<!-- currency: ', esc_html($_COOKIE['shop_currency'] ?? 'none'), ' -->';
});

add_action('wp_loaded', static function (): void {
	if (isset($_GET['sleep'])) {
		sleep((int) $_GET['sleep']);
	}
	if (file_exists('/tmp/php-fails') && PHP_SAPI !== 'cli') {
		status_header(503);
		exit('made to fail');
	}
	if (isset($_GET['facts'])) {
		wp_send_json(['constants' => get_defined_constants(true)['user'], 'ini' => ini_get_all(null, false), 'environment' => getenv(), 'client' => $_SERVER['REMOTE_ADDR'],
			'https' => is_ssl(), 'home' => home_url(), 'plugins' => get_option('active_plugins'), 'prefix' => $GLOBALS['wpdb']->prefix]);
	}
});
