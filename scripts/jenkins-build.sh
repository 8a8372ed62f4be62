#!/bin/sh
# jenkins-build.sh JOB
#
# Starts a job of Jenkins: JOB is its name, with its folders (folder/job). The file
# that PARAMETERS names, if it is set, holds the parameters as a JSON object.
# Settings:
#
#   JENKINS_URL    Jenkins' address
#   JENKINS_USER   a user who may start the job
#   JENKINS_TOKEN  an API token of that user (or JENKINS_TOKEN_FILE)
#   JENKINS_JOBS   the jobs that may be started, with commas between them
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/task.sh
. "$scan_lib/task.sh"

task_begin jenkins-build
need curl || exit "$EXIT_NO_TOOL"
[ $# -eq 1 ] || task_fail "$EXIT_USAGE" "usage: jenkins-build.sh JOB"
job=$1
task_needs JENKINS_URL
task_address JENKINS_URL
jenkins_url=$task_value
task_needs JENKINS_USER
task_user=$task_value
task_needs JENKINS_TOKEN
task_password=$task_value

allowed=no
rest=${JENKINS_JOBS:-},
while [ -n "$rest" ]; do
	[ "${rest%%,*}" != "$job" ] || allowed=yes
	rest=${rest#*,}
done
if [ "$allowed" = no ] || [ -z "$job" ]; then
	task_fail "$EXIT_DENIED" "$(shown "$job"): not among JENKINS_JOBS, the jobs that may be started"
fi
# shellcheck disable=SC2016 # jq's variables
if ! job_path=$(jq -enr --arg job "$job" '$job | split("/")
	| map(if . == "" or . == "." or . == ".." then error("no name of a job") else "job/" + @uri end) | join("/")' 2>"$task_work/err"); then
	task_fail "$EXIT_USAGE" "$(shown "$job"): no name of a job"
fi

what=build
: >"$task_work/form"
if [ -n "${PARAMETERS:-}" ]; then
	what=buildWithParameters
	if ! jq -enj 'input | if type != "object" then error("no object") else . end | to_entries
		| map(if .key | test("\\A[A-Za-z_][A-Za-z0-9_.-]{0,99}\\z") then . else error("no name of a parameter") end
			| if .value | type == "string" or type == "number" or type == "boolean" then . else error("no text, number, true or false") end
			| (.key | @uri) + "=" + (.value | tostring | @uri)) | join("&")' <"$PARAMETERS" >"$task_work/form" 2>"$task_work/err"; then
		complain "jenkins-build: the parameters are no object of names with texts, numbers, true or false"
		show_tail "$task_work/err"
		exit "$EXIT_USAGE"
	fi
fi

# Jenkins wants a crumb, good for the session whose cookie comes with it. One that
# asks for none where there is an API token has no issuer.
task_header=''
task_call "$jenkins_url/crumbIssuer/api/json"
case $task_code in
200)
	task_header=$(jq -er 'if (.crumbRequestField | test("\\A[A-Za-z0-9-]{1,100}\\z")) and (.crumb | test("\\A[!-~]{1,500}\\z"))
		then .crumbRequestField + ": " + .crumb else error("no crumb") end' <"$task_work/answer" 2>"$task_work/err") ||
		task_fail "$EXIT_TOOL" "Jenkins gives no crumb that can be read"
	;;
404) ;;
*) task_refused "get a crumb of $jenkins_url" ;;
esac

task_call "$jenkins_url/$job_path/$what" --data-binary "@$task_work/form"
case $task_code in
201 | 303 | 302) ;;
*) task_refused "start $(shown "$job")" ;;
esac
queued=$(sed -n 's/^[Ll]ocation: *//p' "$task_work/header" | tr -d '\r' | tail -n 1)
case $queued in
"$jenkins_url"/queue/item/*) ;;
# A browser is sent to a page to log in, or to the job.
*) [ "$task_code" = 201 ] || task_fail "$EXIT_TOOL" "Jenkins queued nothing, and points to $(shown "$queued")" ;;
esac
say "started $(shown "$job"): $(shown "$queued")"
task_result job "$job"
task_result queued "$queued"
