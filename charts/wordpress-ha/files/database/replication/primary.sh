# shellcheck shell=bash disable=SC2034,SC2154,SC2016,SC2153 # its results are read by the scripts that source it
# What the primary does, to be sourced by elector.sh.

stuck=30 # seconds that writes may wait while no replica is connected and one needs a clone: longer than a pod with its data takes to be back
stuck_since=""
look_patience=10 # seconds that a primary that is to hand over looks for a replica that can; it takes writes meanwhile
looking_since=""
absent=3 # seconds without a connection after which a replica no longer counts
respite=3000 # milliseconds after its last renewal that a primary that is not at work gets to go on; everybody waits for that
served="" server_acknowledge="" raise_from="" gates="" regate="" waited=0
declare -A absent_since=()
leaving="" leaving_from="" leaving_since=0

# prepare_claim REPLICAS TERM: all that a claim to the next term needs and that can be made before somebody waits for it. The right to
# take writes counts from before the lease was asked for.
claim_lease=""
prepare_claim() {
  local operations replicas
  drop_claim
  claim_term=$(($2 + 1))
  note "$STATE/term" "$claim_term" 2>/dev/null || no_writes "It is no place for a primary." || return 1
  milliseconds; claim_since=$REPLY
  etcd_lease "$LEASE_SECONDS" || { say "etcd gives no lease: $etcd_error"; return 1; }
  claim_lease=$etcd_reply
  claim_acknowledge=$(view_field acknowledge); claim_acknowledge=${claim_acknowledge:-$(wanted_acknowledge)}
  replicas=$(jq -Rnc '[inputs | select(. != "")] | unique' <<<"$1")
  claim_replicas=$(jq length <<<"$replicas")
  claim_view=$(jq -nc --argjson term "$claim_term" --arg me "$POD_NAME" --argjson replicas "$replicas" --argjson acknowledge "$claim_acknowledge" '{term: $term, primary: $me, replicas: $replicas, acknowledge: $acknowledge}')
  operations=$(put_operation "${prefix}primary" "$(primary_named "$claim_term")" "$claim_lease")
  operations+=$(put_operation "${prefix}view" "$claim_view")$(delete_operation "${prefix}report/$POD_NAME")$(delete_operation "${prefix}handover")
  if [ -z "$(fact cluster)" ]; then operations+=$(put_operation "${prefix}cluster" "$(database_named "$own_cluster")"); fi
  if [ -n "$(fact override)" ]; then
    operations+=$(delete_operation "${prefix}override")
    operations+=$(put_operation "${prefix}audit/$(date -u +%FT%TZ)" "$(jq -nc --argjson override "$(fact override)" --argjson facts "$facts" '{override: $override, skipped: $facts}')")
  fi
  claim_operations=$operations
  claim_conditions=$(unchanged cluster view primary override)
}

# drop_claim: what was prepared is not used any more.
drop_claim() {
  [ -z "$claim_lease" ] || etcd_revoke "$claim_lease" || true
  claim_lease=""
}

# claim [CONDITIONS]: the transaction that makes this member, and no other, primary of the next term, if what the claim was prepared
# from still holds; then the server takes writes.
claim() {
  etcd_transaction "$claim_conditions${1-}" "$claim_operations" || { say "etcd did not confirm the claim: $etcd_error"; drop_claim; return 1; }
  if [ "$etcd_reply" != true ]; then say "The facts have changed while this member decided; looking again."; drop_claim; return 1; fi
  event "promoted $claim_term"
  note "$RUN/view" "$claim_view"
  printf '%-15s\n' $((claim_since + GRACE)) >"$RUN/deadline"
  note "$RUN/lease" "$claim_lease $claim_term $incarnation"
  lease=$claim_lease term=$claim_term served=$incarnation gates="" regate=yes server_acknowledge=$claim_acknowledge claim_lease=""
  raise_from="" leaving="" looking_since="" waited=0 absent_since=()
  rm -f "$RUN"/{electing,following,lost,unhealthy,handing-over,handed-over,alone}
  set_role "primary $term"
  report_lease="" made_ready="" following="" stopped=""
  alone=yes
  if ! become_primary "$claim_acknowledge"; then
    fence "The server does not become primary"
    resign
    return 0
  fi
  open_for_writes "$claim_replicas" "$claim_acknowledge"
  forget_source
  sync -d "$STATE/term"
}

