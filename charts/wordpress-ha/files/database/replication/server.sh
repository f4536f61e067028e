# shellcheck shell=bash disable=SC2034,SC2154 # its results are read by the scripts that source it
# What the elector tells its own server to do, to be sourced after common.sh and cluster.sh. Every call is bounded.

# The elector keeps one session open: to start a client for each statement takes a tenth of a second where processors are few,
# and nobody can write while a primary hands over. While there is none, each statement has a client of its own.
client=(mysql --defaults-extra-file="$CREDENTIALS/elector.cnf" --connect-timeout=2 --batch --skip-column-names)
session_pid="" session_server="" session_to="" session_from=""

# open_session: with the server that runs now; not from a subshell, as those only borrow it.
open_session() {
  read_note "$RUN/server"
  if session_is_open && [ "$session_server" = "$REPLY" ]; then return 0; fi
  close_session
  server_answers || return 0
  coproc session { exec "${client[@]}" --unbuffered --skip-reconnect --init-command='SET SESSION wait_timeout = 31536000' 2>/dev/null; }
  if [ -z "${session[1]-}" ]; then return 0; fi # it has ended at once
  # shellcheck disable=SC2154 # set by coproc
  session_pid=$session_PID session_server=$REPLY
  exec {session_from}<&"${session[0]}" {session_to}>&"${session[1]}"
}
session_is_open() { [ -n "$session_pid" ] && kill -0 "$session_pid" 2>/dev/null; }
close_session() {
  [ -n "$session_pid" ] || return 0
  kill -KILL "$session_pid" 2>/dev/null || true
  wait "$session_pid" 2>/dev/null || true
  exec {session_from}<&- {session_to}>&-
  session_pid=""
}

# sql STATEMENTS: as root over the local socket; prints rows, columns separated by tabs. They are in no argument list, as some have
# passwords. The client may be given up, never the session at the server: one that is killed while it waits for an
# acknowledgement is told that its write is done.
sql() {
  local statements=$1 row end="--- end of the answer ---"
  statements=${statements%"${statements##*[![:space:];]}"}
  if ! session_is_open; then timeout "${sql_patience:-5}" "${client[@]}" <<<"$statements"; return; fi
  # What an earlier question has set for itself does not hold for this one.
  if printf "SET SESSION sql_log_bin = 1, lock_wait_timeout = DEFAULT;\n%s;\nSELECT '%s';\n" "$statements" "$end" >&"$session_to"; then
    while IFS= read -r -t "${sql_patience:-5}" -u "$session_from" row; do
      if [ "$row" = "$end" ]; then return 0; fi
      printf '%s\n' "$row"
    done
  fi
  # The client ends at the first error. If it did not, its answer would be taken for that of the next question.
  kill -KILL "$session_pid" 2>/dev/null || true
  return 1
}

server_runs() { [ -e "$RUN/server" ]; }
# server_answers: the check agent has asked the server within the last seconds.
server_answers() { [ -e "$RUN/state" ] && age "$RUN/beat" && [ "$REPLY" -le 3 ] && [ -e "$RUN/state" ]; }

