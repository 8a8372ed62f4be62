# shellcheck shell=sh disable=SC2034,SC2154 # the scripts that read this use its variables
# What the notify-*.sh scripts share. Each gets the record of a run that ended
# on its standard input: JSON, as Pawl gives it to the hook that on-failure or
# on-success names (docs/hooks.md). Everything in it came from outside, and is
# passed on as data in the format of whoever is told, never as a part of a
# command, a URL or a header line.

# notify_begin NAME reads the record and makes two texts of it: notify_title, one
# line, and notify_text: the reason, what the script wrote to PAWL_OUTPUT, and
# the last lines that it printed.
notify_begin() {
	notify_name=$1
	need jq || exit "$EXIT_NO_TOOL"
	notify_work=$(mktemp -d) || exit "$EXIT_CONFIG"
	trap 'rm -rf -- "$notify_work"' EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	head -c 1048576 >"$notify_work/record"
	if ! notify_title=$(notify_jq -r '
		"\(.hook) \(.state)" + (if (.key // "") == "" then "" else ": \(.key)" end)
		| gsub("[\u0000-\u001f\u007f]"; " ") | .[:200]'); then
		complain "$notify_name: standard input is no record of a run (a hook's process.stdin: { source: raw-request-body })"
		exit "$EXIT_USAGE"
	fi
	notify_text=$(notify_jq -r '
		[ (.reason // "" | select(. != "")),
		  (.results // {} | to_entries[] | "\(.key): \(.value)"),
		  "run \(.run), attempt \(.attempt)",
		  (.output // "" | rtrimstr("\n") | split("\n") | .[-10:] | join("\n") | select(. != "") | "\n" + .)
		] | join("\n")
		| gsub("[\u0000-\u0008\u000b-\u001f\u007f]"; "?") | .[:3000]')
}

notify_jq() { jq "$@" <"$notify_work/record" 2>/dev/null; }

# notify_setting NAME prints a setting: the variable NAME, or the first line of
# the file that NAME_FILE names, so that a secret need not be a variable.
notify_setting() {
	eval "notify_value=\${$1:-} notify_file=\${$1_FILE:-}"
	if [ -z "$notify_value" ] && [ -n "$notify_file" ]; then
		notify_value=$(head -n 1 -- "$notify_file") || exit "$EXIT_CONFIG"
	fi
	if [ -z "$notify_value" ]; then
		complain "$notify_name: set $1, or $1_FILE to a file that holds it"
		exit "$EXIT_CONFIG"
	fi
}

# notify_post posts $notify_work/message, JSON, to the URL notify_url, with the
# header line notify_header where it is not empty. URL and header may hold a
# secret: they go to curl's standard input, not into its arguments.
notify_post() {
	need curl || exit "$EXIT_NO_TOOL"
	case $notify_url in
	http://?* | https://?*) ;;
	*)
		complain "$notify_name: the URL must begin with https://"
		exit "$EXIT_CONFIG"
		;;
	esac
	notify_code=$(
		{
			printf 'url = "%s"\n' "$(notify_quoted "$notify_url")"
			if [ -n "${notify_header:-}" ]; then printf 'header = "%s"\n' "$(notify_quoted "$notify_header")"; fi
		} | curl --config - --silent --show-error --globoff --proto '=http,https' --connect-timeout 10 --max-time 30 \
			--max-filesize 1048576 --header 'Content-Type: application/json' --data-binary "@$notify_work/message" \
			--output "$notify_work/answer" --write-out '%{http_code}' 2>"$notify_work/err"
	) || notify_code=000
	case $notify_code in
	2??) say "$notify_name: told" ;;
	000 | 408 | 429 | 5??)
		complain "$notify_name: not told (HTTP $notify_code)"
		show_tail "$notify_work/err"
		exit "$EXIT_TEMPORARY"
		;;
	*)
		complain "$notify_name: refused (HTTP $notify_code)"
		show_tail "$notify_work/answer"
		exit "$EXIT_TOOL"
		;;
	esac
}

# notify_quoted makes a text fit for a quoted value of curl's configuration.
notify_quoted() { printf '%s' "$1" | tr -d '\r\n' | sed 's/[\\"]/\\&/g'; }
