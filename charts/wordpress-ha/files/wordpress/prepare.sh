#!/usr/bin/env bash
# What has to be there before a web pod starts: nginx's files, the shared content and a copy of its code, an installed site whose schema fits.
set -euo pipefail

here=$(dirname "$0")
bash "$here/copy-static.sh" & copy=$!
bash "$here/seed-content.sh"
SHARED=/content bash "$here/sync-code.sh" first & code=$!
wait "$copy"
# A container's first process is deaf to signals unless it listens (the image's stop signal is QUIT): without this, deleting a waiting pod
# takes its whole grace period.
php /etc/wordpress/wait.php & waiting=$!
trap 'kill "$waiting" "$code"' TERM QUIT
wait "$waiting"
wait "$code"
