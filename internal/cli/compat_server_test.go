//go:build unix

package cli

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// recorder is the script that hooks run as @TMP@/rec. It leaves PID.argv,
// PID.env, PID.cwd and a PID.file.NAME for each variable that holds the path of
// a file below @TMP@; PID.done comes last and says that the others are whole.
const recorder = `#!/bin/sh
d='@TMP@/out/'$$
printf '%s\0' "$#" "$@" >"$d.argv"
cat /proc/$$/environ >"$d.env" 2>/dev/null || env -0 >"$d.env"
pwd -P >"$d.cwd"
tr '\0' '\n' <"$d.env" | while IFS= read -r line; do
    f=${line#*=}
    case $f in '@TMP@'/*) [ -f "$f" ] && cp -p "$f" "$d.file.${line%%=*}" ;; esac
done
: >"$d.done"
echo recorded
`

// How long a server may take. Expected things end the wait when they happen,
// so these bounds are wide for slow machines and cost time only on failure.
const (
	startWait  = 20 * time.Second
	answerWait = 15 * time.Second
	stopWait   = 5 * time.Second
)

// lab starts servers of one kind.
type lab struct {
	path string   // the program's file
	argv []string // with {hooks} and {port}
	env  []string // added to each group's own

	mu    sync.Mutex
	ports map[int]bool // handed out before
}

// newLab makes a lab for a command line whose first word is the program; pawl
// is this test binary.
func newLab(t *testing.T, template string) *lab {
	t.Helper()
	l := &lab{argv: strings.Fields(template), ports: map[int]bool{}}
	var err error
	if l.argv[0] == "pawl" {
		l.path, err = os.Executable()
		// Under -race a program sleeps for a second before it exits; not these.
		l.env = []string{playVariable + "=1", "GORACE=atexit_sleep_ms=0"}
	} else {
		l.path, err = exec.LookPath(l.argv[0])
	}
	if err != nil {
		t.Fatalf("find the server: %v", err)
	}
	return l
}

// port returns a free TCP port below the range that systems hand out for
// outgoing connections, and never the same twice.
func (l *lab) port() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		port := 20000 + rand.IntN(12000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		_ = listener.Close()
		if !l.ports[port] {
			l.ports[port] = true
			return port
		}
	}
}

// testServer is one running server with its directory and port.
type testServer struct {
	connectTo connectSpec
	port      int
	tmp       string // its working directory, @TMP@
	env       map[string]string
	cmd       *exec.Cmd
	exited    chan struct{} // closed when the process has ended
}

// start prepares a group's directory, starts its server and waits until it
// answers or has ended. Whoever gets a server stops it.
func (l *lab) start(g group) (*testServer, error) {
	// Not t.TempDir: the test's name would be in it, and a socket's path is short.
	tmp, err := os.MkdirTemp("", "compat-")
	if err != nil {
		return nil, err
	}
	if tmp, err = filepath.EvalSymlinks(tmp); err != nil {
		return nil, err
	}
	s := &testServer{connectTo: g.Connect, port: l.port(), tmp: tmp, exited: make(chan struct{})}
	hooks, err := s.prepare(g)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare the server's directory: %w", err), os.RemoveAll(tmp))
	}
	replace := strings.NewReplacer("{hooks}", hooks, "{port}", strconv.Itoa(s.port))
	var argv []string
	for _, word := range l.argv {
		argv = append(argv, replace.Replace(word))
	}
	for _, flag := range g.Flags {
		argv = append(argv, s.expandString(flag))
	}
	if err := s.run(l, argv); err != nil {
		return nil, errors.Join(fmt.Errorf("start the server: %w", err), os.RemoveAll(tmp))
	}
	s.waitReady()
	return s, nil
}

// prepare fills the server's directory and environment and returns its hook file's path.
func (s *testServer) prepare(g group) (string, error) {
	for _, name := range []string{"out", "tmp", "bin"} {
		if err := os.Mkdir(s.path(name), 0o777); err != nil {
			return "", err
		}
	}
	errs := []error{s.write("rec", text{content: recorder}, "755")}
	for name, spec := range g.Files {
		if spec == nil {
			errs = append(errs, os.MkdirAll(s.path(name), 0o777))
		} else {
			errs = append(errs, s.write(name, spec.Text, cmp.Or(spec.Mode, "644")))
		}
	}
	name := cmp.Or(g.HooksName, "hooks.json")
	switch {
	case g.HooksText != nil:
		errs = append(errs, s.write(name, *g.HooksText, "644"))
	case g.Hooks != nil:
		var lines bytes.Buffer
		errs = append(errs, json.Indent(&lines, g.Hooks, "", " "),
			s.write(name, text{content: lines.String()}, "644"))
	}
	s.env = map[string]string{"PATH": "@TMP@/bin:/usr/local/bin:/usr/bin:/bin", "LANG": "C",
		"HOME": "@TMP@", "TMPDIR": "@TMP@/tmp"}
	maps.Copy(s.env, g.Env)
	for key, value := range s.env {
		s.env[key] = s.expandString(value)
	}
	return s.path(name), errors.Join(errs...)
}

