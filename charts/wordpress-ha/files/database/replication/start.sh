#!/usr/bin/env bash
# Runs the server as the elector says ($RUN/command), and is its watchdog: a server that takes writes is killed at the moment
# when the right to it ends ($RUN/writable, $RUN/deadline in milliseconds since boot), whatever the elector, the server or its disk are doing.
# A killed server acknowledges nothing: sessions that wait for a replica's acknowledgement would be told "done" by a shutdown
# in order, though their writes are on one volume only.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"

: "${POD_NAME:?}" "${DOMAIN:?}" "${MEMORY_LIMIT:?}"
: "${ENTRYPOINT:=docker-entrypoint.sh}"
tick=0.2 # seconds
server="" stopping=""

running() { [ -n "$server" ] && kill -0 "$server" 2>/dev/null; }

# Whether the server's right to take writes has ended; the reason is in $REPLY.
must_die() {
  local now until
  read_note "$RUN/kill"
  if [ -n "$REPLY" ]; then return 0; fi
  [ -e "$RUN/writable" ] || return 1
  read_note "$RUN/deadline"; until=$REPLY
  [ -n "$until" ] || return 1
  read -r now _ </proc/uptime
  [ $((10#${now/./} * 10)) -gt "$((10#${until// /}))" ] || return 1
  REPLY="its right to take writes could not be renewed"
}

# Told to stop: in order, if no session can be waiting for an acknowledgement; else by force.
stop() {
  stopping=yes
  running || return 0
  if [ -e "$RUN/writable" ] && ! timeout 3 bash "$here/mysql" -e "SET lock_wait_timeout = 2; SET GLOBAL super_read_only = ON" 2>/dev/null; then
    log "FENCED: killed the server: told to stop, and writes wait for acknowledgements."
    kill -KILL "$server"
  else
    rm -f "$RUN"/{writable,deadline}
    kill -TERM "$server"
  fi
}

serve() {
  local status=0 killed=""
  rm -f "$RUN"/{kill,writable,deadline,state,health}
  note "$RUN/phase" starting
  free_socket "$SOCKET"
  log "Starting the server."
  # Half of the container's memory is the buffer pool: the rest is for connections and replication.
  "$ENTRYPOINT" mysqld --server-id=$((${POD_NAME##*-} + 1)) --report-host="$POD_NAME.$DOMAIN" --socket="$SOCKET" \
    --innodb-buffer-pool-size=$((MEMORY_LIMIT / 2)) &
  server=$!
  note "$RUN/server" "$server-$EPOCHREALTIME"
  while running; do
    if [ -z "$killed" ] && must_die; then
      killed=$REPLY
      kill -KILL "$server"
      printf '%s fenced\n' "${EPOCHREALTIME/[.,]/}" >>"$RUN/events"
      log "FENCED: killed the server: $killed."
    fi
    pause $tick
  done
  wait "$server" || status=$?
  server=""
  rm -f "$RUN"/{server,kill,writable,deadline}
  if [ -n "$stopping" ]; then log "The server has ended."; exit 0; fi
  if [ -z "$killed" ]; then log "The server ended by itself (status $status); its log is above."; exit "$((status ? status : 1))"; fi
}

trap stop TERM INT
mkdir -p "$RUN"
# What an earlier server of this pod was allowed is over: there is none now.
rm -f "$RUN"/{server,writable,deadline,kill,state,health,leaving,may-leave,handover,handed-over,initialized}
note "$RUN/phase" waiting
watch_certificates
while [ -z "$stopping" ]; do
  read_note "$RUN/command"
  case $REPLY in
    serve) serve ;;
    initialize)
      note "$RUN/phase" initializing
      rm -f "$RUN/command"
      if bash "$here/initialize.sh"; then note "$RUN/initialized" yes; else note "$RUN/initialized" no; fi ;;
    *) note "$RUN/phase" waiting; pause 1 ;;
  esac
done
