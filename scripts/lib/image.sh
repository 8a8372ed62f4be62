# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# Scan the images that a registry announced: the way of one tag from its name
# to its verdict. The scripts beside this directory read a registry's
# notification and call scan_begin, scan_tags or scan_one, and scan_end.

# shellcheck source=say.sh
. "$scan_lib/say.sh"
# shellcheck source=workdir.sh
. "$scan_lib/workdir.sh"
# shellcheck source=reference.sh
. "$scan_lib/reference.sh"
# shellcheck source=registry.sh
. "$scan_lib/registry.sh"
# shellcheck source=pull.sh
. "$scan_lib/pull.sh"
# shellcheck source=scan.sh
. "$scan_lib/scan.sh"
# shellcheck source=iq.sh
. "$scan_lib/iq.sh"
# shellcheck source=iq-api.sh
. "$scan_lib/iq-api.sh"
# shellcheck source=report.sh
. "$scan_lib/report.sh"

set -uf
umask 077
LC_ALL=C
export LC_ALL

# scan_begin checks the settings and makes the working directory.
scan_begin() {
	scan_start=$(now_ms)
	scan_worst=0
	paths_absolute
	pull_ready || exit $?
	choose_scanner || exit $?
	work_begin
	: >"$work/rows"
	: >"$work/seen"
}

# paths_absolute turns the files that settings name into absolute ones: the
# scan works in another directory than the one it was started in.
paths_absolute() {
	REGISTRY_AUTH_FILE=$(absolute "${REGISTRY_AUTH_FILE:-}")
	CERT_DIR=$(absolute "${CERT_DIR:-}")
	REPORT_DIR=$(absolute "${REPORT_DIR:-}")
	PAWL_ARTIFACTS=$(absolute "${PAWL_ARTIFACTS:-}")
	PAWL_SUMMARY=$(absolute "${PAWL_SUMMARY:-}")
	PAWL_OUTPUT=$(absolute "${PAWL_OUTPUT:-}")
	# skopeo takes an empty name for a file.
	if [ -n "$REGISTRY_AUTH_FILE" ]; then export REGISTRY_AUTH_FILE; else unset REGISTRY_AUTH_FILE; fi
}

# absolute prints a path so that it holds from any directory; nothing stays nothing.
absolute() {
	case $1 in
	'' | /*) printf '%s' "$1" ;;
	*) printf '%s/%s' "$PWD" "$1" ;;
	esac
}

# scan_repository NAME checks a repository and its registry. On failure it
# counts as one broken image and returns false.
scan_repository() {
	ref_repository=$(shown "$1")
	if ! parse_repository "$1"; then
		add_row - - - "$EXIT_USAGE" - - - "no repository's name"
		count "$EXIT_USAGE"
		return 1
	fi
	if ! allow_registry "$ref_host"; then
		add_row - - - "$EXIT_DENIED" - - - "not among ALLOWED_REGISTRIES"
		count "$EXIT_DENIED"
		return 1
	fi
	use_registry "$ref_host"
}

# at_registry NAME REGISTRY sets at_repository to the repository NAME (HOST/PATH) as
# it is to be called: at REGISTRY in the place of HOST, unless that is empty. It
# prints nothing, for what is printed loses its line ends, and a name that ends in
# one is no repository's.
at_registry() {
	at_repository=$1
	[ -z "$2" ] || at_repository=$2/${1#*/}
}

# scan_pushed REPOSITORY DIGEST TAG scans what a registry says was pushed: by its
# digest, whatever happens to the tag. What has no tag is left out (the parts of
# an index, what belongs to another image), unless SCAN_UNTAGGED says otherwise.
scan_pushed() {
	pushed_tag=$3
	if ! valid_digest "$2"; then
		complain "$(shown "$1"): left out: $(shown "$2") is no digest (sha256:…)"
		count "$EXIT_USAGE"
		return
	fi
	if [ -z "$pushed_tag" ]; then
		if ! truth "${SCAN_UNTAGGED:-no}"; then
			say "$(shown "$1")@$2: nothing to scan: pushed without a tag (SCAN_UNTAGGED=yes scans these too)"
			return
		fi
		pushed_tag=untagged
	elif ! valid_tag "$pushed_tag"; then
		complain "$(shown "$1"): left out: $(shown "$pushed_tag") is no tag's name"
		count "$EXIT_USAGE"
		return
	fi
	if scan_repository "$1"; then
		scan_one "$pushed_tag" "$ref_repository@$2"
	fi
}

# scan_tags TAGS scans every tag of the repository: a JSON array, or one tag.
scan_tags() {
	list_tags "$1" "$work/tags"
	if [ ! -s "$work/tags" ]; then
		say "nothing to scan: the notification names no tag"
		return 0
	fi
	while read -r tag_kind tag_text <&3; do
		if [ "$tag_kind" = tag ]; then
			scan_one "$tag_text" "$ref_repository:$tag_text"
		else
			complain "tag $(shown "$tag_text"): no tag's name, left out"
			add_row "$(shown "$tag_text" | tr -d '\t')" - - "$EXIT_USAGE" - - - "no tag's name"
			count "$EXIT_USAGE"
		fi
	done 3<"$work/tags"
}

