# shellcheck shell=sh disable=SC2034,SC2154 # the scripts that read this use its variables
# What the notify-*.sh scripts share. Each gets the record of a run that ended
# on its standard input: JSON, as Pawl gives it to the hook that on-failure or
# on-success names (docs/hooks.md). Everything in it came from outside, and is
# passed on as data in the format of whoever is told, never as a part of a
# command, a URL or a header line. Neither it nor a setting is an argument of a
# program, for arguments can be seen by everybody on the machine.

# notify_record makes lines of a record: its state, a title in one line, and the
# text. Each part of the text is bounded, so that a large one takes no other's
# place: a message of 4,096 bytes is ntfy's limit, one of 28 KiB that of Teams.
# Control characters and those that turn the direction of writing become "?".
# shellcheck disable=SC2016 # for jq
notify_record='
def hidden: . < 32 or (. >= 127 and . < 160) or (. >= 8234 and . <= 8238) or (. >= 8294 and . <= 8297);
def shown: explode | map(if . == 9 then 32 elif . == 10 then . elif . == 8232 or . == 8233 then 32 elif hidden then 63 else . end);
def bytes: if . < 128 then 1 elif . < 2048 then 2 elif . < 65536 then 3 else 4 end;
def first_bytes($n): . as $all | [foreach .[] as $c (0; . + ($c | bytes); if . <= $n then $c else empty end)];
def line($n): .[:4 * $n] | shown | map(if . == 10 then 32 else . end)
	| if (map(bytes) | add // 0) > $n then first_bytes($n - 3) + [8230] else . end | implode;
def lines($n): .[-4 * $n:] | split("\r\n") | join("\n") | shown | reverse | first_bytes($n) | reverse | implode
	| rtrimstr("\n") | split("\n") | .[-10:] | join("\n");
input
| if type == "object" and ([.hook_id, .run_id, .state] | all(type == "string")) then . else error("no record") end
| (.state | line(20)),
  ((.hook_id | line(80)) + " " + (.state | line(20)) + (.key // "" | if . == "" then . else ": " + line(120) end)),
  ( [ (.reason // "" | line(500)),
      (.results // {} | to_entries[:15][] | (.key | line(40)) + ": " + (.value | tostring | line(200))) ]
    | map(select(. != "")) | join("\n") | .[:2400] | explode | first_bytes(2000) | implode | select(. != "") ),
  "run \(.run_id | line(40)), attempt \(.attempt | tostring | line(10))",
  ( .output // "" | lines(1500) | select(. != "") | "\n" + . )'

# notify_begin NAME reads the record into notify_state, notify_title, which is one
# line, and notify_text: the reason, what the script wrote to PAWL_OUTPUT, and
# the last lines that it printed.
notify_begin() {
	notify_name=$1
	need jq || exit "$EXIT_NO_TOOL"
	notify_work=$(mktemp -d) || exit "$EXIT_CONFIG"
	trap 'rm -rf -- "$notify_work"' EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT
	if ! notify_text=$(jq -nr "$notify_record" 2>/dev/null); then
		complain "$notify_name: standard input is no record of a run (a hook's process.stdin: { source: raw-request-body })"
		exit "$EXIT_USAGE"
	fi
	notify_state=${notify_text%%"$notify_newline"*} notify_text=${notify_text#*"$notify_newline"}
	notify_title=${notify_text%%"$notify_newline"*} notify_text=${notify_text#*"$notify_newline"}
}

notify_newline='
'

# notify_message FILTER makes the message of title and text, in jq's own variables.
notify_message() {
	notify_title=$notify_title notify_text=$notify_text \
		jq -n "env.notify_title as \$title | env.notify_text as \$text | $1" >"$notify_work/message" || exit "$EXIT_TOOL"
}

# notify_setting NAME puts a setting into notify_value: the variable NAME, or the
# first line of the file that NAME_FILE names, so that a secret need not be a
# variable. The setting must be there.
notify_setting() {
	notify_option "$1"
	[ -n "$notify_value" ] && return 0
	complain "$notify_name: set $1, or $1_FILE to a file that holds it"
	exit "$EXIT_CONFIG"
}

# notify_option NAME does so with a setting that may be missing: notify_value is
# empty then.
notify_option() {
	eval "notify_value=\${$1:-} notify_file=\${$1_FILE:-}"
	if [ -z "$notify_value" ] && [ -n "$notify_file" ]; then
		# No name of a file is said that is none: it may be the secret itself.
		if [ ! -r "$notify_file" ]; then
			complain "$notify_name: $1_FILE names no file that can be read"
			exit "$EXIT_CONFIG"
		fi
		notify_value=$(head -n 1 -- "$notify_file" | tr -d '\r') || exit "$EXIT_CONFIG"
	fi
	case $notify_value in
	*"$notify_newline"*)
		complain "$notify_name: $1 must be one line"
		exit "$EXIT_CONFIG"
		;;
	esac
}

# notify_post posts $notify_work/message, JSON, to the URL notify_url, with the
# access token notify_token where it is not empty. They go to curl's standard
# input, not into its arguments.
notify_post() {
	need curl || exit "$EXIT_NO_TOOL"
	case $notify_url in
	http://?* | https://?*) ;;
	*)
		complain "$notify_name: the URL must begin with https://"
		exit "$EXIT_CONFIG"
		;;
	esac
	# What it answered counts, even where the answer broke off after that: a
	# second message would say nothing new.
	notify_code=$(
		{
			printf 'url = "%s"\n' "$(notify_quoted "$notify_url")"
			if [ -n "${notify_token:-}" ]; then printf 'header = "Authorization: Bearer %s"\n' "$(notify_quoted "$notify_token")"; fi
		} | curl --config - --silent --show-error --globoff --proto '=http,https' --connect-timeout 10 --max-time 30 \
			--max-filesize 1048576 --header 'Content-Type: application/json' --header 'Expect:' \
			--data-binary "@$notify_work/message" \
			--output "$notify_work/answer" --write-out '%{http_code}' 2>"$notify_work/err"
	)
	case $notify_code in
	2??) say "$notify_name: told" ;;
	'' | 000 | 408 | 429 | 5??)
		complain "$notify_name: not told (HTTP ${notify_code:-000})"
		notify_show err
		exit "$EXIT_TEMPORARY"
		;;
	*)
		complain "$notify_name: refused (HTTP $notify_code)"
		notify_show answer
		exit "$EXIT_TOOL"
		;;
	esac
}

# notify_show prints the last lines of a file in notify_work, unless they repeat
# what is secret: pages that say "not found" like to tell the path.
notify_show() {
	case $notify_url in *://*/?*) notify_secret=${notify_url#*://*/} ;; *) notify_secret= ;; esac
	printf '%s\n%s\n' "$notify_secret" "${notify_token:-}" | tr '?' '\n' | tr '&' '\n' | grep . >"$notify_work/secrets"
	if [ -s "$notify_work/$1" ] && grep -qF -f "$notify_work/secrets" -- "$notify_work/$1"; then
		complain "    | (not shown: it repeats the URL or the token)"
	else
		show_tail "$notify_work/$1"
	fi
}

# notify_quoted makes a text fit for a quoted value of curl's configuration.
notify_quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }
