# shellcheck shell=bash disable=SC2034 # its settings are read by the scripts that source it
# What the scripts of a database pod share, to be sourced. The paths can be set from outside, for tests.

: "${DATADIR:=/var/lib/mysql}"        # the server's data directory
: "${STATE:=/volume/state}"           # notes of ours, on the same volume, outside of the data directory
: "${RUN:=/run/member}"               # notes that the containers of this pod share; gone with the pod
: "${CREDENTIALS:=/run/credentials}"  # option files with passwords, in memory
: "${SECRETS:=/secrets}"              # the mounted Secret
: "${SOCKET:=/tmp/mysql.sock}"
: "${INITIALIZE_SOCKET:=/tmp/initialize.sock}" # of the server that makes the data directory
: "${AGENT_PORT:=9200}"

log() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "${0##*/}" "$*" >&2; }

# note FILE TEXT: replaces FILE in one step, so that nobody reads half of it.
note() { printf '%s\n' "$2" >"$1.new.$BASHPID" && mv "$1.new.$BASHPID" "$1"; }

# free_socket PATH: before a server starts. The lock of a server that was killed names a process, whose number another process may
# have by now: the next server would take that one for a server at work, and end.
free_socket() { rm -f "$1" "$1.lock"; }

# sql_quote TEXT: a string literal.
sql_quote() { local text=${1//\\/\\\\}; printf "'%s'" "${text//\'/\\\'}"; }

# What the site's account may do in its own schema: all that WordPress and its plugins ask for, but no stored code and no events.
application_privileges="SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, CREATE TEMPORARY TABLES, LOCK TABLES, CREATE VIEW, SHOW VIEW, TRIGGER"
# sql_schema NAME: a schema in a GRANT, where _ would stand for any letter.
sql_schema() { printf '%s' "\`${1//_/\\_}\`"; }

# write_credentials NAME USER PASSWORD_KEY [LINE...]: an option file for the mysql client.
# Backslash and quote are the characters that option files give a meaning.
write_credentials() {
  local name=$1 user=$2 password; password=$(<"$SECRETS/$3"); shift 3
  password=${password//\\/\\\\}; password=${password//\"/\\\"}
  (umask 077; printf '[client]\nuser=%s\npassword="%s"\n' "$user" "$password"; [ $# = 0 ] || printf '%s\n' "$@") >"$CREDENTIALS/$name.new.$$"
  chmod 600 "$CREDENTIALS/$name.new.$$"
  mv "$CREDENTIALS/$name.new.$$" "$CREDENTIALS/$name.cnf"
}

# With TLS, accounts that connect from other pods may not do so in the clear, whatever the server allows.
require_tls=${TLS:+REQUIRE SSL}

# make_data_directory [OPTION...]: of a new server. root gets a password that only this script knows, as an account without one would be
# open to whatever reaches the socket before take_root does.
make_data_directory() {
  local work errors status=0; work=$(mktemp -d); errors=$work/mysqld.err
  mysqld --initialize --log-error="$errors" --log-error-verbosity=3 "$@" >>"$errors" 2>&1 || status=$?
  sed -n 's/.*temporary password.*root@localhost: //p' "$errors" >"$work/password"
  sed '/temporary password/d' "$errors" >&2
  [ $status != 0 ] || SECRETS=$work write_credentials initialize root password
  rm -r "$work"
  return $status
}

# The client for the server that makes the data directory.
initialize_client=(mysql --defaults-file="$CREDENTIALS/initialize.cnf" --protocol=socket --socket="$INITIALIZE_SOCKET")

# take_root: gives root the Secret's password; fails until the server takes statements.
take_root() {
  "${initialize_client[@]}" --connect-expired-password <<<"ALTER USER 'root'@'localhost' IDENTIFIED BY $(sql_quote "$(<"$SECRETS/root-password")")" >/dev/null 2>&1 || return 1
  write_credentials initialize root root-password
}

# mysqld_exporter, where there are metrics.
exporter=${EXPORTER:-http://127.0.0.1:9104}

# How socat shows its own certificate and checks the other one's.
tls_stream=${TLS:+cert=$TLS/tls.crt,key=$TLS/tls.key,cafile=$TLS/ca.crt,verify=1}

# watch_certificates: lets the server know when it gets new ones, if it has any.
watch_certificates() { if [ -n "${TLS-}" ]; then bash "$(dirname "$0")/reload-certificates.sh" & fi; }

# pause SECONDS: waits without starting a process, as the loops that use it run in every pod all day.
pause() {
  [ -n "${never-}" ] || exec {never}<> <(:)
  read -r -t "$1" -u "$never" _ || true
}

# read_note FILE: sets REPLY to its first line, without starting a process; to nothing when there is none.
read_note() { REPLY=""; [ ! -e "$1" ] || read -r REPLY <"$1" || true; } 2>/dev/null

# tick: sets up to the seconds since the node has started. How long something takes is measured by it: bash counts SECONDS by the time of day,
# which may be set meanwhile, by an hour or more.
tick() { read -r up _ </proc/uptime; up=${up%.*}; }
# stamp FILE: notes that something happens now. In place, in one write.
stamp() { tick; printf '%-15s\n' "$up" 1<>"$1"; }
# age FILE: sets REPLY to the seconds since its stamp; without one, since the node has started. It is negative for a stamp from before that.
age() { read_note "$1"; tick; REPLY=$((up - ${REPLY:-0})); }
