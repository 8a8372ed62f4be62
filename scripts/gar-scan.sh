#!/bin/sh
# gar-scan.sh DIGEST_NAME TAG_NAME
#
# Scans an image after a push to Google's Artifact Registry: digest
# (HOST/PATH@sha256:…) and tag (HOST/PATH:TAG, may be empty) of its message.
# GAR_REGISTRY is another name for the host. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 2 ]; then
	complain "usage: gar-scan.sh DIGEST_NAME TAG_NAME"
	exit "$EXIT_USAGE"
fi
scan_begin
case $1 in
*@*) ;;
*)
	complain "$(shown "$1"): no image by its digest (HOST/PATH@sha256:…)"
	exit "$EXIT_USAGE"
	;;
esac
image=${1%%@*}
tag=''
case $2 in
"$image":*) tag=${2#"$image":} ;;
'') ;;
*)
	complain "$(shown "$2"): no tag of $(shown "$image")"
	exit "$EXIT_USAGE"
	;;
esac
at_registry "$image" "${GAR_REGISTRY:-}"
scan_pushed "$at_repository" "${1#*@}" "$tag"
scan_end
