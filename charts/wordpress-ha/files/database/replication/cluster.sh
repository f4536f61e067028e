# shellcheck shell=bash disable=SC2034,SC2154 # its results are read by the scripts that source it
# What the members of a replicated database tell one another, to be sourced after common.sh and client.sh.
#
# Keys below /<namespace>/<fullname>/replication/:
#   cluster        {"id", "founder"}: names the data set; written once
#   primary        {"pod", "by", "term"}: who takes writes (leased). "by" is the pod's UID: a name can be used by two pods
#                  when one was deleted by force
#   view           {"term", "primary", "replicas", "acknowledge"}: who may hold acknowledged writes. Each of them is on the
#                  primary and on at least "acknowledge" of these replicas; nobody else can acknowledge one
#   report/POD     {"by", "state", "cluster", "term", "received"}: what this member has, while there is no primary (leased).
#                  While it stands, the member receives nothing: it cannot acknowledge a write of an old primary any more
#   leaving/POD    {"by"}: a replica whose pod is about to stop, which asks to be taken off the view (leased)
#   handover       {"from", "to", "by", "state", "executed"}: a planned change of the primary, for some seconds
#   override       {"pod", "by", "at"}: a person's decision that POD becomes primary with what it has
#   audit/TIME     overrides that were carried out, and what they skipped
#   dropped/POD-TIME  {"gtids", "file"}: transactions that the release goes on without, and where they are kept

# shellcheck source=../../etcd/facts.sh
. "$here/facts.sh"

: "${CONFIG:=/config}"
: "${DROPPED:=/volume/dropped}" # transactions that are not part of the history any more
: "${NOTICE:=10}"               # seconds after which a waiting member says again what it waits for
# The primary's lease ends LEASE_SECONDS after its last renewal reached etcd; the primary stops itself GRACE milliseconds after
# it sent that renewal. What lies between is for a server that takes a moment to be killed, and for clocks that differ.
: "${LEASE_SECONDS:=6}"
: "${GRACE:=4500}"
: "${REPORT_SECONDS:=15}"       # how long a report outlives its member
: "${LEAVE_SECONDS:=120}"       # how long a member's wish to leave stands: longer than its pod waits for that (handover.sh)
most_members=7                  # accounts exist for so many

# Read again at every look: the number of members changes while pods run.
read_config() {
  # shellcheck source=/dev/null
  . "$CONFIG/cluster.env"
  : "${NAMESPACE:?}" "${FULLNAME:?}" "${REPLICAS:?}" "${DOMAIN:?}" "${ETCD_ENDPOINTS:?}" "${ACKNOWLEDGE:?}"
  prefix=/$NAMESPACE/$FULLNAME/replication/
}

ordinal() { printf '%s' "${1##*-}"; }
address() { printf '%s.%s' "$1" "$DOMAIN"; }
all_members() { local i; for ((i = 0; i < REPLICAS; i++)); do echo "$FULLNAME-mysql-$i"; done; }

# How many replicas must have a write: as many as the user wants, and as there can be.
wanted_acknowledge() { echo $((ACKNOWLEDGE < REPLICAS - 1 ? ACKNOWLEDGE : REPLICAS - 1)); }

# milliseconds: sets REPLY to the time since boot, which nobody sets and which all containers of a node share.
milliseconds() { read -r REPLY _ </proc/uptime; REPLY=$((10#${REPLY/./} * 10)); }

# event TEXT: notes a change of role with its time in milliseconds, for people who compare the pods of a failover.
event() { printf '%s %s\n' "${EPOCHREALTIME/[.,]/}" "$1" >>"$RUN/events"; }

# say TEXT: at once when it is news, else every NOTICE seconds.
said="" said_at=0
say() {
  tick
  if [ "$1" = "$said" ] && [ $((up - said_at)) -lt "$NOTICE" ]; then return; fi
  said=$1 said_at=$up
  log "$1"
}

# keep_note NAME TEXT: a note on this member's volume, and on its disk when the status is 0. A full disk is waited for.
keep_note() {
  { note "$STATE/$1" "$2" && sync "$STATE/$1" "$STATE"; } 2>/dev/null || no_writes "Nothing is begun that has to be noted there first."
}
# no_writes CONSEQUENCE: what is said of a volume on which a note failed; status 1.
no_writes() { say "This volume takes no writes: it is full, or broken. $1"; return 1; }

# Parts of what these scripts write themselves, taken without a process: they are read every second.
# view_replicas: the replicas of the view, one a line.
view_replicas() {
  local list; list=${fact_values[view]-}
  [[ $list == *'"replicas":['* ]] || return 0
  list=${list#*'"replicas":['}; list=${list%%]*}; list=${list//'"'/}
  [ -z "$list" ] || printf '%s\n' "${list//,/$'\n'}"
}
view_field() { text_in "${fact_values[view]-}" "$1"; }
primary_field() { text_in "${fact_values[primary]-}" "$1"; }

# primary_named TERM, database_named ID: that this pod is primary of TERM; that it founded, or registers, the database ID.
primary_named() { jq -nc --arg pod "$POD_NAME" --arg by "$POD_UID" --argjson term "$1" '{pod: $pod, by: $by, term: $term}'; }
database_named() { jq -nc --arg id "$1" --arg me "$POD_NAME" '{id: $id, founder: $me}'; }

# ask PATH POD...: asks these members' agents at once, within ask_patience seconds; sets answers[POD] to what the whole ones said.
declare -A answers=()
ask_patience=1
ask() {
  local path=$1 pod arguments=() text; shift
  answers=()
  [ $# -gt 0 ] || return 0
  for pod; do rm -f "$TMP/answer.$pod"; arguments+=(-o "$TMP/answer.$pod" "http://$(address "$pod"):$AGENT_PORT$path"); done
  curl -sf --parallel --parallel-immediate --connect-timeout 1 --max-time "$ask_patience" "${arguments[@]}" 2>/dev/null || true
  for pod; do
    text=$(cat "$TMP/answer.$pod" 2>/dev/null) || continue
    if jq -e --arg pod "$pod" '.pod == $pod' <<<"$text" >/dev/null 2>&1; then answers[$pod]=$text; fi
  done
}
