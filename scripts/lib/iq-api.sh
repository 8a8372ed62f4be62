# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# Nexus IQ by its REST interface: an SBOM is sent to the third-party scan
# interface, the evaluation is waited for, its policy action decides. Redirects
# are not followed, and a status address on another host is not asked.

iq_api_ready() {
	iq_timeout=${IQ_TIMEOUT:-600}
	case $iq_timeout in
	'' | *[!0-9]* | ???????*)
		complain "IQ_TIMEOUT: $(shown "$iq_timeout") is no number of seconds"
		return "$EXIT_CONFIG"
		;;
	esac
	need curl && return 0
	complain "SCANNER=iq-api talks to IQ with curl; the slim image has none, the full image has"
	return "$EXIT_NO_TOOL"
}

# iq_call METHOD PATH [CONTENT-TYPE FILE] makes one request and sets iq_code;
# the answer is in $work/iq-body. The credentials go to curl's standard input.
# It fails where no answer came.
iq_call() {
	iq_method=$1
	iq_path=$2
	set -- "${3:-}" "${4:-}"
	: >"$work/iq-body"
	iq_curl "$@" >"$work/out" 2>"$work/err" &
	child=$!
	wait "$child"
	iq_curl_status=$?
	child=''
	iq_code=$(cat "$work/out")
	if [ "$iq_curl_status" -ne 0 ]; then
		iq_code=000
		complain "  IQ does not answer (curl: $iq_curl_status)"
		show_tail "$work/err"
		case $iq_curl_status in
		5 | 6 | 7 | 16 | 18 | 28 | 35 | 52 | 55 | 56 | 92) scan_status=$EXIT_TEMPORARY ;;
		*) scan_status=$EXIT_TOOL ;;
		esac
		scan_note="IQ does not answer"
		return 1
	fi
}

iq_curl() {
	set -- --config - --silent --show-error --globoff --proto '=http,https' --connect-timeout 20 \
		--max-time 300 --max-filesize 33554432 --request "$iq_method" --output "$work/iq-body" --write-out '%{http_code}' \
		--header 'Accept: application/json' ${1:+--header "Content-Type: $1" --data-binary "@$2"} --url "$iq_url/$iq_path"
	printf 'user = "%s"\n' "$(printf '%s' "$iq_user:$iq_password" | sed 's/[\\"]/\\&/g')" | curl "$@"
}

# iq_refused WHAT tells of an answer that is no success.
iq_refused() {
	complain "  IQ answers $iq_code to: $1"
	show_tail "$work/iq-body"
	scan_note="IQ answered $iq_code to: $1"
	case $iq_code in
	429 | 5??) scan_status=$EXIT_TEMPORARY ;;
	401 | 403) scan_status=$EXIT_DENIED ;;
	*) scan_status=$EXIT_TOOL ;;
	esac
	return 1
}

# scan_iq_api TAR REPOSITORY DIGEST
scan_iq_api() {
	make_sbom "$@" || return
	iq_app=$(iq_application "$ref_path" "$ref_host")
	say "- evaluate as $iq_app at stage $iq_stage (IQ's REST interface)"
	iq_start=$(now_ms)
	if iq_internal_id && iq_submit && iq_poll; then
		say "  evaluated in $(seconds_since "$iq_start")"
		iq_judge
		keep_file "$work/iq-body" "$(report_name iq "$3").json"
	else
		complain "  failed after $(seconds_since "$iq_start")"
	fi
}

# iq_find sets iq_internal to the internal id of iq_app, empty where there is
# none (or this user may not see it).
iq_find() {
	iq_call GET "api/v2/applications?publicId=$iq_app" || return 1
	[ "$iq_code" = 200 ] || iq_refused "find application $iq_app" || return 1
	if ! iq_internal=$(jq -er --arg id "$iq_app" '[.applications[] | select(.publicId == $id) | .id
		| strings | select(test("\\A[A-Za-z0-9_-]{1,64}\\z"))][0] // ""' <"$work/iq-body" 2>"$work/err"); then
		iq_refused "find application $iq_app (the answer cannot be read)"
		return 1
	fi
}

