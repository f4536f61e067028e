#!/usr/bin/env bash
# Decides, with the others and by etcd, what this member of a replicated database is: primary, replica, or waiting. The rules:
#
#   1. A decision needs a whole answer from etcd. Without one everything stays as it is; a primary goes on while its replicas
#      confirm it (keeper.sh), and nobody is promoted.
#   2. The primary is whoever holds the lease. When it ends, the server has been read-only or dead for a while (start.sh).
#   3. A write is acknowledged only when so many replicas have it on their disks, and only replicas that etcd lists can
#      acknowledge one. So who may hold an acknowledged write is known, and is waited for (election.sh).
#   4. Members that elect do not receive. An old primary that runs on somewhere gets no acknowledgement from them.
#   5. Data that the primary lacks is never thrown away unseen: it is kept aside, reported, and then a clone takes its place.
#   6. A database that is known to exist is never founded again by empty volumes.
#
# Every transaction repeats, as conditions, the facts that the decision was made from.
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
# shellcheck source=election.sh
. "$here/election.sh"
# shellcheck source=volume.sh
. "$here/volume.sh"
# shellcheck source=primary.sh
. "$here/primary.sh"

: "${POD_NAME:?}" "${POD_UID:?}" "${TMP:=/tmp}"
lease="" term=0        # as primary
incarnation="" prepared="" following="" following_since=0 stopped="" different_since=0 made_ready=""
own_cluster="" own_state=empty

# view_with FILTER [jq arguments]: the view, changed.
view_with() { local filter=$1; shift; jq -c "$@" "$filter" <<<"$(fact view)"; }
in_view() { [ "$(view_field term)" = "$1" ] && [[ $'\n'$(view_replicas)$'\n' == *$'\n'$POD_NAME$'\n'* ]]; }

set_role() { note "$RUN/role" "$1"; if [[ $1 == primary* ]]; then note "$RUN/primary" "$POD_NAME ${1#primary }"; fi; }

# --- a server that is not primary -----------------------------------------------------------------------------------

member_step() {
  read_note "$RUN/server"
  if [ "$REPLY" != "$incarnation" ]; then
    incarnation=$REPLY prepared="" following="" stopped="" different_since=0
    rm -f "$RUN/following"
    set_role "none 0"
  fi
  if ! server_answers; then say "Waiting for the server to answer."; return; fi
  if [ -z "$prepared" ]; then
    prepare_server || { say "The server cannot be prepared yet."; return; }
    prepared=yes
  fi
  primary=$(fact primary)
  if [ -z "$primary" ]; then elect; return; fi
  if [ "$(primary_field pod)" = "$POD_NAME" ]; then
    # Of a server of this member that is gone, or of another pod of this name. The lease ends within seconds.
    say "Waiting: etcd still names this member's former server as primary."
    drop_lease
    return
  fi
  follow
}

# A new copy has to be told which transactions it contains; what it knows of its donor's source is of no use here.
prepare_server() {
  local gtids
  if [ -e "$DATADIR/clone_position" ]; then
    gtids=$(<"$DATADIR/clone_position")
    if ! contains "$(sql 'SELECT REPLACE(@@GLOBAL.gtid_executed, "\n", "")')" "$gtids" || has_channel; then
      sql "STOP REPLICA; RESET REPLICA ALL; RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '$gtids'" 2>/dev/null || return 1
    fi
    rm -f "$DATADIR/clone_position"
    log "The copy contains the transactions ${gtids:-of the first state}."
  fi
}

