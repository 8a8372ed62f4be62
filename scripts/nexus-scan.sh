#!/bin/sh
# nexus-scan.sh NAME VERSION
#
# Scans an image that was pushed to a docker repository of Nexus Repository: name
# and version of the component in its event. The event does not say where images
# are pulled: NEXUS_REGISTRY is the host (and port) of the repository's docker
# connector, with a path where its images have one. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 2 ]; then
	complain "usage: nexus-scan.sh NAME VERSION"
	exit "$EXIT_USAGE"
fi
scan_begin
if [ -z "${NEXUS_REGISTRY:-}" ]; then
	complain "NEXUS_REGISTRY is not set: the HOST[:PORT] where docker pulls from this repository"
	exit "$EXIT_CONFIG"
fi
if scan_repository "$NEXUS_REGISTRY/$1"; then
	scan_tags "$2"
fi
scan_end
