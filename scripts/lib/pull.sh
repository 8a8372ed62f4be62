# shellcheck shell=sh disable=SC2034,SC2154 # the parts share variables
# Pull an image by its digest and save it as a TAR, with skopeo, docker or
# podman. docker and podman keep what they pull: it is taken out of their store
# again, unless it was there before.

# pull_ready checks PULLER and finds its program.
pull_ready() {
	case ${PULLER:-skopeo} in
	skopeo) ;;
	docker) need docker docker.io || return "$EXIT_NO_TOOL" ;;
	podman) need podman || return "$EXIT_NO_TOOL" ;;
	*)
		complain "PULLER: $(shown "$PULLER") is none of skopeo, docker, podman"
		return "$EXIT_CONFIG"
		;;
	esac
	need skopeo && need jq || return "$EXIT_NO_TOOL"
	max_image_size=${MAX_IMAGE_SIZE:-10GiB}
	if ! parse_size "$max_image_size"; then
		complain "MAX_IMAGE_SIZE: $(shown "$max_image_size") is no size (10GiB, 500MiB, 1048576)"
		return "$EXIT_CONFIG"
	fi
	max_image_bytes=$parsed_size
}

# check_size BYTES says whether an image of so many (compressed) bytes may be
# pulled; a TAR is unpacked, and four times the size is what is kept free for it.
check_size() {
	free_bytes=$(stat -f -c '%a %S' "$work" | { read -r free_blocks free_unit && printf '%s' $((free_blocks * free_unit)); })
	if [ "$1" -lt 0 ]; then
		say "  size: not told by the manifest (an old schema)"
		return 0
	fi
	say "  size: $(size_text "$1") to pull, $(size_text "$free_bytes") free in the working directory"
	if [ "$max_image_bytes" -gt 0 ] && [ "$1" -gt "$max_image_bytes" ]; then
		complain "  larger than MAX_IMAGE_SIZE ($max_image_size): not pulled"
		return "$EXIT_TOO_LARGE"
	fi
	if [ $(($1 * 4)) -gt "$free_bytes" ]; then
		complain "  not enough room: four times its size is needed in SCAN_WORK_DIR ($work_root)"
		return "$EXIT_TEMPORARY"
	fi
}

# limited COMMAND... runs step with the size of any one file bounded, so that a
# small image which unpacks to a huge TAR cannot fill the disk.
limited_step() {
	limited_label=$1
	limited_time=$2
	shift 2
	limited_bytes=$free_bytes
	if [ "$max_image_bytes" -gt 0 ] && [ "$max_image_bytes" -lt $((free_bytes / 4)) ]; then
		limited_bytes=$((max_image_bytes * 4))
	fi
	step "$limited_label" "$limited_time" prlimit "--fsize=$limited_bytes" -- "$@"
}

# pull_image REPOSITORY DIGEST TAG TAR saves the image as TAR. On failure
# registry_status holds the exit code.
pull_image() {
	case ${PULLER:-skopeo} in
	skopeo) pull_skopeo "$@" ;;
	*) pull_store "$@" ;;
	esac
}

pull_skopeo() {
	pull_name=$1@$2
	pull_to=docker-archive:$4:$1:$3
	set -- copy --quiet
	[ -z "$registry_plain" ] || set -- "$@" --src-tls-verify=false
	[ -z "${CERT_DIR:-}" ] || set -- "$@" --src-cert-dir "$CERT_DIR"
	[ -z "$registry_policy" ] || set -- --policy "$registry_policy" "$@"
	set -- --tmpdir "$TMPDIR" "$@"
	if limited_step "pull and save $pull_name (skopeo)" "${PULL_TIMEOUT:-30m}" \
		skopeo "$@" "docker://$pull_name" "$pull_to"; then
		return 0
	else
		registry_failed $? "$pull_name"
		return 1
	fi
}

