# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# A run's own working directory, its children, and what must be gone when it
# ends, however it ends. A run that was killed with SIGKILL cleans nothing up;
# the next one does, and knows it for dead by a lock that the kernel let go.
#
# Layout: SCAN_WORK_DIR/.lock        held while directories are made and swept
#         SCAN_WORK_DIR/run.XXXXXX/  one run; .lock in it is held while it lives,
#                                    pulled lists what it put into an image store
#         SCAN_WORK_DIR/image.*.lock one image in a store that several runs share

work=''  # this run's directory
child='' # the process that is being waited for

# work_begin makes the directory, after it swept what dead runs left.
work_begin() {
	need flock util-linux || exit "$EXIT_NO_TOOL"
	need timeout coreutils || exit "$EXIT_NO_TOOL"
	work_root=${SCAN_WORK_DIR:-${TMPDIR:-/tmp}/pawl-scan-$(id -u)}
	work_root_check
	trap work_end EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 141' PIPE
	trap 'exit 143' TERM
	if ! (: >>"$work_root/.lock"); then
		complain "cannot write to the working directory $(shown "$work_root")"
		exit "$EXIT_CONFIG"
	fi
	exec 8>>"$work_root/.lock"
	if ! run_child 10m flock 8; then
		complain "another scan has held $work_root/.lock for ten minutes"
		exit "$EXIT_TEMPORARY"
	fi
	work_sweep
	work=$(mktemp -d "$work_root/run.XXXXXXXX") || exit "$EXIT_CONFIG"
	# Programs that this run starts hold the lock with it: while one of them still
	# writes to the directory, nobody sweeps it.
	exec 9>"$work/.lock"
	flock 9
	exec 8>&-
	mkdir "$work/tmp"
	TMPDIR=$work/tmp
	export TMPDIR
	cd "$work" || exit "$EXIT_CONFIG"
}

# work_root_check refuses a directory in which another user could have put
# links or files of their own.
work_root_check() {
	case $work_root in
	/*) ;;
	*) work_root=$PWD/$work_root ;;
	esac
	case $work_root in
	*[!A-Za-z0-9._/+@=,-]*)
		complain "SCAN_WORK_DIR: $(shown "$work_root"): only letters, digits and . _ / + @ = , - are possible (image references end paths at a colon)"
		exit "$EXIT_CONFIG"
		;;
	esac
	mkdir -p -- "$work_root" 2>/dev/null
	if [ -L "$work_root" ] || [ ! -d "$work_root" ] ||
		[ "$(stat -c %u -- "$work_root")" != "$(id -u)" ]; then
		complain "SCAN_WORK_DIR: $work_root must be a directory of the user that scans ($(id -u)), and no link"
		exit "$EXIT_CONFIG"
	fi
	chmod 700 "$work_root" || exit "$EXIT_CONFIG"
}

# work_sweep removes the directories of runs that are dead. The caller holds
# the lock of work_root, so no directory is seen before its own lock is held.
work_sweep() {
	set +f
	for swept in "$work_root"/run.*; do
		if [ ! -d "$swept" ] || [ -L "$swept" ]; then continue; fi
		if [ -e "$swept/.lock" ]; then
			exec 7<"$swept/.lock"
			if ! flock -n 7; then
				exec 7<&-
				continue
			fi
		fi
		if store_sweep "$swept"; then
			say "removing what an interrupted scan left: $swept"
			rm -rf -- "$swept"
		fi
		exec 7<&-
	done
	set -f
}

# work_end is the EXIT trap: ends the child, empties the image store of what
# this run put there, removes the directory.
work_end() {
	work_status=$?
	trap '' HUP INT PIPE TERM
	if [ -n "$child" ]; then
		kill -TERM "$child" 2>/dev/null
		wait "$child" 2>/dev/null
		child=''
	fi
	if [ -n "$work" ]; then
		cd / || :
		store_release
		rm -rf -- "$work"
	fi
	trap - EXIT
	exit "$work_status"
}

# run_child LIMIT COMMAND... runs a program for at most LIMIT (of timeout(1))
# and returns its status: 124 when time was up. It is waited for in a way that
# lets TERM end the scan at once.
run_child() {
	child_limit=$1
	shift
	timeout --foreground -k 10 "$child_limit" "$@" &
	child=$!
	wait "$child"
	child_status=$?
	child=''
	return "$child_status"
}

# pause waits $1 seconds, and ends at once on TERM.
pause() {
	sleep "$1" &
	child=$!
	wait "$child"
	child=''
}

# step LABEL LIMIT COMMAND... tells what is done and how long it took. Output
# is in $work/out, messages in $work/err; both are shown by step_failed.
step() {
	step_label=$1
	step_limit=$2
	shift 2
	say "- $step_label"
	step_start=$(now_ms)
	run_child "$step_limit" "$@" >"$work/out" 2>"$work/err"
	step_status=$?
	if [ "$step_status" -eq 0 ]; then
		say "  done in $(seconds_since "$step_start")"
	else
		say "  failed after $(seconds_since "$step_start")"
	fi
	return "$step_status"
}

# temporary says whether a failed step may go better later: time was up, or its
# messages tell of a busy or absent server.
temporary() {
	[ "$1" -eq 124 ] && return 0
	grep -Eiq 'toomanyrequests|too many requests|(status|code|response|error)[^0-9]{0,40}(429|5[0-9][0-9])([^0-9]|$)|(^|[^0-9])(429|500|502|503|504)[: ,]+(too many|internal server|bad gateway|service|gateway)|internal server error|bad gateway|service (temporarily )?unavailable|gateway time-?out|timed? ?out|deadline exceeded|connection (refused|reset)|network is unreachable|no route to host|temporary failure|server misbehaving|unexpected EOF|: EOF|no space left on device' "$2"
}
