#!/usr/bin/env bash
# Makes the certificates of the release's servers, by an authority of the release's own, and renews them when less than a third of their
# life is left. One that is whole and young is left alone, so this runs before each install and upgrade, and every day.
# To renew one now: annotate its Secret with wordpress-ha.github.io/renew=now, and start a Job of the CronJob.
# Private keys are in files in memory, and pass to the API server by standard input.
set -euo pipefail
# shellcheck source=../secrets/create.sh
. "$(dirname "$0")/create.sh"

: "${AUTHORITY:?}" "${CERTIFICATES:?}"
: "${DAYS:=90}"                  # the life of a certificate
: "${AUTHORITY_DAYS:=3650}"      # servers read the authority when they start: it outlives them
: "${EARLIER:=3600}"             # seconds; certificates are valid from so long ago, for nodes whose clocks are late
: "${MOST_OFF:=600}"             # seconds by which the clock here may differ from the API server's; well within EARLIER
renew=wordpress-ha.github.io/renew
work=$(mktemp -d)
headers=$work/headers
trap 'rm -rf "$work"' EXIT

# field KEY: a field of the Secret that the API server has just sent, decoded; nothing if there is none.
field() { jq -j --arg key "$1" '.data[$key] // "" | @base64d' <<<"$body"; }
# encoded FILE...: the JSON of a Secret's data, with the files' names as keys.
encoded() { for file; do printf '"%s":"%s",' "$file" "$(base64 -w0 "$work/$file")"; done | sed 's/,$//'; }
# check_clock: whether the clock here agrees with the API server's, by its last answer. A certificate by a wrong clock would be expired, or not
# yet valid, to all other nodes.
check_clock() {
  local there off
  there=$(sed -n 's/\r$//; s/^[Dd]ate: //p' "$headers")
  [ -n "$there" ] && there=$(date -d "$there" +%s) || return 1
  off=$(($(date +%s) - there))
  [ "${off#-}" -gt "$MOST_OFF" ] || return 0
  log "The clock of this node differs from the API server's by $off s, and $MOST_OFF s are allowed: no certificate is made. Correct the clock; the next attempt makes it."
  exit 1
}
# new_request NAME: a key, and a request for it.
new_request() { openssl req -newkey rsa:2048 -nodes -sha256 -subj "/CN=$1" -keyout "$work/tls.key" -out "$work/request" -config <(printf '[req]\ndistinguished_name=name\n[name]\n') 2>/dev/null; }
# sign DAYS EXTENSIONS OPTION...: tls.crt for the request. By `openssl ca`, as other commands of OpenSSL 3.0 let no certificate begin in the past.
sign() {
  local days=$1 extensions=$2 now; shift 2
  now=$(date +%s)
  : >"$work/issued"
  openssl ca -batch -notext -in "$work/request" -out "$work/tls.crt" \
    -startdate "$(date -u -d "@$((now - EARLIER))" +%Y%m%d%H%M%SZ)" -enddate "$(date -u -d "@$((now + days * 86400))" +%Y%m%d%H%M%SZ)" "$@" \
    -extfile <(printf '%s\n' "$extensions") -config <(printf '%s\n' '[ca]' 'default_ca=authority' '[authority]' "database=$work/issued" "new_certs_dir=$work" \
      'rand_serial=yes' 'default_md=sha256' 'policy=policy' '[policy]' 'commonName=supplied') 2>/dev/null
}
write_secret() { # NAME
  printf '{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls","metadata":{"name":"%s","labels":%s},"data":{%s}}' \
    "$1" "$LABELS" "$(encoded ca.crt tls.crt tls.key)"
}

# authority: brings the authority's certificate and key, which are made once, and what servers and clients trust: the same certificate, or
# two of them while one authority takes the place of another.
authority() {
  call GET "$api/$AUTHORITY" </dev/null
  case $status in
    200) field ca.crt >"$work/ca.crt" && field tls.crt >"$work/authority.crt" && field tls.key >"$work/authority.key" ;;
    404)
      log "Secret $AUTHORITY does not exist: making the release's own authority."
      check_clock && new_request "$AUTHORITY" &&
        sign "$AUTHORITY_DAYS" $'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash' -selfsign -keyfile "$work/tls.key" &&
        cp "$work/tls.crt" "$work/ca.crt" && cp "$work/tls.crt" "$work/authority.crt" && cp "$work/tls.key" "$work/authority.key" || return 1
      call POST "$api" < <(write_secret "$AUTHORITY")
      [ "$status" = 201 ] ;;
    *) return 1 ;;
  esac
}

# is_good NAMES: the Secret's certificate is whole, of this authority, for these names, and young; and nobody wants another.
is_good() {
  field tls.crt >"$work/tls.crt"
  [ -n "$(field tls.key)" ] && [ "$(field ca.crt)" = "$(<"$work/ca.crt")" ] &&
    [ -z "$(jq -r --arg renew "$renew" '.metadata.annotations[$renew] // ""' <<<"$body")" ] &&
    openssl verify -CAfile "$work/authority.crt" "$work/tls.crt" >/dev/null 2>&1 &&
    openssl x509 -in "$work/tls.crt" -noout -checkend $((DAYS * 86400 / 3)) >/dev/null &&
    [ "$(openssl x509 -in "$work/tls.crt" -noout -ext subjectAltName | sed -n '2{s/ //g;s/IPAddress:/IP:/g;p}')" = "$1" ]
}

# certify NAME NAMES: status 0 when the Secret has a certificate for these names, 1 when it is not known.
certify() {
  local name=$1 names=$2 found
  call GET "$api/$name" </dev/null
  found=$status
  case $found in
    200) if is_good "$names"; then log "Secret $name: its certificate is good ($(openssl x509 -in "$work/tls.crt" -noout -enddate))."; return 0; fi ;;
    404) ;;
    *) return 1 ;;
  esac
  # Servers show it to clients, and to one another as clients.
  check_clock && new_request "$name" &&
    sign "$DAYS" "subjectAltName=$names"$'\nkeyUsage=critical,digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth' \
      -cert "$work/authority.crt" -keyfile "$work/authority.key" || return 1
  log "Secret $name gets a new certificate ($(openssl x509 -in "$work/tls.crt" -noout -enddate))."
  if [ "$found" = 404 ]; then
    call POST "$api" < <(write_secret "$name")
    [ "$status" = 201 ]
  else
    # The version makes the API server refuse when somebody else has changed the Secret since.
    call PATCH "$api/$name" application/merge-patch+json < <(printf '{"metadata":{"resourceVersion":"%s","annotations":{"%s":null}},"data":{%s}}' \
      "$(jq -r .metadata.resourceVersion <<<"$body")" "$renew" "$(encoded ca.crt tls.crt tls.key)")
    [ "$status" = 200 ]
  fi
}

insist "$AUTHORITY" "Run helm upgrade: its Job may create Secrets." authority
# CERTIFICATES: one line a Secret: its name, then the certificate's names.
while read -r -u 3 name names; do
  [ -n "$name" ] || continue
  insist "$name" "Run helm upgrade, whose Job may create Secrets; or name one of yours in tls.*.existingSecret." certify "$name" "$names"
done 3<<<"$CERTIFICATES"
