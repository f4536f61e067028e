#!/usr/bin/env bash
# Starts the NFS server with its log on the container's output: the program writes it to a file on the volume itself, for ever,
# without a limit, which would fill the volume that the site's files are on.
set -euo pipefail

output=/proc/1/fd/1 # this process's own; the server is started by what takes its place
ln -sfn "$output" /export/ganesha.log
exec /nfs-provisioner "$@"
