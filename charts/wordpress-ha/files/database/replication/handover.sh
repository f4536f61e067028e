#!/usr/bin/env bash
# Runs before the server is told to stop (preStop): a primary hands over first, a replica is no target for that any more.
set -euo pipefail
# shellcheck source=../common.sh
. "$(dirname "$0")/common.sh"

patience=25 # seconds: three attempts at most; without success the server is stopped all the same, and the lease given back

# Not "draining": nobody else can take new sessions yet. The elector says when to hold them back.
touch "$RUN/leaving"
read_note "$RUN/role"
if [[ $REPLY != primary* ]]; then exit 0; fi
note "$RUN/handover" "the pod is about to stop"
for ((i = 0; i < patience * 10; i++)); do
  if [ -e "$RUN/handed-over" ]; then exit 0; fi
  pause 0.1
done
