#!/usr/bin/env bash
# Puts the themes and plugins that come with the image into the shared content, once in its life: after the marker exists
# nothing is ever put there again, so what somebody deletes stays deleted.
#
# Any number of pods may do this at once, over NFS without locks: each copies into a directory of its own on the same volume
# and moves item by item to its place. A rename is atomic, and never replaces a directory that holds something. The marker is
# the last rename. A pod that dies before leaves its own directory behind; once the marker exists nobody needs such a directory,
# whoever still works in it notices that it has gone, finds the marker and is content.
set -euo pipefail

content=${CONTENT:-/content} source=${SOURCE:-/usr/src/wordpress/wp-content}
marker=$content/.wordpress-ha-seeded

log() { printf '%s seed: %s\n' "$(date -u +%FT%TZ)" "$*"; }

# The rename comes first: whoever works in the directory cannot move a half deleted item to its place afterwards.
remove_abandoned() {
  local directory
  for directory in "$content"/.seeding-*; do
    [ -d "$directory" ] || continue
    log "The content is complete, so ${directory##*/} is not needed any more: removing it."
    mv -T "$directory" "$content/.removing-${directory##*.seeding-}" 2>/dev/null || true
  done
  rm -rf "$content"/.removing-* 2>/dev/null || true
}

if [ -e "$marker" ]; then
  remove_abandoned
  log "The content was seeded before ($(cat "$marker")): leaving it as it is."
  exit 0
fi
if ! work=$(mktemp -d "$content/.seeding-${HOSTNAME:-pod}-XXXXXX"); then
  log "The content volume cannot be written by user $(id -u) with the groups $(id -G): give it to group 33, or map writers to user 33."
  exit 1
fi
log "The content has no marker: copying what the image brings into ${work##*/}."

# place ITEM: moves it from the work directory to its place, unless there is something already.
place() {
  local item=$1
  if [ -e "$content/$item" ]; then return; fi
  if mv -nT "$work/$item" "$content/$item" 2>/dev/null && [ ! -e "$work/$item" ]; then
    log "Added $item."
  elif [ ! -e "$content/$item" ]; then
    log "Could not add $item."
    return 1
  fi
}

seed() {
  cp -R "$source/." "$work/" || return 1
  mkdir -p "$content"/{themes,plugins,uploads} || return 1
  local path
  for path in "$work"/index.php "$work"/{themes,plugins}/*; do
    [ -e "$path" ] || continue
    place "${path#"$work/"}" || return 1
  done
  printf '%s by %s\n' "$(date -u +%FT%TZ)" "${HOSTNAME:-pod}" >"$work/marker" || return 1
  mv -T "$work/marker" "$marker"
}

if seed; then
  rm -rf "$work"
  remove_abandoned
  log "The content is complete."
elif [ -e "$marker" ]; then
  # What this copy was still writing while the other pod removed its directory has been left over.
  remove_abandoned
  log "Another pod has completed the content meanwhile."
else
  log "The content could not be copied; the next start tries again."
  exit 1
fi