# follow: there is a primary elsewhere.
follow() {
  local pod its_term synced=no wanted state
  pod=$(primary_field pod) its_term=$(primary_field term)
  withdraw || { say "etcd did not take this member's report back: $etcd_error"; return; }
  if [ "$its_term" = 0 ]; then say "Waiting: $pod makes the data directory of a new database."; return; fi
  note "$RUN/primary" "$pod $its_term"
  if [ -n "$(fact handover)" ]; then
    delay=0.1
    if [ "$(text_in "$(fact handover)" to)" = "$POD_NAME" ]; then take_over "$pod"; return; fi
  elif [ -n "$made_ready" ]; then made_ready=""; drop_claim; become_replica || true; fi
  if in_view "$its_term"; then synced=yes; fi
  if [ -e "$RUN/leaving" ]; then
    if [ $synced = no ]; then touch "$RUN/may-leave"; say "About to stop: nothing waits for this member."; return; fi
    ask_to_leave
  elif [ -n "$(fact "leaving/$POD_NAME")" ]; then etcd_delete "${prefix}leaving/$POD_NAME" || return 0; fi # of a pod that has ended
  wanted="$pod $its_term $synced"
  if [ "$wanted" != "$following" ]; then
    # Whom the view of this term lists has nothing that the primary lacks. Of all others it has to be shown.
    if [ $synced = no ] && ! nothing_of_its_own "$pod" "$its_term"; then return; fi
    keep_note term "$its_term" || return 0
    if ! receive "$pod" $synced; then say "The server did not take $pod as its source."; delay=0.2; return; fi
    following=$wanted following_since=$up stopped=""
    set_role "replica $its_term $pod"
    note "$RUN/following" "$pod:$its_term"
    delay=0.2
    if [ $synced = yes ]; then log "In sync: acknowledging writes of $pod (term $its_term)."; else log "Following $pod (term $its_term)."; fi
    return
  fi
  read_note "$RUN/state"; state=$REPLY
  case $(text_in "$state" io_error) in
    13114 | 1236) # the primary has not got what this member needs, or this member has too much
      if nothing_of_its_own "$pod" "$its_term"; then
        log "The primary's binary logs do not reach back to what this member has: cloning anew."
        clone_anew
      fi
      return ;;
  esac
  if [ "$(text_in "$state" applier)" = OFF ] && [ $((up - following_since)) -gt 5 ]; then
    log "The applier stands still (error $(text_in "$state" applier_error)). Fetching what it has not applied again."
    sql "STOP REPLICA; RESET REPLICA ALL" 2>/dev/null || true
    following=""
    return
  fi
  if [ $synced = no ]; then join "$pod" "$its_term"; else say "In sync with $pod (term $its_term)."; fi
}

# ask_to_leave: the primary takes this member off the view, if others can acknowledge instead.
ask_to_leave() {
  if [ -n "$(fact "leaving/$POD_NAME")" ] || ! etcd_lease "$LEAVE_SECONDS"; then return 0; fi
  if etcd_put "${prefix}leaving/$POD_NAME" "{\"by\":\"$POD_UID\"}" "$etcd_reply"; then log "About to stop: asking the primary to do without this member."; fi
}

