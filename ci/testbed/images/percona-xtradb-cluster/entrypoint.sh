#!/bin/bash
# Entrypoint with the contract of percona/percona-xtradb-cluster 8.4: environment, order of steps, failures.
set -eo pipefail
set -o xtrace

if [ "${1:0:1}" = - ]; then set -- mysqld "$@"; fi
CFG=/etc/mysql/node.cnf
help=""
for argument; do case $argument in -'?' | --help | --print-defaults | -V | --version) help=1; break ;; esac; done

# NAME [DEFAULT]: value of NAME or of the file that NAME_FILE names
file_env() {
  { set +o xtrace; } 2>/dev/null
  local name=$1 file="${1}_FILE" value="${2-}"
  if [ -n "${!name-}" ] && [ -n "${!file-}" ]; then echo >&2 "error: both $name and $file are set (but are exclusive)"; exit 1; fi
  if [ -n "${!name-}" ]; then value=${!name}; elif [ -n "${!file-}" ]; then value=$(<"${!file}"); fi
  export "$name=$value"; unset "$file"
  set -o xtrace
}
# keeps the length of the rest: the file is overwritten in place
rewrite() { sed -r "$1" "$CFG" 1<>"$CFG"; }
setting() { local name=$1; shift; "$@" --verbose --help --wsrep_provider=none 2>/dev/null | awk -v n="$name" '$1 == n && /^[^ \t]/ {print $2; exit}'; }
check_config() {
  local errors
  if ! errors=$("$@" --help --verbose --wsrep_provider=none 2>&1 >/dev/null); then
    printf >&2 'ERROR: mysqld failed while attempting to check config\ncommand was: "%s"\n\n%s\n' "$*" "$errors"; exit 1
  fi
}
run_file() {
  # shellcheck disable=SC1090  # files that users of the image add
  case $1 in
    *.sh) echo "$0: running $1"; . "$1" ;;
    *.sql) echo "$0: running $1"; "${mysql[@]}" <"$1"; echo ;;
    *.sql.gz) echo "$0: running $1"; gunzip -c "$1" | "${mysql[@]}"; echo ;;
    *) echo "$0: ignoring $1" ;;
  esac
}

file_env XTRABACKUP_PASSWORD xtrabackup
file_env CLUSTERCHECK_PASSWORD clustercheck

vault=/etc/mysql/vault-keyring-secret/keyring_vault.conf
if [ -f $vault ]; then
  rewrite "/^\[mysqld\]/a early-plugin-load=keyring_vault.so\nkeyring_vault_config=$vault\ndefault_table_encryption=ON\ntable_encryption_privilege_check=ON"
fi

if [ "$1" = mysqld ] && [ -z "$help" ]; then
  NODE_IP=$(hostname -I | awk '{print $1}')
  if [ -n "$PXC_SERVICE" ]; then
    /usr/bin/peer-list -on-start=/usr/bin/configure-pxc.sh -service="$PXC_SERVICE"
    CLUSTER_JOIN=$(grep '^wsrep_cluster_address=' "$CFG" | sed -r 's|.*gcomm://||')
  elif [ -n "$DISCOVERY_SERVICE" ]; then
    case $DISCOVERY_SERVICE in http*) ;; *) DISCOVERY_SERVICE=http://$DISCOVERY_SERVICE ;; esac
    until curl -s "$DISCOVERY_SERVICE/health" >/dev/null; do echo "waiting for $DISCOVERY_SERVICE"; sleep 2; done
    keys=$DISCOVERY_SERVICE/v2/keys/pxc-cluster
    curl -s "$keys/queue/$CLUSTER_NAME" -XPOST -d "value=$NODE_IP" -d ttl=60 >/dev/null
    queue=$(curl -s "$keys/queue/$CLUSTER_NAME" | jq -r '.node.nodes[].value')
    members=$(curl -s "$keys/$CLUSTER_NAME/?quorum=true" | jq -r '.node.nodes[]?.key' | awk -F/ '{print $NF}')
    # shellcheck disable=SC2086  # one word an address
    CLUSTER_JOIN=$(printf '%s\n' $queue $members | grep -v "^$NODE_IP\$" | sort -u | paste -sd, || true)
    rewrite "s|^#?wsrep_node_address=.*|wsrep_node_address=$NODE_IP|; s|^#?wsrep_cluster_address=.*|wsrep_cluster_address=gcomm://$CLUSTER_JOIN|"
  else
    NODE_NAME=$(hostname -f)
    rewrite "s|^#?wsrep_node_address=.*|wsrep_node_address=$NODE_IP|"
    rewrite "s|^#?wsrep_node_incoming_address=.*|wsrep_node_incoming_address=$NODE_NAME:3306|"
    if [ -n "$CLUSTER_JOIN" ]; then rewrite "s|^#?wsrep_cluster_address=.*|wsrep_cluster_address=gcomm://$CLUSTER_JOIN|"; fi
    if [ -n "$CLUSTER_NAME" ]; then rewrite "s|^#?wsrep_cluster_name=.*|wsrep_cluster_name=$CLUSTER_NAME|"; fi
  fi
