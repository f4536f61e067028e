<?php

namespace WordPressHa;

/**
 * How many requests wait for a worker of a pool. php-fpm itself counts them for TCP sockets alone, and says 0 for others
 * (https://bugs.php.net/bug.php?id=80739). The kernel lists a connection that waits to be accepted in state 2, under the name of the socket that it is for.
 */
function waiting_requests(string $socket): int
{
	return (int) preg_match_all('~ 02 +\d+ ' . preg_quote($socket, '~') . '$~m', (string) @file_get_contents('/proc/net/unix'));
}
