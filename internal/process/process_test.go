//go:build unix

package process

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOutputIsWhatWasPrintedInOrder(t *testing.T) {
	t.Parallel()
	heard := listen("never said")
	spec := script(t, "print", "out1 ", "err1 ", "out2 ", "err2\n")
	spec.Output = heard
	r := run(t, spec)
	if want := "out1 err1 out2 err2\n"; string(r.Output) != want || heard.String() != want {
		t.Errorf("kept %q, forwarded %q, want both %q", r.Output, heard, want)
	}
	if r.ExitCode != 0 || r.Signal != "" || r.Omitted != 0 || r.Leftover || r.TimedOut || r.Interrupted {
		t.Errorf("result %+v, want a plain success", r)
	}
	if r.Started.IsZero() || r.Ended.Before(r.Started) {
		t.Errorf("started %v, ended %v", r.Started, r.Ended)
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for _, code := range []int{0, 1, 75, 255} {
		if r := run(t, script(t, "exit", fmt.Sprint(code))); r.ExitCode != code || r.Signal != "" {
			t.Errorf("exit %d: result %+v", code, r)
		}
	}
}

func TestStandardInput(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(file, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	large := strings.Repeat("0123456789", 30_000)
	for _, c := range []struct {
		name  string
		input Spec
		want  string
	}{
		{"none is empty", Spec{}, "\nread 0 <nil>\n"},
		{"a reader", Spec{Stdin: strings.NewReader("given")}, "given\nread 5 <nil>\n"},
		{"more than a pipe holds", Spec{Stdin: strings.NewReader(large)}, large + "\nread 300000 <nil>\n"},
		{"a file", Spec{Stdin: opened}, "from a file\nread 11 <nil>\n"},
	} {
		spec := script(t, "cat")
		spec.Stdin = c.input.Stdin
		if r := run(t, spec); string(r.Output) != c.want {
			t.Errorf("%s: output of %d bytes, want %d", c.name, len(r.Output), len(c.want))
		}
	}
	spec := script(t, "exit", "4")
	spec.Stdin = strings.NewReader(large)
	if r := run(t, spec); r.ExitCode != 4 {
		t.Errorf("input that nobody reads: %+v, want exit code 4", r)
	}
}

func TestDirectoryEnvironmentAndGroup(t *testing.T) {
	t.Parallel()
	spec := script(t, "where")
	spec.Dir, _ = filepath.EvalSymlinks(t.TempDir())
	if r := run(t, spec); string(r.Output) != spec.Dir {
		t.Errorf("ran in %q, want %q", r.Output, spec.Dir)
	}
	spec = script(t, "env")
	spec.Env = append(spec.Env, "A=1", "odd name-ключ=x", "A=2=3")
	if r := run(t, spec); !strings.Contains(string(r.Output), "odd name-ключ=x") ||
		!strings.Contains(string(r.Output), "A=2=3") || strings.Contains(string(r.Output), "A=1") {
		t.Errorf("environment %q, want the odd name, and the last A alone", r.Output)
	}
	p := start(t, script(t, "group"))
	own, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
	if r, want := p.Wait(t.Context()), fmt.Sprint(p.child.pid, p.child.pid, own); string(r.Output) != want {
		t.Errorf("pid, group, session: %s, want %s", r.Output, want)
	}
}

func TestABusyFileIsTriedAgain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "script")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("#!/bin/sh\nexit 0\n"); err != nil {
		t.Fatal(err)
	}
	tries := 0
	err = patiently(func() error {
		if tries++; tries == 3 {
			file.Close()
		}
		return exec.Command(path).Run()
	})
	if runtime.GOOS == "linux" && tries < 3 {
		t.Errorf("started at try %d while the file was open for writing", tries)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// The time before its start counts: a short script may have ended when Start
// goes on.
func TestAStartIsTimedFromItsBeginning(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("a file that is open for writing can be started")
	}
	path := filepath.Join(t.TempDir(), "script")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("#!/bin/sh\nexit 0\n"); err != nil {
		t.Fatal(err)
	}
	var startable time.Time
	closed := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() {
		startable = time.Now()
		file.Close()
		close(closed)
	})
	r := run(t, Spec{Path: path})
	if <-closed; !r.Started.Before(startable) {
		t.Errorf("it started %v after it could", r.Started.Sub(startable))
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	spec := script(t, "sleep")
	spec.Timeout = 50 * time.Millisecond
	r := run(t, spec)
	if !r.TimedOut || r.Interrupted || r.Signal != "SIGTERM" || r.ExitCode != -1 {
		t.Errorf("result %+v, want timed out by SIGTERM", r)
	}
	if took := r.Ended.Sub(r.Started); took < spec.Timeout {
		t.Errorf("ended after %v, before its time was up", took)
	}
}

// cancelWhen cancels the context that it returns when l has heard its text.
func cancelWhen(t *testing.T, l *listener) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { <-l.heard; cancel() }()
	return ctx
}

func TestInterruptedProcessMayCleanUp(t *testing.T) {
	t.Parallel()
	heard := listen("ready")
	spec := script(t, "obey-term")
	spec.Output = heard
	r := start(t, spec).Wait(cancelWhen(t, heard))
	if !r.Interrupted || r.TimedOut || r.ExitCode != 0 || string(r.Output) != "ready\ncleaned up\n" {
		t.Errorf("result %+v with output %q, want interrupted, exit code 0, cleaned up", r, r.Output)
	}
}

