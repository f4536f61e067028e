#!/usr/bin/env bash
# Gives a web pod its own copy of the code on the shared volume: no request waits for the volume, and none sees half an update.
#
#   /code/<generation>  a whole wp-content: code as files, all else as links through /code/volume
#   /code/current       link to the generation of new requests (code.php); one rename changes it
#   /code/volume        link to the shared volume; to nothing while the volume does not answer, as an error is better than a hang
#
# A generation is named by a checksum of all names, sizes and times, so equal code has the same name in every pod. On the volume, PHP
# announces changes in .wordpress-ha-code: changing/<id> while one runs, and the id of the last one in `changed` when it has ended.
#
#   sync-code.sh first    makes the first generation, then ends
#   sync-code.sh follow   makes a new one whenever the code has changed
#   sync-code.sh publish  announces a change that was made by hand
set -euo pipefail

: "${SHARED:=/usr/src/wordpress/wp-content}"
: "${VOLUME:=/usr/src/wordpress/wp-content}" # where PHP has the shared volume
: "${CODE:=/code}" "${RUN:=/run/wordpress}"
: "${SHARED_DIRECTORIES:=}" # of plugins that write while they run: paths in wp-content, separated by spaces
: "${LONGEST_REQUEST:=60}"  # seconds
: "${CHECK_SECONDS:=60}"    # between two looks for changes that were not announced
: "${SETTLE_SECONDS:=5}"    # for which such a change must stand still, as it may be half a copy
: "${SILENT_SECONDS:=4}"    # after which the volume counts as away
: "${LEASE:=$((LONGEST_REQUEST + 30))}" # seconds after which a change that has not ended is one whose process was killed
: "${KEPT:=$((LONGEST_REQUEST + 5))}"   # seconds that a former generation stays for requests that still use it
state=$SHARED/.wordpress-ha-code
said="" changed="" changing=""
declare -A began=() retired=()

log() { printf '%s %s: %s\n' "$(date -u +%FT%TZ)" "${0##*/}" "$*" >&2; }
say() { [ "$1" = "$said" ] || log "$1"; said=$1; }
# tick: sets up to the seconds since the node has started, as the time of day may be set meanwhile.
tick() { read -r up _ </proc/uptime; up=${up%.*}; }

# pause: for a second, without starting a process, as the loops that use it run in every web pod.
pause() {
  [ -n "${never-}" ] || exec {never}<> <(:)
  read -r -t 1 -u "$never" _ || true
}

