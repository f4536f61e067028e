#!/usr/bin/env bash
# Stands in for the image's entrypoint: notes what it would serve, and runs until it is killed.
set -euo pipefail
cat "$DATADIR/ibdata1" >"$STUB/served.new"
mv "$STUB/served.new" "$STUB/served"
exec sleep 600
