#!/usr/bin/env bash
# Liveness of a Galera member. Waiting for the others, recovering and receiving a state transfer may take any time; what
# may not happen is that nothing moves.
set -euo pipefail
# shellcheck source=../common.sh
. "$(dirname "$0")/common.sh"

stalled=600 # seconds without any progress of a server that does not answer: neither bytes on the disk nor processor time

phase=$(cat "$RUN/phase" 2>/dev/null || echo none)
case $phase in
  starting | running)
    if "$(dirname "$0")/mysql" -N -e 'SELECT 1' >/dev/null 2>&1; then
      rm -f "$RUN/progress"
      [ "$phase" = running ] || note "$RUN/phase" running
      exit 0
    fi ;;
  waiting)
    age "$RUN/alive"
    if [ "$REPLY" -le 120 ]; then exit 0; fi
    echo "The start script has not looked at the facts for $REPLY s."; exit 1 ;;
esac
progress="$(du -s "$DATADIR" 2>/dev/null | cut -f1) $(cat /proc/[0-9]*/stat 2>/dev/null | awk '$2 == "(mysqld)" {ticks += $14 + $15} END {print ticks + 0}')"
if [ "$progress" != "$(cat "$RUN/progress" 2>/dev/null || true)" ]; then note "$RUN/progress" "$progress"; stamp "$RUN/progressed"; exit 0; fi
age "$RUN/progressed"
if [ "$REPLY" -le $stalled ]; then exit 0; fi
echo "The server ($phase) has not answered, written or computed anything for $REPLY s."
exit 1