# list DIRECTORY: its code, an entry for each file, link, directory and shared name, "<type> TAB <what must be equal> TAB <path>". A shared
# directory counts wherever its plugin is: on NFS, pods learn at different times that it was made.
list() (
  cd "$1"
  inside=() beside=()
  for path in $SHARED_DIRECTORIES; do
    [[ $path == */* ]] || continue # all others of wp-content itself are shared
    inside+=(-o -path "./$path")
    beside+=(-o -path "./$(dirname "$path")" -type d -printf "s\t\t$path\0" -false)
  done
  find . -mindepth 1 \
    \( -name '.nfs*' -o -path './.wordpress-ha-*' -o -path './.seeding-*' -o -path './.removing-*' "${inside[@]}" \) -prune "${beside[@]}" \
    -o ! -path './*/*' ! -name '*.php' ! -name themes ! -name plugins ! -name mu-plugins ! -name languages -prune -printf 's\t\t%P\0' \
    -o -type d -printf 'd\t\t%P\0' -o -type l -printf 'l\t%l\t%P\0' -o -type f -printf 'f\t%s %T@\t%P\0' | LC_ALL=C sort -z
)

# paths TYPES: of the entries of these types.
paths() { grep -z "^[$1]" | cut -z -f3- || true; }

# look: sets `changed` and `changing`. Fails when the volume cannot be read: unknown is not unchanged.
look() {
  changing=$(ls -A "$state/changing") && read -r changed <"$state/changed" && [ -n "$changed" ]
} 2>/dev/null

# announce: in place and at one length, as other pods may read the file just now.
announce() { cat /proc/sys/kernel/random/uuid 1<>"$state/changed"; }

# furnish: what this script and running plugins need on the volume.
furnish() {
  local path
  for path in uploads cache upgrade upgrade-temp-backup .wordpress-ha-code/changing; do
    [ -d "$SHARED/$path" ] || mkdir -p "$SHARED/$path" || return 1
  done
  share
  [ -s "$state/changed" ] || announce
} 2>/dev/null

# share: the shared directories of the plugins that are there. An update has removed them with the rest of its plugin.
share() {
  local path
  for path in $SHARED_DIRECTORIES; do
    if [ -d "$SHARED/$(dirname "$path")" ]; then mkdir "$SHARED/$path" || true; fi
  done
} 2>/dev/null

# point NAME TARGET: as one rename, so the link always exists.
point() { ln -sfn "$2" "$CODE/.$1" && mv -T "$CODE/.$1" "$CODE/$1"; }

current() { readlink "$CODE/current" || true; }

# make: the generation of $CODE/.wanted in $CODE/.new; fails when that is not what came out, for example as the volume changed meanwhile.
make() {
  local new=$CODE/.new have=$CODE/.have path
  rm -rf "$new" && mkdir "$new" && : >"$have"
  paths d <"$CODE/.wanted" | (cd "$new" && xargs -0r mkdir -p --) || return 1
  if [ -n "$(current)" ]; then
    list "$CODE/$(current)" >"$have" || return 1
    # Hard links: what did not change takes no room and no time.
    LC_ALL=C comm -z -12 "$have" "$CODE/.wanted" | paths fl | (cd "$CODE/$(current)" && xargs -0r cp -Pl --parents -t "$new" --) || return 1
  fi
  LC_ALL=C comm -z -13 "$have" "$CODE/.wanted" | paths fl >"$CODE/.copied"
  (cd "$SHARED" && xargs -0r -P 4 -n 64 cp -P --preserve=mode,timestamps --parents -t "$new" --) <"$CODE/.copied" || return 1
  while IFS= read -rd '' path; do ln -s "$CODE/volume/$path" "$new/$path" || return 1; done < <(paths s <"$CODE/.wanted")
  list "$new" | cmp -s - "$CODE/.wanted"
}

# renew: switches to what is on the volume, whole or not at all.
renew() {
  local before=$changed begin id
  tick; begin=$up
  share
  list "$SHARED" >"$CODE/.wanted" || return 1
  id=$(sha256sum <"$CODE/.wanted" | cut -c1-16)
  [ "$id" != "$(current)" ] || return 0
  if [ -d "$CODE/$id" ]; then
    : >"$CODE/.copied"
  else
    make || { say "Waiting: the code on the volume changes, or cannot be read whole."; return 1; }
  fi
  look && [ "$changed$changing" = "$before" ] || return 1
  [ -d "$CODE/$id" ] || mv -T "$CODE/.new" "$CODE/$id"
  unset "retired[$id]"
  point current "$id"
  said=""
  tick
  log "Generation $id: $(tr -cd '\0' <"$CODE/.copied" | wc -c) files were copied in $((up - begin)) s."
}

# end_dead_changes: forgets changes that have taken longer than any request may. Their processes were killed.
end_dead_changes() {
  local id
  for id in $changing; do
    : "${began[$id]:=$up}"
    [ $((up - began[$id])) -gt "$LEASE" ] || continue
    log "The change $id has not ended: its process was killed."
    rm -f "$state/changing/$id"
    announce || true
  done
}

# retire: removes the generations that no request uses any more, and has PHP forget them (code.php). Names alone are read: /code/volume leads to
# the volume, which may not answer.
retire() {
  local generations=() path id
  for path in "$CODE"/*; do
    case ${path##*/} in current | volume) ;; *) generations+=("${path##*/}") ;; esac
  done
  [ ${#generations[@]} -gt 1 ] || return 0
  for id in "${generations[@]}"; do
    [ "$id" != "$(current)" ] || continue
    : "${retired[$id]:=$up}"
    [ $((up - retired[$id])) -gt "$KEPT" ] || continue
    rm -rf "${CODE:?}/$id"
    unset "retired[$id]"
    : >"$RUN/retired-$id"
  done
}

# first: returns when there is a generation.
first() {
  until furnish; do say "Waiting: the content volume cannot be written to."; pause; done
  until look && [ -z "$changing" ] && renew; do
    if [ -n "$changing" ]; then say "Waiting for a change of plugins or themes to end."; fi
    end_dead_changes
    pause
  done
  point volume "$VOLUME"
}

follow() {
  local seen="" checked rest=$CHECK_SECONDS now before="" failures=0
  tick; checked=$up
  while pause; do
    tick
    retire
    look || { furnish || say "Waiting: the content volume cannot be read."; continue; }
    end_dead_changes
    if [ -n "$changing" ]; then continue; fi
    if [ "$changed" != "$seen" ]; then
      if renew; then
        seen=$changed failures=0
      elif [ $((++failures)) -ge 5 ]; then
        sleep "$SETTLE_SECONDS" # for example a file that cannot be read
      fi
    elif [ $((up - checked)) -ge "$rest" ]; then
      share
      now=$(list "$SHARED" | sha256sum | cut -c1-16) checked=$up
      if [ "$now" = "$(current)" ]; then rest=$CHECK_SECONDS
      elif [ "$now" != "$before" ]; then rest=$SETTLE_SECONDS
      elif renew; then rest=$CHECK_SECONDS; fi
      before=$now
    fi
  done
}

# beat: notes when the volume has answered last.
beat() { while pause; do if ls "$state" >/dev/null 2>&1; then stamp; fi; done; }
stamp() { tick; printf '%-15s\n' "$up" 1<>"$RUN/volume-answers"; }

# guard: takes /code/volume away from PHP while the volume is silent. It never touches the volume itself.
guard() {
  local target answered pointed
  pointed=$(readlink "$CODE/volume" || true)
  while pause; do
    target=$VOLUME
    tick
    read -r answered <"$RUN/volume-answers"
    if [ $((up - answered)) -gt "$SILENT_SECONDS" ]; then target=away; fi
    if [ "$pointed" = "$target" ]; then continue; fi
    if [ "$target" = away ]; then log "The content volume does not answer: code and stored media are served from this pod."; else log "The content volume answers again."; fi
    point volume "$target"
    pointed=$target
  done
}

case ${1:-} in
first) first ;;
follow)
  stamp
  trap 'kill $(jobs -p)' TERM QUIT # the image's stop signal is QUIT
  beat & guard & follow &
  wait -n
  ;;
publish) announce ;;
*) log "Usage: ${0##*/} first | follow | publish"; exit 2 ;;
esac
