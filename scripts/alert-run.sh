#!/bin/sh
# alert-run.sh NAME STATUS
#
# Runs the script that is there for an alert of Alertmanager: NAME is its alertname,
# STATUS is firing or resolved. ALERT_SCRIPTS is the directory with the scripts, each
# named as the alert that it is for; "default" is for all that have none. A script is
# called with the status, and finds in its environment
#
#   ALERT_NAME, ALERT_STATUS, ALERT_FINGERPRINT (the alert's), ALERT_GROUP (groupKey)
#   ALERT  the file with the alert as Alertmanager sent it: labels, annotations, times
#
# Its exit code is the run's: with 75 it is tried again.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
set -uf

if [ $# -ne 2 ]; then
	complain "usage: alert-run.sh NAME STATUS"
	exit "$EXIT_USAGE"
fi
case $1 in
'' | .* | -* | */*)
	complain "alert-run: $(shown "$1") can be no script's name"
	exit "$EXIT_USAGE"
	;;
esac
case $2 in
firing | resolved) ;;
*)
	complain "alert-run: $(shown "$2") is no status of an alert"
	exit "$EXIT_USAGE"
	;;
esac
if [ -z "${ALERT_SCRIPTS:-}" ] || [ ! -d "$ALERT_SCRIPTS" ]; then
	complain "alert-run: set ALERT_SCRIPTS to the directory with a script for each alert"
	exit "$EXIT_CONFIG"
fi
for script in "$ALERT_SCRIPTS/$1" "$ALERT_SCRIPTS/default"; do
	[ ! -f "$script" ] || break
	script=''
done
if [ -z "$script" ]; then
	say "$(shown "$1") is $2: there is no script for it"
	exit 0
fi
if [ ! -x "$script" ]; then
	complain "alert-run: $(shown "$script") is not executable"
	exit "$EXIT_CONFIG"
fi
say "$(shown "$1") is $2: $(shown "$script")"
export ALERT_NAME="$1" ALERT_STATUS="$2"
exec "$script" "$2"
