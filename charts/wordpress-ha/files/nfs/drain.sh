#!/usr/bin/env bash
# Runs before the NFS server is told to stop (preStop), while it still serves. When the whole release is removed, the
# WordPress pods unmount at the same moment: a node whose server is gone would hang in that.
set -euo pipefail

patience=20 # seconds; an update of the server alone keeps its clients, and goes on after so long

# Established (01) connections to port 2049 (0x0801); the state is the fourth column.
clients() { awk '$2 ~ /:0801$/ && $4 == "01"' /proc/net/tcp /proc/net/tcp6 2>/dev/null | wc -l; }

for ((i = 0; i < patience; i++)); do
  [ "$(clients)" -gt 0 ] || exit 0
  sleep 1
done
