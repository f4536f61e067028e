<?php
/**
 * A small S3 server for tests: `php -S 0.0.0.0:9000 s3.php`. Objects with their ACL and type, path-style addresses, and signatures of
 * version 4, which it checks as S3 does: a wrong key, secret, date or body is refused. Everybody may read what is public-read.
 */

const KEY = 'test-key';
const SECRET = 'test-secret';
const ROOT = '/tmp/s3';
const CLOCK_SKEW_SECONDS = 900;

$path   = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$file   = ROOT . '/' . rawurlencode(rawurldecode(ltrim($path, '/')));
$known  = is_file("$file.json") ? json_decode(file_get_contents("$file.json"), true) : null;
$reads  = in_array($_SERVER['REQUEST_METHOD'], ['GET', 'HEAD'], true);
$body   = file_get_contents('php://input');
if (!($reads && ($known['acl'] ?? '') === 'public-read')) {
	check_signature($path, $body);
}
@mkdir(ROOT);
if (substr_count(trim($path, '/'), '/') === 0) {
	answer_for_bucket();
} elseif ($_SERVER['REQUEST_METHOD'] === 'PUT') {
	file_put_contents($file, $body);
	file_put_contents("$file.json", json_encode(['acl' => $_SERVER['HTTP_X_AMZ_ACL'] ?? 'private', 'type' => $_SERVER['CONTENT_TYPE'] ?? 'binary/octet-stream']));
	header('ETag: "' . md5($body) . '"');
} elseif ($_SERVER['REQUEST_METHOD'] === 'DELETE') {
	@unlink($file);
	@unlink("$file.json");
	http_response_code(204);
} elseif ($known === null) {
	fail(404, 'NoSuchKey', 'There is no such object.');
} else {
	header("Content-Type: $known[type]");
	header('ETag: "' . md5_file($file) . '"');
	header('Content-Length: ' . filesize($file));
	if ($_SERVER['REQUEST_METHOD'] === 'GET') {
		readfile($file);
	}
}

function answer_for_bucket(): void
{
	header('Content-Type: application/xml');
	if (isset($_GET['location'])) {
		echo '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">us-east-1</LocationConstraint>';
	} elseif ($_SERVER['REQUEST_METHOD'] === 'GET') {
		echo '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated></ListBucketResult>';
	}
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
function check_signature(string $path, string $body): void
{
	$form = '~^AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$~';
	if (!preg_match($form, $_SERVER['HTTP_AUTHORIZATION'] ?? '', $match)) {
		fail(403, 'AccessDenied', 'Anonymous access is forbidden for this object.');
	}
	[, $key, $day, $region, $names, $signature] = $match;
	if ($key !== KEY) {
		fail(403, 'InvalidAccessKeyId', 'This key does not exist.');
	}
	$time = $_SERVER['HTTP_X_AMZ_DATE'] ?? '';
	if (!str_starts_with($time, $day) || abs(time() - strtotime($time)) > CLOCK_SKEW_SECONDS) {
		fail(403, 'RequestTimeTooSkewed', 'The time of the request differs too much.');
	}
	$sum = $_SERVER['HTTP_X_AMZ_CONTENT_SHA256'] ?? '';
	if ($sum !== 'UNSIGNED-PAYLOAD' && $sum !== hash('sha256', $body)) {
		fail(400, 'XAmzContentSHA256Mismatch', 'The body has another checksum.');
	}
	$headers = array_change_key_case(getallheaders());
	$signed  = implode('', array_map(static fn(string $name): string => "$name:" . trim($headers[$name] ?? '') . "\n", explode(';', $names)));
	parse_str((string) parse_url($_SERVER['REQUEST_URI'], PHP_URL_QUERY), $query);
	ksort($query);
	$request = implode("\n", [$_SERVER['REQUEST_METHOD'], $path, http_build_query($query, '', '&', PHP_QUERY_RFC3986), $signed, $names, $sum]);
	$scope   = "$day/$region/s3/aws4_request";
	$secret  = 'AWS4' . SECRET;
	foreach (explode('/', $scope) as $part) {
		$secret = hash_hmac('sha256', $part, $secret, true);
	}
	if (!hash_equals(hash_hmac('sha256', "AWS4-HMAC-SHA256\n$time\n$scope\n" . hash('sha256', $request), $secret), $signature)) {
		fail(403, 'SignatureDoesNotMatch', 'The signature does not fit the request and the secret.');
	}
}

function fail(int $status, string $code, string $message): never
{
	http_response_code($status);
	header('Content-Type: application/xml');
	error_log("$_SERVER[REQUEST_METHOD] $_SERVER[REQUEST_URI]: $code");
	echo $_SERVER['REQUEST_METHOD'] === 'HEAD' ? '' : "<Error><Code>$code</Code><Message>$message</Message></Error>";
	exit;
}
