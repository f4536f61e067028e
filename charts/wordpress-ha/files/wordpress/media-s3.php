<?php
/**
 * Uploads in S3: the settings as the two well-known plugins read them, S3 Uploads (Human Made; constants S3_UPLOADS_...) and WP Offload
 * Media (Delicious Brains; AS3CF_SETTINGS). Both name no endpoint in constants, but have filters for the arguments of their S3 client.
 *
 * Both put a file under the same key, <prefix>/uploads/<year>/<month>/<file>, so that one may replace the other.
 *
 * $s3: wordpress.media.s3; $key: [id, secret], or null for the role of the node or pod; $hook(name, function): adds a filter.
 */

return static function (array $s3, ?array $key, callable $hook): void {
	['bucket' => $bucket, 'region' => $region, 'endpoint' => $endpoint, 'prefix' => $prefix, 'publicRead' => $public] = $s3;
	// Where visitors find the bucket, if it is not where Amazon has it.
	$url     = $s3['url'] ?: ($endpoint === '' ? '' : "$endpoint/$bucket");
	$uploads = ltrim("$prefix/uploads/", '/');

	// wordpress.constants come first, and win.
	$define = static fn(string $name, mixed $value): bool => defined($name) || define($name, $value);

	$define('S3_UPLOADS_BUCKET', rtrim("$bucket/$prefix", '/'));
	$define('S3_UPLOADS_REGION', $region);
	// Without ACLs a bucket takes this one alone.
	$define('S3_UPLOADS_OBJECT_ACL', $public ? 'public-read' : 'bucket-owner-full-control');
	if ($url !== '') {
		$define('S3_UPLOADS_BUCKET_URL', rtrim("$url/$prefix", '/'));
	}
	if ($key === null) {
		$define('S3_UPLOADS_USE_INSTANCE_PROFILE', true);
	} else {
		$define('S3_UPLOADS_KEY', $key[0]);
		$define('S3_UPLOADS_SECRET', $key[1]);
	}

	$offload = [
		'provider' => 'aws', 'bucket' => $bucket, 'region' => $region, 'use-bucket-acls' => $public,
		'copy-to-s3' => true, 'serve-from-s3' => true,
		'enable-object-prefix' => true, 'object-prefix' => $uploads, 'object-versioning' => false,
	];
	$offload += $key === null ? ['use-server-roles' => true] : ['access-key-id' => $key[0], 'secret-access-key' => $key[1]];
	if ($url !== '') {
		$offload['force-https'] = str_starts_with($url, 'https://');
	}
	if ($s3['url'] !== '') {
		$offload += ['delivery-provider' => 'other', 'enable-delivery-domain' => true, 'delivery-domain' => preg_replace('~^https?://~', '', $url)];
	} elseif ($endpoint !== '') {
		$hook('as3cf_aws_s3_url_domain', static fn(): string => preg_replace('~^https?://~', '', $url));
	}
	$define('AS3CF_SETTINGS', serialize($offload));

	if ($endpoint !== '') {
		// Only Amazon is sure to have a name for each bucket, and to know the checksums that newer clients add.
		$client = static fn(array $arguments): array => ['endpoint' => $endpoint, 'use_path_style_endpoint' => true,
			'request_checksum_calculation' => 'when_required', 'response_checksum_validation' => 'when_required'] + $arguments;
		foreach (['s3_uploads_s3_client_params', 'as3cf_aws_init_client_args', 'as3cf_aws_s3_client_args'] as $filter) {
			$hook($filter, $client);
		}
	}
};
