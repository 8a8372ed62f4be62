#!/bin/sh
# ecr-scan.sh ACCOUNT REGION REPOSITORY DIGEST TAG
#
# Scans an image after a push to Amazon's registry (ECR): the values of EventBridge's
# event "ECR Image Action". TAG may be empty. ECR_REGISTRY is the registry's host
# where it is not the account's own one. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

if [ $# -ne 5 ]; then
	complain "usage: ecr-scan.sh ACCOUNT REGION REPOSITORY DIGEST TAG"
	exit "$EXIT_USAGE"
fi
scan_begin
case $1 in *[!0-9]* | '')
	complain "$(shown "$1"): no account's number"
	exit "$EXIT_USAGE"
	;;
esac
case $2 in
*[!a-z0-9-]* | '')
	complain "$(shown "$2"): no region"
	exit "$EXIT_USAGE"
	;;
cn-*) domain=amazonaws.com.cn ;;
*) domain=amazonaws.com ;;
esac
scan_pushed "${ECR_REGISTRY:-$1.dkr.ecr.$2.$domain}/$3" "$4" "$5"
scan_end
