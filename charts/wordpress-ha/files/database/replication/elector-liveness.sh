#!/usr/bin/env bash
# Liveness of the elector: its loop goes round. Making the data directory and keeping transactions aside may take minutes.
set -euo pipefail
read -r at <"${RUN:-/run/member}/elector"
read -r up _ </proc/uptime
age=$((${up%.*} - at))
[ $age -le 900 ] || { echo "The elector has not looked at the facts for $age s."; exit 1; }
