#!/usr/bin/env bash
# Runs beside a Galera member and keeps etcd up to date while the server runs: the cluster's UUID, and who is in the
# Primary component. A member is "confirmed", and then takes writes, when etcd lists it: so whoever may have acknowledged
# a write is known, and is waited for when the cluster has to be started from standstill (start.sh).
# It also renews the lease of a start that is under way, and asks for a restart of a server that is needed elsewhere.
# Without etcd it changes nothing: a confirmed member goes on serving.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"
# shellcheck source=../../etcd/client.sh
. "$here/client.sh"
# shellcheck source=cluster.sh
. "$here/cluster.sh"

: "${POD_NAME:?}"
interval=1     # seconds between two looks at the server; no request leaves the pod unless something has changed
refresh=15     # seconds after which etcd is asked all the same: it may have lost its data
lonely=${LONELY_SECONDS:-15} # seconds without a Primary component before the others are looked at: short cuts heal by themselves
reunion=${REUNION_SECONDS:-20} # seconds within reach of a Primary component: Galera finds members again within some
donorless=${DONORLESS_SECONDS:-30} # seconds in which no member with the data answers: a busy donor does within some
glance=${GLANCE_SECONDS:-5} # seconds between two looks at the others while a copy comes, which may take hours
facts="{}" before="" settled="" settled_at=0 lonely_since=0 reached_since=0 looked_at=0 said=""

say() { if [ "$1" != "$said" ]; then log "$1"; said=$1; fi; }
value() { text_in "$state" "$1"; }

renew_lease() {
  local lease
  read_note "$RUN/lease"; lease=$REPLY
  [ -n "$lease" ] || return 0
  etcd_keepalive "$lease" || say "The lease cannot be renewed now: $etcd_error"
}

known_epoch() { local known; known=$(fact epoch); printf '%d' "${known:-0}"; }

# record: brings etcd's view up to this member's, if that is newer; then confirms this member.
record() {
  local uuid epoch conf members view mine known
  uuid=$(value uuid) conf=$(value conf) epoch=$(cat "$RUN/epoch" 2>/dev/null || true)
  # Only when all of them are named: the table and the size change one after the other.
  members=$(jq -c '.size as $size | .members | split(",") | sort | if length == ($size | tonumber? // 0) then . else null end' <<<"$state")
  read_cluster || { say "etcd gives no whole answer ($etcd_error). A confirmed member goes on serving."; return 1; }
  known=$(fact uuid)
  if [ -n "$known" ] && [ "$known" != "$uuid" ]; then
    rm -f "$RUN/confirmed"
    say "This server runs in the cluster $uuid, but this release's cluster is $known. It takes no writes."
    return 1
  fi
  view=$(fact view)
  printf -v mine '{"epoch":%d,"conf":%d,"members":%s}' "${epoch:-0}" "$conf" "$members"
  if [ "$members" != null ] && { [ -z "$known" ] || [ -z "$view" ] || jq -e --argjson mine "$mine" '[.epoch, .conf] < [$mine.epoch, $mine.conf]' <<<"$view" >/dev/null; }; then
    local conditions operations
    conditions=$(unchanged uuid view)
    operations=$(put_operation "${prefix}view" "$mine")
    if [ "${epoch:-0}" -gt "$(known_epoch)" ]; then operations+=$(put_operation "${prefix}epoch" "$epoch"); fi
    if [ -z "$known" ]; then
      say "etcd does not know this cluster: it has lost its data. Registering it again."
      operations+=$(put_operation "${prefix}uuid" "$uuid")
    fi
    etcd_transaction "$conditions" "$operations" || { say "etcd did not take the new view: $etcd_error"; return 1; }
    [ "$etcd_reply" = true ] || return 1 # another member was faster; the next look shows what it wrote
    say "Recorded the Primary component $mine.$([ "$(value size)" != 1 ] || echo " This member is alone in it: until another one joins, acknowledged writes are on this volume only.")"
    view=$mine
  fi
  # Confirmed by a view that is not older than this member's own: who wrote it does not matter.
  if [ -n "$view" ] && jq -e --arg me "$POD_NAME" --argjson mine "$mine" '.conf > 0 and [.epoch, .conf] >= [$mine.epoch, $mine.conf] and (.members | index($me))' <<<"$view" >/dev/null; then
    confirm
  elif [ -n "$view" ] && jq -e --arg me "$POD_NAME" --argjson mine "$mine" '.epoch > $mine.epoch and (.members | index($me) | not)' <<<"$view" >/dev/null; then
    # Somebody has decided over this member's head, while it could not be reached: never two that take writes.
    rm -f "$RUN/confirmed"
    restart "The cluster was started anew (epoch $(text_in "$view" epoch)) without this server (epoch ${epoch:-0})." " to join it"
  fi
}

