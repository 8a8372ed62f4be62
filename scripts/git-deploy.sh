#!/bin/sh
# git-deploy.sh REF COMMIT
#
# Deploys a branch after a push: REF and COMMIT are ref and after of the sender's
# push event. A checkout of the branch is brought to where the branch is, a command
# is run, and what was deployed is checked. Where the command or the check fails the
# checkout goes back to the commit that was there before, and the command is run for
# that one. Settings:
#
#   DEPLOY_DIR            the checkout, with nothing changed in it
#   DEPLOY_BRANCH         the branch that is deployed: main. Others are left alone
#   DEPLOY_REMOTE         where it comes from: origin
#   DEPLOY_COMMAND        a program that is run in the checkout, with the commit; none
#   DEPLOY_CHECK          an address (http…) that has to answer 2xx, or a program that has
#                         to end well; none
#   DEPLOY_CHECK_SECONDS  how long it may take until it does: 60
#   DEPLOY_FORCE          yes: also where the branch was pushed with force
#
# It works in DEPLOY_DIR/.git too: refs/pawl/… and a lock are its own.
#
# Exit codes: 0 deployed, or nothing to deploy; 10 went back to the former commit; 70
# that failed as well, or the branch cannot be taken; 75 try again; 78 a setting.
scan_lib=$(dirname -- "$(readlink -f -- "$0")")/lib
# shellcheck source=lib/say.sh
. "$scan_lib/say.sh"
# shellcheck source=lib/task.sh
. "$scan_lib/task.sh"

