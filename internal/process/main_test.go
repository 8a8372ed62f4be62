//go:build unix

package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// roleVariable makes the test binary play a script: TestMain looks it up in
// roles.
const roleVariable = "PROCESS_TEST_ROLE"

// readyFD is closed by a role's child once its signal handling stands; whoever
// started it that way sets readyVariable.
const (
	readyFD       = 3
	readyVariable = "PROCESS_TEST_READY"
)

func TestMain(m *testing.M) {
	name := os.Getenv(roleVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	all := roles()
	maps.Copy(all, systemRoles())
	play, ok := all[name]
	if !ok {
		fmt.Println("no such role:", name)
		os.Exit(99)
	}
	play(os.Args[1:])
	exit(0)
}

// exit ends at once: what coverage and the race detector do at an orderly end
// would be seen in the output.
func exit(code int) { syscall.Exit(code) }

func roles() map[string]func([]string) {
	return map[string]func([]string){
		"exit":  func(a []string) { code, _ := strconv.Atoi(a[0]); exit(code) },
		"print": playPrint,
		"cat":   func([]string) { n, err := io.Copy(os.Stdout, os.Stdin); fmt.Println("\nread", n, err) },
		"where": func([]string) { dir, _ := os.Getwd(); fmt.Print(dir) },
		"env":   func([]string) { fmt.Print(strings.Join(os.Environ(), "\n")) },
		"spew":  playSpew,
		"group": func([]string) {
			sid, _, _ := syscall.Syscall(syscall.SYS_GETSID, 0, 0, 0)
			fmt.Print(os.Getpid(), syscall.Getpgrp(), sid)
		},
		"ignore-term": func([]string) { signal.Ignore(syscall.SIGTERM); say("ready"); time.Sleep(time.Hour) },
		"obey-term":   func([]string) { playUntil(syscall.SIGTERM, func() { fmt.Println("cleaned up") }) },
		"sleep":       func([]string) { say("ready"); time.Sleep(time.Hour) },
		"daemon":      playDaemon,
		"leave":       func(a []string) { child := spawn(false, a...); fmt.Println("left", child.Process.Pid) },
		"leave-setsid": func(a []string) {
			child := spawn(true, a...)
			fmt.Println("left", child.Process.Pid)
		},
		"leave-late": playLeaveLate,
		"late":       func([]string) { _, _ = io.Copy(io.Discard, os.NewFile(readyFD+1, "gate")); fmt.Println("late") },
		"tree":       playTree,
	}
}

// say prints, and tells the parent that this process is ready.
func say(text string) {
	fmt.Println(text)
	if os.Getenv(readyVariable) != "" {
		os.NewFile(readyFD, "ready").Close()
	}
}

func playPrint(args []string) {
	for i, text := range args {
		fmt.Fprint([]*os.File{os.Stdout, os.Stderr}[i%2], text)
	}
}

// spewed is the size of the blocks that playSpew prints.
const spewed = 4096

// playSpew prints that many bytes on standard error, in blocks that begin with
// their number.
func playSpew(args []string) {
	size, _ := strconv.Atoi(args[0])
	page := make([]byte, 0, 16*spewed)
	for n := range size / spewed {
		page = fmt.Appendf(page, "%015d\n%s", n, filler)
		if len(page) == cap(page) || n+1 == size/spewed {
			os.Stderr.Write(page)
			page = page[:0]
		}
	}
}

var filler = strings.Repeat("x", spewed-16)

func playUntil(sig os.Signal, then func()) {
	got := make(chan os.Signal, 1)
	signal.Notify(got, sig)
	say("ready")
	<-got
	then()
}

// playDaemon waits for SIGUSR1, prints more than any pipe holds, and then makes
// the file that it was given: proof that it was not killed for printing.
func playDaemon(args []string) {
	playUntil(syscall.SIGUSR1, func() {
		line := bytes.Repeat([]byte("still here\n"), 1000)
		for range 100 {
			if _, err := os.Stdout.Write(line); err != nil {
				os.Exit(1)
			}
		}
		_ = os.WriteFile(args[0], nil, 0o600)
	})
}

// spawn starts this binary in another role and returns when that is ready.
func spawn(setsid bool, args ...string) *exec.Cmd {
	read, write, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	child := exec.Command(os.Args[0], args[1:]...)
	child.Env = append(os.Environ(), roleVariable+"="+args[0], readyVariable+"=yes")
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.ExtraFiles = []*os.File{write}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: setsid}
	if err := child.Start(); err != nil {
		panic(err)
	}
	write.Close()
	_, _ = io.Copy(io.Discard, read)
	return child
}

