<?php
// As the chart's readiness page does, without a database.
require '/etc/wordpress/page-cache.php';
require '/etc/wordpress/closed-directories.php';

if (!WordPressHa\searched_before()) {
	WordPressHa\close_directories();
}

if (is_file(__DIR__ . '/../state/database')) {
	WordPressHa\record_failure();
	http_response_code(503);
	exit;
}
WordPressHa\record_alive();
echo 'ready';
