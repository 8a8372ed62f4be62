#!/bin/sh
# ghcr-scan.sh PACKAGE_URL DIGEST TAG
#
# Scans an image that was published to GitHub's container registry: package_url of
# the package's version, and the digest and name of its tag. TAG may be empty.
# GHCR_REGISTRY is another name for the host. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 3 ]; then
	complain "usage: ghcr-scan.sh PACKAGE_URL DIGEST TAG"
	exit "$EXIT_USAGE"
fi
scan_begin
# PACKAGE_URL is HOST/PATH:TAG; nothing follows the colon where there is no tag.
package=${1%%@*}
case ${package##*/} in *:*) package=${package%:*} ;; esac
at_registry "$package" "${GHCR_REGISTRY:-}"
scan_pushed "$at_repository" "$2" "$3"
scan_end