// playLeaveLate leaves a child that prints once this process is gone.
func playLeaveLate([]string) {
	gate, held, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), roleVariable+"=late")
	child.Stdout = os.Stdout
	child.ExtraFiles = []*os.File{os.Stdin, gate}
	if err := child.Start(); err != nil {
		panic(err)
	}
	fmt.Println("early")
	runtime.KeepAlive(held) // it stays open until this process ends
	exit(0)
}

// playTree starts one child in the group, one in a session of its own, and one
// in a session of its own whose parent is gone; none obeys SIGTERM.
func playTree([]string) {
	signal.Ignore(syscall.SIGTERM)
	fmt.Println("left", spawn(false, "ignore-term").Process.Pid)
	fmt.Println("left", spawn(true, "ignore-term").Process.Pid)
	between := exec.Command(os.Args[0], "ignore-term")
	between.Env = append(os.Environ(), roleVariable+"=leave-setsid")
	between.Stdout = os.Stdout
	if err := between.Run(); err != nil {
		panic(err)
	}
	fmt.Println("tree stands")
	time.Sleep(time.Hour)
}

// roleEnv is the environment for a role. Under the race detector a process
// would sleep a second before it ends.
func roleEnv(role string) []string {
	return []string{roleVariable + "=" + role, "GORACE=atexit_sleep_ms=0"}
}

// script is a Spec for a role of this binary.
func script(t testing.TB, role string, args ...string) Spec {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{
		Path:       binary,
		Args:       append([]string{binary}, args...),
		Env:        roleEnv(role),
		KeepOutput: 1 << 20,
		KillGrace:  time.Minute, // a test that meant SIGTERM shall not pass by SIGKILL
	}
}

func run(t testing.TB, spec Spec) Result {
	t.Helper()
	return start(t, spec).Wait(t.Context())
}

func start(t testing.TB, spec Spec) *Process {
	t.Helper()
	p, err := Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// listener is an Output that tells when some text has come.
type listener struct {
	mu    sync.Mutex
	text  strings.Builder
	want  string
	heard chan struct{}
}

func listen(want string) *listener { return &listener{want: want, heard: make(chan struct{})} }

func (l *listener) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := strings.Contains(l.text.String(), l.want)
	l.text.Write(data)
	if !before && strings.Contains(l.text.String(), l.want) {
		close(l.heard)
	}
	return len(data), nil
}

func (l *listener) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// left returns the process ids that roles printed, and sees to their end.
func left(t testing.TB, output []byte) []int {
	t.Helper()
	var pids []int
	for line := range strings.Lines(string(output)) {
		if text, ok := strings.CutPrefix(line, "left "); ok {
			pid, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
			t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		}
	}
	return pids
}

// eventually polls for what has no event to wait for: the end of a process
// that is not our child.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 20 s: " + what)
		}
	}
}

func asStartError(t testing.TB, err error) *StartError {
	t.Helper()
	var failed *StartError
	if !errors.As(err, &failed) {
		t.Fatalf("error %v (%T), want a *StartError", err, err)
	}
	return failed
}

// unable leaves out what cannot be tested on this machine. In CI, where
// everything must be tested, it fails.
func unable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
