# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# What a registry has under a name: the manifest's digest, whether it is an
# image at all, its size, the platforms of an index. Everything is asked with
# skopeo, whatever PULLER is; it needs no daemon.

# use_registry HOST sets how HOST is spoken to: registry_plain and, where the
# machine has no signature policy of its own, one that admits all (Debian's
# skopeo brings the same).
use_registry() {
	registry_plain=''
	host_in "$1" "${PLAIN_HTTP_REGISTRIES:-}" && registry_plain=yes
	registry_policy=''
	if [ ! -e /etc/containers/policy.json ] && [ ! -e "${HOME:-/}/.config/containers/policy.json" ]; then
		registry_policy=$work/policy.json
		printf '{"default":[{"type":"insecureAcceptAnything"}]}\n' >"$registry_policy"
	fi
}

# fetch_manifest NAME FILE fetches the manifest of repository@digest or
# repository:tag. On failure registry_status holds the exit code.
fetch_manifest() {
	fetch_name=$1
	fetch_file=$2
	set -- inspect --raw
	[ -z "$registry_plain" ] || set -- "$@" --tls-verify=false
	[ -z "${CERT_DIR:-}" ] || set -- "$@" --cert-dir "$CERT_DIR"
	[ -z "$registry_policy" ] || set -- --policy "$registry_policy" "$@"
	if step "look up $fetch_name" "${LOOKUP_TIMEOUT:-2m}" skopeo "$@" "docker://$fetch_name"; then
		mv -- "$work/out" "$fetch_file"
		return 0
	else
		registry_failed $? "$fetch_name"
		return 1
	fi
}

# registry_failed STATUS NAME tells in words what a registry's refusal in
# $work/err means and sets registry_status.
registry_failed() {
	if grep -Eiq 'no such host|name or service not known|temporary failure in name resolution|lookup .*: server misbehaving' "$work/err"; then
		complain "  $2: the registry's name is not known here (the network, DNS or HTTPS_PROXY?); may go better later"
		registry_status=$EXIT_TEMPORARY
	elif temporary "$1" "$work/err"; then
		complain "  $2: the registry cannot answer now; may go better later"
		registry_status=$EXIT_TEMPORARY
	elif grep -Eiq 'manifest unknown|name unknown|not found|NAME_UNKNOWN|MANIFEST_UNKNOWN' "$work/err"; then
		complain "  $2: does not exist"
		registry_status=$EXIT_NO_IMAGE
	elif grep -Eiq 'unauthorized|denied|authentication required|forbidden|credentials' "$work/err"; then
		complain "  $2: the registry refuses (is it there, and is REGISTRY_AUTH_FILE right?)"
		registry_status=$EXIT_DENIED
	elif grep -Eiq 'x509|certificate' "$work/err"; then
		complain "  $2: the registry's certificate is not trusted (CERT_DIR, or /etc/containers/certs.d)"
		registry_status=$EXIT_CONFIG
	elif grep -Fiq 'server gave HTTP response to HTTPS client' "$work/err"; then
		complain "  $2: the registry speaks plain HTTP (name it in PLAIN_HTTP_REGISTRIES if that is right)"
		registry_status=$EXIT_CONFIG
	elif grep -Fiq 'file too large' "$work/err"; then
		complain "  $2: unpacked it is larger than four times MAX_IMAGE_SIZE"
		registry_status=$EXIT_TOO_LARGE
	else
		registry_status=$EXIT_TOOL
	fi
	show_tail "$work/err"
}

# digest_of prints the digest of the manifest in file $1.
digest_of() {
	digest_text=$(skopeo manifest-digest "$1" 2>"$work/err") || digest_text=''
	valid_digest "$digest_text" || return 1
	printf '%s' "$digest_text"
}

