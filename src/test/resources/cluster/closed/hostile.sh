#!/usr/bin/env bash
# What a stranger asks of the ports of a release, without a certificate and with one of another authority. Each line of the output begins
# with "refused" or "ACCEPTED". Usage: hostile.sh TOPOLOGY ETCD_ADDRESS DATABASE_ADDRESS SITE_PASSWORD ROOT_PASSWORD MONITOR_PASSWORD
# The topology is galera, replication or standalone, which has no etcd.
# With CERTIFICATE and KEY, a member's own: asks only what changes nothing, and shows that these questions can succeed.
set -euo pipefail
topology=$1 etcd=$2 database=$3 site_password=$4 root_password=$5 monitor_password=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

try() { # NAME COMMAND...
  local name=$1; shift
  if "$@" >answer 2>&1 </dev/null; then echo "ACCEPTED $name: $(tr '\n' ' ' <answer | head -c 200)"; else echo "refused $name"; fi
}

show=() # how curl shows a certificate
ask_etcd() { curl --silent --fail --insecure --max-time 5 "${show[@]}" ${3:+--data "$3"} "$1://$etcd:$2"; } # SCHEME PORT/PATH BODY
# Of TLS 1.2, as its handshake ends with the server's word on the certificate.
ask_galera() { timeout 5 openssl s_client -tls1_2 -connect "$database:4567" "$@"; }
# A server of clones greets those whom it lets in with 32 hexadecimal digits.
# shellcheck disable=SC2016 # nothing of it is to be expanded here
ask_clone() { timeout 10 bash -c 'timeout 5 openssl s_client -quiet -connect "$0:4444" "$@" | head -c 32 | grep -qE "^[0-9a-f]{32}$"' "$database" "$@"; }
# shellcheck disable=SC2016 # nor here
greets() { timeout 5 bash -c 'timeout 3 bash -c "exec 3<>/dev/tcp/$0/$1; head -c 1 <&3" | grep -q .' "$database" "$1"; } # PORT
ask_mysql() { # MODE USER PASSWORD
  MYSQL_PWD=$3 mysql --no-defaults --protocol=tcp --host="$database" --port=3306 --connect-timeout=5 --ssl-mode="$1" --user="$2" --execute='SELECT 1'
}

if [ -n "${CERTIFICATE-}" ]; then
  show=(--cert "$CERTIFICATE" --key "${KEY:?}")
  try "etcd: range" ask_etcd https 2379/v3/kv/range '{"key": "AA==", "range_end": "AA==", "limit": 1}'
  case $topology in
    galera) try "galera: a member's handshake" ask_galera -cert "$CERTIFICATE" -key "$KEY" ;;
    replication) try "clone: for a member" ask_clone -cert "$CERTIFICATE" -key "$KEY" ;;
  esac
  try "mysql: the site's account over TLS" ask_mysql REQUIRED wordpress "$site_password"
  exit
fi

openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=stranger -keyout other.key -out other.crt 2>/dev/null
ask_as_strangers() { # WHOM PORT PATH BODY: in the clear, without a certificate, and with another authority's
  show=()
  try "$1: $3 in the clear" ask_etcd http "$2/$3" "$4"
  try "$1: $3 without a certificate" ask_etcd https "$2/$3" "$4"
  show=(--cert other.crt --key other.key)
  try "$1: $3 with another authority's certificate" ask_etcd https "$2/$3" "$4"
}
ask_all_of_etcd() {
  local all requests request path
  all='"key": "AA==", "range_end": "AA=="'
  requests=(
    "v3/kv/range {$all, \"limit\": 1}"
    'v3/kv/put {"key": "c3RyYW5nZXI=", "value": "MQ=="}'
    "v3/kv/deleterange {$all}"
    'v3/kv/txn {"success": [{"requestPut": {"key": "c3RyYW5nZXI=", "value": "MQ=="}}]}'
    'v3/lease/grant {"TTL": 600}'
    'v3/cluster/member/list {}'
    'v3/cluster/member/add {"peerURLs": ["http://192.0.2.1:2380"], "isLearner": true}'
    'v3/maintenance/snapshot {}'
    'v3/maintenance/alarm {"action": "ACTIVATE", "memberID": "1", "alarm": "NOSPACE"}'
    'v3/auth/user/add {"name": "stranger", "password": "stranger"}')
  for request in "${requests[@]}"; do
    ask_as_strangers etcd 2379 "${request%% *}" "${request#* }"
  done
  for path in members raft/stream/message/1 raft/snapshot; do ask_as_strangers "etcd's peers" 2380 "$path" ""; done
}
ask_all_of_galera() {
  try "galera: a member without a certificate" ask_galera
  try "galera: a member with another authority's certificate" ask_galera -cert other.crt -key other.key
  try "galera: a member that does not encrypt is greeted" greets 4567
  for port in 4444 4568; do try "galera: a state transfer on $port" timeout 5 bash -c "exec 3<>/dev/tcp/$database/$port"; done
}
ask_all_of_replication() {
  try "clone: in the clear" greets 4444
  try "clone: without a certificate" ask_clone
  try "clone: with another authority's certificate" ask_clone -cert other.crt -key other.key
  for account in replication replica-0 backup; do
    try "mysql: $account without a password" ask_mysql REQUIRED "$account" ""
    try "mysql: $account in the clear" ask_mysql DISABLED "$account" "$root_password"
  done
}
case $topology in
  galera) ask_all_of_etcd; ask_all_of_galera ;;
  replication) ask_all_of_etcd; ask_all_of_replication ;;
esac

try "mysql: the site's account in the clear" ask_mysql DISABLED wordpress "$site_password"
try "mysql: the site's account with a wrong password" ask_mysql REQUIRED wordpress wrong
try "mysql: the site's account without a password" ask_mysql REQUIRED wordpress ""
try "mysql: root from outside of its pod" ask_mysql REQUIRED root "$root_password"
try "mysql: monitor from outside of its pod" ask_mysql REQUIRED monitor "$monitor_password"
try "mysql: no account" ask_mysql REQUIRED "" ""

# The check agents and etcd's status answer everyone, from notes: no request of theirs may change anything, or read a file.
# shellcheck disable=SC2016 # nothing of it is to be expanded here
read_accounts() { timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"; printf "%s\r\n\r\n" "$2" >&3; cat <&3' "$@" | grep ^root:; }
# shellcheck disable=SC2016 # nor there
verbs=('POST / HTTP/1.0' 'PUT /state HTTP/1.0' 'DELETE /ready HTTP/1.0' 'GET /../../etc/passwd HTTP/1.0' 'GET /confirm?stranger:99 HTTP/1.0'
  '$(touch /run/member/draining)')
for verb in "${verbs[@]}"; do
  try "agent: $verb" read_accounts "$database" 9200 "$verb"
  if [ "$topology" != standalone ]; then try "etcd's status: $verb" read_accounts "$etcd" 2382 "$verb"; fi
done
