# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# Nexus IQ: what its command line client and its REST interface share (server,
# credentials, application id), and the client. Written from public
# descriptions, not tried against a real IQ server.

# iq_ready checks the settings. Credentials leave the environment, so that no
# program that is started later inherits them.
iq_ready() {
	case ${IQ_URL:-} in
	*[!A-Za-z0-9:/._~%-]* | *@*)
		complain "IQ_URL: $(shown "${IQ_URL%%@*}"): http(s)://HOST[:PORT][/PATH] is meant, without credentials (IQ_USER, IQ_PASSWORD)"
		return "$EXIT_CONFIG"
		;;
	http://?* | https://?*) ;;
	*)
		complain "IQ_URL is not set to an http:// or https:// address, which SCANNER=$scanner needs"
		return "$EXIT_CONFIG"
		;;
	esac
	iq_url=${IQ_URL%/}
	iq_stage=${IQ_STAGE:-build}
	case $iq_stage in
	develop | build | stage-release | release | operate) ;;
	*)
		complain "IQ_STAGE: $(shown "$iq_stage") is none of develop, build, stage-release, release, operate"
		return "$EXIT_CONFIG"
		;;
	esac
	iq_user=''
	iq_password=''
	read_secret IQ_USER "${IQ_USER:-}" "${IQ_USER_FILE:-}" && iq_user=$secret_value || return "$EXIT_CONFIG"
	read_secret IQ_PASSWORD "${IQ_PASSWORD:-}" "${IQ_PASSWORD_FILE:-}" && iq_password=$secret_value || return "$EXIT_CONFIG"
	unset IQ_USER IQ_PASSWORD secret_value
}

# read_secret NAME VALUE FILE sets secret_value from FILE, else VALUE. It has one line.
read_secret() {
	secret_value=$2
	if [ -n "$3" ]; then
		if ! secret_value=$(cat -- "$3" 2>/dev/null); then
			complain "$1_FILE: $(shown "$3") cannot be read"
			return 1
		fi
	fi
	case $secret_value in
	'')
		complain "$1 (or $1_FILE) is not set, which SCANNER=$scanner needs"
		return 1
		;;
	*'
'* | *"$(printf '\r')"*)
		complain "$1 holds a line end"
		return 1
		;;
	esac
}

