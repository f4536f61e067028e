# shellcheck shell=bash disable=SC2034,SC2154 # part of agent.sh
# How a single server is judged: it takes writes or it does not.

query="SELECT 'read_only', @@global.read_only"

judge() {
  if [ "${answer[read_only]-1}" = 0 ]; then code=200 reason="Takes writes."; else code=503 reason="The server is read-only."; fi
}

forget() { :; }
