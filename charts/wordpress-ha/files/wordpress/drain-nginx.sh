#!/bin/sh
# Before nginx stops: readiness off, so that balancers that probe send nothing new, and go on serving for as long as it takes
# until every node has taken this pod out of its tables. nginx then finishes what it has begun (SIGQUIT) and ends.
touch /run/wordpress/draining
exec sleep "$DRAIN_SECONDS"