confirm() {
  [ "$(cat "$RUN/confirmed" 2>/dev/null || true)" = "$(value incarnation)" ] || log "Confirmed: etcd lists this member in the Primary component."
  # First the mark: a member that took writes and lost power would else count as one whose copy is not whole.
  touch "$DATADIR/complete"; sync "$DATADIR"
  keep_epoch "$(text_in "$view" epoch)"
  note "$RUN/confirmed" "$(value incarnation)"
  rm -f "$STATE/joining"
  if [ -e "$RUN/lease" ]; then # the start that it was for is over
    if [[ $(fact bootstrap) == *"\"pod\":\"$POD_NAME\""* ]]; then
      etcd_transaction "$(unchanged bootstrap)" "$(delete_operation "${prefix}bootstrap")" || return 0
    fi
    etcd_revoke "$(<"$RUN/lease")" || true
    rm -f "$RUN/lease"
  fi
}

# keep_epoch EPOCH: the others may have started the cluster anew between this member's look at the facts and its start.
keep_epoch() {
  if [ "$1" -gt "${epoch:-0}" ]; then note "$RUN/epoch" "$1"; note "$STATE/epoch" "$1"; sync "$STATE"; fi
}

# restart REASON: asks for it; start.sh carries it out.
restart() {
  [ ! -e "$RUN/restart" ] || return 0
  note "$RUN/restart" "$1 Restarting the server$2."
  log "$(<"$RUN/restart")"
}

# restart_if_awaited WHY: others wait for the report of what is on this volume.
restart_if_awaited() {
  local waiting
  read_cluster || { say "$1, and etcd gives no whole answer ($etcd_error)."; return 0; }
  waiting=$(jq -r --arg me "$POD_NAME" 'keys[] | select(startswith("waiting/")) | .[8:] | select(. != $me)' <<<"$facts")
  if [ -n "$waiting" ]; then restart "$1, while ${waiting//$'\n'/, } wait for the report of this member." " to give it"; fi
}

# A server that has lost the Primary component keeps running, as the component forms again when the network heals. Two things
# need a restart: members that were restarted cannot join it, so it has to report, as they do, what it has; and a server whose
# incremental transfer failed leaves the group for good, and goes on running.
look_for_others() {
  if [ "$lonely_since" = 0 ]; then lonely_since=$up reached_since=0; fi
  [ $((up - lonely_since)) -ge "$lonely" ] || return 0
  find_primary
  if [ -z "$primary" ]; then reached_since=0
  elif [ "$reached_since" = 0 ]; then reached_since=$up
  elif [ $((up - reached_since)) -ge "$reunion" ]; then
    restart "Not in the Primary component, although $(text_in "$primary" pod), which is in it, has been within reach for $reunion s." " to join it"
    return 0
  fi
  restart_if_awaited "Not in the Primary component"
}

# A server onto whose volume a copy comes answers nothing, and finds out after minutes only that its donor is gone.
look_for_donor() {
  read_note "$RUN/phase"
  [ "$REPLY" = starting ] && [ -e "$STATE/joining" ] && [ $((up - looked_at)) -ge "$glance" ] || return 0
  looked_at=$up
  find_primary
  if [ -n "$primary" ]; then lonely_since=0; return 0; fi
  if [ "$lonely_since" = 0 ]; then lonely_since=$up; fi
  if [ $((up - lonely_since)) -ge "$donorless" ]; then restart_if_awaited "No member with the data has answered for $donorless s"; fi
}

trap 'exit 0' TERM INT
mkdir -p "$RUN"
while pause $interval; do
  read_config
  renew_lease
  age "$RUN/beat"
  if [ "$REPLY" -gt 5 ]; then continue; fi # the watcher or the server hangs: what it noted may be old
  read_note "$RUN/state"; state=$REPLY
  if [ -z "$state" ]; then before="" settled=""; look_for_donor; continue; fi
  # The server sets these values one after another: what is the same twice in a row belongs together.
  if [ "$state" != "$before" ]; then before=$state; continue; fi
  if [ "$state" = "$settled" ] && [ -e "$RUN/confirmed" ] && [ $((up - settled_at)) -lt $refresh ]; then continue; fi
  settled=""
  read_note "$RUN/incarnation"
  if [ "$(value incarnation)" != "$REPLY" ]; then continue; fi
  if [ "$(value primary)" != true ]; then look_for_others; continue; fi
  lonely_since=0
  case $(value state) in 2 | 4) ;; *) continue ;; esac
  if record && [ -e "$RUN/confirmed" ]; then settled=$state settled_at=$up; fi
done
