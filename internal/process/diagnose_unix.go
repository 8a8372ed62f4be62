//go:build unix

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/sys/unix"
)

// diagnoseStart finds out, after a start failed with err, why. It looks at the
// files again, so it may in rare cases see another state than the start did;
// the system's words are always in the error.
func diagnoseStart(spec Spec, err error) *StartError {
	if absolute, absErr := filepath.Abs(spec.Path); absErr == nil {
		spec.Path = absolute // a path from the server's directory shall say which that is
	}
	failed := &StartError{Kind: Other, Path: spec.Path, Err: err}
	var errno syscall.Errno
	errors.As(err, &errno)
	switch errno {
	case unix.E2BIG:
		failed.Kind, failed.Msg = TooLong, tooLong(spec)
	case unix.EAGAIN:
		failed.Kind, failed.Msg = Limit, "the limit of processes is reached: of this user (ulimit -u), of the service (TasksMax) or of the container (pids)"
	case unix.ENOMEM:
		failed.Kind, failed.Msg = Limit, "there is not enough memory to start another process"
	case unix.EMFILE, unix.ENFILE:
		failed.Kind, failed.Msg = Limit, "too many files are open: raise the limit (ulimit -n, LimitNOFILE)"
	case unix.ETXTBSY:
		failed.Kind, failed.Msg = Busy, "the file is being written at this moment: replace a script in use by renaming a new file over it"
	default:
		if spec.Dir != "" {
			if dirErr := diagnoseDirectory(spec, err); dirErr != nil {
				return dirErr
			}
		}
		return diagnoseFile(spec.Path, err)
	}
	return failed
}

// diagnoseDirectory says what is wrong with the working directory, nil when
// nothing is.
func diagnoseDirectory(spec Spec, err error) *StartError {
	failed := &StartError{Kind: WorkingDirectory, Path: spec.Path, Err: err}
	info, statErr := os.Stat(spec.Dir)
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		failed.Msg = fmt.Sprintf("its working directory %q does not exist", spec.Dir)
	case statErr != nil:
		failed.Msg = fmt.Sprintf("its working directory %q cannot be reached", spec.Dir)
	case !info.IsDir():
		failed.Msg = fmt.Sprintf("its working directory %q is not a directory", spec.Dir)
	case unix.Access(spec.Dir, unix.X_OK) != nil:
		failed.Msg = fmt.Sprintf("its working directory %q (mode %04o) may not be entered by the user that Pawl runs as (uid %d)", spec.Dir, info.Mode().Perm(), os.Geteuid())
	default:
		return nil
	}
	if statErr != nil {
		failed.Err = statErr
	}
	return failed
}

// diagnoseFile says why the file at path cannot be executed, given the error of
// the attempt or of the look-up.
func diagnoseFile(path string, err error) *StartError {
	return diagnoseMounted(path, err, mountedNoExec)
}

// diagnoseMounted is diagnoseFile with the look at the mount given, for tests.
func diagnoseMounted(path string, err error, noExec func(string) bool) *StartError {
	failed := &StartError{Kind: Other, Path: path, Err: err}
	info, statErr := os.Stat(path)
	switch {
	case statErr != nil:
		failed.Kind, failed.Msg = notReached(path, statErr)
		failed.Err = statErr
	case info.IsDir():
		failed.Kind, failed.Msg = Directory, "it is a directory, not a program"
		failed.Err = unix.EISDIR
	case !info.Mode().IsRegular():
		failed.Kind, failed.Msg = NotExecutable, fmt.Sprintf("it is not a file (%s)", info.Mode().Type())
	case info.Mode().Perm()&0o111 == 0:
		failed.Kind, failed.Msg = NotExecutable, fmt.Sprintf("the file is not executable (mode %04o): chmod +x %s", info.Mode().Perm(), shellWord(path))
	case noExec(path):
		failed.Kind, failed.Msg = NoExecMount, "it lies on a file system that is mounted noexec: move it, or remount without that option"
	case unix.Access(path, unix.X_OK) != nil:
		failed.Kind, failed.Msg = NotExecutable, fmt.Sprintf("the file is not executable for the user that Pawl runs as (uid %d, mode %04o): chmod +x %s, or see its owner", os.Geteuid(), info.Mode().Perm(), shellWord(path))
	default:
		failed.Kind, failed.Msg = diagnoseContent(path, noExec)
		if failed.Kind == Other {
			failed.Msg = "the system refuses it"
		}
	}
	return failed
}

// shellWord writes a path so that a shell takes it as one word, for remedies
// that are to be copied.
func shellWord(path string) string {
	plain := strings.IndexFunc(path, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+,:@%=", r)
	}) < 0
	if plain && path != "" && path[0] != '-' {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'"'"'`) + "'"
}

// notReached explains a file that cannot be looked at.
func notReached(path string, statErr error) (Kind, string) {
	if target, err := os.Readlink(path); err == nil {
		return Missing, fmt.Sprintf("it is a symbolic link to %q, which cannot be followed", target)
	}
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		return Missing, "there is no such file or directory"
	case errors.Is(statErr, unix.ENOTDIR):
		return Missing, "a part of the path is a file, not a directory"
	case errors.Is(statErr, fs.ErrPermission):
		return NotExecutable, fmt.Sprintf("a directory above it may not be entered by the user that Pawl runs as (uid %d)", os.Geteuid())
	}
	return Other, "it cannot be looked at"
}