# their_position POD TERM: sets theirs to what the primary of this term has executed, as its agent says.
their_position() {
  ask /state "$1"
  theirs=$(jq -r --argjson term "$2" 'select(.role == "primary" and .term == $term) | "=" + .executed' <<<"${answers[$1]-null}" 2>/dev/null || true)
  [ -n "$theirs" ] || return 1
  theirs=${theirs#=}
}

# nothing_of_its_own POD TERM: whether the primary has all that this member has. If it has not, for longer than its agent's
# notes can be old, these transactions are not part of the history.
nothing_of_its_own() {
  local own
  stop_receiving || return 1
  following=""
  if ! their_position "$1" "$2"; then say "Waiting for $1 to say, as primary of term $2, what it has."; return 1; fi
  position || return 1
  if contains "$theirs" "$received"; then different_since=0; return 0; fi
  if [ "$different_since" = 0 ]; then different_since=$up; fi
  own=$(lacks "$theirs" "$received") || return 1
  say "This member has transactions that $1 has not: $own."
  if [ $((up - different_since)) -lt "${SETTLE:-8}" ] || [ -z "$own" ]; then return 1; fi
  keep_aside "$own" && clone_anew
  different_since=0
  return 1
}

# join: enters this member in the view when it has everything that the primary had a moment ago.
join() {
  local changed
  their_position "$1" "$2" || return 0
  position || return 0
  if ! contains "$received" "$theirs"; then
    say "Catching up with $1."
    if [ $((up - following_since)) -lt 10 ]; then delay=0.2; fi
    return
  fi
  keep_received || { say "What was received is not on the disk yet."; return; }
  # shellcheck disable=SC2016 # jq's variable
  changed=$(view_with '.replicas = (.replicas + [$me] | unique)' --arg me "$POD_NAME")
  etcd_transaction "$(unchanged view primary)" "$(put_operation "${prefix}view" "$changed")" || { say "etcd did not take the view: $etcd_error"; return; }
  if [ "$etcd_reply" = true ]; then log "Caught up: entered as a replica that acknowledges writes."; fi
  delay=0.1
}

# --- no primary -----------------------------------------------------------------------------------------------------

elect() {
  local override by companions conditions
  delay=0.3
  if [ ! -e "$RUN/electing" ]; then touch "$RUN/electing"; log "There is no primary."; fi
  read_note "$RUN/promised"; by=${REPLY// /}
  milliseconds
  # Until then this member goes on as it is: that primary may be named again.
  if [ -n "$by" ] && [ "$REPLY" -lt $((by + GRACE + 500)) ]; then say "Waiting: this member has confirmed a primary some seconds ago."; return; fi
  if [ "$stopped" != "$incarnation" ]; then
    rm -f "$RUN/following"
    set_role "none 0"
    stop_receiving || { say "The server does not stop receiving."; return; }
    keep_received || { say "What was received is not on the disk yet."; return; }
    if has_channel; then sql "START REPLICA SQL_THREAD" 2>/dev/null || true; fi
    stopped=$incarnation following=""
  fi
  position || { say "The server does not tell its position."; return; }
  report data "$received" || { say "Waiting: $etcd_error."; return; }
  if [ -z "$(fact "report/$POD_NAME")" ]; then # the picture is from before this report
    read_facts || return 0
    if [ -n "$(fact primary)" ]; then return; fi
  fi
  look_at_reports
  override=$(text_in "$(fact override)" pod)
  if [ "$override" = "$POD_NAME" ]; then
    log "OVERRIDE by $(text_in "$(fact override)" by): becoming primary with what is on this volume."
  elif [ "$(decided enough)" != true ]; then
    say "Waiting: no primary, and what is missing may hold an acknowledged write alone. Reported: $(decided text). Waiting for the last primary ($(decided primary)) or for more of its replicas; missing: $(decided 'missing | join(", ")'). If they will not come back, decide: kubectl -n $NAMESPACE exec $POD_NAME -c elector -- bash /scripts/override.sh POD YOUR-NAME"
    return
  else
    choose || return 0
    if [ -z "$chosen" ]; then
      say "Waiting: no member has everything that the others have. Reported: $(decided text). Nobody but a person can tell whose transactions count: kubectl -n $NAMESPACE exec $POD_NAME -c elector -- bash /scripts/override.sh POD YOUR-NAME"
      return
    fi
    if [ "$chosen" != "$POD_NAME" ]; then say "Waiting for $chosen, which has everything, to become primary. Reported: $(decided text)."; return; fi
  fi
  if ! contains "$executed" "$received"; then say "Chosen as primary. Applying what was received first."; return; fi
  companions=$(with_exactly_mine) || return 0
  # shellcheck disable=SC2086 # one word a pod
  prepare_gates $companions || { say "The accounts of the members cannot be set."; return; }
  # shellcheck disable=SC2046 # one word a pod
  conditions=$(unchanged $(jq -r '"report/" + (.data[].pod)' <<<"$decision"))
  { prepare_claim "$companions" "$(jq .term <<<"$decision")" && claim "$conditions"; } || become_replica || true
}

# take_over FROM: a planned change of the primary, seen by the one that is to take over.
take_over() {
  local handover revision; handover=$(fact handover)
  case $(text_in "$handover" state) in
    prepare)
      prepare_to_take_over "$1" || return 0
      etcd_transaction "$(unchanged handover primary view)" "$(put_operation "${prefix}handover" "$(jq -c '.state = "ready"' <<<"$handover")")" || return 0
      [ "$etcd_reply" = true ] || return 0
      log "Ready to take over from $1."
      # The next word comes within moments, and nobody can write until this member has read it.
      if await_handover go; then
        { read -r revision; read -r handover; } < <(jq -r '.revision, .value' <<<"$etcd_reply")
        conclude_handover "$1" "$handover" "$revision"
      fi ;;
    go)
      if [ -z "$claim_lease" ]; then prepare_to_take_over "$1" || return 0; fi
      conclude_handover "$1" "$handover" "$(revision handover)" ;;
    *) say "Waiting for $1 to hand over." ;;
  esac
}

prepare_to_take_over() { # FROM
  local companions
  companions=$({ view_replicas | grep -vx "$POD_NAME"; echo "$1"; } | sort -u)
  made_ready=yes
  # shellcheck disable=SC2086 # one word a pod
  prepare_gates $companions && prepare_claim "$companions" "$(view_field term)"
}

conclude_handover() { # FROM HANDOVER REVISION
  local last
  last=${2#*'"executed":"'} last=${last%%'"'*}
  if [ "$(sql "SELECT GTID_SUBSET('$last', @@GLOBAL.gtid_executed)" 2>/dev/null)" != 1 ]; then say "Applying what $1 wrote last."; return; fi
  claim "$(compare_revision "${prefix}handover" "$3")" || true
}

trap '' PIPE # a client that has gone is seen by its missing answer
trap 'leave; exit 0' TERM INT
mkdir -p "$RUN" "$STATE" "$DROPPED" "$TMP"
write_credentials elector root root-password socket="$SOCKET"
resume
bash "$here/keeper.sh" &
keeper=$!

while true; do
  if ! kill -0 $keeper 2>/dev/null; then log "The keeper of the lease has ended."; exit 1; fi
  stamp "$RUN/elector" # sets up, too
  read_config
  open_session
  # A primary has no time for an etcd member that is slow; all others have.
  delay=1 etcd_timeout=3
  if [ -n "$lease" ]; then etcd_timeout=1.5; primary_step
  elif ! read_facts; then say "etcd gives no whole answer ($etcd_error). Nothing is decided without one; everything stays as it is."
  elif server_runs; then member_step
  else volume_step; fi
  await_news "$delay"
done
