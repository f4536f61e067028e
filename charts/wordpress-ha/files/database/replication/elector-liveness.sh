#!/usr/bin/env bash
# Liveness of the elector: its loop goes round. Making the data directory and keeping transactions aside may take minutes.
set -euo pipefail
read -r at <"${RUN:-/run/member}/elector"
[ $((EPOCHSECONDS - at)) -le 900 ] || { echo "The elector has not looked at the facts for $((EPOCHSECONDS - at)) s."; exit 1; }
