#!/usr/bin/env bash
# A person's decision, when the rules wait for something that will not come: POD starts the cluster with what is on its
# volume. Transactions that only a missing member holds are lost. Who decided, when, and what was skipped stays in etcd.
# The decision holds for $OVERRIDE_SECONDS, and only for the facts of this moment.
# Usage: override.sh POD YOUR-NAME
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"
# shellcheck source=../../etcd/client.sh
. "$here/client.sh"
# shellcheck source=cluster.sh
. "$here/cluster.sh"

: "${OVERRIDE_SECONDS:=300}"
if [ $# != 2 ]; then echo "Usage: override.sh POD YOUR-NAME" >&2; exit 2; fi
read_config
if ! read_facts; then log "etcd gives no whole answer ($etcd_error). An override is written there: repair etcd first."; exit 1; fi
if [ -z "$(fact "waiting/$1")" ]; then log "$1 is not waiting. Waiting are: $(jq -r '[keys[] | select(startswith("waiting/")) | .[8:]] | join(", ")' <<<"$facts")."; exit 1; fi
POD_NAME="" find_primary
if [ -n "$primary" ]; then log "$(text_in "$primary" pod) is in a Primary component, so the waiting members can join it. An override would start a second cluster."; exit 1; fi
value=$(jq -c --arg pod "$1" --arg by "$2" --arg at "$(date -u +%FT%TZ)" '{pod: $pod, by: $by, at: $at, basis: [.["uuid", "view", "epoch"].revision]}' <<<"$facts")
if ! etcd_lease "$OVERRIDE_SECONDS" || ! etcd_put "${prefix}override" "$value" "$etcd_reply"; then log "etcd did not take the override: $etcd_error"; exit 1; fi
log "Written. $1 starts the cluster within some seconds. This holds for $OVERRIDE_SECONDS s, while the view and the epoch do not change."
