#!/usr/bin/env bash
# Fetches a copy of DONOR's data into this member's empty data directory: received, compared with what the donor has sent,
# prepared, and with the transactions noted that it contains. Prints the reason when it fails. Usage: clone.sh DONOR ID
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"

: "${DOMAIN:?}" "${CLONE_PORT:=4444}"
donor=$1 id=$POD_NAME-$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*"; exit 1; }

# request VERB: the answer goes to standard output. The proof shows the password only to those who know it.
request() {
  local nonce answer verb=$1
  local address=TCP:$donor.$DOMAIN:$CLONE_PORT
  if [ -n "${TLS-}" ]; then address=OPENSSL:$donor.$DOMAIN:$CLONE_PORT,$tls_stream; fi
  coproc connection { exec socat -T 600 - "$address,connect-timeout=5,keepalive,keepidle=10,keepintvl=5,keepcnt=3" 2>/dev/null; }
  local from=${connection[0]-} to=${connection[1]-}
  [ -n "$from" ] || return 1
  # shellcheck disable=SC2154 # set by coproc
  answer=$connection_PID
  read -r -t 10 -u "$from" nonce || return 1
  printf '%s %s %s\n' "$({ printf '%s:%s:%s:' "$nonce" "$verb" "$id"; cat "$SECRETS/replication-password"; } | sha256sum | cut -d' ' -f1)" "$verb" "$id" >&"$to"
  cat <&"$from" || true
  # If nobody takes what comes, as a volume is full, the donor would be waited for until it gives up.
  kill "$answer" 2>/dev/null || true
  wait "$answer" 2>/dev/null || true
}

[ -z "$(ls -A "$DATADIR")" ] || fail "the data directory is not empty"
log "Cloning $donor."
tick; start=$up
mkfifo "$work/sum" "$work/bytes"
sha256sum <"$work/sum" >"$work/sha256" & sum=$!
wc -c <"$work/bytes" >"$work/length" & bytes=$!
if ! request CLONE | tee --output-error=exit "$work/sum" "$work/bytes" | xbstream -x -C "$DATADIR" 2>"$work/log"; then
  fail "the stream could not be unpacked: $(tail -n 1 "$work/log" | cut -c 1-200)"
fi
wait $sum $bytes
received="whole $(<"$work/length") $(cut -d' ' -f1 "$work/sha256")"
sent=$(request RESULT) || true
if [ "$received" != "$sent" ]; then fail "torn after $(<"$work/length") bytes"; fi
if ! xtrabackup --prepare --target-dir="$DATADIR" 2>"$work/log"; then fail "preparing failed: $(tail -n 1 "$work/log" | cut -c 1-200)"; fi
# The third column; a long set of transactions goes on over lines.
if ! [ -s "$DATADIR/xtrabackup_binlog_info" ]; then fail "the backup does not say which transactions it contains"; fi
tr -d '\n' <"$DATADIR/xtrabackup_binlog_info" | cut -f3 >"$DATADIR/clone_position"
# Each server has an identity of its own.
rm -f "$DATADIR/auto.cnf"
sync "$DATADIR" "$DATADIR/clone_position"
tick
log "Clone from $donor: $(<"$work/length") bytes, checked, prepared, in $((up - start)) s; position $(<"$DATADIR/clone_position")."
