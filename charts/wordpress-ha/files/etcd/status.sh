#!/usr/bin/env bash
# Runs beside an etcd member: tells the other members on port 2382 what is on its volume (empty, new, member), and makes
# a learner a voting member once it has caught up.
set -euo pipefail
# shellcheck source=client.sh
. "$(dirname "$0")/client.sh"

: "${POD_NAME:?}"
volume=${VOLUME:-/var/lib/etcd}
state=$volume/state
own_endpoint=${OWN_ENDPOINT:-http${TLS:+s}://127.0.0.1:2379}
# A learner answers nothing about the cluster, and may not change it: the others are asked.
others=""
for endpoint in ${ETCD_ENDPOINTS:?}; do
  case $endpoint in *"//$POD_NAME."*) ;; *) others+="$endpoint " ;; esac
done
# Read by answer.sh, which socat starts for each request.
export state

log() { printf '%s etcd-status: %s\n' "$(date -u +%FT%TZ)" "$*"; }

socat -T 5 TCP-LISTEN:"${STATUS_PORT:-2382}",reuseaddr,fork EXEC:"bash $(dirname "$0")/answer.sh" &
listener=$!
trap 'kill $listener 2>/dev/null; exit 0' TERM INT

rest=${PAUSE:-2} # seconds between two looks; eight times as many once this member votes and everybody has started
while sleep "$rest" & wait $!; do
  kill -0 $listener 2>/dev/null || { log "The listener on port 2382 has ended."; exit 1; }
  ETCD_ENDPOINTS=$own_endpoint
  etcd_call maintenance/status '{}' || continue
  own=$(jq -r '.header.member_id // empty' <<<"$etcd_reply")
  [ -n "$own" ] || continue
  ETCD_ENDPOINTS=${others:-$own_endpoint}
  etcd_call cluster/member/list '{"linearizable": true}' || continue
  members=$etcd_reply
  rest=${PAUSE:-2}
  if [ "$(jq -r --arg id "$own" '.members[] | select(.ID == $id) | .isLearner // false' <<<"$members")" = true ]; then
    if etcd_call cluster/member/promote "$(jq -nc --arg id "$own" '{ID: $id}')"; then
      log "Caught up: this member votes now."
    else
      log "Still a learner: $etcd_error"
    fi
  elif [ "$(cat "$state" 2>/dev/null || true)" = member ]; then
    rest=$((${PAUSE:-2} * 8))
  elif jq -e 'all(.members[]; (.clientURLs // []) | length > 0)' <<<"$members" >/dev/null; then
    printf 'member\n' >"$state.tmp" && mv "$state.tmp" "$state"
    log "All members of the cluster have started."
  fi
done
