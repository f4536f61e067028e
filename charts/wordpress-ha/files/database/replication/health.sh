# shellcheck shell=bash disable=SC2034,SC2154 # part of agent.sh
# How a replicated server is judged. What it may do is decided by elector.sh; here it is only looked at.

query="SELECT 'read_only', @@GLOBAL.super_read_only OR @@GLOBAL.read_only;
 SELECT 'executed', REPLACE(@@GLOBAL.gtid_executed, '\n', '');
 SELECT 'source', SUBSTRING_INDEX(HOST, '.', 1) FROM performance_schema.replication_connection_configuration;
 SELECT 'io', SERVICE_STATE FROM performance_schema.replication_connection_status;
 SELECT 'io_error', LAST_ERROR_NUMBER FROM performance_schema.replication_connection_status;
 SELECT 'retrieved', REPLACE(RECEIVED_TRANSACTION_SET, '\n', '') FROM performance_schema.replication_connection_status;
 SELECT 'waiting', GTID_SUBTRACT(RECEIVED_TRANSACTION_SET, @@GLOBAL.gtid_executed) <> '' FROM performance_schema.replication_connection_status;
 SELECT 'applier', SERVICE_STATE FROM performance_schema.replication_applier_status;
 SELECT 'applier_error', MAX(LAST_ERROR_NUMBER) FROM performance_schema.replication_applier_status_by_worker;
 SELECT 'coordinator_error', MAX(LAST_ERROR_NUMBER) FROM performance_schema.replication_applier_status_by_coordinator;
 SELECT 'lag', GREATEST(0, TIMESTAMPDIFF(SECOND, MIN(APPLYING_TRANSACTION_ORIGINAL_COMMIT_TIMESTAMP), NOW())) FROM performance_schema.replication_applier_status_by_worker WHERE APPLYING_TRANSACTION <> '';
 SELECT 'semisync', @@GLOBAL.rpl_semi_sync_replica_enabled;
 SELECT 'waiters', VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_source_wait_sessions';
 SELECT 'clients', VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Rpl_semi_sync_source_clients'"

: "${LATE:=10}" # seconds that a replica may be behind and still serve reads
noted="" replica_noted="" ready_noted="" behind_since=""

# is_allowed: whether the right to take writes, as the elector noted it, has not ended.
is_allowed() {
  local now until
  read_note "$RUN/deadline"; until=$REPLY
  [ -n "$until" ] || return 1
  read -r now _ </proc/uptime
  [ $((10#${now/./} * 10)) -le "$((10#${until// /}))" ]
}

note_change() { # FILE TEXT OLD
  if [ "$2" != "$3" ] || [ ! -e "$1" ]; then note "$1" "$2"; fi
}

# judge: from $answer to $code and $reason, for the clients that write; to "replica" and "ready", for those that read and for
# the kubelet; and "state", for the other members.
judge() {
  local role term synced=false receiving=false draining=false behind=0 now replica ready source=${answer[source]-}
  local applier_error=${answer[applier_error]-0} coordinator_error=${answer[coordinator_error]-0} lag=${answer[lag]-NULL}
  read_note "$RUN/role"; read -r role term _ <<<"$REPLY"
  code=503
  if [ "${answer[read_only]-1}" = 0 ] && [ "$role" = primary ] && is_allowed; then
    code=200 reason="Primary of term $term."
    if [ -e "$RUN/handing-over" ]; then code=404 reason="Handing over to another member."; fi
  elif [ "$role" = primary ] && [ -e "$RUN/alone" ] && is_allowed; then
    # Visitors can read, and writers get an error at once.
    code=200 reason="Primary of term $term, read-only: no replica can acknowledge writes."
  elif [ "$role" = primary ] && [ -e "$RUN/handing-over" ]; then
    code=404 reason="Handing over to another member."
  elif [ "$role" = primary ]; then
    reason="Primary, but takes no writes now."
  else
    reason="Not the primary."
  fi
  [ "${answer[io]-}" != ON ] || receiving=true
  if [ "${answer[semisync]-0}" = 1 ] && [ $receiving = true ]; then synced=true; fi
  # A replica that has all that it received is not behind; one that applies is behind by the age of what it applies.
  if [ "${answer[waiting]-0}" = 0 ]; then
    behind_since=""
  else
    tick
    [ -n "$behind_since" ] || behind_since=$up
    behind=$((up - behind_since))
    if [[ $lag =~ ^[0-9]+$ ]] && [ "$lag" -lt "$behind" ]; then behind=$lag; fi
  fi
  if [ "$role" = replica ] && [ $receiving = true ] && [ "${answer[applier]-}" = ON ] && [ "$behind" -le "$LATE" ]; then replica="200 Follows $source, behind by $behind s."
  elif [ "$role" = replica ]; then replica="503 Follows $source, but is behind by $behind s, or not connected."
  else replica="503 Not a replica."; fi
  note_change "$RUN/replica" "${replica%%,*}" "$replica_noted"; replica_noted=${replica%%,*}
  [ ! -e "$RUN/leaving" ] || draining=true
  # For updates one by one: a replica is ready when it counts again.
  if [ "$code" != 503 ]; then ready="200 $reason"; elif [ $synced = true ]; then ready=$replica; else ready="503 Not in sync with a primary."; fi
  note_change "$RUN/ready" "${ready%%,*}" "$ready_noted"; ready_noted=${ready%%,*}
  if [ "$role" = primary ] && [ "$code" = 503 ]; then role=none; fi
  printf -v now '{"pod":"%s","role":"%s","term":%d,"source":"%s","receiving":%s,"synced":%s,"behind":%d,"executed":"%s","retrieved":"%s","io_error":"%s","applier":"%s","applier_error":"%s","waiters":"%s","clients":"%s","draining":%s}' \
    "$POD_NAME" "${role:-none}" "${term:-0}" "$source" $receiving $synced "$behind" "${answer[executed]-}" "${answer[retrieved]-}" "${answer[io_error]-0}" \
    "${answer[applier]-}" "$((${applier_error//NULL/0} + ${coordinator_error//NULL/0}))" "${answer[waiters]-0}" "${answer[clients]-0}" $draining
  if [ "$now" != "$noted" ] || [ ! -e "$RUN/state" ]; then note "$RUN/state" "$now"; noted=$now; fi
}

# Nothing is known of a server that does not answer.
forget() { rm -f "$RUN"/{state,replica,ready}; noted="" replica_noted="" ready_noted=""; }
