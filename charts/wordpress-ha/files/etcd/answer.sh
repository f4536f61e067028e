#!/usr/bin/env bash
# Answers one request of another member's configure.sh: what is on this member's volume.
set -euo pipefail

while read -r -t 1 line && [ -n "${line%$'\r'}" ]; do :; done
said=$(cat "${state:?}" 2>/dev/null || true)
if [ -n "$said" ]; then printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n%s\n' "$said"
else printf 'HTTP/1.0 503 Unknown\r\nConnection: close\r\n\r\n'; fi
