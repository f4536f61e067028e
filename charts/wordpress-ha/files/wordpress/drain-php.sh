#!/bin/sh
# Before php-fpm stops: wait until nginx has gone, as its last requests still need PHP. nginx removes its pid file when it ends.
# The pod's grace period bounds the wait; so does this count, for an nginx that was killed and left its file behind.
seconds=$((DRAIN_SECONDS + TIMEOUT_SECONDS))
while [ -e /run/wordpress/nginx.pid ] && [ "$seconds" -gt 0 ]; do
  sleep 1
  seconds=$((seconds - 1))
done
