#!/usr/bin/env bash
# Runs before the server is told to stop (preStop): takes this member out of routing, and lets the sessions that are open end.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

notice=3  # seconds: the clients' proxies look every second and want two equal answers
patience=10 # seconds more for requests that are under way; they hold a connection for as long as a page takes

touch "$RUN/draining"
sleep $notice
for ((i = 0; i < patience; i++)); do
  sessions=$("$(dirname "$0")/mysql" -N -e "SELECT COUNT(*) FROM information_schema.processlist WHERE USER = $(sql_quote "$APPLICATION_USER")" 2>/dev/null) || break
  [ "$sessions" != 0 ] || break
  sleep 1
done
