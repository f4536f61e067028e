#!/usr/bin/env bash
# Makes the data directory of a new cluster, unreachable from outside. The image's entrypoint would do it, too, but it
# prints every password to the log and makes accounts with well-known passwords.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"

: "${APPLICATION_USER:?}" "${APPLICATION_DATABASE:?}"
patience=300 # seconds for the first start; a slow disk takes one minute

note "$RUN/phase" initializing
log "Making the data directory."
make_data_directory --wsrep-provider=none

free_socket "$INITIALIZE_SOCKET"
mysqld --skip-networking --socket="$INITIALIZE_SOCKET" --wsrep_cluster_address=gcomm:// --wsrep_node_address=127.0.0.1 \
  --wsrep_provider_options='gmcast.listen_addr=tcp://127.0.0.1:4567;pc.recovery=FALSE' &
server=$!
for ((i = 0; ; i++)); do
  if take_root; then break; fi # Galera refuses statements until the server is synced
  if ! kill -0 $server 2>/dev/null; then log "The server ended while the data directory was made; its log is above."; exit 1; fi
  if [ $i -ge $patience ]; then log "The server did not come up within $patience s; its log is above."; kill $server; exit 1; fi
  sleep 1
done

log "Making the accounts: root (local only), monitor (this pod only), $APPLICATION_USER."
"${initialize_client[@]}" <<SQL
CREATE DATABASE IF NOT EXISTS \`$APPLICATION_DATABASE\` CHARACTER SET utf8mb4;
CREATE USER $(sql_quote "$APPLICATION_USER")@'%' IDENTIFIED BY $(sql_quote "$(<"$SECRETS/password")") $require_tls;
GRANT $application_privileges ON $(sql_schema "$APPLICATION_DATABASE").* TO $(sql_quote "$APPLICATION_USER")@'%';
CREATE USER 'monitor'@'127.0.0.1' IDENTIFIED BY $(sql_quote "$(<"$SECRETS/monitor-password")") WITH MAX_USER_CONNECTIONS 20;
GRANT SELECT ON mysql.wsrep_cluster_members TO 'monitor'@'127.0.0.1';
SQL

rm "$CREDENTIALS/initialize.cnf"
kill -TERM $server
wait $server || { log "The server did not shut down in order; its log is above."; exit 1; }
log "The data directory is made."
