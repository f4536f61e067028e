<?php
/**
 * Stands for WordPress where a page has to change its kind in a moment: it copies the answers of core and of plugins that matter to nginx.
 *
 * - handle_404(): 404 with nocache_headers(); redirect_canonical(): 301 to the path with a slash, with the whole query.
 * - get_the_password_form(): a post with a password is answered with nocache_headers().
 * - WP::send_headers(): nothing about caching for anonymous readers; nocache_headers() for those who are logged in.
 * - wp_not_installed(), dead_db(): status 500 without a database, which wp-config.php makes 503.
 * - WP::parse_request(), redirect_canonical(), the REST server, sitemaps, oEmbed: an account called admin, as the must-use files let it be seen.
 * - A plugin's cookie, header, constant: as the kind of the page says.
 *
 * A page's kind is the first word of its path ("/cookie-1/" sets a cookie), until a test changes it: that is a file in state/.
 * Each answer says how often PHP has made the page, and what PHP was told of the request.
 */

const NOCACHE = 'Cache-Control: no-cache, must-revalidate, max-age=0, no-store, private';
const STATE   = __DIR__ . '/../state';

// As wp-config.php does, which needs a database.
require '/etc/wordpress/page-cache.php';
header_register_callback(static fn() => WordPressHa\limit_storage());
require __DIR__ . '/core.php';

function state(string $name): ?string
{
	$file = STATE . '/' . $name;
	return is_file($file) ? file_get_contents($file) : null;
}

function count_run(string $page): int
{
	$counter = fopen(STATE . '/runs-' . md5($page), 'c+');
	flock($counter, LOCK_EX);
	$runs = (int) stream_get_contents($counter) + 1;
	rewind($counter);
	fwrite($counter, (string) $runs);
	return $runs;
}

$path  = parse_url('http://x' . preg_replace('~^/+~', '/', $_SERVER['REQUEST_URI']), PHP_URL_PATH) ?? '/';
$path  = preg_replace('~^/index\.php(?=/|$)~', '', $path) ?: '/';
$page  = explode('/', trim($path, '/'))[0];
$kind  = state("page-$page") ?? preg_replace('/[^a-z].*/i', '', $page);
$runs  = count_run($path);
$login = preg_grep('/^wordpress_logged_in_/', array_keys($_COOKIE)) !== [];

if (state('database') === 'away') {
	WordPressHa\record_failure();
	http_response_code(503);
	header('Retry-After: 5');
	header(NOCACHE);
	exit('Error establishing a database connection');
}
if ($login || str_starts_with($path, '/wp-admin') || str_starts_with($path, '/wp-json')) {
	header(NOCACHE);
}
$query = apply_filters('request', array_intersect_key($_GET, ['author' => '', 'author_name' => '']) + ($page === 'author' ? ['author_name' => explode('/', $path)[2] ?? ''] : []));
if (isset($query['error'])) {
	http_response_code(404);
	header(NOCACHE);
	exit('Not found');
}
if (isset($query['author'])) {
	header('Location: http://' . $_SERVER['HTTP_HOST'] . '/author/admin/', true, 301);
	exit;
}
if (str_starts_with(strtolower($path), '/wp-json/wp/v2/users')) {
	$known = array_filter(array_keys(apply_filters('rest_endpoints', ['/wp/v2/posts' => [], '/wp/v2/users' => [], '/wp/v2/users/(?P<id>[\d]+)' => []])),
		static fn(string $route): bool => (bool) preg_match("@^$route\$@i", substr($path, strlen('/wp-json'))));
	http_response_code($known ? 200 : 404);
	exit($known ? '[{"id":1,"slug":"admin"}]' : '{"code":"rest_no_route"}');
}
if ($path === '/wp-sitemap-users-1.xml') {
	$shown = apply_filters('wp_sitemaps_add_provider', new stdClass(), 'users');
	http_response_code($shown ? 200 : 404);
	exit($shown ? 'http://site.example/author/admin/' : 'Not found');
}
if ($path === '/wp-json/oembed/1.0/embed') {
	exit(json_encode(apply_filters('oembed_response_data', ['title' => 'A post', 'author_name' => 'admin', 'author_url' => apply_filters('author_link', '/author/admin/')])));
}
if ($page !== '' && !str_ends_with($path, '/') && !str_contains($path, '.')) {
	header('Location: http://' . $_SERVER['HTTP_HOST'] . $path . '/' . ($_SERVER['QUERY_STRING'] === '' ? '' : '?' . $_SERVER['QUERY_STRING']), true, 301);
	exit;
}

switch ($kind) {
	case 'gone':
		http_response_code(410);
		break;
	case 'missing': // trashed, a draft, private
	case 'wp':      // wp-content/..., wp-includes/...: no such file
		http_response_code(404);
		header(NOCACHE);
		break;
	case 'broken':
		http_response_code(500);
		break;
	case 'locked':
		header(NOCACHE);
		break;
	case 'private':
		header('Cache-Control: private');
		break;
	case 'long':
		header('Cache-Control: max-age=3600');
		break;
	case 'donotcache':
		define('DONOTCACHEPAGE', true);
		break;
	case 'cookie':
		header('Set-Cookie: plugin=' . bin2hex(random_bytes(8)));
		break;
	case 'vary':
		header('Vary: Cookie, Accept-Language');
		break;
	case 'varyencoding':
		header('Vary: Accept-Encoding');
		break;
	case 'expired':
		header('Expires: Wed, 11 Jan 1984 05:00:00 GMT');
		break;
	case 'pluginzero':
		header('X-Accel-Expires: 0');
		break;
	case 'temporary':
		header('Location: https://site.example/somewhere/', true, 302);
		break;
	case 'moved':
		header('Location: https://site.example/somewhere/', true, 301);
		break;
	case 'movedquery':
		header('Location: https://site.example/?p=7', true, 301);
		break;
	case 'modified':
		header('Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT');
		header('ETag: "modified"');
		break;
	case 'slow':
		usleep(250_000);
		break;
}
if (str_starts_with($page, '.') || str_contains(strtolower($path), '.php') || preg_match('/^(old|unknown)/', $page)) {
	http_response_code(404);
	header(NOCACHE);
}
if (str_ends_with($page, '-slow') || isset($_GET['slow'])) {
	usleep(250_000);
}
if (str_ends_with($path, '/feed/')) {
	header('Content-Type: application/rss+xml; charset=UTF-8');
} elseif (str_ends_with($path, '.txt')) {
	header('Content-Type: text/plain; charset=utf-8');
} else {
	header('Content-Type: text/html; charset=UTF-8');
}
$told = array_filter($_SERVER, static fn(string $name): bool => (bool) preg_match('/^(HTTP|REMOTE_ADDR|REQUEST|QUERY|SCRIPT_NAME|PATH_INFO|CONTENT)/', $name), ARRAY_FILTER_USE_KEY);
echo "<title>WordPress</title>\nkind: $kind\nruns: $runs\ntold: ", json_encode($told, JSON_UNESCAPED_SLASHES), "\n", str_repeat("<p>Text.</p>\n", 150);
