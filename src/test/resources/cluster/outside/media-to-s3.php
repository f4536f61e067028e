<?php
/**
 * Plugin Name: Media to S3
 * Version: VERSION
 *
 * For tests: brings what is uploaded to S3, by the settings that the plugin S3 Uploads reads, with a signature of its own.
 */

add_filter('upload_dir', static function (array $directory): array {
	$directory['baseurl'] = S3_UPLOADS_BUCKET_URL . '/uploads';
	$directory['url']     = $directory['baseurl'] . $directory['subdir'];
	return $directory;
});

/** The file itself and the sizes made of it. */
add_filter('wp_generate_attachment_metadata', static function (array $data, int $attachment): array {
	$file = get_attached_file($attachment);
	foreach (array_merge([basename($file)], array_column($data['sizes'] ?? [], 'file')) as $name) {
		media_to_s3_put(dirname(_wp_relative_upload_path($file)) . "/$name", dirname($file) . "/$name");
	}
	return $data;
}, 10, 2);

function media_to_s3_put(string $key, string $file): void
{
	$client = apply_filters('s3_uploads_s3_client_params', ['region' => S3_UPLOADS_REGION]);
	$path   = '/' . S3_UPLOADS_BUCKET . "/uploads/$key";
	$body   = file_get_contents($file);
	$time   = gmdate('Ymd\THis\Z');
	$scope  = substr($time, 0, 8) . "/$client[region]/s3/aws4_request";
	$signed = ['host' => parse_url($client['endpoint'], PHP_URL_HOST) . ':' . parse_url($client['endpoint'], PHP_URL_PORT),
		'x-amz-acl' => S3_UPLOADS_OBJECT_ACL, 'x-amz-content-sha256' => hash('sha256', $body), 'x-amz-date' => $time];
	$lines   = implode('', array_map(static fn(string $name): string => "$name:$signed[$name]\n", array_keys($signed)));
	$names   = implode(';', array_keys($signed));
	$request = "PUT\n$path\n\n$lines\n$names\n" . $signed['x-amz-content-sha256'];
	$secret  = 'AWS4' . S3_UPLOADS_SECRET;
	foreach (explode('/', $scope) as $part) {
		$secret = hash_hmac('sha256', $part, $secret, true);
	}
	$signature = hash_hmac('sha256', "AWS4-HMAC-SHA256\n$time\n$scope\n" . hash('sha256', $request), $secret);
	unset($signed['host']);
	$answer = wp_remote_request($client['endpoint'] . $path, ['method' => 'PUT', 'body' => $body, 'timeout' => 30, 'headers' => $signed + [
		'Content-Type' => mime_content_type($file),
		'Authorization' => 'AWS4-HMAC-SHA256 Credential=' . S3_UPLOADS_KEY . "/$scope, SignedHeaders=$names, Signature=$signature"]]);
	if (wp_remote_retrieve_response_code($answer) !== 200) {
		throw new RuntimeException("S3 refused $key: " . (is_wp_error($answer) ? $answer->get_error_message() : wp_remote_retrieve_body($answer)));
	}
}
