# shellcheck shell=bash disable=SC2034,SC2154 # its results are read by the scripts that source it
# What a Galera member and etcd tell one another, to be sourced after common.sh and client.sh.
#
# Keys below /<namespace>/<fullname>/galera/:
#   uuid           the cluster's UUID; written once
#   epoch          how often a cluster was started from standstill
#   start/EPOCH    the position that the cluster had when it was started for this epoch
#   view           {"epoch", "conf", "members"}: the last Primary component that was reported. Who is in it may have
#                  acknowledged writes; who is not has taken none since. A member takes writes only when it is in here.
#                  conf 0: written by the claim of a start, so that a server of an earlier epoch can never enter its own.
#   waiting/POD    {"by", "state", "uuid", "seqno"}: what is on the volume of a member whose server is not running (leased)
#   bootstrap      {"pod", "by", "epoch"}: who is starting the cluster now (leased)
#   override       {"pod", "by", "at", "basis"}: a person's decision that POD starts the cluster with what it has (leased); it holds
#                  while the keys uuid, view and epoch have the revisions of basis
#                  "by" is the pod's UID: a name can be used by two pods when one was deleted by force
#   audit/TIME     overrides that were carried out, and what they skipped
#
# A member is called by its pod's name everywhere but in Galera, where it is mysql-ORDINAL.

# shellcheck source=../../etcd/facts.sh
. "$here/facts.sh"

: "${CONFIG:=/config}"
: "${LEASE_SECONDS:=20}" # longer than a member of etcd takes to be replaced as leader, by far
: "${PAUSE:=2}"          # seconds between two looks at the facts
: "${NOTICE:=10}"        # seconds after which a waiting member says again what it waits for

# Read again at every look: the number of members changes while pods run.
read_config() {
  # shellcheck source=/dev/null
  . "$CONFIG/cluster.env"
  : "${NAMESPACE:?}" "${FULLNAME:?}" "${REPLICAS:?}" "${DOMAIN:?}" "${CLUSTER_NAME:?}" "${ETCD_ENDPOINTS?}"
  prefix=/$NAMESPACE/$FULLNAME/galera/
}

# read_cluster: read_facts, with the pods' names in the view. During an upgrade from version 0.1.0 the members that still run its
# scripts record upgraded members by their Galera names.
read_cluster() {
  local view
  read_facts || return
  view=$(fact view)
  [[ $view =~ \"mysql-[0-9]+\" ]] || return 0
  view=$(jq -c --arg prefix "$FULLNAME-" '.members |= (map(if test("^mysql-[0-9]+$") then $prefix + . else . end) | sort)' <<<"$view")
  facts=$(jq -c --arg view "$view" '.view.value = $view' <<<"$facts")
  fact_values[view]=$view
}

all_members() { local i; for ((i = 0; i < REPLICAS; i++)); do echo "$FULLNAME-mysql-$i"; done; }

# find_primary: sets primary to the state of a member that is in a Primary component, asked directly; or to nothing. apart becomes the
# states, separated by commas, of members that run outside of one.
find_primary() {
  local name answer
  primary="" apart=""
  for name in $(all_members); do
    [ "$name" != "$POD_NAME" ] || continue
    answer=$(curl -sf --connect-timeout 1 --max-time 2 "http://$name.$DOMAIN:$AGENT_PORT/state" 2>/dev/null) || continue
    case $(jq -r 'if .primary == true and (.state == 4 or .state == 2) then "primary" elif .primary == false and (.committed | strings | test("^[0-9]+$")) then "apart" else "" end' <<<"$answer" 2>/dev/null) in
      primary) primary=$answer; return ;;
      apart) apart+=${apart:+,}$answer ;;
    esac
  done
}
