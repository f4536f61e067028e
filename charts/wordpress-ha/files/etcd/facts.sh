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
