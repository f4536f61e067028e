# The rules of Galera. me: {pod, state, uuid, seqno, epoch}; running: what a member in a Primary component says of itself, or null;
# here: the directory of override.sh. Decisions: wait, join, bootstrap, found, discard.
include "facts";

# Whether a report is of a volume that goes beyond the point where a later epoch began.
def diverged($it): $it.epoch != null and any(.etcd | to_entries[] | select(.key | startswith("start/")); (.key[6:] | tonumber) > $it.epoch and (.value.value | tonumber) < $it.seqno);

# Adds what the rules need. The members whose word is needed are those of the last view; all of them if none is recorded.
def known:
  . + {uuid: fact("uuid"), view: object("view"), claim: object("bootstrap"), override: object("override"), waiting: below("waiting/")}
  | .members as $members | .required = (.view.members | otherwise($members))
  | . as $all
  | .data = [.waiting[] | select(.state == "data") | select(. as $it | $all | diverged($it) | not)]
  | ([.data[].pod]) as $whole
  | ([.waiting[].pod]) as $heard
  | .missing = .required - $heard
  | .lost = [$heard[] | select(IN($all.required[])) | select(IN($whole[]) | not)]
  | .incomplete = [.waiting[] | select(.state == "incomplete" or .state == "unknown") | .pod]
  | .best = ([.data[] | select($all.uuid == "" or .uuid == $all.uuid)] | sort_by(-.seqno, (.pod | length), .pod) | .[0].pod)
  | .uuids = ([.data[].uuid] | unique)
  | .reported = ([.waiting[] | "\(.pod): \(.state) \(.seqno)"] | join(", "))
  | .basis = ["uuid", "view", "epoch", "bootstrap", "override"]
  | .claimed = ((.view.members | otherwise($whole)) + [.me.pod] | unique);

def start($decision; $why): {decision: $decision, why: $why, basis, claimed: (.claimed | tojson)};
def or_override: (.me.pod as $me | .best | otherwise($me)) as $pod | "To decide without that, if it is lost for good: kubectl exec -n \(.namespace) \($pod) -c mysql -- bash \(.here)/override.sh \($pod) YOUR-NAME";

def discard: if .me.state == "initialized" and .me.uuid != .uuid then {decision: "discard", why: "The data directory was made here but was never registered, so nobody has written to it. Emptying it."} else null end;

def refuse: .me as $me
  | if $me.state == "unknown" then
      wait("REFUSED: the files on this volume (cluster \(if $me.uuid == "" then "not named" else $me.uuid end)) were not brought here by this release. They are not touched. Move them away, then delete this pod; or, if they are the whole data of this release's cluster \(.uuid), make the empty file \(.complete).")
    elif .uuid != "" and ($me.state == "data" or $me.state == "incomplete") and $me.uuid != .uuid then
      wait("REFUSED: the data on this volume belongs to the cluster \($me.uuid), but this release's cluster is \(.uuid). It is not touched. Move it away (or point the release at its own etcd), then delete this pod.")
    elif $me.state == "data" and diverged($me) then
      wait("REFUSED: this volume holds transactions up to \($me.seqno) of the cluster's epoch \($me.epoch), but a later epoch was started without some of them. It is not touched, as joining would mix two histories. Save the volume, then empty it: a copy of the running cluster comes onto it.")
    else null end;

def join_running:
  def ahead: .me.seqno - .committed;
  if .running == null then null
  else .running as $it | .committed = ($it.committed | if type == "string" and test("^[0-9]+$") then tonumber else null end)
    | if .committed == null then wait("A member that runs does not say how far it is. Waiting until it does.")
      elif .uuid == "" then wait("\($it.pod) runs in the Primary component \($it.uuid), but etcd does not know it yet. Waiting until it is registered.")
      elif $it.uuid != .uuid then wait("\($it.pod) says that it belongs to the cluster \($it.uuid), but this release's cluster is \(.uuid). Waiting: somebody has to look at \($it.pod).")
      elif .me.state == "data" and ahead > 0 then
        wait("REFUSED: this volume holds transactions up to \(.me.seqno), the running cluster (\($it.pod)) only up to \(.committed). Joining would destroy \(ahead) of them. Save the volume, then empty it, or wait until the cluster is ahead.")
      else {decision: "join", why: "Joining the Primary component that \($it.pod) is in."} end
  end;

