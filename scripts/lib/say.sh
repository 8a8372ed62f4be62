# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# What the scan tells: one line a step, times in seconds, and the exit codes
# that say whether to try again. Nothing that came from outside is printed
# before it went through `shown`.

# Exit codes. docs/scanning.md lists them for operators.
EXIT_POLICY=10        # scanned, and the policy failed: trying again changes nothing
EXIT_USAGE=64         # a name or an argument that can be no image
EXIT_NO_IMAGE=66      # the registry has no such repository, tag or digest
EXIT_NO_TOOL=69       # a program is missing
EXIT_TOOL=70          # a program failed in a way that is not known
EXIT_TOO_LARGE=73     # larger than MAX_IMAGE_SIZE
EXIT_TEMPORARY=75     # may well go better later
EXIT_DENIED=77        # a registry that is not allowed, or credentials that are refused
EXIT_CONFIG=78        # a setting is wrong

say() { printf '%s\n' "$*"; }

# complain tells a fault; it goes to standard error.
complain() { printf '%s\n' "$*" >&2; }

# shown prints a value from outside so that it can neither move the cursor nor
# forge a line: what is not printable ASCII becomes "?", and it ends at 200
# characters.
shown() { printf '%.200s' "$1" | tr -c ' -~' '?'; }

# show_tail prints the last lines of a program's messages, indented.
show_tail() {
	[ -s "$1" ] || return 0
	tail -n 5 -- "$1" | cut -c 1-600 | tr -c ' -~\n' '?' | sed 's/^/    | /' >&2
}

# now_ms prints the time in milliseconds; whole seconds where date cannot.
now_ms() {
	now_text=$(date +%s%3N)
	case $now_text in
	*[!0-9]*) printf '%s000' "$(date +%s)" ;;
	*) printf '%s' "$now_text" ;;
	esac
}

# seconds_since prints the time since $1 (of now_ms) as "1.2 s".
seconds_since() {
	since_ms=$(($(now_ms) - $1))
	printf '%d.%d s' $((since_ms / 1000)) $((since_ms % 1000 / 100))
}

# size_text prints $1 bytes for people.
size_text() {
	if [ "$1" -lt 1024 ]; then
		printf '%d B' "$1"
	elif [ "$1" -lt 1048576 ]; then
		printf '%d.%d KiB' $(($1 / 1024)) $(($1 % 1024 * 10 / 1024))
	elif [ "$1" -lt 1073741824 ]; then
		printf '%d.%d MiB' $(($1 / 1048576)) $(($1 % 1048576 * 10 / 1048576))
	else
		printf '%d.%d GiB' $(($1 / 1073741824)) $(($1 % 1073741824 * 10 / 1073741824))
	fi
}

# parse_size turns "10GiB", "500M" or "1048576" into bytes in parsed_size.
# It fails for anything else.
parse_size() {
	parsed_number=${1%%[!0-9]*}
	parsed_unit=${1#"$parsed_number"}
	case $parsed_number in '' | ?????????????????*) return 1 ;; esac
	# A leading zero would make the number octal.
	while [ "${parsed_number#0}" != "$parsed_number" ] && [ "$parsed_number" != 0 ]; do
		parsed_number=${parsed_number#0}
	done
	case $parsed_unit in
	'' | B) parsed_size=$parsed_number ;;
	K | k | KiB | KB | kB) parsed_size=$((parsed_number * 1024)) ;;
	M | MiB | MB) parsed_size=$((parsed_number * 1048576)) ;;
	G | GiB | GB) parsed_size=$((parsed_number * 1073741824)) ;;
	T | TiB | TB) parsed_size=$((parsed_number * 1099511627776)) ;;
	*) return 1 ;;
	esac
	[ "$parsed_size" -ge 0 ]
}

# truth says whether a setting is on. It fails for off.
truth() {
	case $1 in 1 | yes | true | on) return 0 ;; *) return 1 ;; esac
}

# worse prints the exit code of two that decides for a whole run. Temporary
# beats all, for a retry that heals one tag tells the others' ends again; then
# a failed policy, which a tag that is broken must not hide; then what is
# broken, the first one of it.
worse() {
	for worse_code in "$EXIT_TEMPORARY" "$EXIT_POLICY"; do
		if [ "$1" -eq "$worse_code" ] || [ "$2" -eq "$worse_code" ]; then
			printf '%d' "$worse_code"
			return 0
		fi
	done
	if [ "$1" -ne 0 ]; then printf '%d' "$1"; else printf '%d' "$2"; fi
}

# verdict_of prints in words what an exit code means.
verdict_of() {
	case $1 in
	0) printf 'clean' ;;
	"$EXIT_POLICY") printf 'policy failed' ;;
	"$EXIT_TEMPORARY") printf 'temporary failure' ;;
	"$EXIT_USAGE") printf 'bad name' ;;
	"$EXIT_NO_IMAGE") printf 'not found' ;;
	"$EXIT_NO_TOOL") printf 'program missing' ;;
	"$EXIT_TOO_LARGE") printf 'too large' ;;
	"$EXIT_DENIED") printf 'not permitted' ;;
	"$EXIT_CONFIG") printf 'wrong setting' ;;
	*) printf 'failed' ;;
	esac
}

# need says whether a program is there, and which Debian package has it.
need() {
	command -v -- "$1" >/dev/null 2>&1 && return 0
	complain "$1 is not installed here (apt-get install ${2:-$1})"
	return 1
}