func TestIgnoredTermIsFollowedByKill(t *testing.T) {
	t.Parallel()
	heard := listen("ready")
	spec := script(t, "ignore-term")
	spec.Output, spec.KillGrace = heard, 100*time.Millisecond
	begun := time.Now()
	r := start(t, spec).Wait(cancelWhen(t, heard))
	if !r.Interrupted || r.Signal != "SIGKILL" || time.Since(begun) < spec.KillGrace {
		t.Errorf("result %+v, want SIGKILL after the grace", r)
	}
}

func TestKillCutsTheGraceShort(t *testing.T) {
	t.Parallel()
	heard := listen("ready")
	spec := script(t, "ignore-term")
	spec.Output = heard // the grace is a minute
	p := start(t, spec)
	go func() { <-heard.heard; p.Kill(); p.Kill() }()
	if r := p.Wait(t.Context()); !r.Interrupted || r.Signal != "SIGKILL" || r.Ended.Sub(r.Started) > 30*time.Second {
		t.Errorf("result %+v, want SIGKILL at once", r)
	}
}

func TestALeftoverDoesNotHoldTheRun(t *testing.T) {
	t.Parallel()
	r := run(t, script(t, "leave", "sleep"))
	pids := left(t, r.Output)
	if len(pids) != 1 || !r.Leftover || r.ExitCode != 0 {
		t.Fatalf("result %+v with output %q, want one leftover", r, r.Output)
	}
	if syscall.Kill(pids[0], 0) != nil {
		t.Error("the leftover was not left alone")
	}
}

func TestALeftoverMayGoOnPrinting(t *testing.T) {
	t.Parallel()
	proof := filepath.Join(t.TempDir(), "proof")
	heard := listen("still here")
	spec := script(t, "leave", "daemon", proof)
	spec.Output = heard
	r := run(t, spec)
	pids := left(t, r.Output)
	if len(pids) != 1 || !r.Leftover {
		t.Fatalf("result %+v with output %q, want one leftover", r, r.Output)
	}
	if err := syscall.Kill(pids[0], syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the daemon prints and lives", func() bool { _, err := os.Stat(proof); return err == nil })
	if strings.Contains(heard.String(), "still here") {
		t.Error("output was forwarded after the run's end")
	}
}

func TestChildrenThatEndSoonAreStillHeard(t *testing.T) {
	t.Parallel()
	if r := run(t, script(t, "leave-late")); string(r.Output) != "early\nlate\n" || r.Leftover {
		t.Errorf("output %q, leftover %v; want early and late, and nothing left", r.Output, r.Leftover)
	}
}

func TestStopLeftovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, role, child string
		grace             time.Duration
	}{
		{"by SIGTERM", "leave", "obey-term", time.Minute},
		{"by SIGKILL", "leave", "ignore-term", 50 * time.Millisecond},
	} {
		spec := script(t, c.role, c.child)
		spec.StopLeftovers, spec.KillGrace = true, c.grace
		r := run(t, spec)
		pids := left(t, r.Output)
		if len(pids) != 1 || r.Leftover || r.ExitCode != 0 || r.TimedOut || r.Interrupted {
			t.Fatalf("%s: result %+v with output %q", c.name, r, r.Output)
		}
		if cleaned := strings.Contains(string(r.Output), "cleaned up"); cleaned != (c.child == "obey-term") {
			t.Errorf("%s: output %q", c.name, r.Output)
		}
		eventually(t, c.name, func() bool { return ended(pids[0]) })
	}
}

func TestStartCannotBeGivenWhatNoProcessCanHold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		edit func(*Spec)
		kind Kind
		want string
	}{
		{"NUL in an argument", func(s *Spec) { s.Args = []string{"x", "ok", "a\x00b"} }, NulByte, `argument 2 ("a\x00b") holds a NUL byte at offset 1`},
		{"NUL in a value", func(s *Spec) { s.Env = []string{"A=1", "B=\x00"} }, NulByte, `variable "B"`},
		{"NUL in a name", func(s *Spec) { s.Env = []string{"B\x00=1"} }, BadEnvironment, `name of the environment variable "B\x00"`},
		{"an empty name", func(s *Spec) { s.Env = []string{"=main"} }, BadEnvironment, `with the value "main" has an empty name`},
		{"NUL in the directory", func(s *Spec) { s.Dir = "a\x00" }, NulByte, "NUL byte"},
	} {
		spec := script(t, "exit", "0")
		c.edit(&spec)
		_, err := Start(spec)
		if failed := asStartError(t, err); failed.Kind != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s: %v, want %s with %q", c.name, failed.Kind, err, c.kind, c.want)
		}
	}
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"PLAIN": "", "HOOK_a b": "", "x-y": "", "ключ": "", "1": "",
		"": "is empty", "A=B": `would see the variable "A"`, "=": "holds '='", "N\x00": "NUL byte",
	} {
		err := CheckName(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

// ended reports whether a process is gone, or a zombie that nobody reaps.
func ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS == "linux"
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(state, "Z")
}

func BenchmarkTrue(b *testing.B) {
	path, err := Lookup("true", "")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := Start(Spec{Path: path, KeepOutput: 1 << 20})
		if err != nil {
			b.Fatal(err)
		}
		if r := p.Wait(b.Context()); r.ExitCode != 0 {
			b.Fatal(r)
		}
	}
}
