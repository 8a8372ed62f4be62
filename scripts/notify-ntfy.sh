#!/bin/sh
# notify-ntfy.sh
#
# Tells subscribers of an ntfy topic how a run ended. The run's record comes on
# standard input. NTFY_TOPIC is the topic, NTFY_URL the server (https://ntfy.sh),
# NTFY_TOKEN an access token if it wants one; each of the three may be in a file
# instead (NTFY_TOKEN_FILE).
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/notify.sh
. "$scan_lib/notify.sh"
set -uf
umask 077

notify_begin notify-ntfy
notify_setting NTFY_TOPIC
notify_topic=$notify_value
notify_url=${NTFY_URL:-https://ntfy.sh}
if [ -n "${NTFY_TOKEN:-}${NTFY_TOKEN_FILE:-}" ]; then
	notify_setting NTFY_TOKEN
	notify_header="Authorization: Bearer $notify_value"
fi
notify_failed=$(notify_jq -r 'if .state == "succeeded" then "no" else "yes" end')
# Published as JSON, so neither topic nor text is a part of the URL or a header.
jq -n --arg topic "$notify_topic" --arg title "$notify_title" --arg text "$notify_text" --arg failed "$notify_failed" '
	{ topic: $topic, title: $title, message: $text }
	+ if $failed == "yes" then { priority: 4, tags: ["warning"] } else { tags: ["white_check_mark"] } end' \
	>"$notify_work/message" || exit "$EXIT_TOOL"
notify_post
