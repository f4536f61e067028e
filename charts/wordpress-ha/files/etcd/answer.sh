#!/usr/bin/env bash
# Answers one request of another member's configure.sh: what is on this member's volume; and with TLS GET /metrics: when the certificate
# ends. All other metrics are etcd's own, on port 2381.
set -euo pipefail

read -r -t 1 _ path _ || exit 0
while read -r -t 1 line && [ -n "${line%$'\r'}" ]; do :; done
if [[ $path = /metrics* && -n ${TLS-} ]]; then
  name=wordpress_ha_certificate_expiry_timestamp_seconds
  end=$(openssl x509 -noout -enddate -in "$TLS/tls.crt" | cut -d= -f2)
  printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nConnection: close\r\n\r\n'
  printf '# HELP %s When the certificate of this pod ends, in seconds since 1970.\n# TYPE %s gauge\n%s %s\n' $name $name $name "$(date -d "$end" +%s)"
  exit 0
fi
said=$(cat "${state:?}" 2>/dev/null || true)
if [ -n "$said" ]; then printf 'HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n%s\n' "$said"
else printf 'HTTP/1.0 503 Unknown\r\nConnection: close\r\n\r\n'; fi
