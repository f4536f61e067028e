# shellcheck shell=bash disable=SC2034,SC2154 # its results are read by the scripts that source it
# What members keep in etcd below one prefix, read as one picture; to be sourced after client.sh. $prefix ends in "/".

# read_facts: sets facts to one consistent picture of all keys, as {"key": {"value", "revision"}, ...}.
declare -A fact_values=() fact_revisions=()
read_facts() {
  local key revision value
  etcd_list "$prefix" '(map({key, value: {value, revision}}) | from_entries | tojson), (.[] | [.key, (.revision | tostring), .value] | join("\u001f"))' || return
  fact_values=() fact_revisions=()
  {
    read -r facts
    while IFS=$'\037' read -r key revision value; do fact_values[$key]=$value fact_revisions[$key]=$revision; done
  } <<<"$etcd_reply"
}
fact() { printf '%s' "${fact_values[$1]-}"; }
# text_in JSON NAME: a text or number of an object that these scripts wrote; nothing when there is none.
text_in() { if [[ $1 =~ \"$2\":\"?([^\",}]*) ]]; then printf '%s' "${BASH_REMATCH[1]}"; fi; }
revision() { printf '%s' "${fact_revisions[$1]-0}"; }
# unchanged KEY...: the conditions of a transaction that these facts have not changed.
unchanged() { local key; for key; do compare_revision "$prefix$key" "$(revision "$key")"; done; }

# await_news SECONDS: waits until one of the facts has changed, or for so long; needs "pause". It only makes its caller sooner: nothing
# is concluded from it, and who hears nothing looks all the same. One request stays open, with the member that answered last; its
# first line comes when etcd begins to watch, so that no change is missed in between.
watch_seconds=60 # after which a new request is made: a member that is gone is silent for ever
watch="" watched=""
await_news() {
  if [ -n "$watch" ] && [ "$watched" != "$etcd_last" ]; then close_watch; fi
  if [ -z "$watch" ] && [ -n "$etcd_last" ]; then
    watched=$etcd_last
    exec {watch}< <(etcd_watch "$prefix" "$watch_seconds")
  fi
  if [ -n "$watch" ]; then
    if read -r -t "$1" -u "$watch" _; then
      while read -r -t 0.01 -u "$watch" _; do :; done # one look is enough for all of them
      return 0
    elif [ $? -gt 128 ]; then return 0; fi
    close_watch
  fi
  pause "$1"
}
close_watch() { exec {watch}<&-; watch=""; }
