#!/usr/bin/env bash
# The check agent of a database pod. HAProxy asks it all the time whether this member takes writes; the answer must not depend
# on a server that hangs. So one process watches the server over one connection, and each request is answered from
# what that process noted last (respond.sh), while it says that it is at work ("beat"). Notes are written when something
# changes: an idle pod costs two questions to the server a second, and starts no process.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"
# Defines: query, the SQL that is asked; judge, which turns the answer into code and reason; forget, for no answer.
# shellcheck source=galera/health.sh
. "$(dirname "$0")/health.sh"

interval=0.5 # seconds between two looks: what a request may be told is at most this old
patience=2   # seconds that the server may take to answer one; more is a failure for the clients, too

export RUN
age "$RUN/beat"
if [ "$REPLY" -lt 0 ]; then rm "$RUN/beat"; fi # of a time before the node started anew
# Each proxy keeps one request waiting, most of the time: that is a sleeping shell of half a megabyte.
socat TCP-LISTEN:"$AGENT_PORT",reuseaddr,fork,backlog=256,max-children=256 EXEC:"bash $(dirname "$0")/respond.sh",nofork 2>/dev/null & # it complains of every client that hangs up early
listener=$!
metrics=""
if [ -n "${METRICS_PORT-}" ]; then
  socat TCP-LISTEN:"$METRICS_PORT",reuseaddr,fork,max-children=8 EXEC:"bash $(dirname "$0")/member.sh",nofork 2>/dev/null &
  metrics=$!
fi
client_pid=""

connect() {
  # The password's file may have changed since the last connection.
  write_credentials monitor monitor monitor-password host=127.0.0.1 port=3306 protocol=tcp connect-timeout=2
  coproc client { exec mysql --defaults-extra-file="$CREDENTIALS/monitor.cnf" --batch --force --skip-column-names --unbuffered 2>/dev/null; }
  client_pid=$!
}
disconnect() {
  [ -z "$client_pid" ] || kill -9 "$client_pid" 2>/dev/null || true
  wait "$client_pid" 2>/dev/null || true
  client_pid=""
}
trap '' PIPE # a client that has gone is seen by its missing answer
# shellcheck disable=SC2086 # without metrics there is one process
trap 'disconnect; kill "$listener" $metrics 2>/dev/null; exit 0' TERM INT

# admit_exporter: gives mysqld_exporter the password, in a file of its own, whenever the Secret has a new one. Its parser takes what is
# between backquotes as it is. TLS is used where the server wants it; the connection does not leave the pod.
admit_exporter() {
  local file=$CREDENTIALS/exporter/monitor.cnf
  if [ -z "$metrics" ] || [ "$file" -nt "$SECRETS/monitor-password" ]; then return 0; fi
  mkdir -p "${file%/*}"
  # shellcheck disable=SC2016 # backquotes for the exporter
  (umask 077; printf '[client]\nuser=monitor\npassword=`%s`\nhost=127.0.0.1\nport=3306\ntls=preferred\n' "$(<"$SECRETS/monitor-password")" >"$file.new")
  mv "$file.new" "$file"
  curl -sf --max-time 1 -X POST "$exporter/-/reload" >/dev/null 2>&1 || true # it has not started yet
}

# look: sets the array "answer" from the server's reply; fails when there is no whole one in time.
look() {
  local name value
  answer=()
  if [ -z "$client_pid" ] || ! kill -0 "$client_pid" 2>/dev/null; then connect; fi
  # The shell forgets the two ends when the client ends.
  local from=${client[0]-} to=${client[1]-}
  [ -n "$from" ] && [ -n "$to" ] || return 1
  # shellcheck disable=SC2154 # query is defined by health.sh
  printf "%s;\nSELECT 'end', 1;\n" "$query" >&"$to" || return 1
  while IFS=$'\t' read -r -t "$patience" -u "$from" name value; do
    [ "$name" != end ] || return 0
    answer[$name]=$value
  done
  return 1
}

# beat: says that the notes are true now.
beat() { stamp "$RUN/beat"; }

mkdir -p "$RUN"
declare -A answer=()
code=503 reason="The check agent has just started."
said=""
while true; do
  admit_exporter
  read_note "$RUN/health"; before=$REPLY
  if look 2>/dev/null; then
    judge
  else
    disconnect
    forget
    read_note "$RUN/phase"
    code=503 reason="The server does not answer: ${REPLY:-it has not been started yet}."
  fi
  read_note "$RUN/health"
  if [ "$REPLY" != "$before" ]; then said="" # somebody who knows better has noted something while this look was under way
  elif [ "$code $reason" != "$said" ]; then
    note "$RUN/health" "$code $reason"
    log "$code $reason"
    said="$code $reason"
  fi
  beat
  kill -0 "$listener" 2>/dev/null || { log "The listener has ended."; exit 1; }
  pause "$interval"
done
