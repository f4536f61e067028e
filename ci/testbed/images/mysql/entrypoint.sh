#!/bin/bash
# Entrypoint with the contract of the docker-library mysql 8.4 image.
set -eo pipefail
shopt -s nullglob

say() { printf '%s [%s] [Entrypoint]: %s\n' "$(date --rfc-3339=seconds)" "$1" "$2"; }
fail() { say ERROR "$1" >&2; exit 1; }

file_env() { # NAME [DEFAULT]
  local name=$1 file="${1}_FILE" value="${2-}"
  if [ -n "${!name-}" ] && [ -n "${!file-}" ]; then fail "Both $name and $file are set (but are exclusive)"; fi
  if [ -n "${!name-}" ]; then value=${!name}; elif [ -n "${!file-}" ]; then value=$(<"${!file}"); fi
  export "$name=$value"; unset "$file"
}
setting() { local name=$1; shift; "$@" --verbose --help 2>/dev/null | awk -v n="$name" '$1 == n && /^[^ \t]/ {sub(/^[^ \t]+[ \t]+/, ""); print; exit}'; }
sql() { # runs standard input as root on the temporary server
  local arguments=(--protocol=socket -uroot -hlocalhost "--socket=$SOCKET" --comments)
  [ "${1-}" = --database ] && { [ -n "$MYSQL_DATABASE" ] && arguments+=("--database=$MYSQL_DATABASE"); shift; }
  MYSQL_PWD=$root_password mysql --defaults-extra-file=/dev/null "${arguments[@]}" "$@"
}
start_temporary() {
  say Note "Starting temporary server"
  "$@" --daemonize --skip-networking --default-time-zone=SYSTEM --socket="$SOCKET" || fail "Unable to start server."
  say Note "Temporary server started."
}
stop_temporary() {
  say Note "Stopping temporary server"
  MYSQL_PWD=$root_password mysqladmin --protocol=socket -uroot -hlocalhost "--socket=$SOCKET" shutdown || fail "Unable to shut down server."
  say Note "Temporary server stopped"
}
run_files() {
  local file
  for file; do
    # shellcheck disable=SC1090  # files that users of the image add
    case $file in
      *.sh) if [ -x "$file" ]; then say Note "$0: running $file"; "$file"; else say Note "$0: sourcing $file"; . "$file"; fi ;;
      *.sql) say Note "$0: running $file"; sql --database <"$file" ;;
      *.sql.bz2) say Note "$0: running $file"; bunzip2 -c "$file" | sql --database ;;
      *.sql.gz) say Note "$0: running $file"; gunzip -c "$file" | sql --database ;;
      *.sql.xz) say Note "$0: running $file"; xzcat "$file" | sql --database ;;
      *.sql.zst) say Note "$0: running $file"; zstd -dc "$file" | sql --database ;;
      *) say Warn "$0: ignoring $file" ;;
    esac
  done
}

if [ "${1:0:1}" = - ]; then set -- mysqld "$@"; fi
help=""
for argument; do case $argument in -'?' | --help | --print-defaults | -V | --version) help=1; break ;; esac; done

