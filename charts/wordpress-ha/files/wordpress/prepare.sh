#!/usr/bin/env bash
# What has to be there before a web pod starts: nginx's files, the shared content, an installed site whose schema fits.
set -euo pipefail

here=$(dirname "$0")
bash "$here/copy-static.sh" & copy=$!
bash "$here/seed-content.sh"
wait "$copy"
# A container's first process is deaf to TERM unless it listens: without this, deleting a waiting pod takes its whole grace period.
php /etc/wordpress/wait.php & waiting=$!
trap 'kill "$waiting"' TERM
wait "$waiting"
