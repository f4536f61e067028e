#!/bin/sh
# Runs the scripts of /docker-entrypoint.d before nginx: *.sh if executable,
# *.envsh sourced if executable. Any other command starts without them.
set -e

say() { [ -n "$NGINX_ENTRYPOINT_QUIET_LOGS" ] || echo "$0: $*"; }

if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
  if [ -n "$(find /docker-entrypoint.d/ -mindepth 1 -maxdepth 1 -type f 2>/dev/null | head -n 1)" ]; then
    say "Looking for shell scripts in /docker-entrypoint.d/"
    for script in $(find /docker-entrypoint.d/ -follow -type f | sort -V); do
      # shellcheck disable=SC1090  # files that users of the image add
      case $script in
        *.envsh) if [ -x "$script" ]; then say "Sourcing $script"; . "$script"; else say "Ignoring $script, not executable"; fi ;;
        *.sh) if [ -x "$script" ]; then say "Launching $script"; "$script"; else say "Ignoring $script, not executable"; fi ;;
        *) say "Ignoring $script" ;;
      esac
    done
    say "Configuration complete; ready for start up"
  else
    say "No files found in /docker-entrypoint.d/, skipping configuration"
  fi
fi
exec "$@"
