package process

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

func quote(s string) string { return strconv.Quote(s) }

// CheckName tells why a name cannot be that of an environment variable: it is
// empty or holds '=' or NUL. Any other name works, though a shell may not be
// able to spell it. The error has no subject; the caller says whose name it is.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the name of an environment variable is empty")
	case strings.Contains(name, "="):
		before, after, _ := strings.Cut(name, "=")
		return fmt.Errorf("the name %q of an environment variable holds '=': a script would see the variable %q, its value beginning with %q", name, before, after+"=")
	case strings.Contains(name, "\x00"):
		return fmt.Errorf("the name %q of an environment variable holds a NUL byte, which no variable can", name)
	}
	return nil
}

// checkStrings refuses what no system call can pass on: NUL bytes, which would
// end the string, and variables without a name.
func checkStrings(spec Spec) error {
	const nul = "\x00"
	bad := func(kind Kind, format string, args ...any) error {
		return &StartError{Kind: kind, Path: spec.Path, Msg: fmt.Sprintf(format, args...)}
	}
	if strings.Contains(spec.Path, nul) || strings.Contains(spec.Dir, nul) {
		return bad(NulByte, "the command or its working directory (%q) holds a NUL byte, which no path can", spec.Dir)
	}
	for i, argument := range spec.Args {
		if at := strings.Index(argument, nul); at >= 0 {
			return bad(NulByte, "argument %d (%s) holds a NUL byte at offset %d, which no argument can: pass the value by pass-file-to-command", i, excerpt(argument), at)
		}
	}
	for _, item := range spec.Env {
		name, value, found := strings.Cut(item, "=")
		switch {
		case found && name == "" && runtime.GOOS != "windows": // there, =C: holds a drive's directory
			return bad(BadEnvironment, "an environment variable with the value %s has an empty name", excerpt(value))
		case strings.Contains(name, nul):
			return bad(BadEnvironment, "the name of the environment variable %s holds a NUL byte", excerpt(name))
		case strings.Contains(value, nul):
			return bad(NulByte, "the environment variable %s holds a NUL byte, which none can: pass the value by pass-file-to-command", excerpt(name))
		}
	}
	return nil
}

// excerpt quotes the beginning of a value for a message.
func excerpt(value string) string {
	const enough = 40
	if len(value) <= enough {
		return quote(value)
	}
	return quote(value[:enough]) + "…"
}
