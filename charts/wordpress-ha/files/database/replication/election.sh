# shellcheck shell=bash disable=SC2034,SC2154 # its results are read by the scripts that source it
# Who becomes primary, to be sourced by elector.sh.
#
# Members that see no primary in etcd stop receiving and report what they have. A report stands for a promise, so the reports
# of a few suffice to know every acknowledged write, by the view:
#   - the last primary has all of them; or
#   - each is on at least "acknowledge" of the view's replicas, so those that are missing must be fewer.
# Without that, one that is missing may hold an acknowledged write alone, and everybody waits. Among those that count the one
# becomes primary that has everything which any of them has; if there is none, two have different transactions, and a person decides.
# Of equals a replica goes first: a last primary that reports has often a new pod, and a new address takes clients up to half a
# minute to learn (DNS remembers that there was none); its server is cold, too.

# In jq: what the reports say, from $facts, $me, $replicas, $acknowledge.
# shellcheck disable=SC2016 # its variables are jq's
decision_program='
  def parsed: .value | fromjson;
  ($facts | to_entries | map(select(.key | startswith("report/")) | {key: .key[7:], value: (.value | parsed)}) | from_entries) as $reports
  | ($facts.cluster.value // "null" | fromjson | .id // "") as $cluster
  | ([range($replicas)] | map($name + (. | tostring))) as $all
  | ($facts.view.value // "null" | fromjson // {term: ([$reports[].term // 0] | max // 0), primary: "", replicas: $all, acknowledge: 1, lost: true}) as $view
  | ($reports | with_entries(select(.value.state == "data" and ($cluster == "" or .value.cluster == $cluster)))) as $data
  | ([$view.primary] + $view.replicas | map(select(. != "" and $data[.] != null)) | unique) as $seen
  | ($view.replicas | map(select($data[.] == null))) as $missing_replicas
  | ($view.replicas | length) as $size
  | (if $view.lost then ($missing_replicas | length) == 0
     elif $data[$view.primary] != null then true
     elif $view.acknowledge > 0 then $size >= $view.acknowledge and ($missing_replicas | length) < $view.acknowledge
     else $acknowledge == 0 and $size > 0 and ($missing_replicas | length) == 0 end) as $enough
  | {enough: $enough, lost: ($view.lost // false), term: $view.term, primary: $view.primary, acknowledge: $view.acknowledge, missing: ([$view.primary | select(. != "" and $data[.] == null)] + $missing_replicas), founded: ($cluster != ""),
     seen: ($seen | map({pod: ., received: $data[.].received, rank: ((.[($name | length):] | tonumber) as $ordinal | [$ordinal >= $replicas, . == $view.primary, $ordinal])}) | sort_by(.rank)),
     empty: [$all[] | select($reports[.].state == "empty")], silent: [$all[] | select($reports[.] == null)],
     data: [$data | to_entries[] | {pod: .key, received: .value.received}],
     text: ([$all[], ($view.primary | select(. != "")), $view.replicas[]] | unique | map(. as $pod | $pod + ": " + (if $reports[$pod] == null then "no report" elif $reports[$pod].state == "data" then ($reports[$pod].received | if . == "" then "the first state" else . end) else $reports[$pod].state end)) | join("; "))}'

# look_at_reports: sets decision.
look_at_reports() {
  decision=$(jq -nc --argjson facts "$facts" --argjson replicas "$REPLICAS" --arg name "$FULLNAME-mysql-" --argjson acknowledge "$ACKNOWLEDGE" "$decision_program")
}
decided() { jq -r ".$1" <<<"$decision"; }

# choose: sets chosen to the first of those that count who has everything that any of them has; to nothing if there is none.
# The server compares the sets. Status 1: it did not answer.
choose() {
  local statement
  statement=$(jq -r '.seen as $seen | [$seen | to_entries[] | "SELECT \(.key) n, \u0027\(.value.pod)\u0027 pod FROM DUAL WHERE " + (.value.received as $mine | [$seen[] | "GTID_SUBSET(\u0027\(.received)\u0027, \u0027\($mine)\u0027)"] | join(" AND "))] | join(" UNION ALL ")' <<<"$decision")
  chosen=$(sql "SELECT COALESCE((SELECT pod FROM ($statement) whole ORDER BY n LIMIT 1), 'nobody')" 2>/dev/null) || return 1
  [ -n "$chosen" ] || return 1
  if [ "$chosen" = nobody ]; then chosen=""; fi
}

# with_exactly_mine: the members, other than this one, who reported exactly what this one has. One that has more does not count: it may
# have a write of its own under the next number, and would acknowledge this one's as known already.
with_exactly_mine() {
  local statement
  statement=$(jq -r --arg me "$POD_NAME" --arg mine "$received" '[.data[] | select(.pod != $me) | "SELECT \u0027\(.pod)\u0027 FROM DUAL WHERE GTID_SUBSET(\u0027\($mine)\u0027, \u0027\(.received)\u0027) AND GTID_SUBSET(\u0027\(.received)\u0027, \u0027\($mine)\u0027)"] | join(" UNION ALL ")' <<<"$decision")
  [ -z "$statement" ] || sql "$statement" 2>/dev/null
}

# report STATE [RECEIVED]: keeps this member's report alive. Status 0: it stands in etcd.
# A report under this name by another pod is left alone until its lease ends: a pod that was deleted by force may still run
# somewhere, and two members under one name would speak for one another.
report_lease=""
report() {
  local mine old kept
  old=$(fact "report/$POD_NAME")
  if [ -n "$old" ] && [[ $old != *"\"by\":\"$POD_UID\""* ]]; then etcd_error="another pod called $POD_NAME is at work, or was some seconds ago"; return 1; fi
  kept=$(cat "$STATE/term" 2>/dev/null || true)
  mine=$(jq -nc --arg by "$POD_UID" --arg state "$1" --arg cluster "$own_cluster" --arg received "${2-}" --argjson term "${kept:-0}" '{by: $by, state: $state, cluster: $cluster, term: $term, received: $received}')
  if [ -n "$report_lease" ]; then
    etcd_keepalive "$report_lease" || return
    if [ "$etcd_reply" = 0 ]; then report_lease=""; fi
  fi
  if [ -z "$report_lease" ]; then etcd_lease "$REPORT_SECONDS" || return; report_lease=$etcd_reply; old=""; fi
  if [ "$old" != "$mine" ]; then etcd_put "${prefix}report/$POD_NAME" "$mine" "$report_lease" || return; fi
}

# withdraw: this member's report is taken back; it may receive again only when that is certain.
withdraw() {
  if [ -n "$(fact "report/$POD_NAME")" ] && [[ $(fact "report/$POD_NAME") == *"\"by\":\"$POD_UID\""* ]]; then etcd_delete "${prefix}report/$POD_NAME" || return; fi
  rm -f "$RUN/electing"
}
