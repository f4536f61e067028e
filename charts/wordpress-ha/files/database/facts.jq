# Facts as etcd has them, and the rules that both engines share; included by the engines.

# Neither "//" nor "?" is used, as both hide errors: a fact that cannot be read is not one that is absent.
def otherwise($default): if . == null then $default else . end;
def fact($key): .etcd[$key].value | otherwise("");
def object($key): fact($key) | if . == "" then null else fromjson end;
# below FOLDER: its objects, with the rest of the key as their pod.
def below($folder): [.etcd | to_entries[] | select(.key | startswith($folder)) | {pod: .key[($folder | length):]} + (.value.value | fromjson)];
def by_ordinal: sort_by(length, .);

def wait($why): {decision: "wait", why: $why};
def named($pods): $pods | join(" ");