// run starts the process in a process group of its own, so that stop can end
// what it leaves behind. Nothing may stand between it and its scripts.
func (s *testServer) run(l *lab, argv []string) error {
	out, err := os.Create(s.path("server.out"))
	if err != nil {
		return err
	}
	defer out.Close()
	errOut, err := os.Create(s.path("server.err"))
	if err != nil {
		return err
	}
	defer errOut.Close()
	s.cmd = &exec.Cmd{Path: l.path, Args: argv, Dir: s.tmp, Stdout: out, Stderr: errOut,
		Env: slices.Clone(l.env), SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	for key, value := range s.env {
		s.cmd.Env = append(s.cmd.Env, key+"="+value)
	}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	go func() {
		_ = s.cmd.Wait() // the exit status is read from ProcessState
		close(s.exited)
	}()
	return nil
}

// stop ends the server, and whatever of it still runs, and removes its directory.
func (s *testServer) stop(t *testing.T) {
	t.Helper()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_, ended := s.waitExit(stopWait)
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	<-s.exited
	if !ended {
		t.Errorf("the server did not end within %v of SIGTERM", stopWait)
	}
	if log := s.log(); strings.Contains(log, "DATA RACE") {
		t.Errorf("the server has a data race:\n%s", log)
	}
	if err := os.RemoveAll(s.tmp); err != nil {
		t.Errorf("remove the server's directory: %v", err)
	}
}

// waitExit waits for the process's end; its status is negative for a signal.
func (s *testServer) waitExit(limit time.Duration) (status int, ended bool) {
	if !s.hasExited() {
		select {
		case <-s.exited:
		case <-time.After(limit):
			return 0, false
		}
	}
	if how, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && how.Signaled() {
		return -int(how.Signal()), true
	}
	return s.cmd.ProcessState.ExitCode(), true
}

func (s *testServer) hasExited() bool {
	select {
	case <-s.exited:
		return true
	default:
		return false
	}
}

// waitReady returns when the server answers a request, or has ended, or never does.
func (s *testServer) waitReady() {
	poll(startWait, func() bool {
		if s.hasExited() {
			return true
		}
		conn, _, err := s.connect()
		if err != nil {
			return false
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		n, _ := conn.Read(make([]byte, 1))
		return n == 1
	})
}

// connect returns a connection and the address under which the server sees it
// (empty on a Unix socket).
func (s *testServer) connect() (net.Conn, string, error) {
	network, address := "tcp", net.JoinHostPort(cmp.Or(s.connectTo.Host, "127.0.0.1"), strconv.Itoa(s.port))
	if s.connectTo.Unix != "" {
		network, address = "unix", s.expandString(s.connectTo.Unix)
	}
	conn, err := net.DialTimeout(network, address, answerWait)
	if err != nil {
		return nil, "", err
	}
	_ = conn.SetDeadline(time.Now().Add(answerWait)) // fails on closed connections only
	client := ""
	if network == "tcp" {
		client = conn.LocalAddr().String()
	}
	if s.connectTo.TLS {
		// The certificate in the cases is made for them; nobody signed it.
		conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
	}
	return conn, client, nil
}

func (s *testServer) path(name string) string { return filepath.Join(s.tmp, name) }

func (s *testServer) write(name string, content text, mode string) error {
	bits, err := strconv.ParseUint(mode, 8, 12)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(s.path(name), s.expand(content), 0o666); err != nil {
		return err
	}
	return os.Chmod(s.path(name), os.FileMode(bits))
}

// repetition is the placeholder @REP:text:n@.
var repetition = regexp.MustCompile(`(?s)@REP:(.+?):(\d+)@`)

// expand fills in the placeholders of a text.
func (s *testServer) expand(x text) []byte {
	if x.raw {
		return []byte(x.content)
	}
	return []byte(s.expandString(x.content))
}

func (s *testServer) expandString(x string) string {
	x = repetition.ReplaceAllStringFunc(x, func(found string) string {
		parts := repetition.FindStringSubmatch(found)
		count, _ := strconv.Atoi(parts[2]) // digits, as the pattern says
		return strings.Repeat(parts[1], count)
	})
	return strings.NewReplacer("@TMP@", s.tmp, "@PORT@", strconv.Itoa(s.port)).Replace(x)
}

// log is all that the server said: standard output, standard error, and the
// log file server.log where a group's flags name one.
func (s *testServer) log() string {
	var all strings.Builder
	for _, ending := range []string{"out", "err", "log"} {
		data, _ := os.ReadFile(s.path("server." + ending)) // absent: nothing said
		all.Write(data)
	}
	return all.String()
}

// poll asks until the answer is yes or the time is over, and at least once.
// What is awaited is another process's doing and gives no event: a file, a
// listener. It returns the last answer.
func poll(limit time.Duration, done func() bool) bool {
	for deadline := time.Now().Add(limit); ; time.Sleep(2 * time.Millisecond) {
		if done() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
	}
}
