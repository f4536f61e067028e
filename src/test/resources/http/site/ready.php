<?php
// As the chart's readiness page does, without a database.
require '/etc/wordpress/page-cache.php';

if (is_file(__DIR__ . '/../state/database')) {
	WordPressHa\record_failure();
	http_response_code(503);
	exit;
}
WordPressHa\record_alive();
echo 'ready';
