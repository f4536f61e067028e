#!/usr/bin/env bash
# Makes an authority of the team's own, and the certificates of the two tiers, in /tmp.
# $1: the namespace's domain, such as blog.svc.cluster.local
set -euo pipefail
cd /tmp

key() { openssl req -newkey rsa:2048 -nodes -keyout "$1.key" "${@:2}" 2>/dev/null; }

certify() { # TIER NAMES
  key "$1" -subj "/CN=$1" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -out "$1.crt" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2") 2>/dev/null
}

key ca -x509 -days 2 -subj "/CN=the team's own" -out ca.crt
certify etcd "DNS:*.stack-etcd.$1,DNS:stack-etcd.$1,IP:127.0.0.1"
certify mysql "DNS:*.stack-mysql.$1,DNS:stack-mysql-client.$1"
