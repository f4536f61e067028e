#!/usr/bin/env bash
# Asks the NFS server to answer an empty request (procedure 0 of NFS version 3): a server that hangs accepts connections,
# but does not answer.
set -euo pipefail
exec timeout 5 rpcinfo -t 127.0.0.1 nfs 3
