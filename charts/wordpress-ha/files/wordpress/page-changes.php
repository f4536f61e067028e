<?php
/**
 * A must-use plugin: tells every web pod which pages an edit has changed, so that each refreshes those that it has stored (refresh.php).
 * What no list names is right when its lifetime ends: themes, menus, options, plugins, further pages of archives.
 */

namespace WordPressHa;

use WP_Comment;
use WP_Post;
use WP_Term;

require_once __DIR__ . '/signature.php';

final class PageChanges
{
	private const MOST_PATHS = 50;
	/** nginx takes 16 KiB. */
	private const MOST_BYTES = 15_000;
	private const SECONDS    = 1;

	/** Of posts that have changed, as they are at the end of the request. */
	private array $posts = [];
	/** What is known only now: links of posts as they were. In the order in which pods refresh them: fronts, posts, archives. */
	private array $links = [[], [], []];

	/** @param list<string> $pods "name:port"; a name has the address of each pod */
	public function __construct(private readonly array $pods)
	{
	}

	public function listen(): void
	{
		add_action('transition_post_status', function (string $new, string $old, WP_Post $post): void {
			if (is_post_status_viewable($new) || is_post_status_viewable($old)) {
				$this->posts[$post->ID] = true;
			}
		}, 10, 3);
		// The former permalink of one that is renamed, moved, hidden or trashed.
		add_action('post_updated', fn(int $id, WP_Post $after, WP_Post $before) => $this->add($before), 10, 3);
		add_action('before_delete_post', fn(int $id, ?WP_Post $post = null) => $this->add($post ?? get_post($id)), 10, 2);
		add_action('set_object_terms', function (int $id, $terms, array $new, string $taxonomy, bool $append, array $old): void {
			if (is_public(get_post($id))) {
				$this->posts[$id] = true;
				array_map(fn($term) => $this->addTerm(get_term_by('term_taxonomy_id', (int) $term)), array_diff($old, $new));
			}
		}, 10, 6);

		$comment = function (?WP_Comment $comment): void {
			if ($comment !== null) {
				$this->posts[(int) $comment->comment_post_ID] = true;
			}
		};
		add_action('transition_comment_status', static fn($new, $old, WP_Comment $one) => in_array('approved', [$new, $old], true) && $comment($one), 10, 3);
		add_action('wp_insert_comment', static fn($id, WP_Comment $one) => $one->comment_approved === '1' && $comment($one), 10, 2);
		add_action('edit_comment', static fn($id) => wp_get_comment_status((int) $id) === 'approved' && $comment(get_comment($id)));

		// Cron calls it after each event. Otherwise after all else that ends the request, and behind the editor's back.
		add_action('wordpress_ha_announce', $this->announce(...));
		add_action('shutdown', fn() => register_shutdown_function($this->announce(...)), PHP_INT_MAX);
	}

	private function announce(): void
	{
		$paths       = $this->paths();
		$this->posts = [];
		$this->links = [[], [], []];
		if ($paths === []) {
			return;
		}
		if (function_exists('fastcgi_finish_request')) {
			fastcgi_finish_request();
		}
		$failures = send_to_all(addresses($this->pods), signed_request($paths), self::SECONDS);
		if ($failures !== []) {
			error_log(sprintf('page cache: %d changed pages did not reach %s; there they are right within wordpress.cache.seconds + 5 s.', count($paths), implode(', ', $failures)));
		}
	}

	/** @return list<string> with their queries, beginning with those that most people read */
	private function paths(): array
	{
		foreach (array_keys($this->posts) as $id) {
			$this->add(get_post($id));
		}
		$home  = home();
		$paths = [];
		foreach (array_merge(...$this->links) as $link) {
			$url  = is_string($link) ? wp_parse_url($link) ?: [] : []; // Some functions return an error in place of a link.
			$path = ($url['path'] ?? '/') . (isset($url['query']) ? "?$url[query]" : '');
			if (host($url) === $home && preg_match('~^/[\x21-\x7e]*$~', $path)) {
				$paths[$path] = strlen($path);
			}
		}
		$paths = array_slice($paths, 0, self::MOST_PATHS);
		while (array_sum($paths) > self::MOST_BYTES) {
			array_pop($paths);
		}
		return array_map('strval', array_keys($paths));
	}

