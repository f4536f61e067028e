#!/usr/bin/env bash
# Stands in for initialize.sh: a data directory of a new cluster. Waits at the gate when there is one.
set -euo pipefail
: "${DATADIR:?}" "${RUN:?}"
touch "$RUN/founding"
while [ -e "$RUN/gate" ]; do sleep 0.05; done
mkdir "$DATADIR/mysql"
uuid=$(cat /proc/sys/kernel/random/uuid)
echo "$uuid:0" >"$DATADIR/ibdata1"
[ ! -e "$RUN/torn" ] || exit 1
printf '# GALERA saved state\nversion: 2.1\nuuid:    %s\nseqno:   0\nsafe_to_bootstrap: 1\n' "$uuid" >"$DATADIR/grastate.dat"