fi

# --- first initialisation: only without CLUSTER_JOIN ---------------------------------------------------
if [ -z "$CLUSTER_JOIN" ] && [ "$1" = mysqld ] && [ -z "$help" ]; then
  check_config "$@"
  DATADIR=$(setting datadir "$@")
  if [ ! -d "$DATADIR/mysql" ]; then
    file_env MYSQL_ROOT_PASSWORD
    if [ -z "$MYSQL_ROOT_PASSWORD" ] && [ -z "$MYSQL_ALLOW_EMPTY_PASSWORD" ] && [ -z "$MYSQL_RANDOM_ROOT_PASSWORD" ]; then
      echo >&2 'error: database is uninitialized and password option is not specified'
      echo >&2 '  You need to specify one of MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD and MYSQL_RANDOM_ROOT_PASSWORD'
      exit 1
    fi
    mkdir -p "$DATADIR"
    find "$DATADIR" -mindepth 1 -prune -name '*lost+found' -print >/dev/null
    rm -rf "${DATADIR:?}"/*
    echo 'Initializing database'
    "$@" --initialize-insecure
    echo 'Database initialized'

    SOCKET=$(setting socket "$@")
    "$@" --skip-networking --socket="$SOCKET" &
    pid=$!
    mysql=(mysql --protocol=socket -uroot -hlocalhost "--socket=$SOCKET" --password=)
    state=""
    for i in {120..0}; do
      state=$(echo "SHOW STATUS LIKE 'wsrep_local_state_comment'" | "${mysql[@]}" -Ns 2>/dev/null | awk '{print $2}') || state=""
      if [ "$state" = Synced ]; then break; fi
      echo "MySQL init process in progress..."
      kill -0 $pid
      sleep 1
    done
    if [ "$state" != Synced ]; then echo >&2 'MySQL init process failed.'; exit 1; fi

    if [ -z "$MYSQL_INITDB_SKIP_TZINFO" ]; then mysql_tzinfo_to_sql /usr/share/zoneinfo 2>/dev/null | "${mysql[@]}" mysql; fi
    if [ -n "$MYSQL_RANDOM_ROOT_PASSWORD" ]; then
      MYSQL_ROOT_PASSWORD=$(openssl rand -base64 24); export MYSQL_ROOT_PASSWORD
      echo "GENERATED ROOT PASSWORD: $MYSQL_ROOT_PASSWORD"
    fi
    file_env MYSQL_ROOT_HOST %
    file_env MONITOR_HOST localhost
    file_env MONITOR_PASSWORD monitor
    root=""
    if [ -n "$MYSQL_ROOT_HOST" ] && [ "$MYSQL_ROOT_HOST" != localhost ]; then
      root="CREATE USER 'root'@'$MYSQL_ROOT_HOST' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD'; GRANT ALL ON *.* TO 'root'@'$MYSQL_ROOT_HOST' WITH GRANT OPTION;"
    fi
    "${mysql[@]}" <<-SQL
	SET @@SESSION.SQL_LOG_BIN=0;
	ALTER USER 'root'@'localhost' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
	GRANT ALL ON *.* TO 'root'@'localhost' WITH GRANT OPTION;
	$root
	CREATE USER 'xtrabackup'@'localhost' IDENTIFIED BY '$XTRABACKUP_PASSWORD';
	GRANT RELOAD, PROCESS, LOCK TABLES, REPLICATION CLIENT ON *.* TO 'xtrabackup'@'localhost';
	CREATE USER 'monitor'@'$MONITOR_HOST' IDENTIFIED BY '$MONITOR_PASSWORD' WITH MAX_USER_CONNECTIONS 100;
	GRANT SELECT, PROCESS, SUPER, REPLICATION CLIENT, RELOAD ON *.* TO 'monitor'@'$MONITOR_HOST';
	CREATE USER 'clustercheck'@'localhost' IDENTIFIED BY '$CLUSTERCHECK_PASSWORD';
	GRANT PROCESS ON *.* TO 'clustercheck'@'localhost';
	DROP DATABASE IF EXISTS test;
	FLUSH PRIVILEGES;
	SQL
    if [ -n "$MYSQL_ROOT_PASSWORD" ]; then mysql+=("-p$MYSQL_ROOT_PASSWORD"); fi
    file_env MYSQL_DATABASE
    if [ -n "$MYSQL_DATABASE" ]; then
      echo "CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;" | "${mysql[@]}"
      mysql+=("$MYSQL_DATABASE")
    fi
    file_env MYSQL_USER
    file_env MYSQL_PASSWORD
    if [ -n "$MYSQL_USER" ] && [ -n "$MYSQL_PASSWORD" ]; then
      echo "CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '$MYSQL_PASSWORD';" | "${mysql[@]}"
      if [ -n "$MYSQL_DATABASE" ]; then echo "GRANT ALL ON \`$MYSQL_DATABASE\`.* TO '$MYSQL_USER'@'%';" | "${mysql[@]}"; fi
      echo 'FLUSH PRIVILEGES;' | "${mysql[@]}"
    fi
    for file in /docker-entrypoint-initdb.d/*; do run_file "$file"; done
    if [ -n "$MYSQL_ONETIME_PASSWORD" ]; then echo "ALTER USER 'root'@'%' PASSWORD EXPIRE;" | "${mysql[@]}"; fi
    if ! kill -s TERM $pid || ! wait $pid; then echo >&2 'MySQL init process failed.'; exit 1; fi
    echo 'MySQL init process done. Ready for start up.'
  fi
  if [ -n "$MYSQL_INIT_ONLY" ]; then echo 'Initialization complete, now exiting!'; exit 0; fi
fi

# --- version of the data, position in the cluster ------------------------------------------------------
position=""
if [ "$1" = mysqld ] && [ -z "$help" ]; then
  DATADIR=$(setting datadir "$@")
  mysqld -V | awk '{print $3}' >/tmp/version_info
  if [ -f "$DATADIR/version_info" ] && ! diff /tmp/version_info "$DATADIR/version_info" >/dev/null; then
    SOCKET=$(setting socket "$@")
    "$@" --skip-networking --socket="$SOCKET" --wsrep-provider=none &
    pid=$!
    file_env MYSQL_ROOT_PASSWORD
    mysql=(mysql --protocol=socket -uroot -hlocalhost "--socket=$SOCKET" "--password=$MYSQL_ROOT_PASSWORD")
    for i in {120..0}; do
      if echo 'SELECT 1' | "${mysql[@]}" &>/dev/null; then break; fi
      echo 'MySQL init process in progress...'
      sleep 1
    done
    if [ "$i" = 0 ]; then echo >&2 'MySQL init process failed.'; exit 1; fi
    mysql_upgrade --force "${mysql[@]:1}"
    if ! kill -s TERM $pid || ! wait $pid; then echo >&2 'MySQL init process failed.'; exit 1; fi
  fi
  if [ -d "$DATADIR" ]; then cp /tmp/version_info "$DATADIR/version_info"; fi

  grastate=$DATADIR/grastate.dat
  uuid="" seqno=-1
  if [ -s "$grastate" ] && [ -d "$DATADIR/mysql" ]; then
    uuid=$(awk '/^uuid:/ {print $2}' "$grastate"); seqno=$(awk '/^seqno:/ {print $2}' "$grastate")
  fi
  if [ -n "$uuid" ] && [ -n "$seqno" ] && [ "$seqno" != -1 ]; then
    position="--wsrep_start_position=$uuid:$seqno"
  elif [ -d "$DATADIR/mysql" ]; then
    log=$(mktemp "$DATADIR/wsrep_recovery_verbose.XXXXXX")
    if ! "$@" --wsrep_recover --log-error="$log" || ! grep -q 'Recovered position' "$log"; then
      cat "$log" >&2; rm -f "$log"
      echo >&2 'error: could not recover the position in the cluster'; exit 1
    fi
    position="--wsrep_start_position=$(sed -nE 's/.*Recovered position:? *//p' "$log" | tail -1)"
    rm -f "$log"
  fi
fi

if [ "${PERCONA_TELEMETRY_DISABLE:-0}" != 0 ]; then
  set -- "$@" --percona_telemetry_disable=1
else
  /usr/bin/telemetry-agent-supervisor.sh &
fi
# shellcheck disable=SC2086  # one option or none
exec "$@" $position
