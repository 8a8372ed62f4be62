#!/bin/sh
# acr-scan.sh HOST REPOSITORY DIGEST TAG
#
# Scans an image after a push to the Azure container registry: request.host,
# target.repository, target.digest and target.tag of its webhook. TAG may be
# empty. ACR_REGISTRY is another name for the host. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 4 ]; then
	complain "usage: acr-scan.sh HOST REPOSITORY DIGEST TAG"
	exit "$EXIT_USAGE"
fi
scan_begin
at_registry "$1/$2" "${ACR_REGISTRY:-}"
scan_pushed "$at_repository" "$3" "$4"
scan_end
