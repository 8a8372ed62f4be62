#!/bin/sh
# notify-slack.sh
#
# Tells a Slack channel how a run ended. The run's record comes on standard
# input. SLACK_WEBHOOK_URL is the URL of an incoming webhook of Slack, or
# SLACK_WEBHOOK_URL_FILE a file that holds it.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/notify.sh
. "$scan_lib/notify.sh"
set -uf
umask 077

notify_begin notify-slack
notify_setting SLACK_WEBHOOK_URL
notify_url=$notify_value
# Plain text, but &, < and > are what Slack reads nevertheless
# (https://docs.slack.dev/messaging/formatting-message-text).
# shellcheck disable=SC2016 # for jq
notify_message '
	{ mrkdwn: false,
	  text: ("\($title)\n\($text)" | gsub("&"; "&amp;") | gsub("<"; "&lt;") | gsub(">"; "&gt;")) }'
notify_post
