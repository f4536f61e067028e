# The rules of Galera. me: {pod, state, uuid, seqno, epoch}; running: what a member in a Primary component says of itself, or null;
# apart: the same of members that run without one; here: the directory of override.sh; complete: the mark of a whole copy.
# Decisions: wait, join, bootstrap, found, discard. For a claim, basis lists the keys that may not have changed, epoch is the new epoch,
# and claimed are the members that are waited for from then on.
include "facts";

def number: if . == "" then 0 else tonumber end;
def starts: [.etcd | to_entries[] | select(.key | startswith("start/")) | {epoch: (.key[6:] | tonumber), seqno: (.value.value | tonumber)}];

# Of a volume of an earlier epoch: where the next epochs began without some of its transactions; and the first epoch whose start is not known.
def left_behind($it): any(.starts[]; .epoch > $it.epoch and .seqno < $it.seqno);
def unrecorded($it): .starts as $starts | [range($it.epoch + 1; .epoch + 1) | select(. as $epoch | all($starts[]; .epoch != $epoch))][0];
def diverged($it): $it.epoch != null and (left_behind($it) or unrecorded($it) != null);

# Adds what the rules need. The members whose word is needed are those of the last view; all of them if none is recorded, or if etcd is
# older than the data: then only volumes of the latest epoch count, as where it began is not known.
def known:
  . + {uuid: fact("uuid"), view: object("view"), claim: object("bootstrap"), override: object("override"), waiting: below("waiting/"), starts: starts}
  | .epoch = ([(fact("epoch") | number), .view.epoch] | max)
  | .latest = ([.waiting[].epoch, .me.epoch] | max)
  | .forgotten = (.uuid == "" or (.latest != null and .latest > .epoch))
  | .members as $members
  | .required = (if .forgotten then $members else .view.members | otherwise($members) end)
  | . as $all
  | .data = [.waiting[] | select(.state == "data") | select(. as $it | if $all.forgotten then $it.epoch == $all.latest else $all | diverged($it) | not end)]
  | [.data[].pod] as $whole
  | [.waiting[].pod] as $heard
  | .missing = .required - $heard
  # What a member had before it was copied anew, the cluster had, too (join_running), and since then it has taken no write. But it may
  # have been copied from a member whose volume is lost now.
  | [.waiting[] | select(.state == "incomplete" and $all.uuid != "" and .uuid == $all.uuid) | .pod] as $copying
  | .lost = ([$heard[] | select(IN($all.required[])) | select(IN($whole[]) | not)] | if . - $copying == [] then [] else . end)
  | .copies = ([.data[] | select($all.uuid == "" or .uuid == $all.uuid) | .outside = (.pod | IN($all.required[]) | not)] | sort_by(-.seqno, .outside, (.pod | length), .pod))
  | .best = .copies[0]
  # Of an earlier epoch, with more than the best copy has; whether the later epoch goes on from that is not recorded.
  | (.best.seqno | otherwise(-1)) as $most
  | .unclear = [.waiting[] | select(.state == "data" and ($all.uuid == "" or .uuid == $all.uuid) and .seqno > $most) | select(. as $it | ($it.epoch == null or ($all | left_behind($it) | not))) | .pod]
  | .uuids = ([.data[].uuid] | unique)
  | .reported = ([.waiting[] | "\(.pod): \(.state) \(.seqno)"] | join(", "))
  | .basis = ["uuid", "view", "epoch", "bootstrap", "override"]
  | .claimed = ((if .forgotten then $whole else .view.members | otherwise($whole) end) + [.me.pod] | unique);

def start($decision; $why): {decision: $decision, why: $why, basis, epoch: (([.epoch, .latest] | max) + 1), claimed: (.claimed | tojson)};

# The command names the most advanced volume; none that lacks what another member, which reports or runs, has. A member that left the view
# may have applied writes that the others had only received.
def or_override($pod): "To decide without that, if it is lost for good: kubectl exec -n \(.namespace) \($pod) -c mysql -- bash \(.here)/override.sh \($pod) YOUR-NAME";
def or_override:
  .uuid as $uuid
  | .best as $copy
  | [.apart[] | select($copy == null or (.uuid == $copy.uuid and (.committed | number) > $copy.seqno)) | .pod] as $ahead
  | if $ahead != [] then "\(named($ahead)) runs without a Primary component and is restarted to report."
    elif .unclear != [] then "Compare the volumes before you override."
    elif $copy != null then or_override($copy.pod)
    elif .missing == [] then or_override(.me.pod)
    else "No volume that was reported holds a whole copy." end;

def discard: if .me.state == "initialized" and .me.uuid != .uuid then {decision: "discard", why: "The data directory was made here but was never registered, so nobody has written to it. Emptying it."} else null end;