# store COMMAND... is docker or podman, with the credentials and certificates of this run.
store() {
	store_limit=$1
	store_label=$2
	shift 2
	case $PULLER in
	docker)
		if [ -n "${REGISTRY_AUTH_FILE:-}" ]; then
			mkdir -p "$work/docker"
			cp -- "$REGISTRY_AUTH_FILE" "$work/docker/config.json" || return 1
			set -- --config "$work/docker" "$@"
		fi
		;;
	podman)
		if [ "$1" = pull ]; then
			shift
			[ -z "$registry_plain" ] || set -- --tls-verify=false "$@"
			[ -z "${CERT_DIR:-}" ] || set -- --cert-dir "$CERT_DIR" "$@"
			set -- pull "$@"
		fi
		;;
	esac
	if [ "$store_label" = quietly ]; then
		run_child "$store_limit" "$PULLER" "$@" >"$work/out" 2>"$work/err"
	else
		limited_step "$store_label" "$store_limit" "$PULLER" "$@"
	fi
}

# pull_store works under a lock of the image's own, from the look whether it is
# there to its removal, so that no other scan loses what it saves.
pull_store() {
	stored=$1@$2
	step_status=1
	: >"$work/err"
	if ! store_lock "$2" "${PULL_TIMEOUT:-30m}"; then
		registry_failed 124 "$stored"
		return 1
	fi
	stored_before=''
	if store 1m quietly image inspect "$stored"; then
		stored_before=yes
	else
		# Written before the pull: a kill may come at any moment.
		printf '%s %s\n' "$PULLER" "$stored" >"$work/pulled"
	fi
	if store "${PULL_TIMEOUT:-30m}" "pull $stored ($PULLER)" pull --quiet "$stored" &&
		store "${PULL_TIMEOUT:-30m}" "save it as a TAR" image save -o "$4" "$stored"; then
		stored_status=0
	else
		stored_status=1
		if grep -Fiq 'reference does not exist' "$work/err"; then
			complain "  somebody else removed it from $PULLER's store meanwhile"
			registry_status=$EXIT_TEMPORARY
		else
			registry_failed "$step_status" "$stored"
		fi
	fi
	[ -n "$stored_before" ] || store_release
	store_unlock
	return "$stored_status"
}

# store_release takes out of the image store what this run put there.
store_release() {
	[ -s "$work/pulled" ] || return 0
	store_remove "$work/pulled" && rm -f -- "$work/pulled"
}

# store_remove FILE removes the image that FILE names: a program and a
# reference by digest. Other names of the same image stay.
store_remove() {
	read -r remove_with remove_name <"$1" || return 0
	case $remove_with in docker | podman) ;; *) return 0 ;; esac
	command -v "$remove_with" >/dev/null 2>&1 || return 0
	timeout --foreground -k 5 60 "$remove_with" image inspect "$remove_name" >/dev/null 2>&1 || return 0
	if timeout --foreground -k 5 60 "$remove_with" image rm "$remove_name" >/dev/null 2>&1; then
		say "  removed $remove_name from $remove_with's store"
	else
		complain "  could not remove $remove_name from $remove_with's store"
	fi
}

# store_sweep DIRECTORY does so for a dead run. It fails, and the directory
# stays for the next sweep, while a living run uses the same image.
store_sweep() {
	[ -s "$1/pulled" ] || return 0
	read -r _ sweep_name <"$1/pulled"
	sweep_digest=${sweep_name##*@}
	valid_digest "$sweep_digest" || return 0
	store_lock "$sweep_digest" 1m --nonblock || return 1
	store_remove "$1/pulled"
	store_unlock
}

# store_lock DIGEST LIMIT [--nonblock] takes the lock of one image in the store.
# Who held it before may have removed its file, so it is asked for again until
# the file that is locked is the one that others would find.
store_lock() {
	store_lock_file=$work_root/image.${1#sha256:}.lock
	while :; do
		exec 6>>"$store_lock_file"
		if ! run_child "$2" flock ${3:+"$3"} 6; then
			exec 6>&-
			return 1
		fi
		if [ "$(stat -L -c %i /dev/fd/6)" = "$(stat -c %i "$store_lock_file" 2>/dev/null)" ]; then
			return 0
		fi
	done
}

store_unlock() {
	rm -f -- "$store_lock_file"
	exec 6>&-
}
