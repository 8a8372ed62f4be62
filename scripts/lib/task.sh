# shellcheck shell=sh disable=SC2034,SC2154 # the scripts that read this use its variables
# What the scripts share that are no scans: settings, a directory of their own,
# calls over HTTP, and what is kept. Nothing that came from outside becomes a
# part of a command, and no secret an argument of a program: arguments can be
# seen by everybody on the machine.

# task_begin NAME makes the directory task_work, which goes when the script ends.
task_begin() {
	task_name=$1
	set -uf
	umask 077
	LC_ALL=C
	export LC_ALL
	need jq || exit "$EXIT_NO_TOOL"
	task_work=$(mktemp -d) || exit "$EXIT_CONFIG"
	trap 'rm -rf -- "$task_work"' EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# task_fail CODE TEXT... ends the script.
task_fail() {
	task_status=$1
	shift
	complain "$task_name: $*"
	exit "$task_status"
}

# task_setting NAME puts a setting into task_value: the variable NAME, or the
# first line of the file that NAME_FILE names, so that a secret need not be a
# variable. It may be empty.
task_setting() {
	eval "task_value=\${$1:-} task_file=\${$1_FILE:-}"
	unset "$1" # no program that is started later inherits it
	if [ -z "$task_value" ] && [ -n "$task_file" ]; then
		# No name of a file is said that is none: it may be the secret itself.
		[ -r "$task_file" ] || task_fail "$EXIT_CONFIG" "$1_FILE names no file that can be read"
		task_value=$(head -n 1 -- "$task_file" | tr -d '\r') || exit "$EXIT_CONFIG"
	fi
	case $task_value in
	*"$task_newline"*) task_fail "$EXIT_CONFIG" "$1 must be one line" ;;
	esac
}

# task_needs NAME does so with a setting that must be there.
task_needs() {
	task_setting "$1"
	[ -n "$task_value" ] || task_fail "$EXIT_CONFIG" "set $1, or $1_FILE to a file that holds it"
}

# task_address NAME checks that task_value is an address without credentials in
# it, and drops a slash at its end.
task_address() {
	case $task_value in
	*[!A-Za-z0-9:/._~%{}-]*) task_fail "$EXIT_CONFIG" "$1: http(s)://HOST[:PORT][/PATH] is meant, without credentials" ;;
	http://?* | https://?*) task_value=${task_value%/} ;;
	*) task_fail "$EXIT_CONFIG" "$1 must begin with https:// or http://" ;;
	esac
}

task_newline='
'

# task_call URL [OPTION...] makes a request with curl, as task_user with
# task_password where these are set, and with the header line task_header. The
# answer is in $task_work/answer, its header in $task_work/header, task_code is
# its status: 000 where there is none. Redirections are not followed.
task_call() {
	task_url=$1
	shift
	task_code=$(
		{
			printf 'url = "%s"\n' "$(task_quoted "$task_url")"
			if [ -n "${task_user:-}" ]; then printf 'user = "%s"\n' "$(task_quoted "$task_user:${task_password:-}")"; fi
			if [ -n "${task_header:-}" ]; then printf 'header = "%s"\n' "$(task_quoted "$task_header")"; fi
		} | curl --config - --silent --show-error --globoff --proto '=http,https' --connect-timeout 20 \
			--max-time "${task_limit:-60}" --header 'Expect:' --cookie "$task_work/cookies" --cookie-jar "$task_work/cookies" \
			--dump-header "$task_work/header" --output "$task_work/answer" --write-out '%{http_code}' "$@" 2>"$task_work/err"
	)
	task_curl=$? # not 0 also where an answer broke off
	task_code=${task_code:-000}
}

# task_refused WHAT ends the script after an answer that is no success.
task_refused() {
	complain "$task_name: cannot $1 (HTTP $task_code)"
	case $task_code in
	000 | 408 | 429 | 5??)
		show_tail "$task_work/err"
		exit "$EXIT_TEMPORARY"
		;;
	401 | 403) exit "$EXIT_DENIED" ;;
	404 | 410) exit "$EXIT_NO_IMAGE" ;;
	*) exit "$EXIT_TOOL" ;;
	esac
}

# task_quoted makes a text fit for a quoted value of curl's configuration.
task_quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }

# task_keep FILE NAME copies a file to where reports are kept: with the run, and
# to REPORT_DIR. It fails where one of them cannot be written.
task_keep() {
	for task_to in "${PAWL_ARTIFACTS:-}" "${REPORT_DIR:-}"; do
		[ -n "$task_to" ] || continue
		# Another name first: who reads REPORT_DIR never finds half a report.
		if ! cp -- "$1" "$task_to/.$2.$$" || ! mv -f -- "$task_to/.$2.$$" "$task_to/$2"; then
			rm -f -- "$task_to/.$2.$$"
			task_fail "$EXIT_CONFIG" "could not write $2 to $(shown "$task_to")"
		fi
	done
	say "kept: $2"
}

# task_result NAME VALUE adds a result of the run.
task_result() {
	[ -n "${PAWL_OUTPUT:-}" ] || return 0
	printf '%s=%s\n' "$1" "$(shown "$2")" >>"$PAWL_OUTPUT"
}
