#!/usr/bin/env bash
# Answers one request to the check agent, from notes only: it asks nobody, so it cannot hang.
#   GET /        200: takes writes. 404: draining, keep what is open and send nothing new. 503: down. HAProxy says what it takes this
#                member for: it hears at once of anything else, and at the moment when it changes, or after a second.
#   GET /ready   200: serves something, writes or reads: for the kubelet. 503: nothing.
#   GET /replica 200: a replica that is not behind. 503: anything else.
#   GET /state   what this member knows of itself, as JSON, for the other members.
#   GET /confirm?POD:TERM  200: this replica follows POD, primary of TERM, and has promised just now to follow nobody else for
#                a while; asked by a primary that cannot reach etcd.
set -euo pipefail

: "${RUN:=/run/member}"
fresh=5 # seconds: a note that is older means that the watcher or the server hangs

known=""
read -r -t 1 _ path _ || exit 0
while read -r -t 1 line && line=${line%$'\r'} && [ -n "$line" ]; do
  case $line in
    [Xx]-[Hh]aproxy-[Ss]erver-[Ss]tate:" UP;"*) known=200 ;;
    [Xx]-[Hh]aproxy-[Ss]erver-[Ss]tate:" NOLB;"*) known=404 ;;
    [Xx]-[Hh]aproxy-[Ss]erver-[Ss]tate:" DOWN;"*) known=503 ;;
  esac
done

answer() { printf 'HTTP/1.0 %s\r\nContent-Type: %s\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s\n' "$1" "$2" $((${#3} + 1)) "$3"; }

# Whether the watcher has said within the last seconds that its notes are true.
is_fresh() { local at up; read -r at <"$RUN/beat" && read -r up _ </proc/uptime && [ $((${up%.*} - at)) -le $fresh ]; } 2>/dev/null

# judged: sets code and reason, for clients that write.
judged() {
  local noted
  code=503 reason="The server has not answered for more than $fresh s."
  if ! is_fresh || ! read -r noted <"$RUN/health"; then return 0; fi
  code=${noted%% *} reason=${noted#* }
  if [ "$code" = 200 ] && [ -e "$RUN/draining" ]; then code=404 reason="Draining: this member is about to stop."; fi
} 2>/dev/null

case $path in
  /state*)
    if is_fresh && read -r state <"$RUN/state"; then
      if [ -e "$RUN/committed" ] && read -r committed <"$RUN/committed"; then state="${state%\}},\"committed\":\"$committed\"}"; fi
      answer "200 OK" application/json "$state"
    else
      answer "503 Unknown" text/plain "No fresh state."
    fi ;;
  /ready* | /replica*)
    name=${path#/}
    if is_fresh && read -r code reason <"$RUN/${name%%[^a-z]*}" && [ "$code" != 503 ]; then answer "200 OK" text/plain "$reason"
    else answer "503 Down" text/plain "${reason:-No fresh state.}"; fi ;;
  /confirm*)
    # First the promise, then the look at whether an election has begun: elector.sh does the same in the other order.
    read -r now _ </proc/uptime
    printf '%-15s\n' $((10#${now/./} * 10)) 1<>"$RUN/promised"
    if is_fresh && [ ! -e "$RUN/electing" ] && read -r following <"$RUN/following" && [ "$following" = "${path#*\?}" ] &&
      read -r state <"$RUN/state" && [[ $state == *'"receiving":true'* ]]; then
      answer "200 OK" application/json "$state"
    else
      answer "503 No" text/plain "Does not follow ${path#*\?}."
    fi ;;
  *)
    judged
    if [ "$code" = "$known" ]; then
      # shellcheck source=common.sh
      . "${0%/*}/common.sh"
      for ((i = 0; i < 10 && code == known; i++)); do
        pause 0.1
        judged
      done
    fi
    case $code in
      200) answer "200 OK" text/plain "$reason" ;;
      404) answer "404 Draining" text/plain "$reason" ;;
      *) answer "503 Down" text/plain "$reason" ;;
    esac ;;
esac