# scan_one TAG NAME scans what NAME (repository:tag or repository@digest) is.
scan_one() {
	one_tag=$1
	say "$ref_repository:$one_tag"
	if is_signature_tag "$one_tag"; then
		nothing - - "the tag is a signature's, an attestation's or an SBOM's, which belong to an image and are none"
		return
	fi
	if ! fetch_manifest "$2" "$work/manifest"; then
		broken - - "$registry_status" "cannot be looked up"
		return
	fi
	if ! one_digest=$(digest_of "$work/manifest"); then
		broken - - "$EXIT_TOOL" "the registry's answer is no manifest"
		return
	fi
	case $2 in
	*@*) if [ "${2##*@}" != "$one_digest" ]; then
		broken - "$one_digest" "$EXIT_TOOL" "the registry gave another manifest than the one asked for"
		return
	fi ;;
	esac
	say "  it is $ref_repository@$one_digest"
	classify "$work/manifest"
	if [ "$manifest_kind" = index ]; then
		scan_index
	else
		scan_manifest "$one_digest" -
	fi
}

# scan_index scans the parts of the index in $work/manifest.
scan_index() {
	if ! list_platforms "$work/manifest" "$work/parts"; then
		broken - "$one_digest" "$EXIT_TOOL" "the index cannot be read"
		return
	fi
	say "  an index of $(grep -c . "$work/parts") parts, $(grep -c '^scan ' "$work/parts") to scan"
	while read -r part_what part_digest part_platform part_why <&4; do
		case $part_what in
		skip) say "  $part_platform $part_digest: nothing to scan: $part_why" ;;
		bad) broken "$part_platform" - "$EXIT_TOOL" "$part_why" ;;
		scan)
			if seen "$part_digest" "$part_platform"; then continue; fi
			if ! fetch_manifest "$ref_repository@$part_digest" "$work/manifest"; then
				broken "$part_platform" "$part_digest" "$registry_status" "cannot be looked up"
				continue
			fi
			if [ "$(digest_of "$work/manifest")" != "$part_digest" ]; then
				broken "$part_platform" "$part_digest" "$EXIT_TOOL" "the registry gave another manifest than the one asked for"
				continue
			fi
			classify "$work/manifest"
			scan_manifest "$part_digest" "$part_platform"
			;;
		esac
	done 4<"$work/parts"
	if ! grep -q '^\(scan\|bad\) ' "$work/parts"; then
		nothing - "$one_digest" "an index without a part to scan"
	fi
}

# scan_manifest DIGEST PLATFORM scans what classify has judged.
scan_manifest() {
	case $manifest_kind in
	none) nothing "$2" "$1" "$manifest_why" ;;
	index) broken "$2" "$1" "$EXIT_TOOL" "an index within an index, which is not followed" ;;
	bad) broken "$2" "$1" "$EXIT_TOOL" "$manifest_why" ;;
	image) seen "$1" "$2" || scan_image "$1" "$2" ;;
	esac
}

# scan_image DIGEST PLATFORM pulls, saves, scans, and cleans up.
scan_image() {
	image_tar=$work/image.tar
	check_size "$manifest_size"
	image_status=$?
	if [ "$image_status" -ne 0 ]; then
		broken "$2" "$1" "$image_status" "no room for it, or too large"
		return
	fi
	if ! pull_image "$ref_repository" "$1" "$one_tag" "$image_tar"; then
		rm -rf -- "$image_tar" "$work/tmp"
		mkdir "$work/tmp"
		broken "$2" "$1" "$registry_status" "cannot be pulled"
		return
	fi
	say "  saved: $(size_text "$(stat -c %s "$image_tar")")"
	scan_tar "$image_tar" "$ref_repository" "$1"
	report_kept=-
	if [ -n "$scan_report" ]; then
		keep_file "$scan_report" "$(report_name "$2" "$1").cdx.json"
	fi
	rm -rf -- "$image_tar" "$work/tmp" "$work/sbom.json"
	mkdir "$work/tmp"
	add_row "$one_tag" "$2" "$1" "$scan_status" "$scan_components" "$scan_action" "$report_kept" "${scan_note:--}"
	say "  $(verdict_of "$scan_status"): $ref_repository@$1"
	printf '%s %s %s\n' "$ref_repository@$1" "$scan_status" "$one_tag" >>"$work/seen"
	count "$scan_status"
}

# seen DIGEST PLATFORM says whether this run has scanned the image already, and tells it.
seen() {
	seen_line=$(grep -F -- "$ref_repository@$1 " "$work/seen" | head -n 1)
	[ -n "$seen_line" ] || return 1
	seen_rest=${seen_line#* }
	say "  $2 $1: the same image as tag ${seen_rest#* }, scanned already: $(verdict_of "${seen_rest%% *}")"
	add_row "$one_tag" "$2" "$1" none - - - "the same image as ${seen_rest#* }"
}

# nothing PLATFORM DIGEST WHY ends well: there is no image.
nothing() {
	say "  nothing to scan: $3"
	add_row "$one_tag" "$1" "$2" none - - - "$3"
}

# broken PLATFORM DIGEST STATUS WHY ends badly, and the others go on.
broken() {
	complain "  $(verdict_of "$3"): $4"
	add_row "$one_tag" "$1" "$2" "$3" - - - "$4"
	count "$3"
}

# count takes one image's exit code into the whole run's.
count() { scan_worst=$(worse "$scan_worst" "$1"); }

# scan_end writes the reports and exits with the worst code.
scan_end() {
	if [ -n "${ref_repository:-}" ]; then
		write_summary "$scan_worst"
		write_output "$scan_worst"
	fi
	say "all done in $(seconds_since "$scan_start"): $(verdict_of "$scan_worst") (exit $scan_worst)"
	exit "$scan_worst"
}
