#!/usr/bin/env bash
# Starts a Galera member: finds out what is on its volume, and decides with the others, by etcd, whether it joins a
# running cluster or starts one. The rules:
#
#   1. A decision needs a whole answer from etcd. Without one the member waits, for as long as it takes.
#   2. Where a Primary component runs, a member joins it: with an empty volume, or with data of the same cluster that is
#      not newer. Data of another cluster is refused, never overwritten.
#   3. Where none runs, the cluster is started by the most advanced member, and only when every member of the last
#      recorded view has reported what is on its volume. One of them may have lost its volume; more need a person.
#   4. A cluster that is known to exist (its UUID is in etcd) is never founded again by an empty volume.
#   5. A volume that was left out when the cluster was started from standstill, and holds transactions from beyond that
#      point, has another history: it does not come back by itself, also when the cluster's numbers have passed its own.
#   6. Galera's own memory of its last view (gvwstate.dat, pc.recovery) is off: it would decide without these rules.
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

: "${POD_NAME:?}" "${POD_UID:?}" "${MEMORY_LIMIT:?}"
: "${ENTRYPOINT:=/entrypoint.sh}" "${SETTINGS:=/etc/mysql}"
: "${STOP_SECONDS:=30}" # that a server which serves nobody has to stop
: "${SEED:=/seed}" # the image's own /etc/mysql, which an empty directory covers
facts="{}" lease="" said="" said_at=0 killer=""
zero=00000000-0000-0000-0000-000000000000

# say TEXT: at once when it is news, else every NOTICE seconds.
say() {
  if [ "$1" = "$said" ] && [ $((SECONDS - said_at)) -lt "$NOTICE" ]; then return; fi
  said=$1 said_at=$SECONDS
  log "$1"
}

# --- what is on this volume -----------------------------------------------------------------------------------------

# Sets own_state (empty, initialized, data, incomplete, unknown), own_uuid and own_seqno.
# "complete" is written into the data directory when the member is synced; a state transfer sweeps it away before it
# brings new files. Without it the files are the rest of a transfer that broke. A transfer may also have broken while it
# swept: a joiner in whose directory the transfer's own mark stands is not trusted. (A donor's may have that mark, too.)
# Only "joining", with the UUID of the cluster that was joined, proves that they are a copy: else their origin is unknown.
find_position() {
  local recovered log_file files
  own_state=empty own_uuid=$zero own_seqno=-1
  own_epoch=$(grep -xE '[0-9]+' "$STATE/epoch" 2>/dev/null || echo null)
  files=$(ls -A "$DATADIR") # a volume that cannot be read ends the script: it is not an empty one
  if [ -z "$files" ]; then return; fi
  if [ -e "$STATE/initializing" ]; then
    own_state=initialized
    own_uuid=$(grastate uuid)
    return
  fi
  if [ -e "$STATE/joining" ] && [ -e "$DATADIR/sst_in_progress" ]; then rm -f "$DATADIR/complete"; fi
  rm -f "$DATADIR/sst_in_progress"
  if [ ! -e "$DATADIR/complete" ]; then
    own_state=incomplete own_uuid=$(cat "$STATE/joining" 2>/dev/null || true)
    if ! is_uuid "$own_uuid"; then own_state=unknown own_uuid=$(grastate uuid); fi
    return
  fi
  own_state=data own_uuid=$(grastate uuid) own_seqno=$(grastate seqno)
  if is_uuid "$own_uuid" && [[ $own_seqno =~ ^[0-9]+$ ]]; then return; fi
  log "The server did not shut down in order. Asking it for its position (mysqld --wsrep_recover)."
  log_file=$(mktemp)
  # The position is a note in the log, which `database.config` may have turned off.
  if ! mysqld --wsrep_recover --log-error-verbosity=3 --log-error="$log_file" >/dev/null 2>&1; then
    tail -n 20 "$log_file" >&2
    log "The server cannot tell its position; the end of its log is above. Nothing is decided without it."
    exit 1
  fi
  recovered=$(grep -oE 'Recovered position:? *[0-9a-f-]{36}:-?[0-9]+' "$log_file" | tail -n 1 | grep -oE '[0-9a-f-]{36}:-?[0-9]+$' || true)
  rm -f "$log_file"
  own_uuid=${recovered%%:*} own_seqno=${recovered#*:}
  if ! is_uuid "$own_uuid" || ! [[ $own_seqno =~ ^[0-9]+$ ]]; then log "The server named no position ($recovered). Nothing is decided without it."; exit 1; fi
}

is_uuid() { [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]] && [ "$1" != "$zero" ]; }

