#!/usr/bin/env bash
# Runs before the server is told to stop (preStop): a primary hands over first, and a replica waits until it is not needed any more.
set -euo pipefail
# shellcheck source=../common.sh
. "$(dirname "$0")/common.sh"

patience=25      # seconds: three attempts at most; without success the server is stopped all the same, and the lease given back
follow_patience=5 # seconds until a primary that has handed over receives from the next one
leave_patience=90 # seconds: as long as the primary's pod may take to see a new number of members, if that is why this one ends

# await SECONDS TEST: whether it came true.
await() {
  local i
  for ((i = 0; i < $1 * 10; i++)); do
    if "$2"; then return 0; fi
    pause 0.1
  done
  return 1
}
handed_over() { [ -e "$RUN/handed-over" ]; }
receives() { read_note "$RUN/state"; [[ $REPLY == *'"receiving":true'* ]]; }
# Whoever receives nothing acknowledges nothing.
is_not_needed() { [ -e "$RUN/may-leave" ] || ! receives; }

# Not "draining": nobody else can take new sessions yet. The elector says when to hold them back.
touch "$RUN/leaving"
read_note "$RUN/role"
if [[ $REPLY == primary* ]]; then
  note "$RUN/handover" "the pod is about to stop"
  await $patience handed_over || exit 0
  read_note "$RUN/handed-over"
  if [ "$REPLY" = nobody ]; then exit 0; fi
  await $follow_patience receives || exit 0
fi
await $leave_patience is_not_needed || exit 0
