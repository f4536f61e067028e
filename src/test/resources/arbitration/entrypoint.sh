#!/usr/bin/env bash
# Stands in for the image's entrypoint: notes how the server was started, and runs until it is killed.
# As the real server, it does not start beside the lock of another one.
[ ! -e "$SOCKET.lock" ] || { echo "Another process is using unix socket file." >&2; exit 1; }
if [ -n "${STUBBORN-}" ]; then trap '' TERM; fi
printf '%s' "$CLUSTER_NAME" >"$RUN/cluster-name"
printf '%s' "$CLUSTER_JOIN" >"$RUN/server.new"
mv "$RUN/server.new" "$RUN/server"
exec sleep 600