grastate() { sed -n "s/^$1: *\([^ ]*\).*/\1/p" "$DATADIR/grastate.dat" 2>/dev/null | head -n 1 || true; }

# Left-overs that make the next start or transfer fail, and the version note that makes the entrypoint call a program
# that 8.4 has not.
sweep() {
  rm -rf "${DATADIR:?}/sst-xb-tmpdir"
  rm -f "$DATADIR/version_info" "$DATADIR/gvwstate.dat"
}

# --- reporting ------------------------------------------------------------------------------------------------------

# report: keeps this member's entry below waiting/ alive; a new lease when the old one is lost.
# An entry under this name by another pod is left alone until its lease ends: a pod that was deleted by force may still
# run somewhere, with another volume, and two members under one name would speak for one another.
report() {
  local mine claimer other
  printf -v mine '{"by":"%s","state":"%s","uuid":"%s","seqno":%s,"epoch":%s}' "$POD_UID" "$own_state" "$own_uuid" "$own_seqno" "$own_epoch"
  claimer=$(fact bootstrap)
  if [ "$(text_in "$claimer" pod)" != "$POD_NAME" ]; then claimer=""; fi
  for other in "$(text_in "$(fact "waiting/$POD_NAME")" by)" "$(text_in "$claimer" by)"; do
    if [ -z "$other" ] || [ "$other" = "$POD_UID" ]; then continue; fi
    etcd_error="another pod called $POD_NAME (UID $other) is at work, or was some seconds ago"; return 1
  done
  if [ -n "$lease" ]; then
    etcd_keepalive "$lease" || return
    if [ "$etcd_reply" = 0 ]; then log "The lease on this member's report ran out; reporting anew."; lease=""; fi
  fi
  if [ -z "$lease" ]; then
    etcd_lease "$LEASE_SECONDS" || return
    lease=$etcd_reply
    note "$RUN/lease" "$lease"
  fi
  if [ "$(fact "waiting/$POD_NAME")" != "$mine" ]; then etcd_put "${prefix}waiting/$POD_NAME" "$mine" "$lease" || return; fi
}

# withdraw: the server is about to run, so what was reported will no longer be true.
withdraw() {
  [ -z "$lease" ] || etcd_revoke "$lease" || true # it also ends by itself
  rm -f "$RUN/lease"
}

# --- the others -----------------------------------------------------------------------------------------------------

# The addresses of the others that have one now; Galera refuses a name that does not resolve.
peers() {
  local name addresses=""
  for name in $(all_members); do
    [ "$name" != "$POD_NAME" ] || continue
    if getent hosts "$name.$DOMAIN" >/dev/null 2>&1; then addresses+="${addresses:+,}$name.$DOMAIN"; fi
  done
  printf '%s' "$addresses"
}

# --- decisions ------------------------------------------------------------------------------------------------------

