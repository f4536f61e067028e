#!/usr/bin/env bash
# Decides how this etcd member starts, and writes the configuration that the server (whose image has no shell) starts from.
#
#   returning   its volume holds a member's data: start with it.
#   new         every member's volume is empty: all of them together found a new cluster.
#   replaced    its volume is empty, but the others are a cluster: the old entry is removed, this member joins as a learner.
#
# A returning member whose cluster was founded with another scheme does not start: it would not understand the others, and a rolling upgrade
# would end them one by one.
#
# "Everybody is empty" is never concluded from silence: each member says so itself (status.sh, port 2382). A member that
# is asked and does not answer is waited for.
set -euo pipefail
# shellcheck source=client.sh
. "$(dirname "$0")/client.sh"

: "${POD_NAME:?}" "${MEMBERS:?}" "${DOMAIN:?}" "${CLUSTER_TOKEN:?}" "${QUOTA:?}"
volume=${VOLUME:-/var/lib/etcd}
data=$volume/data
state=$volume/state          # empty | new | member: what status.sh tells the others
founded_with=$volume/scheme  # of the URLs under which the members of the data know one another
configuration=${CONFIGURATION:-/run/etcd/etcd.yaml}
pause=${PAUSE:-2}            # seconds between two looks at the others
scheme=http${TLS:+s}         # of what members and clients say to a member

log() { printf '%s etcd-configure: %s\n' "$(date -u +%FT%TZ)" "$*"; }
said="" said_at=0
# say TEXT: at once when it is news, else every ten seconds.
say() {
  local up
  read -r up _ </proc/uptime
  up=${up%.*}
  if [ "$1" = "$said" ] && [ $((up - said_at)) -lt 10 ]; then return; fi
  said=$1 said_at=$up
  log "$1"
}
host() { echo "$1.$DOMAIN"; }

others=() initial=""
for ((i = 0; i < MEMBERS; i++)); do
  name=${POD_NAME%-*}-$i
  [ "$name" = "$POD_NAME" ] || others+=("$name")
  initial+="${initial:+,}$name=$scheme://$(host "$name"):2380"
done
ETCD_ENDPOINTS=""
for name in "${others[@]}"; do ETCD_ENDPOINTS+="$scheme://$(host "$name"):2379 "; done

# write_configuration STATE INITIAL_CLUSTER
write_configuration() {
  cat >"$configuration.tmp" <<Y
name: $POD_NAME
data-dir: $data
listen-peer-urls: $scheme://0.0.0.0:2380
listen-client-urls: $scheme://0.0.0.0:2379
listen-metrics-urls: http://0.0.0.0:2381
initial-advertise-peer-urls: $scheme://$(host "$POD_NAME"):2380
advertise-client-urls: $scheme://$(host "$POD_NAME"):2379
initial-cluster: $2
initial-cluster-state: $1
initial-cluster-token: $CLUSTER_TOKEN
# The keys here are few and small; old revisions are thrown away after five minutes, so the quota is never met.
auto-compaction-mode: periodic
auto-compaction-retention: 5m
quota-backend-bytes: $QUOTA
# A member that was away must not depose the leader when it comes back.
pre-vote: true
# Nodes share their disks with the database, whose syncs delay etcd's, so an election waits longer than etcd's one second. Not much
# longer: a leader that is lost with the database's primary delays the next primary by as much, as leases begin anew with a new leader.
heartbeat-interval: 150
election-timeout: 1500
logger: zap
log-level: info
Y
  if [ -n "${TLS-}" ]; then write_transport_security client; write_transport_security peer; fi >>"$configuration.tmp"
  mv "$configuration.tmp" "$configuration"
}

# write_transport_security WHO: clients and peers have to show a certificate of the same authority; peers one with this Service's
# name, so that a client of etcd cannot pass for a member. The address from which a peer comes proves nothing that its certificate does
# not, and looking it up would make etcd depend on reverse DNS.
write_transport_security() {
  cat <<Y
$1-transport-security:
  cert-file: $TLS/tls.crt
  key-file: $TLS/tls.key
  trusted-ca-file: $TLS/ca.crt
  client-cert-auth: true
Y
  if [ "$1" = peer ]; then printf '  %s\n' "allowed-hostname: [$DOMAIN]" 'skip-client-san-verification: true'; fi
}

# keep FILE TEXT: replaces FILE in one step, on the disk.
keep() { printf '%s\n' "$2" >"$1.tmp"; sync "$1.tmp"; mv "$1.tmp" "$1"; }
# scheme_of_data: that of the members' URLs in the data, for a volume of a version that did not note it. A start that was cut off may have left none.
scheme_of_data() {
  local urls
  urls=$(grep -rahoEm1 '"peerURLs":\["https?:' "$data/member" || true)
  case $urls in *'"https:'*) echo https ;; *'"http:'*) echo http ;; *) echo "$scheme" ;; esac
}
remember() { keep "$founded_with" "$scheme"; keep "$state" "$1"; }