def await_claim: if .claim == null or .claim.pod == .me.pod then null else wait("Waiting for \(.claim.pod), which is starting the cluster.") end;

def override:
  if .override.pod != .me.pod then null
  else .claimed = [.me.pod]
    | if .me.state == "data" then start("bootstrap"; "OVERRIDE by \(.override.by): starting the cluster from this volume (position \(.me.seqno)).")
      elif .me.state == "empty" then start("found"; "OVERRIDE by \(.override.by): founding a new, empty cluster on this volume; the old one's data is given up.")
      else wait("OVERRIDE refused: this volume holds neither a whole copy (\(.me.state)) nor is it empty.") end
  end;

# A member that registered the UUID, but never served: it alone may go on.
def go_on:
  .uuid as $uuid
  | [.waiting[] | select(.state == "initialized" and $uuid != "" and .uuid == $uuid) | .pod] as $founders
  | if .view != null or $founders == [] then null
    elif $founders == [.me.pod] then .claimed = [.me.pod] | .basis -= ["override"] | start("bootstrap"; "This member has founded the cluster \($uuid) and goes on.")
    else wait("Waiting for \(named($founders)), which has founded the cluster.") end;

# Without a UUID, a view and any data: a silent member may have some, and it would be lost.
def found:
  if .uuid != "" or .best != null or .incomplete != [] then null
  elif .missing != [] then if .uuids == [] then wait("First start: waiting until all \(.members | length) members have said that their volumes are empty. Not yet: \(named(.missing)).") else null end
  else ([.waiting[].pod] | by_ordinal[0]) as $first
    | if $first == .me.pod then start("found"; "All \(.members | length) members report an empty volume, and etcd knows no cluster: founding it here.")
      else wait("All members report an empty volume. Waiting for \($first), which founds the cluster.") end
  end;

def bootstrap:
  # A cluster with a UUID and without a view has never taken a write: empty volumes have lost nothing.
  (if .view == null and .uuid != "" then [] else .lost end) as $lost
  | (.best as $best | any(.required[]; . == $best)) as $entitled
  | if .missing != [] then wait("No Primary component runs. Reported: \(.reported). Not reported: \(named(.missing)). Who was in the last view may hold the newest data, so they are waited for. \(or_override)")
    elif (.uuids | length) > 1 then wait("No Primary component runs, and the volumes hold different clusters (\(named(.uuids))). Reported: \(.reported). Waiting: nobody but a person can tell which one is right. \(or_override)")
    elif .best == null then wait("No volume holds a whole copy of the cluster \(.uuid). Reported: \(.reported). Waiting: an empty cluster is never started over a known one. \(or_override)")
    elif ($entitled | not) and $lost == [] then wait("No Primary component runs. Reported: \(.reported). The last view was \(named(.required)), but \(.best), which was not in it, is more advanced. Waiting: nobody but a person can tell whose transactions count. \(or_override)")
    elif ($entitled | not) or ($lost | length) > 1 then wait("No Primary component runs. Reported: \(.reported). Of the last view, \(named($lost)) hold no data any more; the newest transactions may have been only there. \(or_override)")
    elif .best != .me.pod then wait("Every member of the last view has reported (\(.reported)). Waiting for \(.best), the most advanced, to start the cluster.")
    else start("bootstrap"; "Every member of the last view has reported (\(.reported)); this one is the most advanced: starting the cluster.") end;

# In this order; the first one that says something counts.
def rules: discard, refuse, join_running, await_claim, override, (.basis += [.required[] | "waiting/" + .] | (go_on, found, bootstrap));
