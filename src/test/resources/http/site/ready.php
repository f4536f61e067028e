<?php
// As the chart's readiness page does, without a database.
if (is_file(__DIR__ . '/../state/database')) {
	http_response_code(503);
	exit;
}
if (is_file('/etc/wordpress/page-cache.php')) {
	require_once '/etc/wordpress/page-cache.php';
	\WordPressHa\record_alive();
}
echo 'ready';
