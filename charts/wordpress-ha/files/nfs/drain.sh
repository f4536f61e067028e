#!/usr/bin/env bash
# Runs before the NFS server is told to stop (preStop), while it still serves. When the whole release is removed, the
# WordPress pods unmount at the same moment: a node whose server is gone would hang in that.
set -euo pipefail

patience=20 # seconds; an update of the server alone keeps its clients, and goes on after so long

# Whether a connection to port 2049 (0801) is established (01). Builtins only: the image promises no more.
has_client() {
  local table own state
  for table in /proc/net/tcp /proc/net/tcp6; do
    [ -r "$table" ] || continue
    while read -r _ own _ state _; do
      if [[ $own == *:0801 && $state == 01 ]]; then return 0; fi
    done <"$table"
  done
  return 1
}

for ((i = 0; i < patience; i++)); do
  has_client || exit 0
  sleep 1
done
