#!/usr/bin/env bash
# Runs in the image's entrypoint, once, when the data directory is made: the account of the check agent.
set -euo pipefail
# shellcheck source=../common.sh
. /scripts/common.sh
/scripts/mysql <<SQL
CREATE USER 'monitor'@'127.0.0.1' IDENTIFIED BY $(sql_quote "$(<"$SECRETS/monitor-password")") WITH MAX_USER_CONNECTIONS 20;
SQL
