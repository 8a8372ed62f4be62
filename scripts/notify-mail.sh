#!/bin/sh
# notify-mail.sh
#
# Sends a mail about how a run ended, with the system's sendmail (SENDMAIL names
# another one). The run's record comes on standard input. MAIL_TO is whom it goes
# to, MAIL_FROM whom it comes from, if not whom sendmail takes; each may be the
# first line of a file instead (MAIL_TO_FILE).
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/notify.sh
. "$scan_lib/notify.sh"
set -uf
umask 077

notify_begin notify-mail
notify_option MAIL_FROM
notify_from=$notify_value
notify_setting MAIL_TO
notify_sendmail=${SENDMAIL:-sendmail}
PATH=$PATH:/usr/sbin:/usr/lib
if ! command -v -- "$notify_sendmail" >/dev/null; then
	complain "notify-mail: there is no $notify_sendmail here (apt-get install msmtp-mta, or another mail transport agent)"
	exit "$EXIT_NO_TOOL"
fi
# Nothing of the record stands in the mail as it is: the subject is made of encoded
# words (RFC 2047; 11 characters each, so that none is longer than 75), the text is
# base64.
notify_word() { printf '=?UTF-8?B?%s?=' "$(printf '%s' "$1" | base64 | tr -d '\n')"; }
{
	printf 'To: %s\n' "$notify_value"
	if [ -n "$notify_from" ]; then printf 'From: %s\n' "$notify_from"; fi
	printf 'Subject:'
	notify_title=$notify_title jq -rn 'env.notify_title | range(0; length; 11) as $at | .[$at:$at + 11]' |
		while IFS= read -r notify_part; do printf ' %s\n' "$(notify_word "$notify_part")"; done
	printf 'Auto-Submitted: auto-generated\nMIME-Version: 1.0\n'
	printf 'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n'
	printf '%s\n' "$notify_text" | base64
} >"$notify_work/mail"
if "$notify_sendmail" -t -i <"$notify_work/mail"; then
	say "notify-mail: handed to $notify_sendmail"
else
	notify_status=$?
	complain "notify-mail: $notify_sendmail ended with status $notify_status"
	[ "$notify_status" -eq 75 ] && exit "$EXIT_TEMPORARY"
	exit "$EXIT_TOOL"
fi