	/** Nothing of a post that visitors cannot see: a draft, a revision. An import changes more posts than a list can name. */
	private function add(?WP_Post $post): void
	{
		if (!is_public($post) || count($this->links[1]) >= self::MOST_PATHS) {
			return;
		}
		array_push($this->links[0], home_url('/'), get_post_type_archive_link($post->post_type));
		$this->links[1][] = get_permalink($post);
		[$year, $month, $day] = explode('-', substr($post->post_date, 0, 10));
		array_push(
			$this->links[2],
			get_feed_link(), get_feed_link('atom'), get_feed_link('comments_rss2'), get_post_comments_feed_link($post->ID),
			get_day_link($year, $month, $day), get_month_link($year, $month), get_year_link($year),
			get_author_posts_url((int) $post->post_author), get_author_feed_link((int) $post->post_author)
		);
		foreach (array_filter(get_object_taxonomies($post), 'is_taxonomy_viewable') as $taxonomy) {
			array_map($this->addTerm(...), get_the_terms($post, $taxonomy) ?: []);
		}
	}

	private function addTerm($term): void
	{
		if ($term instanceof WP_Term && is_taxonomy_viewable($term->taxonomy)) {
			array_push($this->links[2], get_term_link($term), get_term_feed_link($term->term_id, $term->taxonomy));
		}
	}
}

function is_public(?WP_Post $post): bool
{
	return $post !== null && is_post_type_viewable($post->post_type) && is_post_status_viewable($post->post_status);
}

/** As visitors send it, and as nginx has it in the keys of its pages. */
function host(array $url): string
{
	return strtolower($url['host'] ?? '') . (isset($url['port']) ? ":$url[port]" : '');
}

function home(): string
{
	return host(wp_parse_url(home_url()));
}

function signed_request(array $paths): string
{
	$list = json_encode(['time' => time(), 'host' => home(), 'paths' => $paths], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
	return "POST /changed HTTP/1.0\r\nContent-Length: " . strlen($list) . "\r\nX-Signature: " . signature($list) . "\r\n\r\n$list";
}

/**
 * @param list<string> $pods "name:port"
 * @return list<string> "address:port"
 */
function addresses(array $pods): array
{
	// The C library's own patience is 5 s and a second try.
	putenv('RES_OPTIONS=timeout:1 attempts:1');
	$all = [];
	foreach ($pods as $pod) {
		[$name, $port] = explode(':', $pod);
		$records       = filter_var($name, FILTER_VALIDATE_IP) ? [['ip' => $name]] : (@dns_get_record($name, DNS_A) ?: @dns_get_record($name, DNS_AAAA) ?: []);
		if ($records === []) {
			error_log("page cache: DNS has no address for $name; changed pages are right within wordpress.cache.seconds + 5 s.");
		}
		foreach ($records as $record) {
			$all[] = ($record['ip'] ?? "[$record[ipv6]]") . ":$port";
		}
	}
	putenv('RES_OPTIONS');
	return $all;
}

/**
 * At once to all, so that one that does not answer keeps no other waiting.
 *
 * @return list<string> the addresses without success, each with the reason
 */
function send_to_all(array $addresses, string $request, float $seconds): array
{
	$end  = microtime(true) + $seconds;
	$open = $unsent = $failures = [];
	foreach ($addresses as $address) {
		$connection = @stream_socket_client("tcp://$address", $code, $message, $seconds, STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT);
		if ($connection === false) {
			$failures[] = "$address ($message)";
			continue;
		}
		stream_set_blocking($connection, false);
		$open[$address]   = $connection;
		$unsent[$address] = $request;
	}
	while ($open !== []) {
		$left  = $end - microtime(true);
		$write = array_intersect_key($open, $unsent);
		$read  = array_diff_key($open, $unsent);
		$none  = null;
		if ($left <= 0 || !stream_select($read, $write, $none, 0, (int) ($left * 1e6))) {
			break;
		}
		foreach ($write as $address => $connection) {
			$sent             = (int) @fwrite($connection, $unsent[$address]);
			$unsent[$address] = substr($unsent[$address], $sent);
			if ($sent === 0) {
				$failures[] = "$address (no connection)";
				unset($open[$address]);
			} elseif ($unsent[$address] === '') {
				unset($unsent[$address]);
			}
		}
		foreach ($read as $address => $connection) {
			$answer = strtok((string) fgets($connection), "\r\n");
			if (!preg_match('~^HTTP/1\.\d 204 ~', (string) $answer)) {
				$failures[] = "$address (" . ($answer ?: 'no answer') . ')';
			}
			unset($open[$address]);
		}
	}
	foreach (array_keys($open) as $address) {
		$failures[] = "$address (no answer in time)";
	}
	return $failures;
}

/** @param list<string> $pods "name:port" */
return static function (array $pods): void {
	(new PageChanges($pods))->listen();
};
