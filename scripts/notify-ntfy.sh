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
notify_option NTFY_URL
notify_url=${notify_value:-https://ntfy.sh}
notify_option NTFY_TOKEN
notify_token=$notify_value
notify_setting NTFY_TOPIC
# Published as JSON, so neither topic nor text is a part of the URL or a header.
case $notify_state in
succeeded) notify_look='{ tags: ["white_check_mark"] }' ;;
*) notify_look='{ priority: 4, tags: ["warning"] }' ;;
esac
export notify_value
# shellcheck disable=SC2016 # for jq
notify_message '{ topic: env.notify_value, title: $title, message: $text } + '"$notify_look"
notify_post
