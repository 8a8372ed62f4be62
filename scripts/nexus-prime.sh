#!/bin/sh
# nexus-prime.sh FILE
#
# Fetches a component that came to a repository of Nexus Repository through a proxy
# repository of another one, so that it is cached there before it is needed. FILE,
# or EVENT in the environment, is the file with the event (rm:repository:component)
# of a maven2, npm or raw repository. What is fetched is thrown away. Settings:
#
#   PRIME_URL         the proxy's address, as https://nexus.example.org/repository/proxy;
#                     {repository} in it stands for the event's repository
#   PRIME_USER        and PRIME_PASSWORD (or PRIME_PASSWORD_FILE), if it asks for them
#   PRIME_EXTENSIONS  of maven components: "pom jar"
#   PRIME_TIMEOUT     seconds for each file: 600
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/task.sh
. "$scan_lib/task.sh"

task_begin nexus-prime
need curl || exit "$EXIT_NO_TOOL"
event=${1:-${EVENT:-}}
if [ $# -gt 1 ] || [ -z "$event" ] || [ ! -r "$event" ]; then
	task_fail "$EXIT_USAGE" "usage: nexus-prime.sh FILE (or EVENT=FILE), an event of Nexus Repository"
fi
task_needs PRIME_URL
task_address PRIME_URL
prime_url=$task_value
task_setting PRIME_USER
task_user=$task_value
task_setting PRIME_PASSWORD
task_password=$task_value
task_limit=${PRIME_TIMEOUT:-600}
case $task_limit in *[!0-9]* | '') task_fail "$EXIT_CONFIG" "PRIME_TIMEOUT: seconds are meant" ;; esac

# The repository, then the paths of the component's files below it. Every part is
# encoded, and none may lead out of the repository.
# shellcheck disable=SC2016 # jq's variables
if ! paths=$(jq -enr --arg extensions "${PRIME_EXTENSIONS:-pom jar}" '
	def text: if type == "string" then . else error("the event lacks a value") end;
	def part: if . == "" or . == "." or . == ".." or test("[\u0000-\u001f/\\\\]") then error("a name that is none") else @uri end;
	def parts: map(part) | join("/");
	input
	| (.repositoryName | text | part),
	(.component
	| (.name // "" | text) as $name | (.group // "" | text) as $group | (.version // "" | text) as $version
	| if .format == "maven2" then
		$extensions | split(" ")[] | select(. != "")
		| (($group | split(".")) + [$name, $version, $name + "-" + $version + "." + .]) | parts
	elif .format == "npm" then
		(if $group == "" then [] else ["@" + ($group | ltrimstr("@"))] end + [$name, "-", $name + "-" + $version + ".tgz"]) | parts
	elif .format == "raw" then
		$name | ltrimstr("/") | split("/") | parts
	else error("not a format that can be fetched: maven2, npm, raw") end)' <"$event" 2>"$task_work/err"); then
	complain "nexus-prime: the event names no component that can be fetched"
	show_tail "$task_work/err"
	exit "$EXIT_USAGE"
fi
repository=${paths%%"$task_newline"*} paths=${paths#*"$task_newline"}
case $prime_url in
*"{repository}"*) prime_url=${prime_url%%"{repository}"*}$repository${prime_url#*"{repository}"} ;;
esac
case $prime_url in *[{}]*) task_fail "$EXIT_CONFIG" "PRIME_URL: {repository} is all that can be in braces, once" ;; esac

fetched=0
for path in $paths; do
	start=$(now_ms)
	task_call "$prime_url/$path"
	case $task_code in
	2??)
		# An answer that broke off is cached by nobody.
		[ "$task_curl" -eq 0 ] || { task_code=000 && task_refused "fetch all of $path"; }
		fetched=$((fetched + 1))
		say "$path: $(size_text "$(stat -c %s "$task_work/answer")") in $(seconds_since "$start")"
		;;
	404 | 410) say "$path: not there (HTTP $task_code)" ;;
	*) task_refused "fetch $path" ;;
	esac
	rm -f -- "$task_work/answer"
done
task_result files "$fetched"
[ "$fetched" -gt 0 ] || task_fail "$EXIT_NO_IMAGE" "the proxy has none of the component's files"
