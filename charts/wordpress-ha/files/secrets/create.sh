#!/usr/bin/env bash
# Creates the release's Secrets, once: what exists is never changed, a key that is missing is added.
# Secret values pass through standard input only; they are in no argument, no environment and no log.
set -euo pipefail

: "${NAMESPACE:?}" "${LABELS:?}"
account=${ACCOUNT:-/var/run/secrets/kubernetes.io/serviceaccount}
api=${API:-https://kubernetes.default.svc}/api/v1/namespaces/$NAMESPACE/secrets
headers=/dev/null # where the head of the last answer goes
attempts=60 # two seconds apart: the API server may be restarting, and new RBAC rules take a moment

log() { printf '%s secrets: %s\n' "$(date -u +%FT%TZ)" "$*"; }

# call METHOD URL [CONTENT_TYPE]: standard input is the body; sets status and body. Status 000: no whole answer.
call() {
  local method=$1 url=$2 type=${3:-application/json} answer
  if ! answer=$(curl -sS --max-time 10 --cacert "$account/ca.crt" -K <(printf 'header = "Authorization: Bearer %s"\n' "$(<"$account/token")") \
    -X "$method" -H "Content-Type: $type" --data-binary @- -D "$headers" -w '\n%{http_code}' "$url"); then
    status=000 body=""
    return
  fi
  status=${answer##*$'\n'} body=${answer%$'\n'*}
}

# random LENGTH: letters and digits only, so that no client, URL or option file has to quote them.
random() {
  local text=""
  while [ ${#text} -lt "$1" ]; do text+=$(openssl rand -base64 96 | tr -dc 'A-Za-z0-9'); done
  printf '%s' "${text:0:$1}"
}

# data_of KEY...: the JSON of new random values. WordPress's keys and salts have 64 characters, passwords 32.
data_of() {
  local key length separator=""
  for key; do
    case $key in *-key | *-salt) length=64 ;; *) length=32 ;; esac
    printf '%s"%s":"%s"' "$separator" "$key" "$(random "$length" | base64 -w0)"
    separator=,
  done
}

# ensure NAME KEY...: status 0 when the Secret has all keys, 1 when it is not known.
ensure() {
  local name=$1 key missing=(); shift
  call GET "$api/$name" </dev/null
  case $status in
    200)
      for key; do jq -e --arg key "$key" '.data[$key] // "" | length > 0' <<<"$body" >/dev/null || missing+=("$key"); done
      if [ ${#missing[@]} = 0 ]; then log "Secret $name has all of its keys: nothing to do."; return 0; fi
      log "Secret $name exists without ${missing[*]}: adding these, the others stay as they are."
      # The version makes the API server refuse when somebody else has changed the Secret since.
      call PATCH "$api/$name" application/merge-patch+json < <(
        printf '{"metadata":{"resourceVersion":"%s"},"data":{%s}}' "$(jq -r .metadata.resourceVersion <<<"$body")" "$(data_of "${missing[@]}")")
      [ "$status" = 200 ] ;;
    404)
      log "Secret $name does not exist: creating it with $*."
      call POST "$api" < <(printf '{"apiVersion":"v1","kind":"Secret","type":"Opaque","metadata":{"name":"%s","labels":%s},"data":{%s}}' "$name" "$LABELS" "$(data_of "$@")")
      [ "$status" = 201 ] ;;
    *) return 1 ;;
  esac
}

# insist NAME HINT COMMAND...: tries until the command succeeds; HINT is for the person who has to help.
insist() {
  local name=$1 hint=$2 attempt reason; shift 2
  for ((attempt = 1; ; attempt++)); do
    if "$@"; then return 0; fi
    reason=$(jq -r '.message // empty' <<<"$body" 2>/dev/null || true)
    if [ $attempt = $attempts ]; then
      log "Secret $name could not be made: HTTP $status from the API server${reason:+: $reason}. $hint"
      exit 1
    fi
    log "Secret $name: HTTP $status from the API server${reason:+: $reason}; trying again ($attempt of $attempts)."
    sleep 2
  done
}

if [ "$0" != "${BASH_SOURCE[0]}" ]; then return; fi # certificates.sh wants the functions alone
: "${SECRETS:?}"

# SECRETS: one line a Secret: its name, then its keys.
while read -r -u 3 name keys; do
  [ -n "$name" ] || continue
  # shellcheck disable=SC2086 # one word a key
  insist "$name" "Create it by hand with the keys $keys, or name one in existingSecret." ensure "$name" $keys
done 3<<<"$SECRETS"
