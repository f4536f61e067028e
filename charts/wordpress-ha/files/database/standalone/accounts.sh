#!/usr/bin/env bash
# Runs in the image's entrypoint, once, when the data directory is made: the account of the check agent; and the site's account,
# which the entrypoint has made with every privilege in its schema, is given those that it needs.
set -euo pipefail
# shellcheck source=../common.sh
. /scripts/common.sh
/scripts/mysql <<SQL
CREATE USER 'monitor'@'127.0.0.1' IDENTIFIED BY $(sql_quote "$(<"$SECRETS/monitor-password")") WITH MAX_USER_CONNECTIONS 20;
REVOKE ALL ON $(sql_schema "$APPLICATION_DATABASE").* FROM $(sql_quote "$APPLICATION_USER")@'%';
GRANT $application_privileges ON $(sql_schema "$APPLICATION_DATABASE").* TO $(sql_quote "$APPLICATION_USER")@'%';
SQL
