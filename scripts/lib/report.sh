# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# What a scan leaves behind on purpose: the report in PAWL_ARTIFACTS, a table
# in PAWL_SUMMARY, name=value lines in PAWL_OUTPUT. Where one is not set (under
# another listener, by hand) that part is left out. REPORT_DIR, a directory of
# the operator's, gets the reports too. Every image adds a line to $work/rows:
# repository, tag, platform, digest, status, components, action, report, note (by tabs;
# none is empty, for read takes two tabs for one).

# keep_file FILE NAME copies a file to where reports are kept, and tells its name:
# the path of PAWL_ARTIFACTS holds while the script runs and no longer.
# report_kept is its name there, "-" where none is kept.
keep_file() {
	report_kept=-
	for keep_to in "${PAWL_ARTIFACTS:-}" "${REPORT_DIR:-}"; do
		[ -n "$keep_to" ] || continue
		if cp -- "$1" "$keep_to/$2"; then
			report_kept=$2
		else
			complain "  could not write $2 to $(shown "$keep_to")"
		fi
	done
	[ "$report_kept" = - ] || say "  kept: $2"
}

# report_name PLATFORM DIGEST prints a file name for an image of this repository.
# PLATFORM is "-" where the image is no part of an index.
report_name() {
	name_platform=''
	[ "$1" = - ] || name_platform=_$(printf '%s' "$1" | tr '/?' '--')
	printf '%s%s_%.12s' "$(printf '%.100s' "$ref_path" | tr '/' '_')" "$name_platform" "${2#sha256:}"
}

# add_row TAG PLATFORM DIGEST STATUS COMPONENTS ACTION REPORT NOTE
add_row() {
	printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${ref_repository:--}" "$@" >>"$work/rows"
}

# write_summary writes the Markdown table. Tags, digests and platforms hold
# nothing that Markdown would take for markup; notes are escaped.
write_summary() {
	[ -n "${PAWL_SUMMARY:-}" ] && [ -s "$work/rows" ] || return 0
	{
		printf '## Image scan: %s\n\n' "$(verdict_of "$1")"
		printf '| tag | platform | result | components | policy | image | remarks |\n'
		printf '| --- | --- | --- | ---: | --- | --- | --- |\n'
		while IFS="$report_tab" read -r row_repository row_tag row_platform row_digest row_status row_components row_action _ row_note; do
			if [ "$row_status" = none ]; then row_status='nothing to scan'; else row_status=$(verdict_of "$row_status"); fi
			row_image="\`$row_repository@$row_digest\`"
			if [ "$row_digest" = - ]; then row_image=$(markdown "$row_repository"); fi
			printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$(markdown "$row_tag")" "$row_platform" \
				"$row_status" "$row_components" "$row_action" "$row_image" "$(markdown "$row_note")"
		done <"$work/rows"
		printf '\n'
	} >>"$PAWL_SUMMARY"
}

report_tab=$(printf '\t')

# markdown prints text so that Markdown shows it as it is.
markdown() {
	printf '%s' "$1" | sed 's/[][\\`*_{}()#+!|<>~&]/\\&/g'
}

# write_output writes the results. Where several images were scanned a name
# holds their values in order, with commas between.
write_output() {
	[ -n "${PAWL_OUTPUT:-}" ] || return 0
	{
		printf 'repository=%s\n' "$ref_repository"
		printf 'result=%s\n' "$(verdict_of "$1")"
		printf 'scanner=%s\n' "$scanner"
		printf 'images=%s\n' "$(awk -F '\t' '$5 ~ /^(0|10)$/ { n++ } END { print n + 0 }' "$work/rows")"
		printf 'digest=%s\n' "$(column 4)"
		printf 'image=%s\n' "$(awk -F '\t' '$5 ~ /^(0|10)$/ { printf "%s%s@%s", sep, $1, $4; sep = "," }' "$work/rows")"
		printf 'components=%s\n' "$(column 6)"
		printf 'policy_action=%s\n' "$(column 7)"
		printf 'report=%s\n' "$(column 8)"
	} >>"$PAWL_OUTPUT"
}

# column N prints that column of every image that was scanned, with commas.
column() {
	awk -F '\t' -v n="$1" '$5 ~ /^(0|10)$/ { printf "%s%s", sep, $n; sep = "," }' "$work/rows"
}
