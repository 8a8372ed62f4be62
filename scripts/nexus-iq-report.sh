#!/bin/sh
# nexus-iq-report.sh FILE
#
# Keeps a report of an evaluation that Nexus IQ announced. FILE, or EVENT in the
# environment, is the file with the event (iq:applicationEvaluation). The event as
# it came and a short text go where the run's files are kept (PAWL_ARTIFACTS) and
# to REPORT_DIR, if that is set. Nothing is asked of the IQ server.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/task.sh
. "$scan_lib/task.sh"

task_begin nexus-iq-report
event=${1:-${EVENT:-}}
if [ $# -gt 1 ] || [ -z "$event" ] || [ ! -r "$event" ]; then
	task_fail "$EXIT_USAGE" "usage: nexus-iq-report.sh FILE (or EVENT=FILE), an event of Nexus IQ"
fi
if [ -z "${PAWL_ARTIFACTS:-}${REPORT_DIR:-}" ]; then
	task_fail "$EXIT_CONFIG" "there is nowhere to keep a report: set REPORT_DIR"
fi

# The name and the lines of the text, one after the other.
if ! lines=$(jq -enr '
	def clean($n): tostring | gsub("[\u0000-\u001f\u007f-\u009f]"; "?") | .[0:$n];
	def number: if type == "number" then tostring else "-" end;
	input.applicationEvaluation
	| if type == "object" and (.application.publicId | type) == "string" then . else error("no evaluation") end
	| (.application.publicId | gsub("[^A-Za-z0-9._-]"; "_") | .[0:120] | sub("^[.-]"; "_")) + "_"
		+ (.stage // "-" | tostring | gsub("[^A-Za-z0-9-]"; "_") | .[0:20]) + "_"
		+ (.reportId // .policyEvaluationId // "unknown" | tostring | gsub("[^A-Za-z0-9-]"; "_") | .[0:40]),
	(.outcome // "unknown" | clean(20)),
	"Application: " + (.application.publicId | clean(200)),
	"Stage:       " + (.stage // "-" | clean(50)),
	"Evaluated:   " + (.evaluationDate // "-" | clean(50)),
	"Outcome:     " + (.outcome // "unknown" | clean(20)),
	"Components:  " + (.affectedComponentCount | number) + " affected: " + (.criticalComponentCount | number) + " critical, "
		+ (.severeComponentCount | number) + " severe, " + (.moderateComponentCount | number) + " moderate",
	"Report:      " + (.reportId // "-" | clean(100))' <"$event" 2>"$task_work/err"); then
	complain "nexus-iq-report: the event is no evaluation of an application"
	show_tail "$task_work/err"
	exit "$EXIT_USAGE"
fi
name=${lines%%"$task_newline"*} lines=${lines#*"$task_newline"}
outcome=${lines%%"$task_newline"*} lines=${lines#*"$task_newline"}

printf '%s\n' "$lines" | tee "$task_work/text"
task_keep "$event" "$name.json"
task_keep "$task_work/text" "$name.txt"
if [ -n "${PAWL_SUMMARY:-}" ]; then
	# Indented by four, Markdown shows text as it is.
	{
		printf '## Nexus IQ: %s\n\n' "$(printf '%s' "$outcome" | tr -cd 'A-Za-z0-9 ')"
		sed 's/^/    /' <"$task_work/text"
	} >>"$PAWL_SUMMARY"
fi
task_result outcome "$outcome"
task_result report "$name.json"
