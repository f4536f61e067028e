#!/usr/bin/env bash
# Renews the primary's right to take writes, apart from everything else that the elector does, so that nothing delays it. The
# right ends by itself: $RUN/deadline, which start.sh watches. It is prolonged
#   - by etcd, which renewed the lease; or, when etcd cannot be reached,
#   - by so many replicas, asked directly, that the others cannot elect anybody: each promises to follow nobody else for as long;
# and only while the server answers and its disk takes writes.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"
# shellcheck source=../../etcd/client.sh
. "$here/client.sh"
# shellcheck source=cluster.sh
. "$here/cluster.sh"
# shellcheck source=server.sh
. "$here/server.sh"

: "${POD_NAME:?}" "${TMP:=/tmp}"
etcd_timeout=3 # seconds: an answer that comes so late still gives some right
etcd_connect_timeout=3 # also when it is the name that is found late: nobody waits for it
turn=1000 # milliseconds: after so long without an answer the next member is asked, too
ask_patience=2 # seconds: nobody waits for it, and the right lasts longer
interval=1   # seconds between two renewals
patience=4   # seconds that an answer of the disk, or a look of the check agent, may be old: a look takes 2.5 s at most
silence=1000 # milliseconds that the server may leave the check agent without an answer, after the 2 s that the agent waits for one

# prolong SINCE: the right ends GRACE ms after the question was sent that was answered with yes.
prolong() {
  local until
  read_note "$RUN/deadline"; until=${REPLY// /}
  [ -n "$until" ] || return 0 # the right has been given up meanwhile, or not been taken yet
  if [ $(($1 + GRACE)) -gt "$until" ]; then printf '%-15s\n' $(($1 + GRACE)) 1<>"$RUN/deadline"; fi
}

# The disk: a write of this member's state volume, once a second, in a process of its own, as it may hang for ever.
touch_disk() {
  while pause 1; do
    [ -e "$RUN/lease" ] || continue
    stamp "$STATE/beat" && sync -d "$STATE/beat" && stamp "$RUN/disk"
  done
}

# healthy: whether the server, its check agent and its disk are at work now. Else the right is not prolonged: soon the elector kills the
# server, and if that cannot be killed, what is left of the right ends all the same.
healthy() {
  age "$RUN/beat"
  if [ "$REPLY" -gt $patience ]; then why="the check agent does not run"; return 1; fi
  if [ -e "$RUN/state" ]; then silent_since=""
  else
    milliseconds
    silent_since=${silent_since:-$REPLY}
    if [ $((REPLY - silent_since)) -ge $silence ]; then why="the server does not answer"; return 1; fi
  fi
  age "$RUN/disk"
  if [ "$REPLY" -gt $((up - since)) ]; then REPLY=$((up - since)); fi # the first writes have just been begun
  if [ "$REPLY" -gt $patience ]; then why="the disk takes no writes"; return 1; fi
}

# confirmed TERM: enough replicas of the view, so that without them no other primary can be elected.
confirmed() {
  local members needed
  read_note "$RUN/view"
  members=$(jq -r '.replicas[]' <<<"${REPLY:-null}" 2>/dev/null || true)
  # With fewer replicas than a write needs, nobody but this member itself can be elected.
  needed=$(jq '(.replicas | length) as $size | if $size == 0 or $size < .acknowledge then 0 else [.acknowledge, 1] | max end' <<<"${REPLY:-null}" 2>/dev/null) || return 1
  # shellcheck disable=SC2086 # one word a pod
  ask "/confirm?$POD_NAME:$1" $members
  [ ${#answers[@]} -ge "$needed" ]
}

asking=""
ask_replicas() {
  local sent
  if [ "$term" = 0 ] || { [ -n "$asking" ] && kill -0 "$asking" 2>/dev/null; }; then return 0; fi
  milliseconds; sent=$REPLY
  (if confirmed "$term"; then prolong "$sent"; fi) &
  asking=$!
}

# renew ENDPOINT: the lease, by this member of etcd.
renew() {
  local sent
  milliseconds; sent=$REPLY
  if ! ETCD_ENDPOINTS=$1 etcd_keepalive "$lease"; then note "$TMP/error" "$etcd_error"; return 1; fi
  if [ "$etcd_reply" = 0 ]; then note "$RUN/lost" "$lease"; else prolong "$sent"; fi
}

# renewed ENDPOINT: whether it answered in this turn. What comes later counts all the same: a disk or a processor that is slow for
# some seconds is no reason to give up.
renewed() {
  local until
  milliseconds; until=$((REPLY + turn))
  renew "$1" &
  while [ "$REPLY" -lt $until ]; do # by the clock: where processors are few, a pause of 50 ms takes many times as long
    pause 0.05
    if ! kill -0 $! 2>/dev/null; then wait $!; return; fi
    milliseconds
  done
  note "$TMP/error" "$1: no answer within $turn ms"
  return 1
}

rm -f "$RUN/disk"
touch_disk &
toucher=$!
trap 'kill $toucher 2>/dev/null; exit 0' TERM INT
TMP=$TMP/keeper; mkdir -p "$TMP"
round=0 misses=0 since=0 silent_since=""
# One member of etcd is asked in each round, the same one as long as it answers: members that hang, all of them even, cannot make a
# round longer than the right lasts.
while pause "$interval"; do
  interval=1
  read_note "$RUN/lease"; read -r lease term _ <<<"$REPLY" || true
  if [ -z "${lease-}" ]; then misses=0 since=0 silent_since=""; continue; fi
  if [ "$since" = 0 ]; then tick; since=$up; fi
  read_config
  if [ "$term" != 0 ] && ! healthy; then
    [ -e "$RUN/unhealthy" ] || log "The lease is not renewed: $why."
    note "$RUN/unhealthy" "$why"
    continue
  fi
  rm -f "$RUN/unhealthy"
  read -ra endpoints <<<"$ETCD_ENDPOINTS"
  if renewed "${endpoints[round % ${#endpoints[@]}]}"; then
    if [ $misses -ge ${#endpoints[@]} ]; then log "etcd answers again."; fi
    misses=0
    continue
  fi
  ask_replicas
  round=$((round + 1)) misses=$((misses + 1)) interval=0.3
  if [ $misses -eq ${#endpoints[@]} ]; then
    read_note "$TMP/error"
    log "The lease cannot be renewed ($REPLY). Going on while the replicas confirm that they follow this primary."
  fi
done