# classify FILE reads a manifest and sets
#   manifest_kind  image, index, none (not an image) or bad
#   manifest_size  bytes to pull, -1 where the manifest does not say
#   manifest_why   in words, for none and bad
# An image is what has an image's configuration and at least one image layer,
# whatever else it calls itself: nothing dodges the scan by a label.
classify() {
	# shellcheck disable=SC2016 # jq's variables
	classified=$(jq -r '
		def clean: tostring | gsub("[^A-Za-z0-9.+/_-]"; "?") | .[0:100];
		def sum: if all(.[]; type == "number" and . >= 0 and . < 1e15 and . == floor) then add // 0 else null end;
		def known:
			if test("helm") then "a Helm chart"
			elif test("simplesigning|sigstore|cosign|notary|signature") then "a signature"
			elif test("dsse|in-toto|attestation") then "an attestation"
			elif test("spdx|cyclonedx|syft|sbom") then "an SBOM"
			elif test("wasm") then "a WebAssembly module"
			else "an artifact" end;
		if type != "object" then ["bad", -1, "is no manifest"]
		elif (.manifests | type) == "array" then ["index", -1, "-"]
		elif .schemaVersion == 1 and (.fsLayers | type) == "array" then ["image", -1, "-"]
		elif (.layers | type) == "array" and (.config | type) == "object"
			and all(.layers[]; type == "object") then
			(.config.mediaType | clean) as $config
			| [.layers[].mediaType | clean] as $layers
			| ($config == "application/vnd.oci.image.config.v1+json"
				or $config == "application/vnd.docker.container.image.v1+json") as $isimage
			| if $isimage and any($layers[]; startswith("application/vnd.oci.image.layer.")
					or startswith("application/vnd.docker.image.rootfs.")) then
				if any(.layers[], .config; .urls != null and .urls != []) then
					["bad", -1, "has layers that are to be fetched from elsewhere (urls), which is not done"]
				else ([.config.size, .layers[].size] | sum) as $size
					| if $size == null then ["bad", -1, "has sizes that are no numbers"]
					else ["image", $size, "-"] end end
			elif $isimage and ($layers | length) == 0 then ["none", 0, "an image without layers"]
			else ((.artifactType // "" | clean) as $type
				| [$type, $config, $layers[]] | map(select(. != "" and . != "null")) | unique[0:4] | join(", ")) as $types
				| ["none", 0, ($types | known) + " (" + $types + ")"] end
		elif .artifactType != null or (.mediaType | clean | test("artifact.manifest")) then
			["none", 0, (.artifactType // "" | clean | known + " (" + . + ")")]
		else ["bad", -1, "is no manifest that is known here"] end
		| map(tostring) | join("\t")' <"$1" 2>"$work/err") || classified=''
	manifest_kind=$(printf '%s' "$classified" | cut -f 1)
	manifest_size=$(printf '%s' "$classified" | cut -f 2)
	manifest_why=$(printf '%s' "$classified" | cut -f 3)
	if [ -z "$manifest_kind" ]; then
		manifest_kind=bad
		manifest_size=-1
		manifest_why='is no manifest'
	fi
}

# list_platforms FILE writes to file $2 what an index holds, a line each:
# scan|skip|bad, digest, platform, why (separated by blanks, why is the rest).
# SCAN_PLATFORMS names "os", "os/arch" or "os/arch/variant"; empty is linux.
list_platforms() {
	# shellcheck disable=SC2016 # jq's variables
	jq -r --arg wanted "${SCAN_PLATFORMS:-linux}" '
		def clean: tostring | gsub("[^A-Za-z0-9._-]"; "?") | .[0:40];
		($wanted | [splits("[, \t\n]+")] | map(select(. != ""))) as $wanted
		| .manifests[] | if type == "object" then . else {} end
		| (.platform | if type == "object" then . else null end) as $p
		| (if $p == null then "unnamed" else [$p.os, $p.architecture, $p.variant]
			| map(select(. != null and . != "") | clean) | join("/") end) as $name
		| (if (.digest | type) == "string" and (.digest | test("\\Asha256:[0-9a-f]{64}\\z")) then .digest else null end) as $digest
		| (.mediaType // "" | tostring) as $type
		| if $digest == null then ["bad", "-", $name, "the index gives no valid digest"]
		elif (.annotations | type) == "object" and .annotations["vnd.docker.reference.type"] == "attestation-manifest" then
			["skip", $digest, $name, "an attestation of another part"]
		elif $name == "unknown/unknown" then ["skip", $digest, $name, "of no platform (an attestation or the like)"]
		elif $type != "" and ($type | test("\\Aapplication/vnd\\.(oci\\.image|docker\\.distribution)\\.(index|manifest)") | not) then
			["skip", $digest, $name, "no image"]
		elif $p == null or any($wanted[]; . == $name or . as $w | $name | startswith($w + "/")) then
			["scan", $digest, $name, "-"]
		else ["skip", $digest, $name, "not among the platforms to scan (" + ($wanted | map(clean) | join(", ")) + ")"] end
		| join(" ")' <"$1" >"$2" 2>"$work/err"
}
