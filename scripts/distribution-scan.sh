#!/bin/sh
# distribution-scan.sh [FILE]
#
# Scans what was pushed to a registry of the CNCF distribution (Docker's
# registry, and those that notify like it). FILE, or NOTIFICATION in the
# environment, is the file with the notification: an envelope of events.
# Pushes of manifests alone are looked at, so the pulls of the scan itself make
# no scan. The digest is the event's. Settings: docs/scanning.md.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/image.sh
. "$scan_lib/image.sh"

notification=${1:-${NOTIFICATION:-}}
if [ $# -gt 1 ] || [ -z "$notification" ] || [ ! -r "$notification" ]; then
	complain "usage: distribution-scan.sh FILE (or NOTIFICATION=FILE), a notification of the registry"
	exit "$EXIT_USAGE"
fi
case $notification in /*) ;; *) notification=$PWD/$notification ;; esac
scan_begin

if [ ! -s "$notification" ]; then
	complain "the notification is empty, no envelope of events"
	exit "$EXIT_USAGE"
fi

# A line an event: what is to be done with it, its repository, digest, tag, or why not.
# shellcheck disable=SC2016 # jq's variables
if ! jq -r '
	def clean: tostring | gsub("[^A-Za-z0-9._:/@+-]"; "?") | .[0:255];
	if (.events | type) != "array" then error("no events") else .events[] end
	| if type == "object" then . else {} end
	| (.target | if type == "object" then . else {} end) as $t
	| (.request | if type == "object" then . else {} end) as $r
	| ($t.repository // "-" | clean) as $repo
	| if .action != "push" then ["skip", $repo, (.action | clean)]
	elif ($t.mediaType // "" | tostring | test("manifest|image\\.index") | not) then ["skip", $repo, "a blob"]
	elif ($t.digest | type) != "string" or ($t.digest | test("\\Asha256:[0-9a-f]{64}\\z") | not) then ["bad", $repo, "no valid digest"]
	elif ($t.tag // "") == "" then ["untagged", (($r.host // "-" | clean) + "/" + $repo), $t.digest]
	elif ($t.tag | type) != "string" or ($t.tag | test("\\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\\z") | not) then ["bad", $repo, "no valid tag"]
	else ["push", (($r.host // "-" | clean) + "/" + $repo), $t.digest, $t.tag] end
	| join(" ")' <"$notification" >"$work/events" 2>"$work/err"; then
	complain "the notification is no envelope of events"
	show_tail "$work/err"
	exit "$EXIT_USAGE"
fi

[ -s "$work/events" ] || say "nothing to scan: the notification holds no event"
while read -r event_what event_repository event_rest event_tag <&5; do
	case $event_what in
	skip)
		say "$event_repository: nothing to scan: $event_rest"
		continue
		;;
	bad)
		complain "$event_repository: left out: $event_rest ${event_tag:-}"
		count "$EXIT_USAGE"
		continue
		;;
	untagged)
		if ! truth "${SCAN_UNTAGGED:-no}"; then
			say "$event_repository@$event_rest: nothing to scan: pushed without a tag, as part of an index or of another image (SCAN_UNTAGGED=yes scans these too)"
			continue
		fi
		event_tag=untagged
		;;
	esac
	if [ -n "${DISTRIBUTION_REGISTRY:-}" ]; then
		event_repository=$DISTRIBUTION_REGISTRY/${event_repository#*/}
	fi
	if scan_repository "$event_repository"; then
		scan_one "$event_tag" "$ref_repository@$event_rest"
	fi
done 5<"$work/events"
scan_end
