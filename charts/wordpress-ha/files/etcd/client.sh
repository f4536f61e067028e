# shellcheck shell=bash disable=SC2034 # its results are read by the scripts that source it
# A client of etcd's v3 JSON gateway, to be sourced. It keeps three outcomes apart, as no decision may rest on a doubt:
#   status 0  etcd answered, and the whole answer is in $etcd_reply
#   status 1  etcd refused the request: the reason is in $etcd_error (a definite answer)
#   status 2  unknown: no member gave a whole answer, the last reason is in $etcd_error. It may have been carried out.
# $ETCD_ENDPOINTS lists the members' client URLs; each is asked in turn, as a Service address can lead to a dead node.
# $TLS is the directory with ca.crt, tls.crt and tls.key, if etcd wants TLS; it then knows its clients by certificates, too.
# Keys and values are text here; base64 stays inside this file. As few processes as possible are started, of jq above all:
# on a node that has just booted each takes long, and leases run meanwhile.

etcd_reply="" etcd_error=""

# One member's answer takes milliseconds; 1 s to connect and 3 s in all mean that it is dead or has no quorum.
etcd_connect_timeout=1
etcd_timeout=${ETCD_TIMEOUT:-3}
etcd_curl=(curl) # with what shows this client's certificate, and checks etcd's; with an Accept header etcd would log a warning each time
if [ -n "${TLS-}" ]; then etcd_curl+=(--cacert "$TLS/ca.crt" --cert "$TLS/tls.crt" --key "$TLS/tls.key" -H Accept:); fi
etcd_last="" # the member that answered last is asked first: another one may be dead

