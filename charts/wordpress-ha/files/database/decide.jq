# What a member does that has to decide, for both engines: facts in, decision and reason out, and nothing else. No rule asks, waits or
# looks at a clock, so that all of them are simulated (DecisionSimulationTest). The engine's rules are in engine.jq.
#
# Input:   etcd (null: no whole answer; else {KEY: {value, revision}}), error, me, members, namespace, and what the engine adds.
# Output:  decision, why, and what the engine's scripts act on. Facts that cannot be read are an error: nothing is decided.
include "engine";

# One line for the scripts: the fields in this order, behind one another.
def line($fields): . as $it | [$fields[] | $it[.] | if . == null then "" elif type == "string" then . elif type == "array" and all(.[]; type == "string") then join(" ") else tojson end] | join("\u001f");

def decide:
  if .etcd == null then {decision: "wait", why: "Waiting: \(.error). Nothing is decided without a whole answer from etcd."}
  else known | [rules | values][0] end;
