//go:build unix

package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The words are looked for in this order; the last are the system's own.
func TestStartErrorsSayWhy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		kind       Kind
		words      []string
	}{
		{"not-executable", "#!/bin/sh\n", 0o644, NotExecutable, []string{"not executable", "mode 0644", "chmod +x " + dir, "permission denied"}},
		{"no-line", "echo hello\n", 0o755, NoInterpreterLine, []string{`first line ("echo hello")`, "add #!/bin/sh", "exec format error"}},
		{"empty", "", 0o755, NoInterpreterLine, []string{"empty", "#!/bin/sh", "exec format error"}},
		{"bare-line", "#!\n", 0o755, NoInterpreterLine, []string{"names no interpreter", "exec format error"}},
		{"no-interpreter", "#!/no/such/lua -x\n", 0o755, MissingInterpreter, []string{`"/no/such/lua"`, "not on this machine", "no such file or directory"}},
		{"relative", "#!lua\n", 0o755, MissingInterpreter, []string{`"lua"`, "absolute", "#!/usr/bin/env lua"}},
		{"plain-interpreter", "#!" + dir + "/not-executable\n", 0o755, BadInterpreter, []string{"not-executable", "not executable", "permission denied"}},
		{"directory-interpreter", "#!" + dir + "\n", 0o755, BadInterpreter, []string{"is a directory", "permission denied"}},
		{"crlf", "#!/bin/sh\r\necho hello\r\n", 0o755, CarriageReturn, []string{`#! line ("#!/bin/sh")`, "carriage return", "CRLF", ": dos2unix " + dir + "/crlf ", "no such file or directory"}},
		{"it's crlf", "#!/bin/sh\r\n", 0o755, CarriageReturn, []string{`dos2unix '` + dir + `/it'"'"'s crlf' (`}},
		{"bom", "\xef\xbb\xbf#!/bin/sh\n", 0o755, ByteOrderMark, []string{"byte order mark", "UTF-8", "exec format error"}},
		{"utf16", "\xff\xfe#\x00!\x00", 0o755, ByteOrderMark, []string{"UTF-16", "exec format error"}},
		{"long-line", "#!/" + strings.Repeat("x", 300) + "\n", 0o755, NoInterpreterLine, []string{"longer than the 256 bytes"}},
		{"binary", "\x00\x01\x02", 0o755, WrongFormat, []string{"neither a script nor a program", "exec format error"}},
		{"cut-elf", "\x7fELF", 0o755, WrongFormat, []string{"damaged program", "exec format error"}},
		{"other-machine", elfHeader(0x16), 0o755, WrongFormat, []string{"another machine (EM_S390", "exec format error"}},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Start(Spec{Path: path})
		checkWords(t, c.name, err, c.kind, append([]string{"cannot start " + quote(path)}, c.words...))
	}
}

func checkWords(t *testing.T, name string, err error, kind Kind, words []string) {
	t.Helper()
	failed := asStartError(t, err)
	if failed.Kind != kind {
		t.Errorf("%s: kind %q, want %q (%v)", name, failed.Kind, kind, err)
	}
	rest := err.Error()
	for _, word := range words {
		_, after, found := strings.Cut(rest, word)
		if !found {
			t.Errorf("%s: %q lacks %q after what precedes it", name, err, word)
			return
		}
		rest = after
	}
}

// elfHeader is the head of a 64-bit big-endian program for a machine.
func elfHeader(machine byte) string {
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x02\x01")
	header[17], header[19], header[23] = 2, machine, 1 // ET_EXEC, e_machine, version
	header[53], header[55], header[59] = 64, 56, 64    // sizes of header, program and section entries
	return string(header)
}

