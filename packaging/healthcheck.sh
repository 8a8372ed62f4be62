#!/bin/sh
# healthcheck.sh: the image's HEALTHCHECK.
#
# Asks Pawl for its health at the port, socket or TLS that it was told on its
# command line, which a container replacing webhook goes on to use: "pawl
# health" alone sees the variables of the container, but not those words. They
# are read where the kernel has them, past an init that Docker may have put first.
# shellcheck disable=SC2016 # for the inner shell
exec xargs -0 -a /proc/1/cmdline sh -c '
	while [ $# -gt 0 ]; do
		case $1 in
		pawl | */pawl | webhook | */webhook)
			shift
			[ "${1-}" != serve ] || shift
			exec pawl health "$@"
			;;
		esac
		shift
	done
	exec pawl health' sh
