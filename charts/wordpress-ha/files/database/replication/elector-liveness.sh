#!/usr/bin/env bash
# Liveness of the elector: its loop goes round. Making the data directory and keeping transactions aside may take minutes.
set -euo pipefail
# shellcheck source=../common.sh
. "$(dirname "$0")/common.sh"
age "$RUN/elector"
[ "$REPLY" -le 900 ] || { echo "The elector has not looked at the facts for $REPLY s."; exit 1; }