def refuse: .me as $me
  | if $me.state == "unknown" then
      wait("REFUSED: the files on this volume (cluster \(if $me.uuid == "" then "not named" else $me.uuid end)) were not brought here by this release. They are not touched. Move them away, then delete this pod; or, if they are the whole data of this release's cluster \(.uuid), make the empty file \(.complete).")
    elif .uuid != "" and ($me.state == "data" or $me.state == "incomplete") and $me.uuid != .uuid then
      wait("REFUSED: the data on this volume belongs to the cluster \($me.uuid), but this release's cluster is \(.uuid). It is not touched. Move it away (or point the release at its own etcd), then delete this pod.")
    elif $me.state != "data" or $me.epoch == null then null
    elif left_behind($me) then
      wait("REFUSED: this volume holds transactions up to \($me.seqno) of the cluster's epoch \($me.epoch), but a later epoch was started without some of them. It is not touched, as joining would mix two histories. Save the volume, then empty it: a copy of the running cluster comes onto it.")
    elif unrecorded($me) != null and .uuid != "" then
      wait("REFUSED: this volume holds transactions of the cluster's epoch \($me.epoch), and etcd has lost where epoch \(unrecorded($me)) began: whether the cluster has all of them is unknown. It is not touched. Save the volume, then empty it: a copy of the running cluster comes onto it.")
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
      elif .me.epoch != null and .me.epoch > .epoch then wait("etcd is older than the data: it names epoch \(.epoch), and this volume is of epoch \(.me.epoch). Waiting until \($it.pod) has recorded its own.")
      else {decision: "join", why: "Joining the Primary component that \($it.pod) is in."} end
  end;

def await_claim: if .claim == null or .claim.pod == .me.pod then null else wait("Waiting for \(.claim.pod), which is starting the cluster.") end;

# An override holds for the facts that it was given for (override.sh): the cluster, its view and its epoch.
def override:
  .etcd as $etcd
  | if .override.pod != .me.pod or .override.basis != [$etcd["uuid", "view", "epoch"].revision] then null
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
  if .uuid != "" or .view != null or any(.waiting[].state; IN("data", "incomplete", "unknown")) then null
  elif .missing != [] then wait("First start: waiting until all \(.members | length) members have said that their volumes are empty. Not yet: \(named(.missing)).")
  else ([.waiting[].pod] | by_ordinal[0]) as $first
    | if $first == .me.pod then start("found"; "All \(.members | length) members report an empty volume, and etcd knows no cluster: founding it here.")
      else wait("All members report an empty volume. Waiting for \($first), which founds the cluster.") end
  end;

def bootstrap:
  # A cluster with a UUID and without a view has never taken a write: empty volumes have lost nothing.
  .me as $me | .best as $best
  | (if .view == null and .uuid != "" and (.forgotten | not) then [] else .lost end) as $lost
  | if .missing != [] then wait("No Primary component runs. Reported: \(.reported). Not reported: \(named(.missing)). Who was in the last view may hold the newest data, so they are waited for. \(or_override)")
    elif (.uuids | length) > 1 then wait("No Primary component runs, and the volumes hold different clusters (\(named(.uuids))). Reported: \(.reported). Waiting: nobody but a person can tell which one is right. \(or_override)")
    elif .best == null and .unclear == [] then wait("No volume holds a whole copy of the cluster \(.uuid). Reported: \(.reported). Waiting: an empty cluster is never started over a known one. \(or_override)")
    elif .unclear != [] then wait("No Primary component runs. Reported: \(.reported). \(named(.unclear)) has more than \(.best.pod) of a later epoch, and etcd has lost where that epoch began. Waiting: nobody but a person can tell whose transactions count. \(or_override)")
    elif .best.outside and $lost == [] then wait("No Primary component runs. Reported: \(.reported). The last view was \(named(.required)), but \(.best.pod), which was not in it, is more advanced. Waiting: nobody but a person can tell whose transactions count. \(or_override)")
    elif .best.outside or ($lost | length) > 1 then wait("No Primary component runs. Reported: \(.reported). Of the last view, \(named($lost)) hold no data any more; the newest transactions may have been only there. \(or_override)")
    elif .best.pod != $me.pod then wait("Every member of the last view has reported (\(.reported)). Waiting for \(.best.pod), the most advanced, to start the cluster.\(if any(.copies[]; .pod == $me.pod and .seqno == $best.seqno and (.outside | not)) then " This volume is as advanced. " + or_override($me.pod) else "" end)")
    else start("bootstrap"; "Every member of the last view has reported (\(.reported)); this one is the most advanced: starting the cluster.\(if $lost == [] then "" else " \(named($lost)) holds no data any more: what it alone had applied is lost." end)") end;

# In this order; the first one that says something counts.
def rules: discard, refuse, join_running, await_claim, override, (.basis += ([.required[], .members[]] | unique | map("waiting/" + .)) | (go_on, found, bootstrap));
