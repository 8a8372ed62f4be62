# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# Scan a TAR: choose a scanner, run it, and say what it found in
#   scan_status      an exit code (0, 10, 75, or broken)
#   scan_components  number of components, "-" where it is not known
#   scan_action      the policy's word: None, Warning, Failure (Nexus IQ),
#                    or "unchecked" where the scanner has no policy
#   scan_report      the CycloneDX file, empty if there is none
#   scan_note        one line for the summary

# choose_scanner sets scanner by SCANNER, else by what is configured and there,
# in the order iq-cli, iq-api, syft, trivy, grype.
choose_scanner() {
	scanner=${SCANNER:-}
	if [ -z "$scanner" ]; then
		if [ -n "${IQ_URL:-}" ]; then
			if [ -n "${IQ_CLI_JAR:-}" ]; then scanner=iq-cli; else scanner=iq-api; fi
		else
			scanner=syft
			for scanner_found in syft trivy grype; do
				if command -v "$scanner_found" >/dev/null 2>&1; then
					scanner=$scanner_found
					break
				fi
			done
		fi
	fi
	case $scanner in
	syft) need_scanner syft ;;
	trivy | grype) need_scanner "$scanner" && fail_on_ready ;;
	iq-cli) iq_ready && iq_cli_ready ;;
	iq-api) iq_ready && iq_api_ready && need_scanner syft ;;
	*)
		complain "SCANNER: $(shown "$scanner") is none of syft, trivy, grype, iq-cli, iq-api"
		return "$EXIT_CONFIG"
		;;
	esac
}

# need_scanner says how a scanner is had; none is a Debian package.
need_scanner() {
	command -v -- "$1" >/dev/null 2>&1 && return 0
	case $1 in
	syft) complain "syft is not on PATH (go install github.com/anchore/syft/cmd/syft@v1.18.1, or another SCANNER)" ;;
	*) complain "$1 is not on PATH; see its own pages for how it is installed" ;;
	esac
	return "$EXIT_NO_TOOL"
}

# fail_on_ready checks FAIL_ON, the severity from which trivy's and grype's
# findings fail the policy.
fail_on_ready() {
	case ${FAIL_ON:=high} in
	none | low | medium | high | critical) ;;
	*)
		complain "FAIL_ON: $(shown "$FAIL_ON") is none of none, low, medium, high, critical"
		return "$EXIT_CONFIG"
		;;
	esac
}

# scan_tar TAR REPOSITORY DIGEST scans with the chosen scanner.
scan_tar() {
	scan_status=0
	scan_components=-
	scan_action=unchecked
	scan_report=''
	scan_note=''
	case $scanner in
	syft) scan_syft "$@" ;;
	trivy) scan_trivy "$@" ;;
	grype) scan_grype "$@" ;;
	iq-cli) scan_iq_cli "$@" ;;
	iq-api) scan_iq_api "$@" ;;
	esac
}

# scan_failed STATUS NAME tells of a scanner that failed.
scan_failed() {
	scan_status=$EXIT_TOOL
	if temporary "$1" "$work/err"; then
		scan_status=$EXIT_TEMPORARY
	fi
	complain "  $2 ended with status $1"
	show_tail "$work/err"
	scan_note="$2 failed"
}

# make_sbom TAR REPOSITORY DIGEST writes a CycloneDX SBOM with syft.
make_sbom() {
	if ! SYFT_CHECK_FOR_APP_UPDATE=false step "list the components (syft)" "${SCAN_TIMEOUT:-30m}" \
		syft scan --quiet --source-name "$2" --source-version "$3" \
		--output "cyclonedx-json=$work/sbom.json" "docker-archive:$1"; then
		scan_failed "$step_status" syft
		return 1
	fi
	take_report "$work/sbom.json"
}

# take_report FILE takes a CycloneDX file as the report and counts it.
take_report() {
	if ! scan_components=$(jq -er 'if .bomFormat == "CycloneDX" then [.components[]? | select(.type != "file")] | length else error end' <"$1" 2>"$work/err"); then
		scan_components=-
		scan_failed 0 "the scanner (its report is no CycloneDX)"
		return 1
	fi
	scan_report=$1
	say "  $scan_components components"
}

scan_syft() { make_sbom "$@"; }

scan_trivy() {
	if ! step "scan (trivy)" "${SCAN_TIMEOUT:-30m}" trivy image --quiet --input "$1" --scanners vuln \
		--list-all-pkgs --format json --output "$work/trivy.json"; then
		scan_failed "$step_status" trivy
		return
	fi
	if ! step "write the report (trivy)" 5m trivy convert --format cyclonedx --output "$work/sbom.json" "$work/trivy.json"; then
		scan_failed "$step_status" trivy
		return
	fi
	take_report "$work/sbom.json" && judge "$work/trivy.json" '[.Results[]?.Vulnerabilities[]?.Severity]'
}

scan_grype() {
	if ! GRYPE_CHECK_FOR_APP_UPDATE=false step "scan (grype)" "${SCAN_TIMEOUT:-30m}" grype --quiet \
		--output "json=$work/grype.json" --output "cyclonedx-json=$work/sbom.json" "docker-archive:$1"; then
		scan_failed "$step_status" grype
		return
	fi
	take_report "$work/sbom.json" && judge "$work/grype.json" '[.matches[]?.vulnerability.severity]'
}

# judge FILE JQ counts the severities that JQ finds, and fails the policy from FAIL_ON on.
judge() {
	# shellcheck disable=SC2016 # jq's variables
	if ! judged=$(jq -er --arg from "$FAIL_ON" "$2"' | map(tostring | ascii_downcase) as $all
		| ["low", "medium", "high", "critical"] as $order
		| ($order | index($from)) as $least
		| (if $least == null then 0 else [$all[] | select(. as $s | $order | index($s) // -1 | . >= $least)] | length end | tostring)
			+ " " + ([$order[] as $s | $s + " " + ([$all[] | select(. == $s)] | length | tostring)] | reverse | join(", "))' \
		<"$1" 2>"$work/err"); then
		scan_failed 0 "the scanner (its findings cannot be read)"
		return
	fi
	scan_note="vulnerabilities: ${judged#* }"
	say "  $scan_note"
	scan_action=None
	if [ "${judged%% *}" -gt 0 ]; then
		scan_action=Failure
		scan_status=$EXIT_POLICY
		complain "  policy failed: ${judged%% *} of severity $FAIL_ON or higher (FAIL_ON)"
	fi
}
