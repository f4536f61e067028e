#!/usr/bin/env bash
# Stands in for the image's entrypoint and the server: runs until it is killed, and says how it was.
echo started >>"${SERVER:?}/server"
trap 'echo stopped >>"$SERVER/server"; exit 0' TERM
while true; do sleep 0.1; done
