# shellcheck shell=bash disable=SC2034,SC2154 # its results are read by the scripts that source it
# What is on this member's volume, and how it gets its data, to be sourced by elector.sh.

clone_attempt=0

# find_volume: sets own_state and own_cluster.
#   empty        nothing
#   initialized  made here for a new database that was not served yet: nobody has written to it
#   torn         the rest of a clone that broke
#   data         whole ("complete" is written last)
#   unknown      files that were not brought here by this release
#   unreadable   the disk does not say
find_volume() {
  local contents
  own_cluster=$(cat "$STATE/cluster" 2>/dev/null || true)
  if ! contents=$(ls -A "$DATADIR"); then own_state=unreadable
  elif [ -z "$contents" ]; then own_state=empty
  elif [ -e "$DATADIR/complete" ] && [ -n "$own_cluster" ]; then own_state=data
  elif [ -e "$STATE/initializing" ]; then own_state=initialized
  elif [ -e "$STATE/cloning" ]; then own_state=torn
  else own_state=unknown; fi
}

# mark_complete: the data directory is whole: the last thing that is written of it.
mark_complete() {
  { touch "$DATADIR/complete" && sync "$DATADIR"; } 2>/dev/null || no_writes "The data directory counts when that is mended."
}

discard() { find "${DATADIR:?}" -mindepth 1 -delete; rm -f "$STATE"/{initializing,cloning,cluster,term}; sync "$STATE"; own_cluster=""; }

# volume_step: no server runs.
volume_step() {
  local known
  if [ ! -e "$RUN/clone-request" ]; then find_volume; fi
  known=$(text_in "$(fact cluster)" id)
  read_note "$RUN/command"
  if [ "$REPLY" = serve ] && [ "$own_state" = data ]; then say "Waiting for the server to start."; return; fi
  case $own_state in
    unreadable) say "Waiting: this volume cannot be read, so nobody knows what is on it." ;;
    unknown) say "REFUSED: the files on this volume were not brought here by this release. They are not touched. Move them away, then delete this pod." ;;
    data)
      if [ -n "$known" ] && [ "$known" != "$own_cluster" ]; then
        say "REFUSED: the data on this volume belongs to the database $own_cluster, but this release's is $known. It is not touched. Move it away (or point the release at its own etcd), then delete this pod."
        return
      fi
      log "This volume holds data of the database $own_cluster."
      note "$RUN/command" serve ;;
    initialized)
      if [ -n "$known" ] && [ "$known" = "$own_cluster" ]; then finish_founding
      else
        log "The data directory was made here but was never registered, so nobody has written to it. Emptying it."
        rm -f "$RUN/command"
        discard
      fi ;;
    torn)
      log "The files on this volume are the rest of a clone that broke. Emptying it."
      discard ;;
    empty)
      if [ -n "$known" ]; then clone_step "$known"; else founding_step; fi ;;
  esac
}

# --- founding -------------------------------------------------------------------------------------------------------

founding_step() {
  if [ -n "$(fact primary)" ]; then say "Waiting: $(primary_field pod) makes the data directory of a new database."; report empty || true; return; fi
  report empty || { say "Waiting: $etcd_error."; return; }
  look_at_reports
  if [ -n "$(fact view)" ] || [ "$(decided 'data | length')" != 0 ]; then
    say "Waiting: etcd names no database, but there is data. Reported: $(decided text)."
    return
  fi
  if [ "$(decided 'empty | length')" -lt "$REPLICAS" ]; then say "Waiting: a new database is founded when every member has reported an empty volume. Reported: $(decided text)."; return; fi
  if [ "$(decided 'empty[0]')" != "$POD_NAME" ]; then say "All members report an empty volume. Waiting for $(decided 'empty[0]'), which founds the database."; return; fi
  found
}

found() {
  local new_lease id i mine
  etcd_lease "$LEASE_SECONDS" || return 0
  new_lease=$etcd_reply
  mine=$(primary_named 0)
  # shellcheck disable=SC2046 # one word a pod
  etcd_transaction "$(unchanged cluster view primary $(for i in $(all_members); do echo "report/$i"; done))" "$(put_operation "${prefix}primary" "$mine" "$new_lease")" || return 0
  [ "$etcd_reply" = true ] || { say "The facts have changed while this member decided; looking again."; return 0; }
  note "$RUN/lease" "$new_lease 0"
  log "All members report an empty volume: founding the database here."
  id=$(</proc/sys/kernel/random/uuid)
  if ! keep_note initializing yes || ! keep_note cluster "$id"; then drop_lease; return 0; fi
  own_cluster=$id
  rm -f "$RUN/initialized"
  note "$RUN/command" initialize
  for ((i = 0; ; i++)); do
    if [ -e "$RUN/initialized" ]; then break; fi
    read_note "$RUN/phase"
    if [ $i -ge 600 ] || { [ $i -gt 10 ] && [ ! -e "$RUN/command" ] && [ "$REPLY" = waiting ]; }; then log "The data directory was not made; the log of the container mysql says why. Starting over."; rm -f "$RUN/command"; drop_lease; return 0; fi
    pause 1
  done
  read_note "$RUN/initialized"
  if [ "$REPLY" != yes ]; then log "The data directory could not be made; the log of the container mysql says why. Starting over."; drop_lease; discard; return 0; fi
  log "Registering the new database $id."
  until etcd_transaction "$(compare_value "${prefix}primary" "$mine")$(compare_absent "${prefix}cluster")" \
    "$(put_operation "${prefix}cluster" "$(database_named "$id")")$(put_operation "${prefix}view" \
      "$(jq -nc --arg me "$POD_NAME" --argjson acknowledge "$(wanted_acknowledge)" '{term: 0, primary: $me, replicas: [], acknowledge: $acknowledge}')")" && [ "$etcd_reply" = true ]; do
    if [ -n "$etcd_reply" ] && read_facts; then
      [ "$(jq -r '.id // empty' <<<"$(fact cluster)")" != "$id" ] || break # an earlier attempt was carried out, though its answer was lost
      log "The claim to found the database was lost while the data directory was made. Starting over."
      drop_lease
      discard
      return 0
    fi
    log "etcd does not answer ($etcd_error); the database is served when it is registered."
    pause 2
  done
  finish_founding
  drop_lease
}

