#!/usr/bin/env bash
# An authority and a certificate of it, for the name in the argument, in /certificates.
set -euo pipefail

cd /certificates
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj "/CN=Authority of the test" 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=$1" 2>/dev/null
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out server.crt -extfile <(echo "subjectAltName=DNS:$1") 2>/dev/null
chmod 644 ./*
