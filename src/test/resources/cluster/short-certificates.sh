#!/usr/bin/env bash
# Gives the servers of a release certificates that are like theirs, by the same authority, and end soon.
# Usage: short-certificates.sh NAMESPACE FULLNAME SECONDS
set -euo pipefail
namespace=$1 fullname=$2 seconds=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

field() { kubectl --namespace "$namespace" get secret "$fullname-$1" --output "jsonpath={.data.tls\.$2}" | base64 -d; }
at() { date -u -d "$1" +%Y%m%d%H%M%SZ; }

field authority crt >authority.crt
field authority key >authority.key
: >issued
printf '%s\n' '[ca]' 'default_ca=authority' '[authority]' "database=$work/issued" "new_certs_dir=$work" 'rand_serial=yes' 'default_md=sha256' \
  'policy=policy' 'copy_extensions=copy' 'unique_subject=no' '[policy]' 'commonName=supplied' >ca.cnf
for tier in etcd mysql; do
  field "$tier-tls" crt >old.crt
  field "$tier-tls" key >tls.key
  openssl x509 -x509toreq -copy_extensions copy -in old.crt -signkey tls.key -out request
  openssl ca -batch -notext -config ca.cnf -cert authority.crt -keyfile authority.key -in request -out tls.crt \
    -startdate "$(at '-1 hour')" -enddate "$(at "+$seconds seconds")" 2>log || { cat log >&2; exit 1; }
  printf '{"data":{"tls.crt":"%s"}}' "$(base64 -w0 tls.crt)" |
    kubectl --namespace "$namespace" patch secret "$fullname-$tier-tls" --patch-file /dev/stdin
done
