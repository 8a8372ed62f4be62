#!/bin/sh
# harbor-scan.sh RESOURCE_URL DIGEST TAG
#
# Scans an image after a push to Harbor: the values are resource_url, digest and
# tag of one of the resources in its notification (either format). TAG may be
# empty. HARBOR_REGISTRY is the registry's host where Pawl must call it otherwise
# than the notification does. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 3 ]; then
	complain "usage: harbor-scan.sh RESOURCE_URL DIGEST TAG"
	exit "$EXIT_USAGE"
fi
scan_begin
# RESOURCE_URL is HOST/PATH:TAG, or HOST/PATH@DIGEST where there is no tag.
resource=${1%%@*}
case ${resource##*/} in *:*) resource=${resource%:*} ;; esac
at_registry "$resource" "${HARBOR_REGISTRY:-}"
scan_pushed "$at_repository" "$2" "$3"
scan_end
