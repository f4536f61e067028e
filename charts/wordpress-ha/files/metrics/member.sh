#!/usr/bin/env bash
# Answers one scrape of a database pod: what the containers have noted about this member, and what mysqld_exporter knows of its server.
# Started by agent.sh for each request; like respond.sh it asks the server nothing itself.
set -euo pipefail
export LC_ALL=C # lengths are counted in bytes
# shellcheck source=../database/common.sh
. "$(dirname "$0")/common.sh"

fresh=5 # seconds, as in respond.sh

# gauge NAME HELP [LABELS] VALUE
gauge() {
  printf '# HELP wordpress_ha_%s %s\n# TYPE wordpress_ha_%s gauge\n' "$1" "$2" "$1"
  if [ $# = 4 ]; then printf 'wordpress_ha_%s{%s} %s\n' "$1" "$3" "$4"; else printf 'wordpress_ha_%s %s\n' "$1" "$3"; fi
}

# label TEXT: sets REPLY to the text as a label's value.
label() { REPLY=${1//\\/\\\\}; REPLY=${REPLY//\"/\\\"}; }

# number NAME: sets REPLY to a number or a boolean of the member's state, or to nothing.
number() {
  REPLY=""
  if [[ $state =~ \"$1\":\"?(true|false|[0-9]+) ]]; then REPLY=${BASH_REMATCH[1]}; fi
  case $REPLY in true) REPLY=1 ;; false) REPLY=0 ;; esac
}

# from_state NAME KEY HELP: a gauge, where this topology's state has the key.
from_state() { number "$2"; [ -z "$REPLY" ] || gauge "$1" "$3" "$REPLY"; }

member() {
  local phase health code reason answers=0 takes_writes=0
  age "$RUN/beat"
  if [ "$REPLY" -le $fresh ]; then answers=1; fi
  read_note "$RUN/phase"; label "${REPLY:-not started}"; phase=$REPLY
  read_note "$RUN/health"; health=${REPLY:-503 The check agent has just started.}
  code=${health%% *}; label "${health#* }"; reason=$REPLY
  if [ $answers = 1 ] && [ "$code" = 200 ] && [ ! -e "$RUN/draining" ]; then takes_writes=1; fi
  gauge agent_up "Whether the check agent works and its notes are fresh." $answers
  gauge member_takes_writes "Whether routers may send writes to this member." $takes_writes
  gauge member_info "What this member is doing, and why it takes writes or not." "phase=\"$phase\",reason=\"$reason\"" 1
  gauge clock_seconds "The clock of the node, in seconds since 1970." "${EPOCHREALTIME/,/.}"
  read_note "$RUN/state"; state=$REPLY
  [ $answers = 1 ] || state=""
  from_state member_primary_component primary "Galera: whether this member is part of the Primary component."
  from_state member_view conf "Galera: number of the view of the component."
  from_state member_term term "Replication: number of the primary's term."
  from_state member_receiving receiving "Replication: whether this replica is connected to the primary."
  from_state member_in_sync synced "Replication: whether this replica acknowledges writes."
  from_state member_lag_seconds behind "Replication: age of the oldest write that this replica has received and not applied."
  if [[ $state =~ \"role\":\"([a-z]+)\" ]]; then gauge member_role "Replication: the role of this member." "role=\"${BASH_REMATCH[1]}\"" 1; fi
}

# certificate: when the tier's certificate ends.
certificate() {
  local end
  [ -n "${TLS-}" ] || return 0
  end=$(openssl x509 -noout -enddate -in "$TLS/tls.crt" | cut -d= -f2) || return 0
  gauge certificate_expiry_timestamp_seconds "When the certificate of this pod ends, in seconds since 1970." "$(date -d "$end" +%s)"
}

while read -r -t 1 line && [ -n "${line%$'\r'}" ]; do :; done
body=$(member; certificate; curl -sf --max-time 5 "$exporter/metrics" || true)
printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s\n' $((${#body} + 1)) "$body"