EXIT_WENT_BACK=10
task_begin git-deploy
need git || exit "$EXIT_NO_TOOL"
need flock util-linux || exit "$EXIT_NO_TOOL"
[ $# -eq 2 ] || task_fail "$EXIT_USAGE" "usage: git-deploy.sh REF COMMIT"
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY
export GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND="${GIT_SSH_COMMAND:-ssh -o BatchMode=yes}"

# deploy_git runs git in the checkout, without any hook, and without the lock: what
# it leaves running must not hold that.
deploy_git() {
	git -C "$dir" -c core.hooksPath=/dev/null -c core.fsmonitor=false -c submodule.recurse=false \
		-c protocol.ext.allow=never -c gc.auto=0 -c maintenance.auto=false "$@" 9>&-
}

# commit_of REF prints the commit, or fails.
commit_of() { deploy_git rev-parse --quiet --verify "$1^{commit}"; }

settings() {
	dir=${DEPLOY_DIR:-}
	branch=${DEPLOY_BRANCH:-main}
	remote=${DEPLOY_REMOTE:-origin}
	seconds=${DEPLOY_CHECK_SECONDS:-60}
	case $dir in
	/*) ;;
	*) task_fail "$EXIT_CONFIG" "set DEPLOY_DIR to the checkout, with its whole path" ;;
	esac
	[ -e "$dir/.git" ] || task_fail "$EXIT_CONFIG" "DEPLOY_DIR: $(shown "$dir") is no checkout of a git repository"
	git check-ref-format "refs/heads/$branch" || task_fail "$EXIT_CONFIG" "DEPLOY_BRANCH: $(shown "$branch") is no name of a branch"
	case $remote in -* | *[!A-Za-z0-9._-]*) task_fail "$EXIT_CONFIG" "DEPLOY_REMOTE: $(shown "$remote") is no name of a remote" ;; esac
	case $seconds in *[!0-9]* | '') task_fail "$EXIT_CONFIG" "DEPLOY_CHECK_SECONDS: seconds are meant" ;; esac
}

# fetch brings what the branch is now, and nothing else, into the checkout.
fetch() {
	say "- fetch $branch of $remote"
	if ! timeout --foreground -k 10 600 git -C "$dir" -c core.hooksPath=/dev/null -c protocol.ext.allow=never \
		-c gc.auto=0 -c maintenance.auto=false fetch --quiet --no-tags --no-recurse-submodules \
		--no-write-fetch-head -- "$remote" "+refs/heads/$branch:refs/remotes/$remote/$branch" 2>"$task_work/err" 9>&-; then
		complain "git-deploy: cannot fetch"
		# Addresses of remotes may hold a password.
		sed 's#//[^/@ ]*@#//***@#g' <"$task_work/err" >"$task_work/messages"
		show_tail "$task_work/messages"
		exit "$EXIT_TEMPORARY"
	fi
	commit=$(commit_of "refs/remotes/$remote/$branch") || task_fail "$EXIT_TOOL" "$remote has no branch $branch"
}

# fit says whether the checkout can be brought to the commit, and sets former, to
# which it goes back. What a person changed is not thrown away; a deployment that
# was cut off may have left anything.
fit() {
	former=$(commit_of HEAD) || exit "$EXIT_CONFIG"
	cut_off=no
	if commit_of refs/pawl/deploying >"$task_work/out"; then
		cut_off=yes
		say "the last deployment did not come to its end: the checkout is made anew"
		former=$(commit_of refs/pawl/deployed) || exit "$EXIT_CONFIG"
		rm -f -- "$(deploy_git rev-parse --path-format=absolute --git-path index.lock)"
	elif [ "$former" = "$commit" ] && [ "$(commit_of refs/pawl/deployed)" = "$commit" ]; then
		say "nothing to deploy: $commit is there already"
		task_result result unchanged
		exit 0
	fi
	if [ "$(deploy_git symbolic-ref -q HEAD)" != "refs/heads/$branch" ]; then
		task_fail "$EXIT_CONFIG" "the checkout has not the branch $branch (git switch $branch)"
	fi
	if [ "$cut_off" = no ]; then
		deploy_git status --porcelain --untracked-files=no >"$task_work/out" || exit "$EXIT_CONFIG"
		if [ -s "$task_work/out" ]; then
			complain "git-deploy: files of the checkout were changed, and would be lost:"
			show_tail "$task_work/out"
			exit "$EXIT_CONFIG"
		fi
	fi
	if ! deploy_git merge-base --is-ancestor "$former" "$commit" && ! truth "${DEPLOY_FORCE:-no}"; then
		task_fail "$EXIT_TOOL" "$branch was pushed with force: $commit does not follow $former (DEPLOY_FORCE=yes takes it)"
	fi
}

# activate COMMIT brings the checkout to a commit and runs the command.
activate() {
	say "- deploy $1"
	deploy_git reset --quiet --hard "$1" || return 1
	[ -n "${DEPLOY_COMMAND:-}" ] || return 0
	(cd -- "$dir" && DEPLOY_COMMIT=$1 "$DEPLOY_COMMAND" "$1") 9>&- && return 0
	complain "  DEPLOY_COMMAND ended with status $?"
	return 1
}

# healthy waits until the check passes.
healthy() {
	[ -n "${DEPLOY_CHECK:-}" ] || return 0
	say "- check"
	deadline=$(($(date +%s) + seconds))
	while :; do
		check_once >"$task_work/out" 2>&1 && return 0
		[ "$(date +%s)" -lt "$deadline" ] || break
		sleep 1
	done
	complain "  the check failed for $seconds s:"
	show_tail "$task_work/out"
	return 1
}

check_once() {
	case $DEPLOY_CHECK in
	http://* | https://*)
		curl --silent --show-error --fail --location --globoff --proto '=http,https' --max-time 10 --output "$task_work/answer" -- "$DEPLOY_CHECK"
		;;
	*) (cd -- "$dir" && timeout -k 5 60 "$DEPLOY_CHECK") ;;
	esac 9>&-
}

# go_back undoes a deployment that failed.
go_back() {
	task_result commit "$commit"
	if [ "$former" = "$commit" ]; then
		deploy_git update-ref -d refs/pawl/deploying
		task_result result failed
		task_fail "$EXIT_TOOL" "$commit failed, and there is no former one to go back to"
	fi
	complain "git-deploy: $commit failed; going back to $former"
	if activate "$former" && healthy; then
		deploy_git update-ref -d refs/pawl/deploying
		task_result result went-back
		task_result deployed "$former"
		task_fail "$EXIT_WENT_BACK" "$commit was not deployed; $former is there, and well"
	fi
	task_result result failed
	task_fail "$EXIT_TOOL" "$commit failed, and $former does now too: somebody has to look"
}

settings
if [ "$1" != "refs/heads/$branch" ]; then
	say "nothing to deploy: $(shown "$1") was pushed, and $branch is what is deployed here"
	exit 0
fi
case $2 in
*[!0]*) ;;
*)
	say "nothing to deploy: $branch was deleted"
	exit 0
	;;
esac

# Also by hand, or by two Pawls, one at a time. The kernel lets go of the lock.
if ! lock=$(git -C "$dir" rev-parse --path-format=absolute --git-path pawl-deploy.lock 2>"$task_work/err") || ! (: >>"$lock") 2>>"$task_work/err"; then
	complain "git-deploy: cannot work in $(shown "$dir")"
	show_tail "$task_work/err"
	exit "$EXIT_CONFIG"
fi
exec 9>>"$lock"
flock -w 600 9 || task_fail "$EXIT_TEMPORARY" "another deployment has gone on for ten minutes"

fetch
[ "$commit" = "$2" ] || say "  $branch is at $commit by now"
fit
# Noted, so that a deployment that is cut off is known, and what it came after.
if ! deploy_git update-ref refs/pawl/deployed "$former" || ! deploy_git update-ref refs/pawl/deploying "$commit"; then
	exit "$EXIT_CONFIG"
fi
if activate "$commit" && healthy; then
	if ! deploy_git update-ref refs/pawl/deployed "$commit" || ! deploy_git update-ref -d refs/pawl/deploying; then
		exit "$EXIT_CONFIG"
	fi
	say "deployed $commit, after $former"
	task_result result deployed
	task_result commit "$commit"
	task_result former "$former"
	exit 0
fi
go_back