# iq_application REPOSITORY-PATH HOST prints the application id: every character
# but A-Z a-z 0-9 . _ - becomes "_", at most 200. Where two repositories could
# meet in one id (more than one "/" replaced, an "_" of the name's own, or cut
# short) 8 digits of the name's SHA-256 follow.
iq_application() {
	iq_name=$1
	if truth "${IQ_ID_WITH_HOST:-no}"; then iq_name=$2/$1; fi
	iq_id=$(printf '%s' "$iq_name" | tr -c 'A-Za-z0-9._-' '_')
	case $iq_name in
	*/*/* | *_*) iq_unclear=yes ;;
	*) iq_unclear='' ;;
	esac
	if [ -n "$iq_unclear" ] || [ "${#iq_id}" -gt 200 ]; then
		printf '%.191s-%.8s' "$iq_id" "$(printf '%s' "$iq_name" | sha256sum)"
	else
		printf '%s' "$iq_id"
	fi
}

# iq_verdict ACTION sets scan_status and scan_action by IQ's policy action.
iq_verdict() {
	scan_action=$1
	case $1 in
	Failure)
		scan_status=$EXIT_POLICY
		complain "  policy failed: IQ's action is Failure"
		;;
	Warning)
		say "  policy: IQ warns"
		if truth "${IQ_FAIL_ON_WARNINGS:-no}"; then scan_status=$EXIT_POLICY; fi
		;;
	None) say "  policy: no action" ;;
	*)
		scan_action=unknown
		scan_status=$EXIT_TOOL
		complain "  IQ's policy action is not known: $(shown "$1")"
		scan_note="unknown policy action"
		;;
	esac
}

iq_cli_ready() {
	case ${IQ_CLI_JAR:-} in
	'')
		complain "IQ_CLI_JAR is not set to nexus-iq-cli.jar, which SCANNER=iq-cli needs"
		return "$EXIT_CONFIG"
		;;
	/*) iq_jar=$IQ_CLI_JAR ;;
	*) iq_jar=$PWD/$IQ_CLI_JAR ;;
	esac
	if [ ! -r "$iq_jar" ]; then
		complain "IQ_CLI_JAR: $(shown "$iq_jar") cannot be read"
		return "$EXIT_CONFIG"
	fi
	iq_java=${JAVA_HOME:+$JAVA_HOME/bin/}java
	need "$iq_java" default-jre-headless || return "$EXIT_NO_TOOL"
}

# scan_iq_cli TAR REPOSITORY DIGEST. The credentials go in a parameter file
# (one argument a line), never on the command line, where ps shows them. The
# result file decides; without it the run was no scan.
scan_iq_cli() {
	iq_app=$(iq_application "$ref_path" "$ref_host")
	iq_result=$work/iq-result.json
	rm -f -- "$iq_result"
	printf '%s\n' --authentication "$iq_user:$iq_password" >"$work/iq-parameters"
	if [ -n "${IQ_ORGANIZATION_ID:-}" ]; then
		printf '%s\n' --organization-id "$IQ_ORGANIZATION_ID" >>"$work/iq-parameters"
	fi
	if truth "${IQ_FAIL_ON_WARNINGS:-no}"; then
		printf '%s\n' --fail-on-policy-warnings >>"$work/iq-parameters"
	fi
	iq_tar=$1
	step "evaluate as $iq_app at stage $iq_stage (nexus-iq-cli)" "${SCAN_TIMEOUT:-30m}" \
		"$iq_java" "-Djava.io.tmpdir=$TMPDIR" -jar "$iq_jar" --server-url "$iq_url" --application-id "$iq_app" \
		--stage "$iq_stage" --result-file "$iq_result" "@$work/iq-parameters" "$iq_tar"
	iq_status=$?
	rm -f -- "$work/iq-parameters"
	case $iq_status in
	0) say "  nexus-iq-cli ended with 0: no policy action \"fail\"" ;;
	1) say "  nexus-iq-cli ended with 1: a policy failed" ;;
	2) say "  nexus-iq-cli ended with 2: an error, no evaluation" ;;
	124) say "  nexus-iq-cli ran longer than SCAN_TIMEOUT" ;;
	*) say "  nexus-iq-cli ended with $iq_status, which is not known" ;;
	esac
	if ! iq_action=$(jq -er '.policyAction | strings' <"$iq_result" 2>/dev/null); then
		cat "$work/out" >>"$work/err"
		scan_failed "$iq_status" "nexus-iq-cli (no result file)"
		return
	fi
	scan_report=''
	iq_verdict "$iq_action"
	if [ "$iq_status" -gt 1 ] && [ "$scan_status" -eq 0 ]; then
		scan_failed "$iq_status" nexus-iq-cli
	fi
	scan_note="IQ application $iq_app, stage $iq_stage: $(iq_counts '.policyEvaluationResult // {}
		| [.criticalComponentCount, .severeComponentCount, .moderateComponentCount]' "$iq_result")"
	say "  $scan_note"
	keep_file "$iq_result" "$(report_name iq "$3").json"
	# The client writes no SBOM; where syft is there the run gets one all the same.
	if command -v syft >/dev/null 2>&1; then
		iq_verdict_status=$scan_status
		iq_note=$scan_note
		make_sbom "$iq_tar" "$2" "$3" || complain "  (the evaluation stands without it)"
		scan_status=$iq_verdict_status
		scan_note=$iq_note
	fi
}

# iq_counts JQ FILE prints the affected components by severity and the report's address.
iq_counts() {
	jq -r "$1"' as [$c, $s, $m] | "\($c // "?") critical, \($s // "?") severe, \($m // "?") moderate"
		| gsub("[^A-Za-z0-9?, ]"; "?") | .[0:100]' <"$2" 2>/dev/null || printf 'no counts'
}
