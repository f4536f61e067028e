#!/usr/bin/env bash
# Runs beside the server, on the uid that owns its data: serves copies of it to other members (serve-clone.sh, for each
# connection), and, before the server is started, fetches one as the elector asks (clone.sh). It also writes transactions to a
# file that are to be kept aside, as this image has the program that reads binary logs.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"

: "${CLONE_PORT:=4444}" "${DROPPED:=/volume/dropped}"
mkdir -p "$RUN" "$DROPPED"
export RUN DATADIR CREDENTIALS SECRETS
# A copy may take hours, but not be silent for ten minutes; a peer that is gone is noticed within half a minute.
listen=TCP-LISTEN:$CLONE_PORT
if [ -n "${TLS-}" ]; then listen=OPENSSL-LISTEN:$CLONE_PORT,$tls_stream; fi
certificates() { [ -z "${TLS-}" ] || cat "$TLS/ca.crt" "$TLS/tls.crt"; }
listen() {
  shown=$(certificates)
  socat -lf /dev/null -T 600 "$listen",reuseaddr,fork,keepalive,keepidle=10,keepintvl=5,keepcnt=3,max-children=4 EXEC:"bash $here/serve-clone.sh" &
  listener=$!
}
# renew_listener: socat reads its certificate when it starts. Copies under way continue in processes of their own.
looked=0
renew_listener() {
  tick
  if [ -z "${TLS-}" ] || [ $((up - looked)) -lt 10 ]; then return 0; fi
  looked=$up
  if [ "$(certificates)" = "$shown" ]; then return 0; fi
  kill $listener 2>/dev/null || true
  wait $listener || true
  listen
  log "Clones are served with the new certificate."
}
listen
trap 'kill $listener 2>/dev/null; exit 0' TERM INT

# keep GTIDS: prints what became of it.
keep() {
  local file files=()
  file=$DROPPED/$(date -u +%FT%H%M%SZ).sql
  for log in "$DATADIR"/binlog.[0-9]* "$DATADIR"/relay-bin.[0-9]*; do if [ -e "$log" ]; then files+=("$log"); fi; done
  # It also says where every transaction is that it leaves out.
  if mysqlbinlog --no-defaults --verbose --include-gtids="$1" "${files[@]}" 2>"$file.log" | sed '/^# at [0-9]*$/d' >"$file.new" && printf '%s\n' "$1" >"${file%.sql}.gtids" && sync "$file.new" &&
    mv "$file.new" "$file" && sync "$DROPPED"; then
    rm -f "$file.log"
    echo "kept $file"
  else
    echo "failed $(tail -n 1 "$file.log" 2>/dev/null)"
  fi
}

clone_done="" keep_done=""
while pause 0.5; do
  kill -0 $listener 2>/dev/null || { log "The listener has ended."; exit 1; }
  renew_listener
  if [ -e "$RUN/clone-request" ] && read -r id donor <"$RUN/clone-request" && [ "$id" != "$clone_done" ]; then
    clone_done=$id
    note "$RUN/clone-status" "$id running"
    if said=$(bash "$here/clone.sh" "$donor" "$id"); then note "$RUN/clone-status" "$id done"
    else
      log "Clone from $donor failed: ${said:-see above}"
      note "$RUN/clone-status" "$id failed ${said:-see the log of the container xtrabackup}"
    fi
  fi
  if [ -e "$RUN/keep-request" ] && read -r id gtids <"$RUN/keep-request" && [ "$id" != "$keep_done" ]; then
    keep_done=$id
    note "$RUN/keep-status" "$id $(keep "$gtids")"
    rm -f "$RUN/keep-request"
  fi
done
