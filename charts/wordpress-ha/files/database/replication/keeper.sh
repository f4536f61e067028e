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
etcd_timeout=1.5
interval=1   # seconds between two renewals
patience=6   # seconds that the server or its disk may not answer
unanswered=0

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
    printf '%-15s\n' "$EPOCHSECONDS" 1<>"$STATE/beat" && sync -d "$STATE/beat" && printf '%-15s\n' "$EPOCHSECONDS" 1<>"$RUN/disk"
  done
}

healthy() {
  local at
  read_note "$RUN/beat"
  if [ $((EPOCHSECONDS - ${REPLY:-0})) -gt $patience ]; then why="the check agent has not been able to ask the server for more than $patience s"; return 1; fi
  if [ ! -e "$RUN/state" ]; then
    unanswered=$((unanswered + 1))
    if [ $unanswered -gt $patience ]; then why="the server has not answered for more than $patience s"; return 1; fi
  else unanswered=0; fi
  read_note "$RUN/disk"; at=${REPLY// /}
  if [ "${at:-0}" -lt "$since" ]; then at=$since; fi # the first writes have just been begun
  if [ $((EPOCHSECONDS - ${at:-0})) -gt $((patience + 1)) ]; then why="the disk has not taken a write for more than $patience s"; return 1; fi
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
  if [ "$term" = 0 ] || { [ -n "$asking" ] && kill -0 "$asking" 2>/dev/null; }; then return 0; fi
  (if confirmed "$term"; then prolong "$sent"; fi) &
  asking=$!
}

touch_disk &
toucher=$!
trap 'kill $toucher 2>/dev/null; exit 0' TERM INT
TMP=$TMP/keeper; mkdir -p "$TMP"
lonely="" since=0
while pause $interval; do
  read_note "$RUN/lease"; read -r lease term _ <<<"$REPLY" || true
  if [ -z "${lease-}" ]; then lonely="" unanswered=0 since=0; continue; fi
  if [ "$since" = 0 ]; then since=$EPOCHSECONDS; fi
  read_config
  milliseconds; sent=$REPLY
  if [ "$term" != 0 ] && ! healthy; then
    [ -e "$RUN/unhealthy" ] || log "The lease is not renewed: $why."
    note "$RUN/unhealthy" "$why"
    continue
  fi
  rm -f "$RUN/unhealthy"
  # Each of etcd's members may take a second to fail: the replicas are asked meanwhile, once the one that answered last does not.
  if { [ -n "$etcd_last" ] && ETCD_ENDPOINTS=$etcd_last etcd_keepalive "$lease"; } || { ask_replicas; etcd_keepalive "$lease"; }; then
    if [ "$etcd_reply" = 0 ]; then note "$RUN/lost" "$lease"; else prolong "$sent"; fi
    if [ -n "$lonely" ]; then log "etcd answers again."; lonely=""; fi
  elif [ -z "$lonely" ]; then
    log "The lease cannot be renewed ($etcd_error). Going on while the replicas confirm that they follow this primary."
    lonely=yes
  fi
done