# What the member NAME says of its own volume: empty, new, member; or nothing, if it does not answer.
said_by() { curl -sf --connect-timeout 1 --max-time 2 "http://$(host "$1"):2382/" 2>/dev/null || true; }

# A snapshot of the cluster's data before its membership changes, on this member's own volume.
take_snapshot() {
  local endpoint file=$volume/before-replacement.db
  for endpoint in $ETCD_ENDPOINTS; do
    if (set -o pipefail; "${etcd_curl[@]}" -sSf --connect-timeout 1 --max-time 60 -X POST -d '{}' "$endpoint/v3/maintenance/snapshot" \
      | jq -er '.result.blob // empty' | while read -r part; do base64 -d <<<"$part"; done >"$file.tmp") && [ -s "$file.tmp" ]; then
      mv "$file.tmp" "$file"
      log "A snapshot of the cluster's data is in $file."
      return 0
    fi
  done
  rm -f "$file.tmp"
  return 1
}

# replace MEMBERS_JSON: this member's old entry leaves the cluster, a learner with an empty volume enters.
replace() {
  local url name old members
  url=$scheme://$(host "$POD_NAME"):2380
  old=$(jq -r --arg url "$url" '.[] | select(.peerURLs | index($url)) | .ID' <<<"$1")
  name=$(jq -r --arg url "$url" '.[] | select(.peerURLs | index($url)) | "\(.name // "") \(.isLearner // false)"' <<<"$1")
  if [ "$name" = " true" ]; then # added by an earlier attempt of this script, never started
    log "This member is already entered as a learner that has not started yet."
  else
    if ! take_snapshot; then log "No member gave a whole snapshot. Waiting: no member is removed without one."; return 1; fi
    if [ -n "$old" ]; then
      log "The cluster knows this member ($old), but its volume is empty: the volume was lost. Removing the old entry."
      etcd_call cluster/member/remove "$(jq -nc --arg id "$old" '{ID: $id}')" || { log "Not removed: $etcd_error"; return 1; }
    fi
    etcd_call cluster/member/add "$(jq -nc --arg url "$url" '{peerURLs: [$url], isLearner: true}')" || { log "Not added: $etcd_error"; return 1; }
    log "Added as a learner; it becomes a voting member when it has caught up."
  fi
  etcd_call cluster/member/list '{"linearizable": true}' || { log "The list of members cannot be read: $etcd_error"; return 1; }
  members=$(jq -r --arg url "$url" --arg me "$POD_NAME" '[.members[] | if (.peerURLs | index($url)) then "\($me)=\($url)" elif .name then "\(.name)=\(.peerURLs[0])" else empty end] | join(",")' <<<"$etcd_reply")
  write_configuration existing "$members"
}

mkdir -p "$(dirname "$configuration")"
if [ -d "$data/member/wal" ]; then
  [ -e "$founded_with" ] || keep "$founded_with" "$(scheme_of_data)"
  while [ "$(<"$founded_with")" != "$scheme" ]; do
    say "Waiting: this etcd cluster was founded with $(<"$founded_with"), and tls.enabled now means $scheme. Upgrade again with the former value of tls.enabled, or follow \"TLS inside\" in SECURITY.md."
    sleep "$pause"
  done
  log "The volume holds a member's data: returning to the cluster."
  write_configuration existing "$initial"
  exit 0
fi
if [ "$(cat "$state" 2>/dev/null || true)" = new ] || [ "$MEMBERS" = 1 ]; then
  log "This member is one of those that found the cluster, and has not started yet."
  remember new
  write_configuration new "$initial"
  exit 0
fi

rm -rf "${data:?}" # no member/wal in it: a start that was cut off before etcd wrote anything
remember empty
while true; do
  if etcd_call cluster/member/list '{"linearizable": true}'; then
    members=$(jq -c '.members' <<<"$etcd_reply")
    founders=0
    for name in "${others[@]}"; do [ "$(said_by "$name")" != new ] || founders=$((founders + 1)); done
    if [ "$founders" = "${#others[@]}" ]; then
      log "The other members have just founded the cluster with this one."
      remember new; write_configuration new "$initial"
      exit 0
    fi
    log "The others are a cluster of $(jq 'length' <<<"$members") members, and this volume is empty."
    if replace "$members"; then remember member; exit 0; fi
  else
    empty=0 heard=""
    for name in "${others[@]}"; do
      answer=$(said_by "$name"); heard+=" $name: ${answer:-no answer}."
      case $answer in empty | new) empty=$((empty + 1)) ;; esac
    done
    if [ "$empty" = "${#others[@]}" ]; then
      log "Every member says that its volume is empty:$heard Founding a new cluster."
      remember new; write_configuration new "$initial"
      exit 0
    fi
    say "This volume is empty. Waiting until the others form a cluster or all say that they are empty, too.$heard (${etcd_error})"
  fi
  sleep "$pause"
done