# open_for_writes REPLICAS ACKNOWLEDGE: only when so many can acknowledge a write; it would wait for ever else, and a session that
# waits keeps a backup from beginning, so that there would never be a replica.
alone=""
open_for_writes() {
  local until
  [ -n "$alone" ] || return 0
  if [ "$1" -lt "$2" ]; then
    if [ ! -e "$RUN/alone" ]; then
      note "$RUN/alone" "no replica is in sync"
      log "Primary of term $term: read-only until $2 replica(s) can acknowledge writes."
    fi
    return 0
  fi
  read_note "$RUN/deadline"; until=${REPLY// /}
  milliseconds
  if [ $((${until:-0} - REPLY)) -lt 1000 ]; then say "Waiting for the lease to be renewed before writes are taken."; return 0; fi
  # From here on the watchdog kills the server when the right to take writes ends.
  touch "$RUN/writable"
  if ! allow_writes; then say "The server does not take writes yet."; return 0; fi
  alone=""
  event "writable $term"
  note "$RUN/health" "200 Primary of term $term."
  rm -f "$RUN/alone"
  log "Primary of term $term: taking writes."
}

# resume: this container was started again while its server ran on.
resume() {
  local kept_lease kept_term kept_incarnation
  read_note "$RUN/lease"; read -r kept_lease kept_term kept_incarnation <<<"$REPLY" || true
  read_note "$RUN/server"
  own_cluster=$(cat "$STATE/cluster" 2>/dev/null || true)
  if [ -n "${kept_incarnation-}" ] && [ "$kept_incarnation" = "$REPLY" ] && [ -e "$RUN/deadline" ]; then
    lease=$kept_lease term=$kept_term served=$REPLY incarnation=$REPLY prepared=yes alone=yes
    log "This container was started again; the server is still primary of term $term."
  else rm -f "$RUN/lease"; fi
}

# drop_lease: a lease that this pod still has, of a server that is gone.
drop_lease() {
  local old
  read_note "$RUN/lease"; read -r old _ <<<"$REPLY" || true
  [ -z "${old-}" ] || etcd_revoke "$old" || true
  rm -f "$RUN/lease"
}

# resign: gives the lease back, once the server is fenced or dead: nobody has to wait for its end.
resign() {
  local old=$lease
  rm -f "$RUN"/{lease,lost,unhealthy,handing-over,alone}
  lease="" term=0
  set_role "none 0"
  etcd_revoke "$old" || true
}

# step_down WHY: a primary that takes no writes yet has nothing to stop, and may be the donor of clones.
step_down() {
  log "No primary any more: $1. The server was read-only and goes on."
  sql "SET GLOBAL super_read_only = ON" 2>/dev/null || true
  rm -f "$RUN/deadline"
  resign
}

# leave: the pod ends; its server has ended before, as sidecars end last.
leave() {
  kill "$keeper" 2>/dev/null || true
  if [ -n "$lease" ] && ! server_runs; then resign; fi
  [ -z "$report_lease" ] || etcd_revoke "$report_lease" || true
}

primary_step() {
  local until named why spare=1000
  read_note "$RUN/server"
  if [ "$REPLY" != "$served" ]; then
    log "The server has ended: giving the lease back."
    resign
    return
  fi
  if [ -e "$RUN/unhealthy" ]; then spare=$((GRACE - respite)) delay=0.2; fi
  read_note "$RUN/deadline"; until=${REPLY// /}
  milliseconds
  if [ -n "$until" ] && [ $((until - REPLY)) -lt $spare ]; then
    read_note "$RUN/unhealthy"; why=${REPLY:-the lease could not be renewed, and too few replicas confirm this primary}
    if [ ! -e "$RUN/writable" ]; then step_down "$why"; return; fi
    if [ ! -e "$RUN/unhealthy" ]; then fence "$why"
    else
      log "FENCED: $why. The server is killed."
      kill_server "$why" || return 0
    fi
    resign
    return
  fi
  if [ -e "$RUN/handover" ] && [ ! -e "$RUN/handed-over" ]; then hand_over; return; fi
  if ! read_facts; then say "etcd gives no whole answer ($etcd_error). This primary goes on while its replicas confirm it."; return; fi
  primary=$(fact primary)
  if [ -z "$primary" ] || [ -e "$RUN/lost" ]; then reclaim; return; fi
  named="$(primary_field pod) $(primary_field by) $(primary_field term)"
  if [ "$named" != "$POD_NAME $POD_UID $term" ] || [ "$(view_field term)" != "$term" ]; then
    fence "etcd names $named as primary, and this is $POD_NAME of term $term"
    resign
    return
  fi
  read_note "$RUN/view"
  if [ "$REPLY" != "$(fact view)" ]; then note "$RUN/view" "$(fact view)"; fi
  # What was begun before this container was started again, or was called off without etcd.
  if [ -n "$(fact handover)" ] && etcd_transaction "$(unchanged handover primary)" "$(delete_operation "${prefix}handover")"; then log "An old handover is called off."; fi
  maintain_view
}

# reclaim: the lease is gone in etcd (it was too slow, or has lost its data), while this primary is in its right. If nobody has
# been elected since, it takes a new lease.
reclaim() {
  local sent view operations new_lease
  view=$(fact view)
  if [ -n "$(fact primary)" ] && [ "$(primary_field pod)$(primary_field by)" != "$POD_NAME$POD_UID" ] || { [ -n "$view" ] && [ "$(view_field term)" != "$term" ]; }; then
    fence "The lease has ended, and another primary was elected"
    resign
    return
  fi
  milliseconds; sent=$REPLY
  etcd_lease "$LEASE_SECONDS" || return 0
  new_lease=$etcd_reply
  operations=$(put_operation "${prefix}primary" "$(primary_named "$term")" "$new_lease")
  if [ -z "$view" ]; then
    log "etcd does not know this database: it has lost its data. Registering it again."
    read_note "$RUN/view"
    operations+=$(put_operation "${prefix}view" "$REPLY")$(put_operation "${prefix}cluster" "$(database_named "$own_cluster")")
  fi
  etcd_transaction "$(unchanged primary view cluster)" "$operations" || return 0
  if [ "$etcd_reply" != true ]; then return 0; fi
  log "Took a new lease: the old one had ended."
  note "$RUN/lease" "$new_lease $term $incarnation"
  rm -f "$RUN/lost"
  lease=$new_lease
}

# --- who acknowledges -----------------------------------------------------------------------------------------------

# change_view FILTER [jq arguments]: by transaction; status 0 when it is done.
change_view() {
  local changed; changed=$(view_with "$@")
  etcd_transaction "$(unchanged view primary)" "$(put_operation "${prefix}view" "$changed")" || { say "etcd did not take the view: $etcd_error"; return 1; }
  [ "$etcd_reply" = true ] || return 1
  note "$RUN/view" "$changed"
}

# copies SET POD...: how many of these have it, by what their agents say.
copies() {
  local set=$1 pod count=0; shift
  ask /state "$@"
  for pod; do
    [ -n "${answers[$pod]-}" ] || continue
    if contains "$(jq -r '[.executed, .retrieved] | map(select(. != "")) | join(",")' <<<"${answers[$pod]}")" "$set"; then count=$((count + 1)); fi
  done
  echo $count
}

maintain_view() {
  local replicas acknowledge wanted now pod there others state waiters clients
  replicas=$(view_replicas)
  acknowledge=$(view_field acknowledge) wanted=$(wanted_acknowledge)
  # shellcheck disable=SC2046 # one word a pod
  if [ "$replicas" != "$gates" ] || [ -n "$regate" ]; then
    set_gates $(grep -vx "${leaving:-nobody}" <<<"$replicas" || true) || return 0
    gates=$replicas regate=""
    log "Replicas that acknowledge writes: ${replicas//$'\n'/, }."
  fi
  if [ -n "$alone" ]; then
    open_for_writes "$(grep -c . <<<"$replicas")" "$acknowledge"
    if [ -n "$alone" ]; then delay=0.2; fi
  fi
  # Sessions wait, though enough replicas are connected: what they wait for was sent before these connected.
  read_note "$RUN/state"; state=$REPLY
  waiters=$(text_in "$state" waiters) clients=$(text_in "$state" clients)
  if [ "${waiters:-0}" -gt 0 ] && [ "${clients:-0}" -ge "$acknowledge" ]; then waited=$((waited + 1)); else waited=0; fi
  if [ $waited -ge 2 ]; then waited=0; pulse; fi
  # Sessions wait, nobody is there who could acknowledge, and a member needs a clone: no copy can be made while sessions wait. Killed,
  # the server has told nobody that these writes are done; started again, it is read-only until a replica is in sync.
  if [[ $facts == *'\"state\":\"empty\"'* ]] && [ "${waiters:-0}" -gt 0 ] && [ "${clients:-0}" -lt "$acknowledge" ]; then
    stuck_since=${stuck_since:-$up}
    if [ $((up - stuck_since)) -ge "$stuck" ]; then
      log "Writes wait, no replica is there that could acknowledge them, and a member needs a clone. Starting the server anew, read-only until one is in sync."
      stuck_since=""
      if kill_server "writes wait, and no replica is there"; then resign; fi
      return 0
    fi
  else stuck_since=""; fi
  if [ "$wanted" -lt "$acknowledge" ]; then
    # First the record, then the server: at no time is more promised than is kept.
    if change_view '.acknowledge = $n' --argjson n "$wanted"; then require_acknowledgements "$wanted" && server_acknowledge=$wanted; log "Writes wait for $wanted replicas from now on."; fi
    return 0
  fi
  if [ "$server_acknowledge" != "$acknowledge" ] && [ "$wanted" = "$acknowledge" ]; then require_acknowledgements "$wanted" && server_acknowledge=$wanted; fi
  if [ "$wanted" -gt "$acknowledge" ]; then raise "$wanted" "$replicas"; return 0; fi
  there=$(connected) || return 0
  for pod in $replicas; do
    others=$replicas
    # Those who are to do its work have to be there.
    if [ -n "$(fact "leaving/$pod")" ]; then others=$there
    else
      if [[ $'\n'$there$'\n' == *$'\n'$pod$'\n'* ]]; then unset "absent_since[$pod]"; continue; fi
      now=${absent_since[$pod]-}
      if [ -z "$now" ]; then absent_since[$pod]=$up; continue; fi
      if [ $((up - now)) -lt $absent ]; then continue; fi
    fi
    # As long as there are more than a write needs. The last one stays, connected or not: it may hold acknowledged writes.
    if [ "$(grep -cvx -e "$pod" -e '' <<<"$others")" -lt "$acknowledge" ]; then say "$(gone "$pod"). It stays in the view: nobody else is there to acknowledge writes."
    elif [ -z "$leaving" ]; then leaving=$pod leaving_from="" leaving_since=$up; fi
  done
  if [ -n "$leaving" ]; then let_go "$leaving" "$acknowledge" "$replicas"; fi
}

# gone POD: why a replica does not count any more.
gone() { if [ -n "$(fact "leaving/$1")" ]; then printf '%s is about to stop' "$1"; else printf '%s is not connected' "$1"; fi; }

# let_go POD ACKNOWLEDGE REPLICAS: takes a replica off the view. First it must be unable to acknowledge, and what it has
# acknowledged must be on enough others.
let_go() {
  local others
  others=$(grep -vx "$1" <<<"$3" || true)
  if [[ $'\n'$3$'\n' != *$'\n'$1$'\n'* ]] || [ "$(grep -c . <<<"$others")" -lt "$2" ]; then leaving="" regate=yes; return 0; fi
  if [ -z "$leaving_from" ]; then
    shut_out "$1" || return 0
    position || return 0
    leaving_from="=$executed"
  fi
  # shellcheck disable=SC2086 # one word a pod
  if [ "$2" -gt 0 ] && [ "$(copies "${leaving_from#=}" $others)" -lt "$2" ]; then
    say "$(gone "$1"). It stays in the view until the others have what it has."
    # It is let in again meanwhile: it may come back before they do.
    if [ $((up - leaving_since)) -ge 5 ]; then leaving="" regate=yes absent_since[$1]=$up; fi
    return 0
  fi
  if change_view '.replicas -= [$pod]' --arg pod "$1"; then
    log "$(gone "$1"): it acknowledges no writes until it has caught up again."
    leaving="" regate=yes
    unset "absent_since[$1]"
  fi
}

# raise WANTED REPLICAS: writes are to wait for more replicas than they did.
raise() {
  [ "$(grep -c . <<<"$2")" -ge "$1" ] || { say "Writes are to wait for $1 replicas; so many are not in sync yet."; return 0; }
  if [ "$server_acknowledge" != "$1" ]; then
    require_acknowledgements "$1" || return 0
    server_acknowledge=$1
    position || return 0
    raise_from="=$executed"
  fi
  if [ -z "$raise_from" ]; then position || return 0; raise_from="=$executed"; fi
  # shellcheck disable=SC2086 # one word a pod
  [ "$(copies "${raise_from#=}" $2)" -ge "$1" ] || return 0
  if change_view '.acknowledge = $n' --argjson n "$1"; then raise_from=""; log "Writes wait for $1 replicas from now on."; fi
}

# --- handing over ---------------------------------------------------------------------------------------------------

# hand_over: the pod is about to stop ($RUN/handover). Another one gets ready first; then this one stops writing, and says where
# it stopped; the other one takes over by a transaction that this one's withdrawal would make fail.
hand_over() {
  local target mine ready conditions answer i
  read_facts || { say "Handing over needs etcd ($etcd_error)."; return; }
  primary=$(fact primary)
  if [ "$(primary_field pod)$(primary_field by)" != "$POD_NAME$POD_UID" ]; then return; fi
  target=$(choose_target)
  if [ -z "$target" ]; then
    # A replica whose answer is late is not a replica that cannot.
    looking_since=${looking_since:-$up}
    if [ -n "$(view_replicas)" ] && [ $((up - looking_since)) -lt $look_patience ]; then
      say "No replica says that it can take over. Asking again."
      delay=0.3
      return
    fi
    fence "The pod is about to stop, and no replica can take over"
    resign
    note "$RUN/handed-over" nobody
    return
  fi
  log "Handing over to $target."
  mine=$(jq -nc --arg from "$POD_NAME" --arg to "$target" --arg by "$POD_UID" '{from: $from, to: $to, by: $by, state: "prepare", executed: ""}')
  etcd_transaction "$(unchanged primary view handover)" "$(put_operation "${prefix}handover" "$mine")" || return 0
  [ "$etcd_reply" = true ] || return 0
  if ! await_handover ready; then
    log "$target does not get ready. Looking for another one."
    etcd_delete "${prefix}handover" || true
    refused="$refused $target"
    return
  fi
  ready=$(jq -r .value <<<"$etcd_reply")
  conditions=$(compare_value "${prefix}handover" "$ready")$(unchanged primary)
  touch "$RUN/handing-over"
  note "$RUN/health" "404 Handing over to another member."
  # From here on nobody can write: every process that is started until the other one takes over is time that visitors wait.
  if ! executed=$(sql_patience=3 sql "SET lock_wait_timeout = 2; SET GLOBAL super_read_only = ON; SELECT REPLACE(@@GLOBAL.gtid_executed, '\n', '')" 2>/dev/null); then
    log "The server does not become read-only: writes wait for acknowledgements. Trying again."
    call_off
    return
  fi
  event "fenced"
  ready=${ready/'"state":"ready"'/'"state":"go"'}
  if ! etcd_transaction "$conditions" "$(put_operation "${prefix}handover" "${ready/'"executed":""'/"\"executed\":\"$executed\""}")" || [ "$etcd_reply" != true ]; then call_off; return; fi
  close_clients
  for ((i = 0; i < 80; i++)); do
    if etcd_get "${prefix}primary" && answer=$(jq -r '.value // empty' <<<"$etcd_reply") && [ -n "$answer" ] && [ "$(jq -r .pod <<<"$answer")" != "$POD_NAME" ]; then
      log "Handed over to $(jq -r .pod <<<"$answer")."
      rm -f "$RUN"/{writable,deadline}
      resign
      note "$RUN/handed-over" "$target"
      become_replica || true
      delay=0.1
      return
    fi
    await_news 0.1
  done
  call_off
}

refused=""
# choose_target: a replica of the view that receives from this primary and stays; the first one, as an update ends with it.
choose_target() {
  local candidates; candidates=$(view_replicas)
  # shellcheck disable=SC2086 # one word a pod
  ask /state $candidates
  for pod in "${!answers[@]}"; do
    if [[ " $refused " == *" $pod "* ]]; then continue; fi
    jq -r --arg me "$POD_NAME" --arg n "$(ordinal "$pod")" --argjson size "$REPLICAS" \
      'select(.role == "replica" and .source == $me and .receiving and .synced and (.draining | not) and .behind <= 5) | "\(if ($n | tonumber) < $size then 0 else 1 end) \($n) \(.pod)"' <<<"${answers[$pod]}"
  done | sort -n -k1,1 -k2,2 | head -n 1 | cut -d' ' -f3
}

# await_handover STATE: etcd_reply is the handover then.
await_handover() {
  local i
  for ((i = 0; i < 50; i++)); do
    if etcd_get "${prefix}handover" && [[ $etcd_reply == *"\\\"state\\\":\\\"$1\\\""* ]]; then return 0; fi
    await_news 0.1
  done
  return 1
}

# call_off: this member stays primary, if nobody has taken over meanwhile: the transaction tells.
call_off() {
  rm -f "$RUN/handing-over"
  if read_facts && [ "$(jq -r '.pod + .by' <<<"$(fact primary)" 2>/dev/null)" = "$POD_NAME$POD_UID" ] &&
    etcd_transaction "$(unchanged primary handover)" "$(delete_operation "${prefix}handover")" && [ "$etcd_reply" = true ]; then
    sql "SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF" 2>/dev/null || true
    log "The handover is called off; this member stays primary."
  fi
}
