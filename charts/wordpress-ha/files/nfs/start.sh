#!/usr/bin/env bash
# Runs the NFS server, and never beside another one on the same volume. Kubernetes starts a new pod as soon as it gives up the old one,
# which may still run: on a node that is cut off, or after a deletion by force. Both pods can see the volume, so they agree there:
#
#   .server     the UID of the pod that serves, and a beat that it raises each second
#   .successor  the UID of the pod that was started last: that one is to serve
#
# A server that finds another UID in .successor stops, then removes .server. The successor serves when there is no .server, or when its
# beat has stood still for STILL seconds: that pod is dead or frozen. A server that could not raise its beat for LATE seconds stops, as it
# counts for dead by then. A volume that is attached to one node at a time shows no other pod, and nothing is waited for.
set -euo pipefail

: "${POD_UID:?}"
: "${EXPORT:=/export}" "${PROVISIONER:=/nfs-provisioner}"
: "${RUN:=/run/nfs}"   # what a restart of the container needs to know; gone with the pod
: "${STILL:=15}"       # seconds; a busy node may be late by some
: "${LATE:=8}"         # seconds; well before STILL has passed for the successor
: "${ABANDONED:=60}"   # seconds without a beat after which a pod that waits takes itself for the last one
: "${STOP_SECONDS:=5}" # that the server has to stop before it is killed
server=$EXPORT/.server successor=$EXPORT/.successor
said="" group="" stopping="" count=0

log() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "${0##*/}" "$*" >&2; }
say() { [ "$1" = "$said" ] || log "$1"; said=$1; }

# now: sets REPLY to seconds since boot; no clock that may be set.
now() { read -r REPLY _ </proc/uptime; REPLY=${REPLY%.*}; }

# put FILE TEXT: in place, as a full volume has no room for another file. Texts for one file have one length.
put() { printf '%s\n' "$2" 1<>"$1"; } 2>/dev/null

# look: sets holder, beat and heir. Fails when they cannot be read: unknown is not absent.
look() {
  local names
  holder="" beat="" heir=""
  names=$'\n'$(ls -A "$EXPORT")$'\n' || return 1
  if [[ $names == *$'\n.server\n'* ]]; then read -r holder beat <"$server" && [ -n "$beat" ] || return 1; fi
  if [[ $names == *$'\n.successor\n'* ]]; then read -r heir <"$successor" && [ -n "$heir" ] || return 1; fi
} 2>/dev/null

# pause: a second, which a signal may end.
pause() { sleep 1 & wait $! || true; }

announce() { put "$successor" "$POD_UID" && : >"$RUN/announced"; }

raise_beat() { put "$server" "$POD_UID $(printf '%012d' "$count")" && count=$((count + 1)); }

# await_turn: returns when this pod may serve, and is in .server.
await_turn() {
  local seen="" since still
  now; since=$REPLY
  while [ -z "$stopping" ]; do
    if ! look; then
      say "Waiting: the volume cannot be read."
    elif [ ! -e "$RUN/announced" ]; then
      announce || say "Waiting: the volume cannot be written to."
      continue
    else
      now
      if [ "$holder $beat" != "$seen" ]; then seen="$holder $beat" since=$REPLY; fi
      still=$((REPLY - since))
      if [ -z "$heir" ]; then
        rm -f "$RUN/announced"
      elif [ "$heir" != "$POD_UID" ]; then
        # What served here before ended with its container.
        if [ "$holder" = "$POD_UID" ]; then rm -f "$server"; fi
        say "Pod $heir was started later: it serves."
        if [ $still -ge "$ABANDONED" ]; then log "It does not, for $still s."; rm -f "$RUN/announced"; fi
      elif [ "$holder" = "$POD_UID" ]; then
        return
      elif [ -z "$holder" ] || [ $still -ge "$STILL" ]; then
        if [ -n "$holder" ]; then log "Pod $holder, which served, has not been heard of for $still s."; fi
        # Another pod may do the same at this moment; one second later, both see who was last.
        raise_beat || true
      else
        say "Waiting for pod $holder, which serves, to stop."
      fi
    fi
    pause
  done
}

# must_stop: whether the server has to; the reason is in REPLY.
must_stop() {
  now
  if look && [ -n "$heir" ] && [ "$heir" != "$POD_UID" ]; then REPLY="pod $heir was started, which serves from now on"; return; fi
  if raise_beat; then last=$REPLY; return 1; fi
  [ $((REPLY - last)) -ge "$LATE" ] || return 1
  REPLY="the volume has taken no beat for $((REPLY - last)) s"
}

end_server() {
  local i
  kill -TERM "$group" 2>/dev/null || true # the provisioner; the server itself ends with its group
  for ((i = 0; i < STOP_SECONDS * 10; i++)); do kill -0 "$group" 2>/dev/null || break; sleep 0.1; done
  # A process that hangs in the volume cannot be killed: then this repeats until the kubelet ends the pod, and .server stays.
  while kill -KILL -- "-$group" 2>/dev/null; do sleep 0.1; done
  group=""
  sync
  if look && [ "$holder" = "$POD_UID" ]; then rm -f "$server"; fi
}

serve() {
  local last status=0
  log "Serving."
  # The program writes its log to a file on the volume itself, for ever, without a limit: here it goes to the container's output.
  ln -sfn /proc/1/fd/1 "$EXPORT/ganesha.log"
  set -m # a process group of its own
  "$PROVISIONER" "$@" &
  group=$!
  set +m
  now; last=$REPLY
  while [ -z "$stopping" ] && kill -0 "$group" 2>/dev/null; do
    if must_stop; then
      log "Stopping the server: $REPLY."
      end_server
      said=""
      return
    fi
    pause
  done
  if [ -z "$stopping" ]; then
    wait "$group" || status=$?
    log "The server ended by itself (status $status)."
    exit "$((status ? status : 1))" # the container's restart ends what is left of it
  fi
}

trap 'stopping=yes' TERM INT
mkdir -p "$RUN"
while [ -z "$stopping" ]; do
  await_turn
  [ -n "$stopping" ] || serve "$@"
done
if [ -n "$group" ]; then end_server; fi
log "Told to stop."
