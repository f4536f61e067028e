#!/usr/bin/env bash
# Answers one connection of another member's clone.sh. The other side proves that it knows the members' password without
# sending it; then
#   CLONE ID   the answer is a copy of this server's data, as a stream of xbstream, and nothing else
#   RESULT ID  the answer is "whole BYTES SHA256" when the backup with that name ended well, else "torn"
# The stream by itself cannot tell that it was cut at the end of a file, or that the backup failed: the result can.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"

: "${RESULTS:=/tmp/results}" # of the last copies, for those who fetched them
nonce=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$nonce"
read -r -t 10 proof verb id || exit 0
if [ "$proof" != "$({ printf '%s:%s:%s:' "$nonce" "$verb" "$id"; cat "$SECRETS/replication-password"; } | sha256sum | cut -d' ' -f1)" ]; then
  log "${SOCAT_PEERADDR:-A client} does not know the members' password: refused."
  exit 0
fi
if ! [[ $id =~ ^[a-z0-9.-]{1,100}$ ]]; then exit 0; fi
mkdir -p "$RESULTS"
case $verb in
  RESULT) cat "$RESULTS/$id" 2>/dev/null || echo torn ;;
  CLONE)
    log "Serving a clone to ${SOCAT_PEERADDR:-a client}."
    find "$RESULTS" -type f -mmin +60 -delete
    write_credentials backup backup replication-password
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkfifo "$work/sum" "$work/bytes"
    sha256sum <"$work/sum" >"$work/sha256" & sum=$!
    wc -c <"$work/bytes" >"$work/length" & bytes=$!
    # Its own messages go to a file: only the end of it is of interest, and only when it failed.
    if xtrabackup --defaults-extra-file="$CREDENTIALS/backup.cnf" --no-version-check --backup --stream=xbstream --host=127.0.0.1 --port=3306 --datadir="$DATADIR" \
      --target-dir="$work/target" 2>"$work/log" | tee --output-error=exit "$work/sum" "$work/bytes"; then
      wait $sum $bytes
      printf 'whole %s %s\n' "$(<"$work/length")" "$(cut -d' ' -f1 "$work/sha256")" >"$work/result"
      mv "$work/result" "$RESULTS/$id"
      log "Served a clone of $(<"$work/length") bytes to ${SOCAT_PEERADDR:-a client}."
    else
      log "The clone for ${SOCAT_PEERADDR:-a client} broke off. The end of the backup's log:"
      tail -n 3 "$work/log" >&2 || true
    fi ;;
esac
