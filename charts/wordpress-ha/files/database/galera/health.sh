# shellcheck shell=bash disable=SC2034,SC2154 # part of agent.sh
# How a Galera member is judged. Who is in the component is read from Galera's own table: wsrep_incoming_addresses may lack
# a member that joined last.

query="SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_status', 'wsrep_local_state', 'wsrep_ready', 'wsrep_cluster_state_uuid',
 'wsrep_cluster_conf_id', 'wsrep_cluster_size', 'wsrep_last_committed');
 SELECT 'members', GROUP_CONCAT(node_name ORDER BY node_name) FROM mysql.wsrep_cluster_members"

noted=""

# pod_names NAMES: sets REPLY to the pods' names of these members of Galera. A member that has not been upgraded since version 0.1.0
# has its pod's name in Galera, too.
pod_names() {
  local name IFS=,
  REPLY=""
  for name in $1; do
    if [[ $name =~ ^mysql-[0-9]+$ ]]; then name=${POD_NAME%-mysql-*}-$name; fi
    REPLY+=${REPLY:+,}$name
  done
}

# judge: from $answer to $code and $reason. Notes what the recorder and the other members read: "state" when it changes,
# and "committed", the last transaction, in place (twenty characters, in one write).
judge() {
  local status=${answer[wsrep_cluster_status]-} state=${answer[wsrep_local_state]-0} primary=false incarnation confirmed members now
  read_note "$RUN/incarnation"; incarnation=$REPLY
  [ "$status" != Primary ] || primary=true
  pod_names "${answer[members]-}"; members=$REPLY
  printf '%-20s\n' "${answer[wsrep_last_committed]-0}" 1<>"$RUN/committed"
  printf -v now '{"pod":"%s","incarnation":"%s","primary":%s,"state":%d,"uuid":"%s","conf":"%s","size":"%s","members":"%s"}' \
    "$POD_NAME" "$incarnation" "$primary" "$state" "${answer[wsrep_cluster_state_uuid]-}" \
    "${answer[wsrep_cluster_conf_id]-}" "${answer[wsrep_cluster_size]-}" "$members"
  if [ "$now" != "$noted" ] || [ ! -e "$RUN/state" ]; then note "$RUN/state" "$now"; noted=$now; fi
  read_note "$RUN/confirmed"; confirmed=$REPLY
  code=503
  if [ "$status" != Primary ]; then
    # It has to be entered in etcd again before it takes writes: see recorder.sh.
    [ ! -e "$RUN/confirmed" ] || rm -f "$RUN/confirmed"
    reason="Not part of the Primary component ($status)."
  elif [ "$state" != 4 ] && [ "$state" != 2 ]; then
    reason="In the Primary component, but not synced (wsrep_local_state $state)."
  elif [ "${answer[wsrep_ready]-}" != ON ]; then
    reason="Synced, but not ready for queries."
  elif [ "$confirmed" != "$incarnation" ] || [ -z "$incarnation" ]; then
    reason="Synced. Takes writes as soon as etcd lists it as a member of the Primary component."
  elif [ "$state" = 2 ]; then
    code=200 reason="Synced enough to serve: donor of a state transfer."
  else
    code=200 reason="Synced."
  fi
}

# Nothing is known of a server that does not answer.
forget() { [ ! -e "$RUN/state" ] || rm -f "$RUN/state"; }
