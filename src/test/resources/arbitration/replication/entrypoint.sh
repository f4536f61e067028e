#!/usr/bin/env bash
# Stands in for the image's entrypoint and the server: runs until it is killed, and says how it was.
# As the real server, it does not start beside the lock of another one.
[ ! -e "$SOCKET.lock" ] || { echo "Another process is using unix socket file." >&2; exit 1; }
echo started >>"${SERVER:?}/server"
trap 'echo stopped >>"$SERVER/server"; exit 0' TERM
while true; do sleep 0.1; done