# etcd_call PATH JSON [FILTER [JQ-OPTION...]]: sets etcd_reply to what the filter (of jq; must print something) makes of the
# answer, or etcd_error; see above for the status.
etcd_call() {
  local path=$1 body=$2 filter=${3:-.} endpoint answer status reason asked=""
  shift $(($# < 3 ? $# : 3))
  etcd_reply="" etcd_error="ETCD_ENDPOINTS names no member"
  # Nobody else is asked than the members that the caller names now.
  if [[ " $ETCD_ENDPOINTS " != *" $etcd_last "* ]]; then etcd_last=""; fi
  for endpoint in $etcd_last $ETCD_ENDPOINTS; do
    if [ "$endpoint" = "$asked" ]; then continue; fi # the one that answered last was asked first
    asked=${asked:-$endpoint}
    if ! answer=$("${etcd_curl[@]}" -sS --connect-timeout "$etcd_connect_timeout" --max-time "$etcd_timeout" \
      -X POST -H 'Content-Type: application/json' --data-binary "$body" -w '\n%{http_code}' "$endpoint/v3/$path" 2>&1); then
      answer=${answer%%$'\n'*}
      etcd_error="$endpoint: ${answer% after [0-9]* ms*}" # the time differs at every attempt, the reason does not
      continue
    fi
    status=${answer##*$'\n'} answer=${answer%$'\n'*}
    if [ "$status" = 200 ]; then
      # Every answer of etcd names its cluster. What does not is torn, or somebody else's: "{}" would mean "no keys".
      if etcd_reply=$(jq -cr "$@" "if (.header // .result.header).cluster_id then ($filter) else error(\"not etcd's\") end" <<<"$answer" 2>/dev/null) &&
        [ -n "$etcd_reply" ]; then etcd_last=$endpoint; return 0; fi
      etcd_reply="" etcd_error="$endpoint: HTTP 200 and no whole answer of etcd"
    elif ! reason=$(jq -er '.message // .error | strings' <<<"$answer" 2>/dev/null); then
      etcd_error="$endpoint: HTTP $status and no whole answer of etcd"
    else
      etcd_error="$endpoint: HTTP $status: $reason"
      case $status in 400 | 401 | 403 | 404) etcd_error="$endpoint: $reason"; return 1 ;; esac
    fi
  done
  etcd_last=""
  return 2
}

encoded() { printf '%s' "$1" | base64 -w 0; }

# etcd_get KEY: etcd_reply becomes {"value": TEXT or null, "revision": NUMBER (0: the key does not exist)}
etcd_get() {
  etcd_call kv/range "{\"key\":\"$(encoded "$1")\"}" \
    '.kvs[0] // {} | {value: (if .mod_revision then (.value // "" | @base64d) else null end), revision: (.mod_revision // "0" | tonumber)}'
}

# etcd_watch PREFIX SECONDS: in place of this shell, for a process substitution: a line when the member that answered last begins to watch, and
# one for each change below PREFIX, for so long.
etcd_watch() {
  below "$1"
  exec "${etcd_curl[@]}" -sfN --connect-timeout "$etcd_connect_timeout" --max-time "$2" \
    -X POST -H 'Content-Type: application/json' --data-binary "{\"create_request\":{$range}}" "$etcd_last/v3/watch" 2>/dev/null
}

# below PREFIX: sets range to all keys below it. PREFIX ends in "/"; the range ends at the next character, "0".
below() { range="\"key\":\"$(encoded "$1")\",\"range_end\":\"$(encoded "${1%/}0")\""; }

# etcd_list PREFIX [FILTER]: etcd_reply becomes [{"key": NAME BEHIND THE PREFIX, "value": TEXT, "revision": NUMBER}, ...], or what
# the filter makes of it.
# shellcheck disable=SC2016 # $skip is jq's
etcd_list() {
  below "$1"
  etcd_call kv/range "{$range}" \
    '[.kvs // [] | .[] | {key: (.key | @base64d | .[$skip:]), value: (.value // "" | @base64d), revision: (.mod_revision | tonumber)}] | '"${2:-.}" \
    --argjson skip "${#1}"
}

# etcd_put KEY VALUE [LEASE]
etcd_put() { etcd_call kv/put "{\"key\":\"$(encoded "$1")\",\"value\":\"$(encoded "$2")\",\"lease\":\"${3:-0}\"}"; }

# etcd_delete KEY
etcd_delete() { etcd_call kv/deleterange "{\"key\":\"$(encoded "$1")\"}"; }

# Parts of a transaction, printed as JSON.
compare_revision() { printf '{"key":"%s","target":"MOD","result":"EQUAL","mod_revision":"%s"}' "$(encoded "$1")" "$2"; }
compare_absent() { printf '{"key":"%s","target":"CREATE","result":"EQUAL","create_revision":"0"}' "$(encoded "$1")"; }
compare_value() { printf '{"key":"%s","target":"VALUE","result":"EQUAL","value":"%s"}' "$(encoded "$1")" "$(encoded "$2")"; }
put_operation() { printf '{"request_put":{"key":"%s","value":"%s","lease":"%s"}}' "$(encoded "$1")" "$(encoded "$2")" "${3:-0}"; }
delete_operation() { printf '{"request_delete_range":{"key":"%s"}}' "$(encoded "$1")"; }

# etcd_transaction COMPARISONS OPERATIONS: each a string of JSON objects, one after another ("}{" is in none of them: their texts
# are encoded). etcd_reply becomes true (all comparisons held, all operations were done) or false (nothing was done).
etcd_transaction() {
  etcd_call kv/txn "{\"compare\":[${1//\}\{/\},\{}],\"success\":[${2//\}\{/\},\{}]}" '.succeeded // false'
}

# etcd_lease SECONDS: etcd_reply becomes the lease's identity.
etcd_lease() { etcd_call lease/grant "{\"TTL\":\"$1\"}" '.ID'; }

# etcd_keepalive LEASE: etcd_reply becomes the seconds it has from now; 0: it has expired.
# The gateway answers this call with a stream of one object.
etcd_keepalive() { etcd_call lease/keepalive "{\"ID\":\"$1\"}" '.result.TTL // "0"'; }

# etcd_revoke LEASE
etcd_revoke() { etcd_call lease/revoke "{\"ID\":\"$1\"}"; }
