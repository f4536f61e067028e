#!/usr/bin/env bash
# Starts the one server. The image's own entrypoint would make the data directory, too, but takes whatever it finds for a whole one:
# a first start that broke half way would be served for ever. Two marks beside the data directory tell what is in it:
#
#   initializing  it is being made. The server is out of reach until the mark has gone, so nobody has written to these files.
#   complete      it was made whole, and may hold somebody's data from then on.
#
#   marks                        data directory   what is done
#   complete                     has files        served
#   initializing                 anything         emptied and made anew
#   neither                      empty            made
#   neither                      has files        refused: nobody knows where they come from
#   complete                     empty            refused: an empty database is never put in the place of a known one
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=../common.sh
. "$here/common.sh"

: "${ENTRYPOINT:=docker-entrypoint.sh}"
: "${PAUSE:=10}" # seconds between two looks at a volume that was refused: a person may have mended it

said=""
refuse() {
  if [ "$1" != "$said" ]; then
    log "REFUSED: $1"
    note "$RUN/phase" "REFUSED: $1"
  fi
  said=$1
  pause "$PAUSE"
}

make() {
  touch "$STATE/initializing"; sync "$STATE"
  find "${DATADIR:?}" -mindepth 1 -delete
  note "$RUN/phase" "making the data directory"
  bash "$here/initialize.sh"
  date -u +%FT%TZ >"$STATE/complete"; sync "$STATE/complete" "$STATE"
}

serve() {
  # On the disk before the first write: with the mark alone, a later start would throw the files away.
  rm -f "$STATE/initializing"; sync "$STATE"
  note "$RUN/phase" starting
  free_socket "$SOCKET"
  watch_certificates
  log "Handing over to the server."
  exec "$ENTRYPOINT" mysqld --socket="$SOCKET"
}

trap 'log "Told to stop."; exit 0' TERM INT
rm -f "$RUN/draining"
while true; do
  files=$(ls -A "$DATADIR") # a directory that cannot be read ends the script here: it is not an empty one
  if [ -n "$files" ] && [ -e "$STATE/complete" ]; then
    serve
  elif [ -e "$STATE/complete" ]; then
    refuse "$DATADIR is empty, but a database was made there ($(<"$STATE/complete")). Restore it; or, to give its data up for good: kubectl exec ${HOSTNAME:-POD} -c mysql -- rm $STATE/complete"
  elif [ -e "$STATE/initializing" ]; then
    log "The first start broke before the data directory was whole. Nobody was served from it: making it anew."
    make
  elif [ -z "$files" ]; then
    log "The volume is empty: making the data directory."
    make
  else
    refuse "the files in $DATADIR were not made by this chart, or somebody removed its mark. They are not touched. If they are a whole data directory with the accounts of this release: kubectl exec ${HOSTNAME:-POD} -c mysql -- touch $STATE/complete"
  fi
done
