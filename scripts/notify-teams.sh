#!/bin/sh
# notify-teams.sh
#
# Tells a channel of Microsoft Teams how a run ended. The run's record comes on
# standard input. TEAMS_WEBHOOK_URL is the URL of a workflow that begins with
# "When a Teams webhook request is received", or TEAMS_WEBHOOK_URL_FILE a file
# that holds it.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/notify.sh
. "$scan_lib/notify.sh"
set -uf
umask 077

notify_begin notify-teams
notify_setting TEAMS_WEBHOOK_URL
notify_url=$notify_value
# Text runs of an Adaptive Card are shown as they are; its text blocks would read
# Markdown (https://adaptivecards.io/explorer/TextRun.html).
# shellcheck disable=SC2016 # for jq
notify_message '
	def shown($weight): { type: "RichTextBlock", inlines: [ { type: "TextRun", text: ., weight: $weight } ] };
	{ type: "message",
	  attachments: [ { contentType: "application/vnd.microsoft.card.adaptive",
	    content: { "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", type: "AdaptiveCard", version: "1.4",
	               body: [ ($title | shown("Bolder")), ($text | split("\n")[] | select(. != "") | shown("Default")) ] } } ] }'
notify_post
