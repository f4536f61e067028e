#!/usr/bin/env bash
# Asks the NFS server to answer an empty request (procedure 0 of NFS version 3): a server that hangs accepts connections,
# but does not answer. By number, as the name would need a list of names in the image.
set -euo pipefail
exec timeout 5 rpcinfo -t 127.0.0.1 100003 3
