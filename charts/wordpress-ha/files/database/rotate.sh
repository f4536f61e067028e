#!/usr/bin/env bash
# Gives one of the database's accounts a new password, while the old one goes on working (MySQL keeps two for an account):
#   rotate.sh KEY            makes a new password for the account of this key of the Secret: password, root-password, monitor-password.
#                            Prints the patch for the Secret, and nothing else, on standard output: pipe it to "kubectl patch".
#   rotate.sh KEY finish     when the new password has arrived in every pod: the old one works no more.
#   rotate.sh KEY undo       back to the password that the Secret has: for a patch that never arrived there.
# It may be run again after any failure. Pods read the password from their files at each use, and need no restart.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=common.sh
. "$here/common.sh"

usage="Usage: rotate.sh password|root-password|monitor-password [finish|undo]"
case ${1-} in
  password) account="$(sql_quote "${APPLICATION_USER:?}")@'%'" ;;
  root-password) account="'root'@'localhost'" ;;
  monitor-password) account="'monitor'@'127.0.0.1'" ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
key=$1 mark=$RUN/rotating-$1

sql() { "$here/mysql" --batch --skip-column-names; }
fail() { log "$*"; exit 1; }
fingerprint() { sha256sum | cut -d' ' -f1; }

old_works() {
  local attributes
  attributes=$(sql <<<"SELECT COALESCE(JSON_CONTAINS_PATH(User_attributes, 'one', '\$.additional_password'), 0) FROM mysql.user WHERE CONCAT(QUOTE(User), '@', QUOTE(Host)) = $(sql_quote "$account")")
  [ "$attributes" = 1 ]
}

case ${2-begin} in
  begin)
    # A third password would push out the one that the site uses.
    if old_works; then fail "Account $account has two passwords: an earlier change of $key is not finished. Run this with \"finish\", or with \"undo\" if the Secret was not patched."; fi
    new=$(openssl rand -base64 96 | tr -dc 'A-Za-z0-9' | head -c 32)
    [ ${#new} = 32 ] || fail "No new password could be made."
    sql <<<"ALTER USER $account IDENTIFIED BY '$new' RETAIN CURRENT PASSWORD"
    note "$mark" "$(fingerprint <<<"$new")"
    log "Account $account takes a new password, and the old one. The patch for the Secret's key $key follows."
    printf '{"data":{"%s":"%s"}}\n' "$key" "$(printf %s "$new" | base64 -w0)" ;;
  finish)
    old_works || fail "Account $account has one password only: there is nothing to finish."
    [ -e "$mark" ] || fail "The change of $key was not begun in this pod, or the pod has been replaced since: run this in the pod that began it, or with \"undo\"."
    [ "$(fingerprint <<<"$(<"$SECRETS/$key")")" = "$(<"$mark")" ] || fail "The new password has not arrived in this pod: patch the Secret, and wait until the kubelets have brought it (two minutes). Nothing has been changed."
    sql <<<"ALTER USER $account DISCARD OLD PASSWORD"
    rm -f "$mark"
    log "The old password of $account works no more." ;;
  undo)
    # The password of the file becomes the only one, whichever of the two it was.
    sql <<<"ALTER USER $account IDENTIFIED BY $(sql_quote "$(<"$SECRETS/$key")"); ALTER USER $account DISCARD OLD PASSWORD"
    rm -f "$mark"
    log "Account $account has the password of the Secret again, and no other." ;;
  *) echo "$usage" >&2; exit 2 ;;
esac