# iq_internal_id finds the application, or creates it.
iq_internal_id() {
	iq_find || return 1
	[ -z "$iq_internal" ] || return 0
	iq_organization || return 1
	jq -n --arg id "$iq_app" --arg organization "$iq_organization_id" \
		'{publicId: $id, name: $id, organizationId: $organization}' >"$work/iq-application"
	iq_call POST api/v2/applications application/json "$work/iq-application" || return 1
	case $iq_code in
	200 | 201)
		say "  created application $iq_app"
		;;
	400 | 409) say "  application $iq_app cannot be created ($iq_code); another scan may have been faster" ;;
	*) iq_refused "create application $iq_app" || return 1 ;;
	esac
	iq_find || return 1
	if [ -z "$iq_internal" ]; then
		complain "  application $iq_app is not there, and could not be created (does the user have Edit IQ Elements and see it?)"
		scan_status=$EXIT_DENIED
		scan_note="application $iq_app could not be created"
		return 1
	fi
}

# iq_organization sets iq_organization_id: IQ_ORGANIZATION_ID, else the only
# one that can hold applications.
iq_organization() {
	iq_organization_id=${IQ_ORGANIZATION_ID:-}
	[ -z "$iq_organization_id" ] || return 0
	iq_call GET api/v2/organizations || return 1
	[ "$iq_code" = 200 ] || iq_refused "list the organizations" || return 1
	iq_organization_id=$(jq -er '[.organizations[] | select(.id != "ROOT_ORGANIZATION_ID") | .id | strings]
		| if length == 1 then .[0] else empty end' <"$work/iq-body" 2>"$work/err") && return 0
	complain "  IQ has not exactly one organization: set IQ_ORGANIZATION_ID to the one for new applications: $(shown "$(jq -r '[.organizations[]? | "\(.id) (\(.name))"] | join(", ")' <"$work/iq-body" 2>/dev/null)")"
	scan_status=$EXIT_CONFIG
	scan_note="IQ_ORGANIZATION_ID is needed"
	return 1
}

# iq_submit sends the SBOM and sets iq_status_path.
iq_submit() {
	iq_call POST "api/v2/scan/applications/$iq_internal/sources/cyclonedx?stageId=$iq_stage" \
		application/json "$work/sbom.json" || return 1
	[ "$iq_code" = 202 ] || [ "$iq_code" = 200 ] || iq_refused "take the SBOM" || return 1
	iq_status_path=$(jq -er '.statusUrl | strings' <"$work/iq-body" 2>"$work/err") || iq_status_path=''
	iq_status_path=${iq_status_path#"$iq_url/"}
	iq_status_path=${iq_status_path#/}
	case $iq_status_path in
	*[!A-Za-z0-9/._-]* | *..* | *//*) iq_status_path='' ;;
	api/v2/scan/*) return 0 ;;
	esac
	complain "  IQ's answer gives no status address on its own host"
	show_tail "$work/iq-body"
	scan_status=$EXIT_TOOL
	scan_note="IQ gave no status address"
	return 1
}

# iq_poll asks for the evaluation until it is there, at most IQ_TIMEOUT seconds.
iq_poll() {
	iq_deadline=$(($(date +%s) + iq_timeout))
	iq_delay=1
	while :; do
		iq_call GET "$iq_status_path" || return 1
		case $iq_code in
		200) return 0 ;;
		404 | 429 | 5??) ;;
		*) iq_refused "tell the status" || return 1 ;;
		esac
		if [ "$(date +%s)" -ge "$iq_deadline" ]; then
			complain "  no evaluation after $iq_timeout s (IQ_TIMEOUT)"
			scan_status=$EXIT_TEMPORARY
			scan_note="no evaluation in time"
			return 1
		fi
		pause "$iq_delay"
		[ "$iq_delay" -ge 16 ] || iq_delay=$((iq_delay * 2))
	done
}

# iq_judge reads the evaluation in $work/iq-body.
iq_judge() {
	if jq -e '.isError == true' <"$work/iq-body" >/dev/null 2>&1; then
		complain "  IQ could not evaluate: $(shown "$(jq -r '.errorMessage // "no reason given"' <"$work/iq-body")")"
		scan_status=$EXIT_TOOL
		scan_note="IQ could not evaluate"
		return
	fi
	iq_verdict "$(jq -r '.policyAction // "None"' <"$work/iq-body" 2>/dev/null)"
	scan_note="IQ application $iq_app, stage $iq_stage: $(iq_counts '.componentsAffected // {} | [.critical, .severe, .moderate]' "$work/iq-body")"
	say "  $scan_note"
}