finish_founding() {
  mark_complete || return 0
  rm -f "$STATE/initializing"; sync "$STATE"
  log "The new database is registered."
}

# --- clones ---------------------------------------------------------------------------------------------------------

# clone_step CLUSTER: has the container xtrabackup fetch a copy; another donor after each failure.
clone_step() {
  local donor request id result donors
  delay=1
  report empty || { say "Waiting: $etcd_error."; return; }
  if [ -e "$RUN/clone-request" ]; then
    read -r id donor <"$RUN/clone-request" || true
    read_note "$RUN/clone-status"; read -r request result <<<"$REPLY" || true
    if [ "${request-}" != "$id" ]; then say "Waiting for the container xtrabackup to begin the clone."; return; fi
    case $result in
      done*)
        if ! keep_note cluster "$1" || ! mark_complete; then return; fi
        rm -f "$STATE/cloning"; sync "$STATE"
        rm -f "$RUN/clone-request"
        log "The clone from $donor is whole." ;;
      failed*)
        log "The clone from $donor failed: ${result#failed }. Trying again."
        rm -f "$RUN/clone-request"
        clone_attempt=$((clone_attempt + 1))
        find "${DATADIR:?}" -mindepth 1 -delete
        delay=2 ;;
      *) say "Being cloned from $donor: ${result#running }." ;;
    esac
    return
  fi
  primary=$(fact primary)
  if [ -z "$primary" ] || [ "$(primary_field term)" = 0 ]; then say "Waiting: this volume is empty, and there is no primary that a clone could follow."; return; fi
  donors=$(find_donors)
  if [ -z "$donors" ]; then say "Waiting: this volume is empty, and no member can be cloned now."; return; fi
  donor=$(sed -n "$((clone_attempt % $(wc -l <<<"$donors") + 1))p" <<<"$donors")
  keep_note cloning "$1" || return 0
  rm -f "$RUN/clone-status"
  note "$RUN/clone-request" "$EPOCHREALTIME $donor"
  log "Cloning $donor."
}

# find_donors: members that have the data and are not behind, replicas before the primary, one a line.
find_donors() {
  local pod names
  names=$({ all_members; view_replicas; primary_field pod; } | sort -u | grep -vx "$POD_NAME" || true)
  # shellcheck disable=SC2086 # one word a pod
  ask /state $names
  for pod in "${!answers[@]}"; do
    jq -r --argjson term "$(primary_field term)" 'select(.term == $term and (.draining | not) and (.role == "primary" or (.role == "replica" and .receiving and .behind <= 60)))
      | "\(if .role == "primary" then 2 elif .synced then 0 else 1 end) \(.pod)"' <<<"${answers[$pod]}"
  done | sort | cut -d' ' -f2
}

# keep_aside GTIDS: transactions that only this member has, and that the release goes on without, are written to a file of
# their own before anything is thrown away. By the container xtrabackup, which has mysqlbinlog.
keep_aside() {
  local id i result
  id=$EPOCHREALTIME
  stop_receiving || return 1
  rm -f "$RUN/keep-status"
  printf '%s %s\n' "$id" "$1" >"$RUN/keep-request.new" && mv "$RUN/keep-request.new" "$RUN/keep-request"
  for ((i = 0; i < 300; i++)); do
    read_note "$RUN/keep-status"
    if [[ $REPLY == "$id "* ]]; then break; fi
    pause 1
  done
  result=${REPLY#"$id "}
  if [[ $result != kept* ]]; then log "These transactions could not be kept aside (${result:-no answer within 300 s}). Nothing is thrown away: $1"; return 1; fi
  log "DROPPED: this member alone has the transactions $1, which were never acknowledged. They are kept in ${result#kept }, on this member's volume."
  etcd_put "${prefix}dropped/$POD_NAME-$(date -u +%FT%TZ)" "$(jq -nc --arg gtids "$1" --arg file "${result#kept }" '{gtids: $gtids, file: $file}')" || true
}

# clone_anew: what is on this volume is a copy of what the primary has, apart from what was kept aside.
clone_anew() {
  log "Emptying this volume for a clone."
  keep_note cloning "$own_cluster" || return 1
  rm -f "$RUN/command"
  kill_server "to be cloned anew" || return 1
  rm -f "$DATADIR/complete"; sync "$DATADIR"
  find "${DATADIR:?}" -mindepth 1 -delete
  following="" incarnation=""
}
