#!/bin/sh
# Starts Pawl with the bundled hooks on 127.0.0.1:9000 (PORT chooses another)
# and prints a request to try them with. What runs leave stays in build/state.
#
#   scripts/try-it.sh PAWL
set -eu
pawl=${1:?the path of the pawl binary}
port=${PORT:-9000}
cd "$(dirname "$0")/.."
PATH=$PWD/build/bin:$PATH # the scanner that install-tools.sh built
export PATH

cat <<EOF

Pawl will listen on 127.0.0.1:$port with the hooks of hooks/. (Where that
port is taken it ends and says so: choose another by "PORT=9010 make run".)
Then, in another terminal, deliver what Quay posts when an image was pushed:

  curl -i http://127.0.0.1:$port/hooks/quay \\
    -H 'Content-Type: application/json' \\
    -d '{"name": "busybox", "repository": "prometheus/busybox", "namespace": "prometheus",
         "docker_url": "quay.io/prometheus/busybox", "homepage": "https://quay.io/repository/prometheus/busybox",
         "updated_tags": ["latest"]}'

It is answered at once with "scan accepted". The scan shows here: it pulls that
image from quay.io, a few MB for each of its platforms, so it needs the network.
Without, it says so, ends with exit status 75, and is tried again. "make demo"
needs no network for its images: it pushes and scans some on this machine.
What ran, and what it printed: $pawl runs ls --data-dir build/state/$port
docs/scanning.md tells the rest. Ctrl-C stops Pawl.

EOF
exec "$pawl" -hooks hooks -ip 127.0.0.1 -port "$port" -verbose -data-dir "build/state/$port"
