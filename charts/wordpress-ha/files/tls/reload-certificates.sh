#!/usr/bin/env bash
# Runs beside the database server: when the kubelet has brought new certificates, the server reads them. Connections that are open go on
# with the old ones, so nobody notices.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../database/common.sh
. "$here/common.sh"

: "${TLS:?}"
interval=10 # seconds between two looks

sql() { "$here/mysql" -e "$1" 2>&1; }
# Percona XtraDB Cluster has a second statement for what members say to one another; MariaDB one for both.
reload() {
  if sql "ALTER INSTANCE RELOAD TLS"; then [ ! -e "$DATADIR/grastate.dat" ] || sql "SET GLOBAL wsrep_provider_options = 'socket.ssl_reload=1'"
  else sql "FLUSH SSL"; fi
}
read_certificates() { certificates=$(<"$TLS/ca.crt")$(<"$TLS/tls.crt"); }

read_certificates
known=$certificates said=""
while pause $interval; do
  read_certificates
  # A server that does not run reads them when it starts.
  if [ "$certificates" = "$known" ] || ! sql "SELECT 1" >/dev/null; then continue; fi
  if said=$(reload); then
    known=$certificates
    log "The server has read its new certificates."
  else
    log "The server does not read its new certificates, trying again: ${said//$'\n'/ }"
  fi
done
