<?php
/** A must-use plugin with faults of pages: for requests with the drill's cookie, a page takes so many seconds, and has this status. */

if (isset($_COOKIE['comment_author_drill'])) {
	sleep((int) ($_GET['seconds'] ?? 0));
	http_response_code((int) ($_GET['status'] ?? 200));
	exit;
}
