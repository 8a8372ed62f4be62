#!/bin/sh
# demo.sh
#
# Plays the whole way before your eyes, with nothing pretended: a registry on
# this machine calls Pawl after a push, Pawl runs the bundled script, the script
# pulls, saves and scans, and the report names the package that was put into
# the image a moment ago. Then some deliveries that are not so well-behaved.
#
# Needs build/bin/pawl (or PAWL=FILE); installs what else is missing. Reports and
# the directories of runs stay in build/demo, until the next demonstration;
# everything else lies in one temporary directory, which is removed at the end.
set -eu
cd "$(dirname -- "$(readlink -f -- "$0")")/.."
PATH=$PWD/build/bin:$PATH:/usr/sbin:/sbin
export PATH
pawl=${PAWL:-build/bin/pawl}
scripts/install-tools.sh demo
for tool in "$pawl" docker-registry skopeo jq curl syft dockerd docker; do
	command -v "$tool" >/dev/null || {
		echo "$tool is missing (make build makes Pawl)" >&2
		exit 1
	}
done

demo=$(mktemp -d)
kept=$PWD/build/demo
rm -rf -- "$kept"
mkdir -p "$kept/reports"
started=''
# finish ends what was started, newest first, and waits for it.
finish() {
	finish_status=$?
	trap '' INT TERM
	for pid in $started; do
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	rm -rf -- "$demo"
	exit "$finish_status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# free_port prints a port that nobody answers on.
free_port() {
	while :; do
		port_try=$(shuf -n 1 -i 20000-40000)
		curl -s -o "$demo/null" --max-time 1 "http://127.0.0.1:$port_try/" || [ $? -ne 7 ] || break
	done
	printf '%s' "$port_try"
}

# background LOG COMMAND... starts a program that finish ends.
background() {
	background_log=$1
	shift
	"$@" >"$background_log" 2>&1 &
	started="$! $started"
}

# until_there WHAT COMMAND... waits until COMMAND succeeds, a minute at most.
until_there() {
	until_what=$1
	shift
	until_left=600
	until "$@" >"$demo/null" 2>&1; do
		until_left=$((until_left - 1))
		if [ "$until_left" -eq 0 ]; then
			echo "waited in vain for $until_what" >&2
			tail -n 20 "$demo"/*.log >&2
			exit 1
		fi
		sleep 0.1
	done
}

# scans counts the scans that have ended.
scans() { [ "$(grep -c 'all done in' "$demo/pawl.log")" -ge "$1" ]; }

# scan_number N waits for the Nth scan and shows what the script said.
scan_number() {
	until_there "scan $1" scans "$1"
	# What a script printed stands indented below the line of its run.
	awk -v wanted="$1" '
		!/^    / { block = "" ; next }
		{ block = block $0 "\n" }
		/all done in/ && ++scans == wanted { printf "%s", block; exit }' "$demo/pawl.log"
}

# make_image DIRECTORY PACKAGE VERSION writes an OCI layout, from scratch: one
# layer with one npm package in it.
make_image() {
	mkdir -p "$1/blobs/sha256" "$1/root/app/node_modules/$2"
	printf '{"name":"%s","version":"%s","license":"MIT"}' "$2" "$3" >"$1/root/app/node_modules/$2/package.json"
	tar -C "$1/root" -cf "$1/layer" app
	layer=$(blob "$1" "$1/layer")
	layer_size=$(stat -c %s "$1/layer")
	printf '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["%s"]}}' "$layer" >"$1/config"
	config=$(blob "$1" "$1/config")
	printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":%d}]}' \
		"$config" "$(stat -c %s "$1/config")" "$layer" "$layer_size" >"$1/manifest"
	manifest=$(blob "$1" "$1/manifest")
	printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}' \
		"$manifest" "$(stat -c %s "$1/manifest")" >"$1/index.json"
	printf '{"imageLayoutVersion":"1.0.0"}' >"$1/oci-layout"
}

# blob LAYOUT FILE stores a file under its digest and prints it.
blob() {
	blob_sum=$(sha256sum "$2" | cut -d ' ' -f 1)
	cp "$2" "$1/blobs/sha256/$blob_sum"
	printf 'sha256:%s' "$blob_sum"
}

registry=127.0.0.1:$(free_port)
port=$(free_port)

title "1. A registry on $registry, which calls Pawl on 127.0.0.1:$port after every push"
cat >"$demo/registry.yml" <<END
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $demo/registry}}
http: {addr: $registry}
notifications:
  endpoints: [{name: pawl, url: "http://127.0.0.1:$port/hooks/distribution", timeout: 5s, threshold: 10, backoff: 1s}]
END
background "$demo/registry.log" docker-registry serve "$demo/registry.yml"
until_there "the registry" curl -fs "http://$registry/v2/"
PLAIN_HTTP_REGISTRIES=$registry SCAN_WORK_DIR=$demo/scan REPORT_DIR=$kept/reports SCANNER=syft \
	background "$demo/pawl.log" "$pawl" -hooks hooks/distribution.json -hooks hooks/quay.json \
	-ip 127.0.0.1 -port "$port" -verbose -admin off -data-dir "$kept/state" -journal-reserve 1MiB
until_there Pawl curl -fs "http://127.0.0.1:$port/"
echo "    both listen"

title "2. skopeo copies an image with the npm package left-pad 1.3.0 into it; the registry calls, Pawl scans"
make_image "$demo/image" left-pad 1.3.0
skopeo copy --quiet --dest-tls-verify=false "oci:$demo/image:v1" "docker://$registry/acme/web-shop:v1"
scan_number 1
echo "    the report names: $(jq -r '.components[] | "\(.name) \(.version) (\(.purl))"' "$kept"/reports/acme_web-shop_*.cdx.json)"

title "3. docker pushes another one, with is-odd 3.0.1, through a daemon of this demonstration's own"
background "$demo/dockerd.log" dockerd --data-root "$demo/docker" --exec-root "$demo/exec" -H "unix://$demo/d.sock" \
	--pidfile "$demo/d.pid" --iptables=false --bridge=none
until_there dockerd docker -H "unix://$demo/d.sock" version
make_image "$demo/other" is-odd 3.0.1
skopeo copy --quiet "oci:$demo/other:v1" "docker-archive:$demo/other.tar:$registry/acme/api:v1"
docker -H "unix://$demo/d.sock" load -q -i "$demo/other.tar" | sed 's/^/    /'
docker -H "unix://$demo/d.sock" push -q "$registry/acme/api:v1" | sed 's/^/    pushed /'
scan_number 2
echo "    the report names: $(jq -r '.components[] | "\(.name) \(.version)"' "$kept"/reports/acme_api_*.cdx.json)"

title "4. A delivery as Quay sends it: two tags of one image, one that does not exist, one that is a command: that one is refused, the others are a run each"
# shellcheck disable=SC2016 # the text must arrive as it is
jq -n --arg url "$registry/acme/web-shop" '{repository: "acme/web-shop", namespace: "acme", name: "web-shop",
	docker_url: $url, homepage: "https://quay.example.com/repository/acme/web-shop",
	updated_tags: ["v1", "latest", "gone", "$(touch x)"]}' >"$demo/delivery"
skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false "docker://$registry/acme/web-shop:v1" "docker://$registry/acme/web-shop:latest"
scan_number 3 >"$demo/null" # the copy is a push too
echo "    \$ curl -d @delivery http://127.0.0.1:$port/hooks/quay"
curl -s -H 'Content-Type: application/json' -d @"$demo/delivery" "http://127.0.0.1:$port/hooks/quay" | sed 's/^/    /'
for scan in 4 5 6; do scan_number "$scan"; done
[ ! -e x ]
echo "    \$ pawl runs ls"
"$pawl" runs ls --data-dir "$kept/state" | sed 's/^/    /'

title "5. What is left behind in the working directory, and in docker's store but for the image that was pushed"
find "$demo/scan" -mindepth 1 ! -name .lock | sed 's/^/    /'
docker -H "unix://$demo/d.sock" image ls -q | wc -l | sed 's/^/    images in the store: /'
echo "    that was all; the reports stay in build/demo/reports"
