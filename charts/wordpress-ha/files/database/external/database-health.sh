#!/usr/bin/env bash
# Serves database-health.php to the router of the same pod. PHP's server is deaf to signals as a container's first process; this is not,
# and nothing outlives a container's first process.
set -euo pipefail

trap exit TERM QUIT
# A worker for each host, and one more, so that a host that hangs keeps nobody from asking the others.
PHP_CLI_SERVER_WORKERS=$WORKERS php -q -d mysqlnd.net_read_timeout=8 -S 127.0.0.1:9201 /etc/wordpress/database-health.php &
wait
