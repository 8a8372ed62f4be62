#!/bin/sh
# dockerhub-scan.sh REPO_NAME TAG
#
# Scans an image after a push to Docker Hub: REPO_NAME is repository.repo_name,
# TAG is push_data.tag of its notification. The callback_url in it is never
# called: it is whatever the sender wrote. DOCKERHUB_REGISTRY is a mirror to pull
# from. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 2 ]; then
	complain "usage: dockerhub-scan.sh REPO_NAME TAG"
	exit "$EXIT_USAGE"
fi
scan_begin
repository=$1
# A mirror knows official images by their whole name.
case $repository in */*) ;; *) repository=library/$repository ;; esac
if scan_repository "${DOCKERHUB_REGISTRY:-docker.io}/$repository"; then
	scan_tags "$2"
fi
scan_end
