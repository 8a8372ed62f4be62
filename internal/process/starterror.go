package process

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
)

// Kind is why a program could not start.
type Kind string

// The kinds of a StartError.
const (
	Missing            Kind = "missing"
	NotExecutable      Kind = "not executable"
	Directory          Kind = "directory"
	NoInterpreterLine  Kind = "no interpreter line"
	MissingInterpreter Kind = "missing interpreter"
	BadInterpreter     Kind = "bad interpreter" // it is there and cannot be executed
	CarriageReturn     Kind = "carriage return"
	ByteOrderMark      Kind = "byte order mark"
	NoExecMount        Kind = "noexec mount"
	Blanks             Kind = "blanks in the command"
	WorkingDirectory   Kind = "working directory"
	TooLong            Kind = "too long"
	NulByte            Kind = "NUL byte"
	BadEnvironment     Kind = "bad environment"
	WrongFormat        Kind = "wrong format" // a program for another machine
	Busy               Kind = "busy"         // it is being written
	Limit              Kind = "limit"        // the machine is out of something
	Other              Kind = "other"
)

// StartError says why a program could not start, in words that an operator can
// act on.
type StartError struct {
	Kind Kind
	Path string // what was to be started, absolute where it is a path
	Msg  string // the reason and the remedy
	Err  error  // the system's own error; nil where it was not asked
}

// Error gives the reason, and the system's words, which operators search for.
func (e *StartError) Error() string {
	text := fmt.Sprintf("cannot start %q: %s", e.Path, e.Msg)
	if words := systemWords(e.Err); words != "" && !strings.Contains(e.Msg, words) {
		text += " (" + words + ")"
	}
	return text
}

// Unwrap gives the system's error.
func (e *StartError) Unwrap() error { return e.Err }

// systemWords is the heart of an error: what the system says, without the call
// and the path around it.
func systemWords(err error) string {
	var errno syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, exec.ErrNotFound):
		return exec.ErrNotFound.Error()
	}
	return err.Error()
}
