#!/usr/bin/env bash
# A person's decision, when the rules wait for something that will not come: POD becomes primary with what is on its volume.
# Writes that only a missing member holds are not part of the history then. Who decided, when, and what was skipped stays in etcd.
# Usage: override.sh POD YOUR-NAME
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"
# shellcheck source=../../etcd/client.sh
. "$here/client.sh"
# shellcheck source=cluster.sh
. "$here/cluster.sh"

if [ $# != 2 ]; then echo "Usage: override.sh POD YOUR-NAME" >&2; exit 2; fi
read_config
if ! read_facts; then log "etcd gives no whole answer ($etcd_error). An override is written there: repair etcd first."; exit 1; fi
if [ -z "$(fact "report/$1")" ]; then log "$1 is not waiting. Waiting are: $(jq -r '[keys[] | select(startswith("report/")) | .[7:]] | join(", ")' <<<"$facts")."; exit 1; fi
etcd_put "${prefix}override" "$(jq -nc --arg pod "$1" --arg by "$2" --arg at "$(date -u +%FT%TZ)" '{pod: $pod, by: $by, at: $at}')" \
  || { log "etcd did not take the override: $etcd_error"; exit 1; }
log "Written. $1 becomes primary within some seconds."
