#!/usr/bin/env bash
# Stands in for the image's entrypoint: notes how the server was started, and runs until it is killed.
printf '%s' "$CLUSTER_NAME" >"$RUN/cluster-name"
printf '%s' "$CLUSTER_JOIN" >"$RUN/server.new"
mv "$RUN/server.new" "$RUN/server"
if [ -n "${STUBBORN-}" ]; then trap '' TERM; fi
exec sleep 600
