# shellcheck shell=bash disable=SC2034 # its results are read by the scripts that source it
# A client of etcd's v3 JSON gateway, to be sourced. It keeps three outcomes apart, as no decision may rest on a doubt:
#   status 0  etcd answered, and the whole answer is in $etcd_reply
#   status 1  etcd refused the request: the reason is in $etcd_error (a definite answer)
#   status 2  unknown: no member gave a whole answer, the last reason is in $etcd_error. It may have been carried out.
# $ETCD_ENDPOINTS lists the members' client URLs; each is asked in turn, as a Service address can lead to a dead node.
# Keys and values are text here; base64 stays inside this file. As few processes as possible are started: on a node that has
# just booted each takes long, and leases run meanwhile.

etcd_reply="" etcd_error=""

# One member's answer takes milliseconds; 1 s to connect and 3 s in all mean that it is dead or has no quorum.
etcd_connect_timeout=1
etcd_timeout=${ETCD_TIMEOUT:-3}

# etcd_call PATH JSON: sets etcd_reply or etcd_error; see above for the status.
etcd_call() {
  local path=$1 body=$2 endpoint answer status reason
  etcd_reply="" etcd_error="ETCD_ENDPOINTS names no member"
  for endpoint in $ETCD_ENDPOINTS; do
    if ! answer=$(curl -sS --connect-timeout "$etcd_connect_timeout" --max-time "$etcd_timeout" \
      -X POST -H 'Content-Type: application/json' --data-binary "$body" -w '\n%{http_code}' "$endpoint/v3/$path" 2>&1); then
      answer=${answer%%$'\n'*}
      etcd_error="$endpoint: ${answer% after [0-9]* ms*}" # the time differs at every attempt, the reason does not
      continue
    fi
    status=${answer##*$'\n'} answer=${answer%$'\n'*}
    if [ "$status" = 200 ]; then
      # Every answer of etcd names its cluster. What does not is torn, or somebody else's: "{}" would mean "no keys".
      if jq -e '(.header // .result.header).cluster_id' <<<"$answer" >/dev/null 2>&1; then etcd_reply=$answer; return 0; fi
      etcd_error="$endpoint: HTTP 200 and no whole answer of etcd"
    elif ! reason=$(jq -er '.message // .error | strings' <<<"$answer" 2>/dev/null); then
      etcd_error="$endpoint: HTTP $status and no whole answer of etcd"
    else
      etcd_error="$endpoint: HTTP $status: $reason"
      case $status in 400 | 401 | 403 | 404) etcd_error="$endpoint: $reason"; return 1 ;; esac
    fi
  done
  return 2
}

# etcd_get KEY: etcd_reply becomes {"value": TEXT or null, "revision": NUMBER (0: the key does not exist)}
etcd_get() {
  etcd_call kv/range "$(jq -nc --arg key "$1" '{key: ($key | @base64)}')" || return
  etcd_reply=$(jq -c '.kvs[0] // {} | {value: (if .mod_revision then (.value // "" | @base64d) else null end), revision: (.mod_revision // "0" | tonumber)}' <<<"$etcd_reply")
}

# etcd_list PREFIX: etcd_reply becomes [{"key": NAME BEHIND THE PREFIX, "value": TEXT, "revision": NUMBER}, ...].
# PREFIX ends in "/"; the range ends at the next character, "0".
etcd_list() {
  local prefix=$1
  etcd_call kv/range "$(jq -nc --arg from "$prefix" --arg to "${prefix%/}0" '{key: ($from | @base64), range_end: ($to | @base64)}')" || return
  etcd_reply=$(jq -c --argjson skip "${#prefix}" \
    '[.kvs // [] | .[] | {key: (.key | @base64d | .[$skip:]), value: (.value // "" | @base64d), revision: (.mod_revision | tonumber)}]' <<<"$etcd_reply")
}

# etcd_put KEY VALUE [LEASE]
etcd_put() {
  etcd_call kv/put "$(jq -nc --arg key "$1" --arg value "$2" --arg lease "${3:-0}" '{key: ($key | @base64), value: ($value | @base64), lease: $lease}')"
}

# etcd_delete KEY
etcd_delete() { etcd_call kv/deleterange "$(jq -nc --arg key "$1" '{key: ($key | @base64)}')"; }

# Parts of a transaction, printed as JSON.
# compare_revisions: reads lines of "KEY REVISION".
compare_revisions() { jq -Rc 'split(" ") | {key: (.[0] | @base64), target: "MOD", result: "EQUAL", mod_revision: .[1]}'; }
compare_revision() { jq -nc --arg key "$1" --arg revision "$2" '{key: ($key | @base64), target: "MOD", result: "EQUAL", mod_revision: $revision}'; }
compare_absent() { jq -nc --arg key "$1" '{key: ($key | @base64), target: "CREATE", result: "EQUAL", create_revision: "0"}'; }
compare_value() { jq -nc --arg key "$1" --arg value "$2" '{key: ($key | @base64), target: "VALUE", result: "EQUAL", value: ($value | @base64)}'; }
put_operation() { jq -nc --arg key "$1" --arg value "$2" --arg lease "${3:-0}" '{request_put: {key: ($key | @base64), value: ($value | @base64), lease: $lease}}'; }
delete_operation() { jq -nc --arg key "$1" '{request_delete_range: {key: ($key | @base64)}}'; }

# etcd_transaction COMPARISONS OPERATIONS: each a string of JSON objects, one after another.
# etcd_reply becomes true (all comparisons held, all operations were done) or false (nothing was done).
etcd_transaction() {
  etcd_call kv/txn "$(jq -nc --slurpfile compare <(printf '%s' "$1") --slurpfile success <(printf '%s' "$2") '{compare: $compare, success: $success}')" || return
  etcd_reply=$(jq '.succeeded // false' <<<"$etcd_reply")
}

# etcd_lease SECONDS: etcd_reply becomes the lease's identity.
etcd_lease() {
  etcd_call lease/grant "$(jq -nc --arg ttl "$1" '{TTL: $ttl}')" || return
  etcd_reply=$(jq -r '.ID' <<<"$etcd_reply")
}

# etcd_keepalive LEASE: etcd_reply becomes the seconds it has from now; 0: it has expired.
# The gateway answers this call with a stream of one object.
etcd_keepalive() {
  etcd_call lease/keepalive "$(jq -nc --arg id "$1" '{ID: $id}')" || return
  etcd_reply=$(jq -r '.result.TTL // "0"' <<<"$etcd_reply")
}

# etcd_revoke LEASE
etcd_revoke() { etcd_call lease/revoke "$(jq -nc --arg id "$1" '{ID: $id}')"; }