# position: sets executed, and received: all that this server has, applied or not.
# shellcheck disable=SC2034
position() {
  local answer
  answer=$(sql "SELECT REPLACE(@@GLOBAL.gtid_executed, '\n', ''), COALESCE((SELECT REPLACE(RECEIVED_TRANSACTION_SET, '\n', '') FROM performance_schema.replication_connection_status LIMIT 1), ''),
    COALESCE((SELECT MAX(LAST_ERROR_NUMBER) FROM performance_schema.replication_applier_status_by_worker), 0) + COALESCE((SELECT MAX(LAST_ERROR_NUMBER) FROM performance_schema.replication_applier_status_by_coordinator), 0), 'end'" 2>/dev/null) || return 1
  [[ $answer == *$'\t'end ]] || return 1
  answer=${answer%$'\t'end}
  executed=${answer%%$'\t'*}; answer=${answer#*$'\t'}
  received=${answer%%$'\t'*} applier_error=${answer##*$'\t'}
  # What an applier that failed has not applied, it cannot give to anybody.
  if [ "$applier_error" != 0 ]; then received=""; fi
  received=$(join_sets "$executed" "$received")
}

# Sets of transactions, as text. The server itself compares them.
join_sets() { printf '%s' "$1${1:+${2:+,}}$2"; }
contains() { [ "$(sql "SELECT GTID_SUBSET('$2', '$1')" 2>/dev/null)" = 1 ]; } # SET SUBSET
lacks() { sql "SELECT REPLACE(GTID_SUBTRACT('$2', '$1'), '\n', '')" 2>/dev/null; } # SET OTHER: what of OTHER is not in SET

# fence WHY: no write is accepted from here on. Gently if no session waits for an acknowledgement; else the watchdog kills the
# server: those sessions may not be told that their writes are done.
fence() {
  local incarnation i
  read_note "$RUN/server"; incarnation=$REPLY
  if [ -z "$incarnation" ]; then rm -f "$RUN"/{writable,deadline}; return 0; fi
  if sql_patience=3 sql "SET lock_wait_timeout = 2; SET GLOBAL super_read_only = ON" 2>/dev/null; then
    event "fenced"
    rm -f "$RUN"/{writable,deadline}
    close_clients
    log "FENCED: $1. The server is read-only, its clients' connections are closed."
    return 0
  fi
  log "FENCED: $1. The server does not become read-only within 3 s: it is killed."
  kill_server "$1"
}

# kill_server WHY: by the watchdog; waits until it is dead.
kill_server() {
  local incarnation i
  read_note "$RUN/server"; incarnation=$REPLY
  note "$RUN/kill" "$1"
  for ((i = 0; i < 100; i++)); do
    read_note "$RUN/server"
    if [ "$REPLY" != "$incarnation" ]; then rm -f "$RUN/kill"; return 0; fi
    pause 0.1
  done
  log "The server is still there 10 s after it was to be killed: its disk may hang."
  return 1
}

# Everybody but the members' own accounts. The server is read-only, so none of these sessions can be in a commit.
close_clients() { close_sessions "USER NOT IN ('root', 'monitor', 'backup', 'event_scheduler', 'system user') AND COMMAND NOT LIKE 'Binlog Dump%'" || true; }

# close_sessions CONDITION: the first of them that has just ended by itself ends the list: the others are asked for again.
close_sessions() {
  local statements i
  for ((i = 0; i < 3; i++)); do
    statements=$(sql "SELECT CONCAT('KILL ', ID, ';') FROM information_schema.PROCESSLIST WHERE $1" 2>/dev/null) || return 1
    if [ -z "$statements" ] || sql "$statements" >/dev/null 2>&1; then return 0; fi
  done
}

# --- following ------------------------------------------------------------------------------------------------------

stop_receiving() { sql "STOP REPLICA IO_THREAD" 2>/dev/null; }

# keep_received: what was received is on the disk, and so will be all that comes. Before anybody counts on it. A relay log that has just
# been applied to its end may be gone before it is synced: the caller comes again.
keep_received() {
  sql "SET GLOBAL sync_relay_log = 1" 2>/dev/null || return 1
  find "$DATADIR" -maxdepth 1 -name 'relay-bin.[0-9]*' -exec sync {} + 2>/dev/null
}

# receive POD SYNCED: receives from POD; acknowledges if SYNCED, over this member's own account, which the primary can lock.
# The order matters: the switch is never on with the account that cannot be locked. The applier goes on, so that what is in
# the relay logs is kept: it counts as a copy.
# While nobody counts on this member, it does not sync each event: that made catching up ten times as long, and kept the disk from
# the primary.
receive() {
  local user=replication enabled=OFF events=1000
  if [ "$2" = yes ]; then user=replica-$(ordinal "$POD_NAME") enabled=ON events=1; fi
  # The applier must run while the source is changed: else the server throws the relay logs away.
  sql "SET GLOBAL super_read_only = ON;
STOP REPLICA IO_THREAD;
SET GLOBAL rpl_semi_sync_source_enabled = OFF;
SET GLOBAL rpl_semi_sync_replica_enabled = OFF;
$(applier_statement)
CHANGE REPLICATION SOURCE TO SOURCE_HOST = '$(address "$1")', SOURCE_PORT = 3306, $(static_source_options) $tls_source_options GET_SOURCE_PUBLIC_KEY = 1, SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400, SOURCE_HEARTBEAT_PERIOD = 1;
SET GLOBAL sync_relay_log = $events;
SET GLOBAL rpl_semi_sync_replica_enabled = $enabled;
START REPLICA IO_THREAD USER = '$user' PASSWORD = $(sql_quote "$(<"$SECRETS/replication-password")");
START REPLICA SQL_THREAD;" 2>/dev/null || return 1
}
tls_source_options=${TLS:+"SOURCE_SSL = 1, SOURCE_SSL_CA = '$TLS/ca.crt', SOURCE_SSL_VERIFY_SERVER_CERT = 1,"}
# With a channel that has never had a source there are no relay logs to keep, and no applier to start.
has_channel() { [ -n "$(sql "SELECT HOST FROM performance_schema.replication_connection_configuration WHERE HOST <> ''" 2>/dev/null)" ]; }
applier_statement() { if has_channel; then echo "START REPLICA SQL_THREAD;"; fi; }
static_source_options() { if ! has_channel; then echo "SOURCE_AUTO_POSITION = 1,"; fi; }

# --- gates ----------------------------------------------------------------------------------------------------------

# A replica can acknowledge writes only over its own account on the primary. The accounts of those that the view does not list
# are locked, so that whoever may hold an acknowledged write is known exactly. The state of the lock is each server's own.
# set_gates POD...: opens the accounts of these, locks all others. The server has to be read_only or the primary.
set_gates() {
  local i pod wanted state known statements=""
  known=$(sql "SELECT SUBSTRING(User, 9), account_locked FROM mysql.user WHERE User LIKE 'replica-%'" 2>/dev/null) || return 1
  [ -n "$known" ] || return 1
  while read -r i state; do
    pod=$FULLNAME-mysql-$i wanted=Y
    if [[ " $* " == *" $pod "* ]]; then wanted=N; fi
    if [ "$state" != "$wanted" ]; then
      statements+="ALTER USER 'replica-$i'@'%' ACCOUNT $([ $wanted = Y ] && echo LOCK || echo UNLOCK);"
    fi
  done <<<"$known"
  [ -z "$statements" ] || sql "SET sql_log_bin = 0; SET lock_wait_timeout = 3; $statements"
}

# connected: the pods that acknowledge now, over their own accounts.
connected() { sql "SELECT DISTINCT CONCAT('$FULLNAME-mysql-', SUBSTRING(USER, 9)) FROM information_schema.PROCESSLIST WHERE USER LIKE 'replica-%'" 2>/dev/null; }

# shut_out POD: its account is locked and its connections are closed. Status 0: it cannot acknowledge anything any more.
shut_out() {
  local i=${1##*-}
  sql "SET sql_log_bin = 0; SET lock_wait_timeout = 3; ALTER USER 'replica-$i'@'%' ACCOUNT LOCK" 2>/dev/null || return 1
  close_sessions "USER = 'replica-$i'" || return 1
  [ "$(sql "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'replica-$i'" 2>/dev/null)" = 0 ]
}

# --- becoming primary -----------------------------------------------------------------------------------------------

# prepare_gates POD...: on a server that is not primary: only root may change it for a moment. The binary log goes on in a new file:
# a replica that connects is led to its place from the beginning of a file, and no write is acknowledged until it is there.
prepare_gates() { sql "SET GLOBAL read_only = ON; SET GLOBAL super_read_only = OFF; FLUSH BINARY LOGS" && set_gates "$@"; }

# require_acknowledgements N: from here on N replicas must have a write before it is acknowledged. 0: none.
require_acknowledgements() { sql "$(acknowledgements "$1")"; }
acknowledgements() {
  if [ "$1" -gt 0 ]; then echo "SET GLOBAL rpl_semi_sync_source_wait_for_replica_count = $1; SET GLOBAL rpl_semi_sync_source_enabled = ON"
  else echo "SET GLOBAL rpl_semi_sync_source_enabled = OFF"; fi
}

become_primary() { # ACKNOWLEDGE
  sql "STOP REPLICA; SET GLOBAL rpl_semi_sync_replica_enabled = OFF; $(acknowledgements "$1")" 2>/dev/null
}

# forget_source: when writes are taken again, as it costs some syncs.
forget_source() { sql "RESET REPLICA ALL" 2>/dev/null || true; }

allow_writes() { sql "SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF"; }

# become_replica: the opposite, for a server that is fenced: nobody waits for an acknowledgement any more.
become_replica() { sql "SET GLOBAL super_read_only = ON; SET GLOBAL rpl_semi_sync_source_enabled = OFF"; }

# pulse: a transaction without any content. When a replica connects again, the server sends it nothing that it has already, and
# so gets no acknowledgement of it: sessions that wait for one wait until there is something new.
pulse() { (session_pid="" sql_patience=30 sql "FLUSH OPTIMIZER_COSTS" >/dev/null 2>&1 || true) & }