if [ "$1" = mysqld ] && [ -z "$help" ]; then
  say Note "Entrypoint script for MySQL Server 8.4.11-1.el9 started."
  if ! errors=$("$@" --verbose --help 2>&1 >/dev/null); then
    fail "mysqld failed while attempting to check config
	command was: $* --verbose --help
	$errors"
  fi
  DATADIR=$(setting datadir "$@"); DATADIR=${DATADIR%/}; SOCKET=$(setting socket "$@")
  mkdir -p "$DATADIR"
  if [ "$(id -u)" = 0 ]; then
    find "$DATADIR" \! -user mysql -exec chown mysql '{}' +
    find "${SOCKET%/*}" -maxdepth 0 \! -user mysql -exec chown mysql '{}' +
    say Note "Switching to dedicated user 'mysql'"
    exec gosu mysql "${BASH_SOURCE[0]}" "$@"
  fi
  file_env MYSQL_ROOT_HOST %
  file_env MYSQL_DATABASE
  file_env MYSQL_USER
  file_env MYSQL_PASSWORD
  file_env MYSQL_ROOT_PASSWORD
  if [ ! -d "$DATADIR/mysql" ]; then
    if [ -z "$MYSQL_ROOT_PASSWORD$MYSQL_ALLOW_EMPTY_PASSWORD$MYSQL_RANDOM_ROOT_PASSWORD" ]; then
      fail "Database is uninitialized and password option is not specified
    You need to specify one of the following as an environment variable:
    - MYSQL_ROOT_PASSWORD
    - MYSQL_ALLOW_EMPTY_PASSWORD
    - MYSQL_RANDOM_ROOT_PASSWORD"
    fi
    [ "$MYSQL_USER" = root ] && fail 'MYSQL_USER="root", MYSQL_USER and MYSQL_PASSWORD are for configuring a regular user and cannot be used for the root user'
    if [ -n "$MYSQL_USER" ] && [ -z "$MYSQL_PASSWORD" ]; then say Warn "MYSQL_USER specified, but missing MYSQL_PASSWORD; MYSQL_USER will not be created"; fi
    ls /docker-entrypoint-initdb.d/ >/dev/null
    say Note "Initializing database files"
    "$@" --initialize-insecure --default-time-zone=SYSTEM --autocommit=1
    say Note "Database files initialized"
    root_password=""
    start_temporary "$@"
    if [ -z "$MYSQL_INITDB_SKIP_TZINFO" ]; then mysql_tzinfo_to_sql /usr/share/zoneinfo 2>/dev/null | sed 's/Local time zone must be set--see zic manual page/FCTY/' | sql mysql; fi
    if [ -n "$MYSQL_RANDOM_ROOT_PASSWORD" ]; then
      MYSQL_ROOT_PASSWORD=$(openssl rand -base64 24); export MYSQL_ROOT_PASSWORD
      say Note "GENERATED ROOT PASSWORD: $MYSQL_ROOT_PASSWORD"
    fi
    quoted=${MYSQL_ROOT_PASSWORD//\\/\\\\}; quoted=${quoted//\'/\'\'}
    remote=""
    if [ -n "$MYSQL_ROOT_HOST" ] && [ "$MYSQL_ROOT_HOST" != localhost ]; then
      remote="CREATE USER 'root'@'$MYSQL_ROOT_HOST' IDENTIFIED BY '$quoted'; GRANT ALL ON *.* TO 'root'@'$MYSQL_ROOT_HOST' WITH GRANT OPTION;"
    fi
    sql mysql <<-SQL
	SET @@SESSION.SQL_LOG_BIN=0;
	ALTER USER 'root'@'localhost' IDENTIFIED BY '$quoted';
	GRANT ALL ON *.* TO 'root'@'localhost' WITH GRANT OPTION;
	FLUSH PRIVILEGES;
	$remote
	DROP DATABASE IF EXISTS test;
	SQL
    root_password=$MYSQL_ROOT_PASSWORD
    if [ -n "$MYSQL_DATABASE" ]; then say Note "Creating database $MYSQL_DATABASE"; echo "CREATE DATABASE IF NOT EXISTS \`$MYSQL_DATABASE\`;" | sql; fi
    if [ -n "$MYSQL_USER" ] && [ -n "$MYSQL_PASSWORD" ]; then
      say Note "Creating user $MYSQL_USER"
      echo "CREATE USER '$MYSQL_USER'@'%' IDENTIFIED BY '${MYSQL_PASSWORD//\'/\'\'}';" | sql
      if [ -n "$MYSQL_DATABASE" ]; then echo "GRANT ALL ON \`${MYSQL_DATABASE//_/\\_}\`.* TO '$MYSQL_USER'@'%';" | sql; fi
    fi
    run_files /docker-entrypoint-initdb.d/*
    if [ -n "$MYSQL_ONETIME_PASSWORD" ]; then echo "ALTER USER 'root'@'%' PASSWORD EXPIRE;" | sql; fi
    stop_temporary
    say Note "MySQL init process done. Ready for start up."
  fi
fi
exec "$@"