func TestStartErrorsOfTheSurroundings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	dangling := filepath.Join(dir, "dangling")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 200_000)
	many := make([]string, 100)
	for i := range many {
		many[i] = strings.Repeat("y", 100_000)
	}
	for _, c := range []struct {
		name  string
		spec  Spec
		kind  Kind
		words []string
	}{
		{"missing", Spec{Path: dir + "/none"}, Missing, []string{"no such file or directory"}},
		{"below a file", Spec{Path: file + "/none"}, Missing, []string{"not a directory"}},
		{"dangling link", Spec{Path: dangling}, Missing, []string{`symbolic link to "nowhere"`, "no such file or directory"}},
		{"a directory", Spec{Path: dir}, Directory, []string{"is a directory"}},
		{"a device", Spec{Path: "/dev/null"}, NotExecutable, []string{"not a file", "permission denied"}},
		{"no working directory", Spec{Path: file, Dir: dir + "/none"}, WorkingDirectory, []string{`working directory "` + dir + `/none" does not exist`, "no such file or directory"}},
		{"a file as working directory", Spec{Path: file, Dir: file}, WorkingDirectory, []string{"is not a directory"}},
		{"one long argument", Spec{Path: file, Args: []string{"file", "a", long}}, TooLong, []string{"argument 2 has 200000 bytes", "pass-file-to-command", "argument list too long"}},
		{"a long variable", Spec{Path: file, Env: []string{"HOOK_X=" + long}}, TooLong, []string{`variable "HOOK_X" has 200007 bytes`, "argument list too long"}},
		{"too much in all", Spec{Path: file, Args: many}, TooLong, []string{"100 arguments (10000100 bytes)", "pass-file-to-command", "argument list too long"}},
	} {
		_, err := Start(c.spec)
		checkWords(t, c.name, err, c.kind, c.words)
	}
}

func TestLimitsOfTheMachineAreTold(t *testing.T) {
	t.Parallel()
	for errno, want := range map[syscall.Errno]string{
		syscall.EAGAIN: "limit of processes", syscall.ENOMEM: "memory", syscall.EMFILE: "too many files",
	} {
		err := diagnoseStart(Spec{Path: "/bin/true"}, fmt.Errorf("fork/exec: %w", errno))
		if err.Kind != Limit || !strings.Contains(err.Error(), want) || !errors.Is(err, errno) {
			t.Errorf("%v: %v, want a limit that says %q", errno, err, want)
		}
	}
	if err := diagnoseStart(Spec{Path: "/bin/true"}, syscall.ETXTBSY); err.Kind != Busy {
		t.Errorf("ETXTBSY: %v", err)
	}
	if err := diagnoseStart(Spec{Path: "/bin/sh"}, syscall.EIO); err.Kind != Other || !strings.Contains(err.Error(), "input/output error") {
		t.Errorf("EIO: %v, want the system's words", err)
	}
}

func TestNoExecIsTold(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for noExec, want := range map[bool]Kind{true: NoExecMount, false: Other} {
		err := diagnoseMounted(path, syscall.EACCES, func(p string) bool { return noExec && p == path })
		if err.Kind != want || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("noexec %v: %s: %v, want %s", noExec, err.Kind, err, want)
		}
	}
	err := diagnoseMounted(path, syscall.EACCES, func(p string) bool { return p == "/bin/sh" })
	if err.Kind != BadInterpreter || !strings.Contains(err.Error(), "noexec") {
		t.Errorf("an interpreter on a noexec mount: %v", err)
	}
}

func TestHintsForScriptsThatStartAndFail(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct{ name, text, want string }{
		{"env", "#!/usr/bin/env no-such-lua\n", `asks /usr/bin/env for "no-such-lua", which is not found on the script's PATH (/usr/bin:/bin)`},
		{"env-crlf", "#!/usr/bin/env sh\r\n", "carriage return: the file has Windows line ends (CRLF); convert it, by Debian's package dos2unix: dos2unix " + dir + "/env-crlf"},
		{"option-crlf", "#!/bin/sh -e\r\n", "carriage return"},
		{"own-127", "#!/usr/bin/env sh\nexit 127\n", ""},
		{"own-1", "#!/bin/sh\nexit 1\n", ""},
	} {
		path := filepath.Join(dir, c.name)
		if err := os.WriteFile(path, []byte(c.text), 0o755); err != nil {
			t.Fatal(err)
		}
		r := run(t, Spec{Path: path, Env: []string{"PATH=/usr/bin:/bin"}, KeepOutput: 1000})
		if r.ExitCode == 0 || (r.Hint == "") != (c.want == "") || !strings.Contains(r.Hint, c.want) {
			t.Errorf("%s: exit code %d, hint %q, want %q\n%s", c.name, r.ExitCode, r.Hint, c.want, r.Output)
		}
	}
}
