#!/usr/bin/env bash
# Makes the data directory of a new database, unreachable from outside. Nothing of it is in the binary log: members get it as
# a copy of this directory.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"

: "${APPLICATION_USER:?}" "${APPLICATION_DATABASE:?}"
patience=300 # seconds for the first start; a slow disk takes one minute

log "Making the data directory."
make_data_directory --super-read-only=OFF --read-only=OFF
free_socket "$INITIALIZE_SOCKET"
mysqld --skip-networking --socket="$INITIALIZE_SOCKET" --super-read-only=OFF --read-only=OFF --disable-log-bin &
server=$!
for ((i = 0; ; i++)); do
  if take_root; then break; fi
  if ! kill -0 $server 2>/dev/null; then log "The server ended while the data directory was made; its log is above."; exit 1; fi
  if [ $i -ge $patience ]; then log "The server did not come up within $patience s; its log is above."; kill $server; exit 1; fi
  sleep 1
done

log "Making the accounts: root (local only), monitor and backup (this pod only), $APPLICATION_USER, and those of the members."
secret=$(sql_quote "$(<"$SECRETS/replication-password")")
{
  cat <<SQL
CREATE DATABASE IF NOT EXISTS \`$APPLICATION_DATABASE\` CHARACTER SET utf8mb4;
CREATE USER $(sql_quote "$APPLICATION_USER")@'%' IDENTIFIED BY $(sql_quote "$(<"$SECRETS/password")") $require_tls;
GRANT $application_privileges ON $(sql_schema "$APPLICATION_DATABASE").* TO $(sql_quote "$APPLICATION_USER")@'%';
CREATE USER 'monitor'@'127.0.0.1' IDENTIFIED BY $(sql_quote "$(<"$SECRETS/monitor-password")") WITH MAX_USER_CONNECTIONS 20;
GRANT SELECT ON performance_schema.* TO 'monitor'@'127.0.0.1';
CREATE USER 'backup'@'127.0.0.1' IDENTIFIED BY $secret;
GRANT BACKUP_ADMIN, PROCESS, RELOAD, LOCK TABLES, REPLICATION CLIENT ON *.* TO 'backup'@'127.0.0.1';
GRANT SELECT ON performance_schema.* TO 'backup'@'127.0.0.1';
CREATE USER 'replication'@'%' IDENTIFIED BY $secret $require_tls;
GRANT REPLICATION SLAVE ON *.* TO 'replication'@'%';
SQL
  # A replica acknowledges writes over an account of its own, which the primary can lock: see server.sh.
  for ((i = 0; i < 7; i++)); do
    printf "CREATE USER 'replica-%d'@'%%' IDENTIFIED BY %s ACCOUNT LOCK;\nGRANT REPLICATION SLAVE ON *.* TO 'replica-%d'@'%%';\n" $i "$secret $require_tls" $i
  done
} | "${initialize_client[@]}"

rm "$CREDENTIALS/initialize.cnf"
kill -TERM $server
wait $server || { log "The server did not shut down in order; its log is above."; exit 1; }
log "The data directory is made."
