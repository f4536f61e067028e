<?php
/**
 * Proves the site from inside the cluster, as a visitor and as its administrator: the front page, the login page, the REST
 * interface, and a draft that is written, read back and deleted.
 */

$settings = json_decode((string) file_get_contents('/etc/wordpress/settings.json'), true, 16, JSON_THROW_ON_ERROR);
$service  = $settings['site']['internalUrl'] . ':' . getenv('SERVICE_PORT');
$host     = parse_url($settings['url'] ?: $service, PHP_URL_HOST);
$cookies  = [];

/** @return array{int, string} status and body; follows no redirect, keeps cookies whatever their scheme */
function request(string $method, string $path, string|array $body = '', array $headers = []): array
{
	global $service, $host, $settings, $cookies;
	$port   = parse_url($settings['url'] ?: $service, PHP_URL_PORT);
	$handle = curl_init($service . $path);
	$jar    = implode('; ', array_map(static fn($name, $value) => "$name=$value", array_keys($cookies), $cookies));
	curl_setopt_array($handle, [
		CURLOPT_CUSTOMREQUEST  => $method,
		CURLOPT_RETURNTRANSFER => true,
		CURLOPT_TIMEOUT        => 30,
		CURLOPT_HTTPHEADER     => array_merge(["Host: $host" . ($port && $port !== 80 ? ":$port" : '')], $jar === '' ? [] : ["Cookie: $jar"], $headers),
		CURLOPT_HEADERFUNCTION => static function ($handle, string $line) use (&$cookies): int {
			if (preg_match('/^set-cookie:\s*([^=]+)=([^;]*)/i', $line, $match)) {
				$cookies[$match[1]] = $match[2];
			}
			return strlen($line);
		},
	] + ($settings['proxyProtocol'] ? [CURLOPT_HAPROXYPROTOCOL => true] : []) + ($method === 'GET' ? [] : [CURLOPT_POSTFIELDS => is_array($body) ? http_build_query($body) : $body]));
	$answer = curl_exec($handle);
	if ($answer === false) {
		fail("$method $path was not answered: " . curl_error($handle));
	}
	return [curl_getinfo($handle, CURLINFO_RESPONSE_CODE), $answer];
}

function fail(string $sentence): never
{
	echo "FAILED: $sentence\n";
	exit(1);
}

function check(bool $holds, string $sentence, string $seen = ''): void
{
	$holds ? print("ok: $sentence\n") : fail("$sentence" . ($seen === '' ? '' : " - seen: $seen"));
}

[$status, $body] = request('GET', '/wp-json/');
$index = json_decode($body, true);
check($status === 200 && isset($index['name']), 'the REST interface answers', "$status " . substr($body, 0, 200));

[$status, $body] = request('GET', '/');
$title = html_entity_decode($index['name'], ENT_QUOTES | ENT_HTML5);
check($status === 200 && str_contains(html_entity_decode($body, ENT_QUOTES | ENT_HTML5), $title), "the front page contains the title \"$title\"", "status $status");

[$status, $body] = request('GET', '/wp-login.php');
check($status === 200 && str_contains($body, 'name="log"'), 'the login page answers', "status $status");
[$status] = request('GET', '/wp-admin/install.php');
check($status === 404, 'the installer is closed', "status $status");

$cookies['wordpress_test_cookie'] = 'WP%20Cookie%20check';
$password = rtrim((string) file_get_contents('/run/secrets/admin/admin-password'), "\r\n");
[$status] = request('POST', '/wp-login.php', ['log' => $settings['site']['adminUser'], 'pwd' => $password, 'testcookie' => '1', 'redirect_to' => '/wp-admin/']);
if ($status !== 302) {
	fail("{$settings['site']['adminUser']} cannot log in with the Secret's admin-password (status $status); was it changed in the dashboard?");
}
[$status, $nonce] = request('GET', '/wp-admin/admin-ajax.php?action=rest-nonce');
check($status === 200 && preg_match('/^[0-9a-f]+$/', $nonce) === 1, 'the administrator can log in', "status $status");

$headers = ["X-WP-Nonce: $nonce", 'Content-Type: application/json'];
$text    = 'Written by helm test ' . bin2hex(random_bytes(8));
[$status, $body] = request('POST', '/wp-json/wp/v2/posts', json_encode(['title' => $text, 'status' => 'draft']), $headers);
$post = json_decode($body, true)['id'] ?? 0;
check($status === 201 && $post > 0, 'a draft can be written', "$status " . substr($body, 0, 200));
[$status, $body] = request('GET', "/wp-json/wp/v2/posts/$post?context=edit", '', $headers);
check($status === 200 && (json_decode($body, true)['title']['raw'] ?? '') === $text, 'the draft can be read back', "status $status");
[$status] = request('DELETE', "/wp-json/wp/v2/posts/$post?force=true", '{}', $headers);
check($status === 200, 'the draft can be deleted', "status $status");
