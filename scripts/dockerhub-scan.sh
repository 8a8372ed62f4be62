#!/bin/sh
# dockerhub-scan.sh REPO_NAME TAG
#
# Scans an image after a push to Docker Hub: REPO_NAME is repository.repo_name,
# TAG is push_data.tag of its notification. The callback_url in it is never
# called: it is whatever the sender wrote. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 2 ]; then
	complain "usage: dockerhub-scan.sh REPO_NAME TAG"
	exit "$EXIT_USAGE"
fi
scan_begin
if scan_repository "docker.io/$1"; then
	scan_tags "$2"
fi
scan_end