# decide: looks at facts and primary; sets decision to wait, join, bootstrap or found, and why to the reason.
# basis becomes the list of facts' keys whose revisions the transaction repeats.
decide() {
  local uuid; uuid=$(fact uuid)
  decision=wait why="" basis="uuid view epoch bootstrap override" claimed="[]"
  if [ "$own_state" = unknown ]; then
    why="REFUSED: the files on this volume (cluster ${own_uuid:-not named}) were not brought here by this release. They are not touched. Move them away, then delete this pod; or, if they are the whole data of this release's cluster ${uuid:-}, make the empty file $DATADIR/complete."
    return
  fi
  if [ -n "$uuid" ] && [[ $own_state =~ ^(data|incomplete)$ ]] && [ "$own_uuid" != "$uuid" ]; then
    why="REFUSED: the data on this volume belongs to the cluster $own_uuid, but this release's cluster is $uuid. It is not touched. Move it away (or point the release at its own etcd), then delete this pod."
    return
  fi
  if [ "$own_state" = data ] && is_diverged; then
    why="REFUSED: this volume holds transactions up to $own_seqno of the cluster's epoch $own_epoch, but a later epoch was started without some of them. It is not touched, as joining would mix two histories. Save the volume, then empty it: a copy of the running cluster comes onto it."
    return
  fi
  if [ -n "$primary" ]; then decide_join "$uuid"; return; fi
  if [ -n "$(fact bootstrap)" ] && [ "$(text_in "$(fact bootstrap)" pod)" != "$POD_NAME" ]; then
    why="Waiting for $(text_in "$(fact bootstrap)" pod), which is starting the cluster."; return
  fi
  if [[ $(fact override) == *"\"pod\":\"$POD_NAME\""* ]]; then decide_override; return; fi
  decide_bootstrap "$uuid"
}

# In jq: whether a report is of a volume that goes beyond the point where a later epoch began.
# shellcheck disable=SC2016 # its variables are jq's
diverged='def diverged($facts): . as $it | .epoch != null and any($facts | to_entries[] | select(.key | startswith("start/"));
  (.key[6:] | tonumber) > $it.epoch and (.value.value | tonumber) < $it.seqno);'

is_diverged() { jq -e --argjson seqno "$own_seqno" --argjson epoch "$own_epoch" "$diverged"' . as $facts | {$seqno, $epoch} | diverged($facts)' <<<"$facts" >/dev/null; }

decide_join() { # UUID
  local pod uuid committed
  read -r pod uuid committed < <(jq -r '"\(.pod) \(.uuid) \(.committed | tonumber)"' <<<"$primary") || { why="A member that runs does not say how far it is. Waiting until it does."; return; }
  if [ -z "$1" ]; then
    why="$pod runs in the Primary component $uuid, but etcd does not know it yet. Waiting until it is registered."
  elif [ "$uuid" != "$1" ]; then
    why="$pod says that it belongs to the cluster $uuid, but this release's cluster is $1. Waiting: somebody has to look at $pod."
  elif [ "$own_state" = data ] && [ "$own_seqno" -gt "$committed" ]; then
    why="REFUSED: this volume holds transactions up to $own_seqno, the running cluster ($pod) only up to $committed. Joining would destroy $((own_seqno - committed)) of them. Save the volume, then empty it, or wait until the cluster is ahead."
  else
    decision=join why="Joining the Primary component that $pod is in."
  fi
}

