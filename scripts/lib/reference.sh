# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# Names of images: what the grammar of the OCI distribution specification
# allows, and which registries a scan may contact. A payload may name any host;
# nothing here contacts one.

# parse_repository sets ref_host, ref_path and ref_repository of HOST/PATH, or
# fails and says why. Docker Hub's other names become docker.io.
parse_repository() {
	case $1 in
	*[!A-Za-z0-9._:/-]* | '' | -*)
		complain "$(shown "$1"): no repository's name"
		return 1
		;;
	esac
	if [ "${#1}" -gt 255 ] || ! printf '%s\n' "$1" | grep -Eqx \
		'[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)+'; then
		complain "$(shown "$1"): no repository's name (HOST/PATH, the path in small letters)"
		return 1
	fi
	ref_host=$(canonical_host "${1%%/*}")
	ref_path=${1#*/}
	case $ref_host in
	*.* | *:* | localhost) ;;
	*)
		complain "$(shown "$1"): names no registry ($ref_host is no host name)"
		return 1
		;;
	esac
	case $ref_host/$ref_path in
	docker.io/*/*) ;;
	docker.io/*) ref_path=library/$ref_path ;;
	esac
	ref_repository=$ref_host/$ref_path
}

# canonical_host prints a registry's host in the one way that is compared:
# small letters, without https's own port.
canonical_host() {
	host_text=$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]')
	case $host_text in
	index.docker.io | registry-1.docker.io | index.docker.io:443 | registry-1.docker.io:443) host_text=docker.io ;;
	*:443) host_text=${host_text%:443} ;;
	esac
	printf '%s' "$host_text"
}

# valid_digest says whether $1 is a sha256 digest.
valid_digest() {
	case $1 in
	sha256:*[!0-9a-f]*) return 1 ;;
	sha256:*) [ "${#1}" -eq 71 ] ;;
	*) return 1 ;;
	esac
}

# valid_tag says whether $1 is a tag.
valid_tag() {
	case $1 in
	*[!A-Za-z0-9_.-]* | '' | [.-]*) return 1 ;;
	*) [ "${#1}" -le 128 ] ;;
	esac
}

# list_tags writes the tags in $1 (a JSON array, or one tag) to file $2: lines
# "tag NAME" and "bad TEXT". JSON is judged by jq alone, so that no quote, line
# end or NUL in a tag's text is lost on the way.
list_tags() {
	# shellcheck disable=SC2016 # jq's variables
	jq -rn --arg given "$1" '
		($given | if startswith("[") then (fromjson? // [$given]) else [$given] end)[]
		| if type == "string" and test("\\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\\z")
			then "tag " + . else "bad " + (tojson | .[0:160]) end' >"$2"
}

# is_signature_tag says whether a tag is one that cosign gives to what belongs
# to an image: sha256-….sig, .att, .sbom.
is_signature_tag() {
	printf '%s\n' "$1" | grep -Eqx 'sha256-[0-9a-f]{64}\.(sig|att|sbom)'
}

# host_in says whether host $1 is in the list $2 (blanks or commas between).
host_in() {
	for listed_host in $(printf '%s' "$2" | tr ',\n\t' '   '); do
		[ "$(canonical_host "$listed_host")" = "$1" ] && return 0
	done
	return 1
}

# auth_files prints the files that may hold a registry's credentials, in the
# order in which skopeo reads them.
auth_files() {
	if [ -n "${REGISTRY_AUTH_FILE:-}" ]; then
		printf '%s\n' "$REGISTRY_AUTH_FILE"
		return 0
	fi
	printf '%s\n' "${XDG_RUNTIME_DIR:-/run/containers/$(id -u)}/containers/auth.json" \
		"/run/containers/$(id -u)/auth.json" \
		"${XDG_CONFIG_HOME:-${HOME:-/}/.config}/containers/auth.json" \
		"${DOCKER_CONFIG:-${HOME:-/}/.docker}/config.json"
}

# auth_hosts prints the hosts that those files name.
auth_hosts() {
	auth_files | while IFS= read -r auth_file; do
		[ -f "$auth_file" ] || continue
		jq -r '((.auths // {}) + (.credHelpers // {})) | keys[]
			| sub("^https?://"; "") | sub("/.*$"; "")' <"$auth_file" 2>/dev/null ||
			complain "$(shown "$auth_file"): cannot be read as JSON; its hosts are not known"
	done
}

# allow_registry says whether the scan may contact host $1.
allow_registry() {
	if [ -n "${ALLOWED_REGISTRIES:-}" ]; then
		host_in "$1" "$ALLOWED_REGISTRIES" && return 0
	else
		host_in "$1" "quay.io docker.io ${PLAIN_HTTP_REGISTRIES:-}" && return 0
		host_in "$1" "$(auth_hosts)" && return 0
	fi
	complain "$1: not contacted, for it is not among ALLOWED_REGISTRIES (${ALLOWED_REGISTRIES:-quay.io, docker.io, those in PLAIN_HTTP_REGISTRIES and in the auth file})"
	return 1
}
