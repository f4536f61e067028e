#!/usr/bin/env bash
# Starts php-fpm. Strangers can invent queries without end, and each costs a run of PHP. On a node with few processors those may use one less
# than all, so that stored pages, which need little, do not wait for one.
set -euo pipefail
others=$(($(nproc) - 1))
if [ "$QUERY_WORKERS" -gt "$others" ]; then QUERY_WORKERS=$((others > 1 ? others : 1)); fi
exec php-fpm --fpm-config /etc/wordpress-web/php-fpm.conf
