#!/usr/bin/env bash
# Stands in for the image's entrypoint: notes what it would serve, and runs until it is killed.
set -euo pipefail
# As the real server, it does not start beside the lock of another one.
[ ! -e "$SOCKET.lock" ] || { echo "Another process is using unix socket file." >&2; exit 1; }
cat "$DATADIR/ibdata1" >"$STUB/served.new"
mv "$STUB/served.new" "$STUB/served"
exec sleep 600
