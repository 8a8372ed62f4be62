#!/bin/sh
# install-tools.sh [run|demo|test]
#
# Installs what the bundled scan and its tests need, and nothing that is there
# already: Debian packages by apt-get, and syft by the go command into
# build/bin of the checkout. "run" is what the scan needs, "demo" what
# scripts/demo.sh needs besides, "test" (the default) all that the tests need.
# Where all is there it does nothing and asks for no rights.
set -eu
cd "$(dirname -- "$(readlink -f -- "$0")")/.."

syft_version=v1.18.1 # the newest that was tried with the scan
packages=''

# wants PROGRAM PACKAGE notes a package whose program is missing.
wants() {
	PATH=$PATH:/usr/sbin:/sbin command -v -- "$1" >/dev/null 2>&1 && return 0
	case " $packages " in
	*" $2 "*) ;;
	*) packages="$packages $2" ;;
	esac
}

wants skopeo skopeo
wants jq jq
wants curl curl
wants flock util-linux
purpose=${1:-test}
case $purpose in run | demo | test) ;; *)
	echo "usage: install-tools.sh [run|demo|test]" >&2
	exit 64
	;;
esac
if [ "$purpose" != run ]; then
	wants docker-registry docker-registry
	wants dockerd docker.io
	wants docker docker.io
fi
if [ "$purpose" = test ]; then
	wants podman podman
	wants openssl openssl
	wants bash bash
	wants javac default-jdk-headless
	wants jar default-jdk-headless
	wants shellcheck shellcheck
	wants debootstrap debootstrap
	wants git git
	wants prometheus-alertmanager prometheus-alertmanager
	wants node nodejs # for the senders' own libraries, which sign
	wants npm npm
	wants mkfs.ext4 e2fsprogs # for disks that are full or fail
	wants losetup mount
	wants gcc gcc # for the race detector
	[ -e /usr/include/stdlib.h ] || packages="$packages libc6-dev"
fi

if [ -n "$packages" ]; then
	echo "installing:$packages"
	root=''
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null 2>&1; then
			echo "needs root: apt-get install$packages" >&2
			exit 1
		fi
		root=sudo
	fi
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "no apt-get here; install by your own means what these Debian packages hold:$packages" >&2
		exit 1
	fi
	# Debian starts services on installation; the tests start their own. The
	# policy says no for this command alone, and only where there is none yet.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
		$root chmod 755 "$policy"
		trap '$root rm -f "$policy"' EXIT
	fi
	$root apt-get -q update
	# shellcheck disable=SC2086 # a list
	$root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $packages
fi

if ! command -v syft >/dev/null 2>&1 && [ ! -x build/bin/syft ]; then
	echo "building syft $syft_version (some minutes, once)"
	mkdir -p build/bin
	CGO_ENABLED=0 GOBIN=$PWD/build/bin go install -trimpath -ldflags '-s -w' "github.com/anchore/syft/cmd/syft@$syft_version"
fi
echo "all tools are there"
