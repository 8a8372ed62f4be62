package process

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Lookup finds the program that command names, for a hook whose working
// directory is dir ("" where it has none):
//
//   - An absolute command is that file.
//   - Without a dir, a name with a slash is relative to the server's directory
//     and is returned as it is; a bare name is searched on PATH alone, never in
//     the server's directory, not even by way of a "." on PATH.
//   - With a dir, a relative command is looked up below dir. When nothing is
//     there, a bare name is searched on PATH too, which webhook does not do.
//
// The result is absolute when dir is set, even when dir is not. It names a file
// that was there and executable a moment ago. The error is a *StartError that
// says where it looked.
func Lookup(command, dir string) (string, error) {
	if command == "" {
		return "", &StartError{Kind: Missing, Msg: "the hook has no execute-command", Err: exec.ErrNotFound}
	}
	bare := filepath.Base(command) == command
	if filepath.IsAbs(command) || dir == "" {
		return lookAt(command, command, bare)
	}
	below, err := filepath.Abs(filepath.Join(dir, command))
	if err != nil {
		return "", &StartError{Kind: Other, Path: command, Msg: "the server's own directory cannot be told", Err: err}
	}
	path, err := exec.LookPath(below)
	if err == nil {
		return path, nil
	}
	if bare && errors.Is(err, fs.ErrNotExist) {
		if path, err := exec.LookPath(command); err == nil {
			return path, nil
		}
	}
	return "", missingBelow(diagnoseFile(below, err), command, dir, bare)
}

// Locate is Lookup for who is about to start the program: where its path is
// certain, it does not look whether a program is there. Start finds that out for
// nothing, and Lookup then says what is wrong.
func Locate(command, dir string) (string, error) {
	certain := filepath.IsAbs(command) || strings.ContainsRune(command, filepath.Separator)
	switch {
	case runtime.GOOS == "windows", !certain: // there, what the file is called is part of the question
		return Lookup(command, dir)
	case filepath.IsAbs(command) || dir == "":
		return command, nil
	}
	below, err := filepath.Abs(filepath.Join(dir, command))
	if err != nil {
		return Lookup(command, dir)
	}
	return below, nil
}

// lookAt looks for a file, or for a bare name on PATH.
func lookAt(path, command string, bare bool) (string, error) {
	found, err := exec.LookPath(path)
	switch {
	case err == nil:
		return found, nil
	case bare:
		return "", notOnPath(command, err)
	}
	absolute, absErr := filepath.Abs(path)
	if absErr != nil {
		absolute = path
	}
	failed := diagnoseFile(absolute, err)
	if failed.Kind == Missing && !filepath.IsAbs(path) {
		failed.Msg += "; " + quote(command) + " is relative to the server's directory"
	}
	return "", withBlanks(failed, command)
}

// notOnPath explains a bare name that PATH does not know.
func notOnPath(command string, err error) *StartError {
	path := os.Getenv("PATH")
	failed := &StartError{Kind: Missing, Path: command, Err: err, Msg: "it is not found on PATH (" + path + ")"}
	if path == "" {
		failed.Msg = "it is not found: the server has no PATH"
	}
	if info, statErr := os.Stat(command); statErr == nil && !info.IsDir() {
		here, _ := filepath.Abs(command)
		failed.Msg += "; " + quote(here) + " is there, but a name without a slash is searched on PATH alone: write " + quote("./"+command)
	}
	return withBlanks(failed, command)
}

// missingBelow adds to a failed look-up in a working directory where else was
// looked.
func missingBelow(failed *StartError, command, dir string, bare bool) *StartError {
	if failed.Kind != Missing {
		return failed
	}
	if _, err := os.Stat(dir); err != nil {
		absolute, _ := filepath.Abs(dir)
		failed.Msg += "; the working directory " + quote(absolute) + " is not there either"
		return failed
	}
	failed.Msg += "; " + quote(command) + " is looked up in command-working-directory"
	if bare {
		failed.Msg += ", then on PATH (" + os.Getenv("PATH") + ")"
	}
	return withBlanks(failed, command)
}

// withBlanks explains the commonest cause of a missing command: arguments in
// its text.
func withBlanks(failed *StartError, command string) *StartError {
	program, rest, found := strings.Cut(command, " ")
	if failed.Kind != Missing || !found {
		return failed
	}
	failed.Kind = Blanks
	failed.Msg += "; execute-command is the name of one file, blanks included"
	if program != "" && strings.TrimSpace(rest) != "" {
		failed.Msg += ": for " + quote(program) + " with arguments (" + quote(rest) +
			`), put each into pass-arguments-to-command as {"source": "string", "name": …}`
	}
	return failed
}
