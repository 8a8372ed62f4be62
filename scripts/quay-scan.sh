#!/bin/sh
# quay-scan.sh DOCKER_URL TAGS
#
# Scans the images of a Quay repository after a push (Quay's repo_push
# notification): DOCKER_URL is HOST/NAMESPACE/NAME, TAGS a JSON array of tags
# (updated_tags, as the listener passes it) or one tag. QUAY_REGISTRY is another
# name for the host. Settings come from the environment; docs/scanning.md lists
# them, and the exit codes.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 2 ]; then
	complain "usage: quay-scan.sh DOCKER_URL TAGS (a JSON array, or one tag)"
	exit "$EXIT_USAGE"
fi
scan_begin
at_registry "$1" "${QUAY_REGISTRY:-}"
if scan_repository "$at_repository"; then
	scan_tags "$2"
fi
scan_end
