#!/bin/sh
# Starts Pawl with the bundled hooks on 127.0.0.1:9000 (PORT chooses another)
# and prints a request to try them with.
#
#   scripts/try-it.sh PAWL
set -eu
pawl=${1:?the path of the pawl binary}
port=${PORT:-9000}
cd "$(dirname "$0")/.."
PATH=$PWD/build/bin:$PATH # the scanner that install-tools.sh built
export PATH

cat <<EOF

Pawl listens on 127.0.0.1:$port with the hooks of hooks/. Ctrl-C stops it.
In another terminal, deliver what Quay posts when an image was pushed:

  curl -i http://127.0.0.1:$port/hooks/quay \\
    -H 'Content-Type: application/json' \\
    -d '{"name": "repository", "repository": "mynamespace/repository", "namespace": "mynamespace",
         "docker_url": "quay.io/mynamespace/repository", "homepage": "https://quay.io/repository/mynamespace/repository",
         "updated_tags": ["latest"]}'

It is answered at once; the scan shows here. "make demo" pushes and scans a
real image on this machine. docs/scanning.md tells the rest.

EOF
exec "$pawl" -hooks hooks -ip 127.0.0.1 -port "$port" -verbose
