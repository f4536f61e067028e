#!/usr/bin/env bash
# Starts a Galera member: finds out what is on its volume, and decides with the others, by etcd, whether it joins a
# running cluster or starts one. The rules:
#
#   1. A decision needs a whole answer from etcd. Without one the member waits, for as long as it takes.
#   2. Where a Primary component runs, a member joins it: with an empty volume, or with data of the same cluster that is
#      not newer. Data of another cluster is refused, never overwritten.
#   3. Where none runs, the cluster is started by the most advanced member, and only when every member of the last
#      recorded view has reported what is on its volume. One of them may have lost its volume; more need a person.
#      Where etcd has lost that view, or is older than the data, all members have to report.
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
: "${STOP_SECONDS:=30}" # that a server which serves no client has to stop
: "${SEED:=/seed}" # the image's own /etc/mysql, which an empty directory covers
facts="{}" lease="" said="" said_at=0 killer=""
zero=00000000-0000-0000-0000-000000000000

# say TEXT: at once when it is news, else every NOTICE seconds.
say() {
  tick
  if [ "$1" = "$said" ] && [ $((up - said_at)) -lt "$NOTICE" ]; then return; fi
  said=$1 said_at=$up
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

own_report() { printf '"pod":"%s","state":"%s","uuid":"%s","seqno":%s,"epoch":%s' "$POD_NAME" "$own_state" "$own_uuid" "$own_seqno" "$own_epoch"; }

# decide: sets decision and why from facts and primary; see engine.jq. for a claim also basis, epoch and claimed.
# Facts that cannot be read decide nothing.
decide() {
  local picture members
  members=$(all_members)
  picture="{\"etcd\":$facts,\"me\":{$(own_report)},\"running\":${primary:-null},\"apart\":[$apart],\"members\":[\"${members//$'\n'/\",\"}\"]"
  picture+=",\"namespace\":\"$NAMESPACE\",\"here\":\"$here\",\"complete\":\"$DATADIR/complete\"}"
  IFS=$'\037' read -r decision basis epoch claimed why < <(jq -r -L "$here" --arg error "$etcd_error" 'include "decide"; .error = $error | decide | line(["decision", "basis", "epoch", "claimed", "why"])' <<<"$picture") ||
    { decision=wait why="Waiting: the facts in etcd cannot be read as what this release writes. Nothing is decided without them."; }
}

claim_value() { printf '{"pod":"%s","by":"%s","epoch":%d}' "$POD_NAME" "$POD_UID" "$1"; }

# claim: the transaction that lets this member, and no other, start the cluster. Status 0: it may.
claim() {
  local conditions operations me
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
  watch_restart &
  local watcher=$!
  while kill -0 "$server" 2>/dev/null; do wait "$server" || true; done # a signal ends the wait, not the server
  kill "$watcher" ${killer:+"$killer"} 2>/dev/null || true
  wait "$server"
  exit
}

# watch_restart: carries out what the recorder asks for.
watch_restart() {
  until [ -e "$RUN/restart" ]; do pause 1; done
  log "$(<"$RUN/restart")"
  kill -TERM $$
}

# stop: as kill -TERM, for as long as a member that serves needs. A server that does not serve, or is to restart, has nothing to bring to an
# end, and may hang: without the others a state transfer never ends, and it cannot be interrupted.
stop() {
  log "Told to stop."
  kill -TERM "$server" 2>/dev/null || true
  read_note "$RUN/incarnation"; local incarnation=$REPLY
  read_note "$RUN/confirmed"
  if [ "$REPLY" != "$incarnation" ] || [ -e "$RUN/restart" ]; then (sleep "$STOP_SECONDS"; log "The server does not stop, and serves no client: killing it."; kill -KILL "$server") & killer=$!; fi
}

# discard: the data directory was made here, and has never taken a write.
discard() {
  find "${DATADIR:?}" -mindepth 1 -delete
  rm -f "$STATE/initializing"
  own_state=empty own_uuid=$zero own_seqno=-1
}

join() {
  local addresses epoch
  addresses=$(peers)
  [ -n "$addresses" ] || return 0
  epoch=$(fact epoch)
  note "$RUN/epoch" "$epoch"
  withdraw
  # From here until the member is confirmed (recorder.sh), a transfer may be replacing the files.
  note "$STATE/epoch" "$epoch"
  note "$STATE/joining" "$(fact uuid)"; rm -f "$STATE/initializing"; sync "$STATE"
  serve "$addresses"
}

# start_cluster: after a claim.
start_cluster() {
  if [ "$decision" = found ]; then found; fi
  # On the disk before the first write: with the mark, a start after a power loss would throw the files away.
  rm -f "$STATE/initializing"; sync "$STATE"
  if [ -e "$DATADIR/grastate.dat" ]; then sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$DATADIR/grastate.dat"; fi
  if ! etcd_keepalive "$lease" || [ "$etcd_reply" = 0 ]; then
    log "The claim to start the cluster has run out or cannot be confirmed. Deciding again."
    exit 1
  fi
  serve ""
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
stamp "$RUN/alive"
note "$RUN/phase" waiting

while true; do
  stamp "$RUN/alive" # for the liveness probe
  read_config
  if read_cluster && report; then find_primary; else facts=null primary="" apart=""; fi
  decide
  say "$why"
  case $decision in
    discard) discard; continue ;;
    join) join ;;
    found | bootstrap) if claim; then start_cluster; fi ;;
  esac
  sleep "$PAUSE"
done