# decide_bootstrap UUID: rules 3 and 4.
decide_bootstrap() {
  local -A picture=()
  local name value
  # The members whose word is needed: the last view; all of them if none is recorded.
  while IFS='=' read -r name value; do picture[$name]=$value; done < <(jq -nr --argjson facts "$facts" --arg me "$POD_NAME" --arg uuid "$1" --arg all "$(all_members)" "$diverged"'
    ($facts.view.value // "null" | fromjson) as $view
    | ($facts | to_entries | map(select(.key | startswith("waiting/")) | {pod: .key[8:]} + (.value.value | fromjson))) as $waiting
    | ($view.members // ($all | split("\n"))) as $required
    | ($waiting | map(select(.state == "data" and (diverged($facts) | not)))) as $data
    | {
        served: ($view != null),
        required: $required,
        missing: ($required - ($waiting | map(.pod))),
        lost: ($waiting | map(.pod as $p | select(($required | index($p)) and ($data | all(.pod != $p))) | .pod)),
        incomplete: ($waiting | map(select(.state == "incomplete" or .state == "unknown") | .pod)),
        claimed: ($view.members // ($data | map(.pod)) | . + [$me] | unique | tojson),
        uuids: ($data | map(.uuid) | unique),
        initialized: ($waiting | map(select(.state == "initialized" and $uuid != "" and .uuid == $uuid) | .pod)),
        best: ($data | map(select($uuid == "" or .uuid == $uuid)) | sort_by(-.seqno, (.pod | length), .pod) | .[0].pod // null),
        first: ($waiting | map(.pod) | sort_by(length, .) | .[0]),
        reported: ($waiting | map("\(.pod): \(.state) \(.seqno)") | join(", "))
      } | to_entries[] | "\(.key)=\(.value | if type == "array" then join(" ") elif . == null then "" else . end)"')
  field() { printf '%s' "${picture[$1]-}"; }
  local missing lost best reported; missing=$(field missing) lost=$(field lost) best=$(field best) reported=$(field reported)
  claimed=$(field claimed)
  for name in $(field required); do basis+=" waiting/$name"; done
  local command="To decide without that, if it is lost for good: kubectl exec -n $NAMESPACE ${best:-$POD_NAME} -c mysql -- bash $here/override.sh ${best:-$POD_NAME} YOUR-NAME"

  if [ -n "$(field initialized)" ] && [ "$(field served)" = false ]; then
    # It registered the UUID, but never served: it alone may go on.
    if [ "$(field initialized)" = "$POD_NAME" ]; then decision=bootstrap claimed="[\"$POD_NAME\"]" why="This member has founded the cluster $1 and goes on."; basis="uuid view epoch bootstrap"; return; fi
    why="Waiting for $(field initialized), which has founded the cluster."; return
  fi
  if [ -n "$missing" ] && [ -z "$1" ] && [ -z "$(field uuids)" ] && [ -z "$(field incomplete)" ]; then
    # Nobody has seen any data so far. It would be lost if one of the silent members had some, and another founded a cluster.
    why="First start: waiting until all $REPLICAS members have said that their volumes are empty. Not yet: $missing."
    return
  fi
  if [ -n "$missing" ]; then
    why="No Primary component runs. Reported: $reported. Not reported: $missing. Who was in the last view may hold the newest data, so they are waited for. $command"
    return
  fi
  if [ "$(field uuids | wc -w)" -gt 1 ]; then
    why="No Primary component runs, and the volumes hold different clusters ($(field uuids)). Reported: $reported. Waiting: nobody but a person can tell which one is right. $command"
    return
  fi
  if [ -z "$best" ] && [ -z "$1" ] && [ -z "$(field incomplete)" ]; then
    if [ "$(field first)" = "$POD_NAME" ]; then decision=found why="All $REPLICAS members report an empty volume, and etcd knows no cluster: founding it here."
    else why="All members report an empty volume. Waiting for $(field first), which founds the cluster."; fi
    return
  fi
  if [ -z "$best" ]; then
    why="No volume holds a whole copy of the cluster ${1:-}. Reported: $reported. Waiting: an empty cluster is never started over a known one. $command"
    return
  fi
  # A cluster with a UUID and without a view has never taken a write: empty volumes have lost nothing.
  if [ "$(field served)" = false ] && [ -n "$1" ]; then lost=""; fi
  if [[ " $(field required) " != *" $best "* ]] && [ -z "$lost" ]; then
    why="No Primary component runs. Reported: $reported. The last view was $(field required), but $best, which was not in it, is more advanced. Waiting: nobody but a person can tell whose transactions count. $command"
    return
  fi
  if [ "$(wc -w <<<"$lost")" -gt 1 ] || [[ " $(field required) " != *" $best "* ]]; then
    why="No Primary component runs. Reported: $reported. Of the last view, $lost hold no data any more; the newest transactions may have been only there. $command"
    return
  fi
  if [ "$best" = "$POD_NAME" ]; then decision=bootstrap why="Every member of the last view has reported ($reported); this one is the most advanced: starting the cluster."
  else why="Every member of the last view has reported ($reported). Waiting for $best, the most advanced, to start the cluster."; fi
}

decide_override() {
  basis="uuid view epoch bootstrap override" claimed="[\"$POD_NAME\"]"
  case $own_state in
    data) decision=bootstrap why="OVERRIDE by $(fact override | jq -r .by): starting the cluster from this volume (position $own_seqno)." ;;
    empty) decision=found why="OVERRIDE by $(fact override | jq -r .by): founding a new, empty cluster on this volume; the old one's data is given up." ;;
    *) why="OVERRIDE refused: this volume holds neither a whole copy ($own_state) nor is it empty." ;;
  esac
}

claim_value() { printf '{"pod":"%s","by":"%s","epoch":%d}' "$POD_NAME" "$POD_UID" "$1"; }

# claim: the transaction that lets this member, and no other, start the cluster. Status 0: it may.
claim() {
  local conditions operations epoch me
  epoch=$(($(fact epoch | grep -oE '^[0-9]+' || echo 0) + 1))
  me=$(claim_value "$epoch")
  # shellcheck disable=SC2086 # a list of keys
  conditions=$(unchanged $basis)
  operations=$(put_operation "${prefix}bootstrap" "$me" "$lease")$(put_operation "${prefix}epoch" "$epoch")$(delete_operation "${prefix}waiting/$POD_NAME")
  operations+=$(put_operation "${prefix}start/$epoch" "$((own_seqno < 0 ? 0 : own_seqno))")
  # From here on these members are waited for, and servers of earlier epochs take no writes any more.
  if [ "$decision" = bootstrap ]; then operations+=$(put_operation "${prefix}view" "{\"epoch\":$epoch,\"conf\":0,\"members\":$claimed}"); fi
  if [ "$decision" = bootstrap ] && [ -z "$(fact uuid)" ]; then operations+=$(put_operation "${prefix}uuid" "$own_uuid"); fi
  if [ -n "$(fact override)" ]; then
    operations+=$(delete_operation "${prefix}override")
    operations+=$(put_operation "${prefix}audit/$(date -u +%FT%TZ)" "$(jq -nc --argjson override "$(fact override)" --argjson facts "$facts" '{override: $override, skipped: $facts}')")
    if [ "$decision" = found ]; then operations+=$(delete_operation "${prefix}uuid")$(delete_operation "${prefix}view"); fi
  fi
  etcd_transaction "$conditions" "$operations" || { say "etcd did not confirm the claim: $etcd_error"; return 1; }
  if [ "$etcd_reply" != true ]; then say "The facts have changed while this member decided; looking again."; return 1; fi
  note "$RUN/epoch" "$epoch"
  note "$STATE/epoch" "$epoch"; sync "$STATE"
}

# Founding: make the data directory in private, write the cluster's UUID into etcd, and only then serve. The mark
# "initializing" says that nobody has ever written to these files, so that they may be thrown away.
found() {
  local uuid
  touch "$STATE/initializing"; sync "$STATE"
  find "${DATADIR:?}" -mindepth 1 -delete
  bash "$here/initialize.sh"
  uuid=$(grastate uuid)
  if ! is_uuid "$uuid"; then log "The new data directory names no cluster. Starting over."; exit 1; fi
  log "The new data directory belongs to the cluster $uuid. Registering it."
  until etcd_transaction "$(compare_absent "${prefix}uuid")$(compare_value "${prefix}bootstrap" "$(claim_value "$(<"$RUN/epoch")")")" \
    "$(put_operation "${prefix}uuid" "$uuid")" && [ "$etcd_reply" = true ]; do
    if [ -n "$etcd_reply" ] && read_cluster; then
      [ "$(fact uuid)" != "$uuid" ] || break # an earlier attempt was carried out, though its answer was lost
      log "The claim to found the cluster was lost while the data directory was made. Starting over."
      exit 1
    fi
    log "etcd does not answer ($etcd_error); the cluster is served when its UUID is registered."
    sleep "$PAUSE"
  done
  touch "$DATADIR/complete"; sync "$DATADIR"
}

# --- the server -----------------------------------------------------------------------------------------------------

# The image's own settings are copied anew at every start, as its entrypoint edits them in place.
write_member_settings() {
  local ordinal=${POD_NAME##*-}
  cp "$SEED/node.cnf" "$SETTINGS/node.cnf"
  mkdir -p "$SETTINGS/conf.d"
  cat >"$SETTINGS/conf.d/member.cnf" <<C
[mysqld]
server_id=$((ordinal + 1))
# Without the pod's prefix: Galera cuts a member's name at 31 characters. See cluster.sh.
wsrep_node_name=mysql-$ordinal
# Half of the container's memory: the rest is for connections, the write-set cache and state transfers.
innodb_buffer_pool_size=$((MEMORY_LIMIT / 2))
C
}

serve() { # ADDRESSES
  write_member_settings
  note "$RUN/phase" starting
  watch_certificates
  free_socket "$SOCKET"
  log "Starting the server."
  CLUSTER_JOIN="$1" CLUSTER_NAME="$CLUSTER_NAME" PERCONA_TELEMETRY_DISABLE=1 "$ENTRYPOINT" mysqld &
  server=$!
  trap stop TERM INT
  while kill -0 "$server" 2>/dev/null; do wait "$server" || true; done # a signal ends the wait, not the server
  [ -z "$killer" ] || kill "$killer" 2>/dev/null || true
  wait "$server"
  exit
}

# stop: as kill -TERM, for as long as a member that serves needs. A server that does not serve has nothing to bring to an end, and may
# hang: without the others a state transfer never ends, and it cannot be interrupted.
stop() {
  log "Told to stop."
  kill -TERM "$server" 2>/dev/null || true
  read_note "$RUN/incarnation"; local incarnation=$REPLY
  read_note "$RUN/confirmed"
  if [ "$REPLY" != "$incarnation" ]; then (sleep "$STOP_SECONDS"; log "The server does not stop, and serves nobody: killing it."; kill -KILL "$server") & killer=$!; fi
}

trap 'withdraw; log "Told to stop while waiting."; exit 0' TERM INT
mkdir -p "$STATE" "$RUN"
rm -f "$RUN"/{confirmed,draining,restart,lease,epoch,progress}
note "$RUN/phase" "looking at the volume"
note "$RUN/incarnation" "$POD_NAME-$(date +%s%N)"
read_config
sweep
write_member_settings
find_position
log "This volume: $own_state${own_seqno:+, position $own_uuid:$own_seqno}."
note "$RUN/phase" waiting

while true; do
  touch "$RUN/phase" # for the liveness probe: this loop is alive
  read_config
  if read_cluster && report; then
    if [ "$own_state" = initialized ] && [ "$own_uuid" != "$(fact uuid)" ]; then
      log "The data directory was made here but was never registered, so nobody has written to it. Emptying it."
      find "${DATADIR:?}" -mindepth 1 -delete
      rm -f "$STATE/initializing"
      own_state=empty own_uuid=$zero own_seqno=-1
      continue
    fi
    find_primary
    decide
    say "$why"
    case $decision in
      join)
        addresses=$(peers)
        if [ -n "$addresses" ]; then
          note "$RUN/epoch" "$(fact epoch)"
          withdraw
          # From here until the member is confirmed (recorder.sh), a transfer may be replacing the files.
          note "$STATE/epoch" "$(fact epoch)"
          note "$STATE/joining" "$(fact uuid)"; rm -f "$STATE/initializing"; sync "$STATE"
          serve "$addresses"
        fi ;;
      found | bootstrap)
        if claim; then
          if [ "$decision" = found ]; then found; fi
          # On the disk before the first write: with the mark, a start after a power loss would throw the files away.
          rm -f "$STATE/initializing"; sync "$STATE"
          if [ -e "$DATADIR/grastate.dat" ]; then sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$DATADIR/grastate.dat"; fi
          if ! etcd_keepalive "$lease" || [ "$etcd_reply" = 0 ]; then
            log "The claim to start the cluster has run out or cannot be confirmed. Deciding again."
            exit 1
          fi
          serve ""
        fi ;;
    esac
  else
    say "Waiting: $etcd_error. Nothing is decided without a whole answer from etcd."
  fi
  sleep "$PAUSE"
done
