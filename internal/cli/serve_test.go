//go:build unix

package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"
)

// pawl is a started Pawl: this test binary, playing it, on a Unix socket.
type pawl struct {
	t      *testing.T
	dir    string
	cmd    *exec.Cmd
	client *http.Client
	exited chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
}

func (p *pawl) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(b)
}

func (p *pawl) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// startPawl serves a hook file from a directory of its own, where @DIR@ in the
// file stands for it.
func startPawl(t *testing.T, hooks string, env []string, flags ...string) *pawl {
	t.Helper()
	p := &pawl{t: t, dir: t.TempDir(), exited: make(chan struct{})}
	p.write("hooks.yaml", hooks)
	socket := filepath.Join(p.dir, "s")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-hooks", "hooks.yaml", "-socket", socket, "-data-dir", "state"}, flags...)
	p.cmd = exec.Command(self, args...)
	p.cmd.Dir, p.cmd.Stderr = p.dir, p
	p.cmd.Env = append([]string{playVariable + "=1", "GORACE=atexit_sleep_ms=0", "PATH=" + os.Getenv("PATH")}, env...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
	})
	p.client = &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	p.await("it answers", func() bool {
		answer, err := p.client.Get("http://pawl/")
		if err == nil {
			_ = answer.Body.Close()
		}
		return err == nil || p.ended()
	})
	return p
}

func (p *pawl) write(name, text string) {
	p.t.Helper()
	text = strings.ReplaceAll(text, "@DIR@", p.dir)
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o700); err != nil {
		p.t.Fatal(err)
	}
}

// script is a hook that runs a shell script and answers with its output.
func script(id, text, more string) string {
	return fmt.Sprintf("- {id: %s, execute-command: /bin/sh, include-command-output-in-response: %s, pass-arguments-to-command: [{source: string, name: -c}, {source: string, name: %q}]}\n",
		id, more, text)
}

func (p *pawl) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// await looks again and again until something is so.
func (p *pawl) await(what string, so func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if so() {
			return
		}
	}
	p.t.Fatalf("it did not come to be that %s; log:\n%s", what, p.logged())
}

func (p *pawl) get(path string) (int, string) {
	p.t.Helper()
	answer, err := p.client.Get("http://pawl" + path)
	if err != nil {
		p.t.Errorf("GET %s: %v; log:\n%s", path, err, p.logged())
		return 0, ""
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Error(err)
	}
	return answer.StatusCode, string(body)
}

func (p *pawl) has(name string) bool {
	_, err := os.Stat(filepath.Join(p.dir, name))
	return err == nil
}

func (p *pawl) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pawl) exit() int {
	p.t.Helper()
	p.await("it ended", p.ended)
	return p.cmd.ProcessState.ExitCode()
}

func TestVariablesAreFlagsAndReachNoScript(t *testing.T) {
	hooks := script("env", "env", "true")
	p := startPawl(t, hooks, []string{"PAWL_URLPREFIX=from/variable", "PAWL_HEADER=X-A=1\nX-B=2", "PAWL_NONSENSE=1", "KEPT=1"}, "-x-request-id")
	status, env := p.get("/from/variable/env")
	if status != http.StatusOK {
		t.Fatalf("the prefix of the variable: %d", status)
	}
	for item := range strings.SplitSeq(env, "\n") {
		name, _, _ := strings.Cut(item, "=")
		own := []string{"PAWL_RUN_ID", "PAWL_HOOK_ID", "PAWL_ATTEMPT", "PAWL_DELIVERY_ID", "PAWL_ARTIFACTS", "PAWL_SUMMARY", "PAWL_OUTPUT"}
		if strings.HasPrefix(name, "PAWL_") && !slices.Contains(own, name) {
			t.Errorf("a script got %s", item)
		}
	}
	if !strings.Contains(env, "KEPT=1") {
		t.Errorf("what is not Pawl's is gone: %s", env)
	}
	answer, err := p.client.Get("http://pawl/")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.Header.Get("X-A") != "1" || answer.Header.Get("X-B") != "2" {
		t.Errorf("the headers of the variable: %v", answer.Header)
	}
}

func TestAFlagCountsMoreThanItsVariable(t *testing.T) {
	p := startPawl(t, script("h", "echo hello", "true"), []string{"PAWL_URLPREFIX=variable"}, "-urlprefix", "flag")
	if status, _ := p.get("/flag/h"); status != http.StatusOK {
		t.Errorf("the flag's prefix: %d", status)
	}
}

func TestAPipeInADirectoryOfHooksIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startPawl(t, script("h", "echo", "true"), nil, "-hooks", dir)
	if status, _ := p.get("/hooks/h"); status != http.StatusOK {
		t.Errorf("answered %d", status)
	}
}

func TestVariablesOfOthersDoNotKeepPawlFromStarting(t *testing.T) {
	p := startPawl(t, script("h", "echo", "true"), []string{"PAWL_PORT=tcp://10.43.0.1:9000", "PAWL_VERSION=1.2.3"})
	if status, _ := p.get("/hooks/h"); status != http.StatusOK {
		t.Errorf("answered %d; log:\n%s", status, p.logged())
	}
}

func TestValuesOfRequestsCannotSteerATerminal(t *testing.T) {
	p := startPawl(t, "- {id: h, execute-command: /bin/echo, pass-arguments-to-command: [{source: query, name: q}], include-command-output-in-response: true}", nil, "-debug")
	p.get("/hooks/h?q=%1b%5b31mred%c2%9b31m%e2%80%ae%7f")
	p.await("the run is logged", func() bool { return strings.Contains(p.logged(), "run succeeded") })
	if at := strings.IndexFunc(p.logged(), func(r rune) bool { return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) }); at >= 0 {
		t.Errorf("the log holds a control character: %q", p.logged()[max(0, at-20):at+20])
	}
}

func TestOpenHooksAreTold(t *testing.T) {
	p := startPawl(t, script("open", "echo", "true"), nil)
	if !strings.Contains(p.logged(), "anyone may trigger") || !strings.Contains(p.logged(), "ids=open") {
		t.Errorf("the log:\n%s", p.logged())
	}
}

// TestWhereItIsIsTold: who looks for the journal or the operator's listener
// finds it in the log.
func TestWhereItIsIsTold(t *testing.T) {
	p := startPawl(t, script("h", "echo", "true"), nil, "-verbose", "-admin", "127.0.0.1:0")
	for _, line := range []string{"journal and runs are in " + filepath.Join(p.dir, "state"), "serving operators on http://127.0.0.1:"} {
		p.await(line, func() bool { return strings.Contains(p.logged(), line) })
	}
}

func TestReloadKeepsWhatCannotBeReplaced(t *testing.T) {
	p := startPawl(t, script("h", "echo one", "true"), nil)
	p.write("hooks.yaml", "- {id: h, execute-command: [}")
	p.signal(syscall.SIGHUP)
	p.await("the error is told", func() bool { return strings.Contains(p.logged(), "hooks.yaml:1:") })
	if _, body := p.get("/hooks/h"); body != "one\n" {
		t.Errorf("after a broken reload: %q", body)
	}
	p.write("hooks.yaml", script("h", "echo two", "true"))
	p.signal(syscall.SIGUSR1)
	p.await("the mended file is in force", func() bool { _, body := p.get("/hooks/h"); return body == "two\n" })
}

func TestHotReloadOfADirectory(t *testing.T) {
	dir := t.TempDir()
	p := startPawl(t, "[]", nil, "-hotreload", "-nopanic", "-hooks", dir)
	if status, _ := p.get("/hooks/new"); status != http.StatusNotFound {
		t.Fatalf("an unknown hook: %d", status)
	}
	if err := os.WriteFile(filepath.Join(dir, "new.yml"), []byte(script("new", "echo new", "true")), 0o600); err != nil {
		t.Fatal(err)
	}
	p.await("the new file's hook is there", func() bool { status, _ := p.get("/hooks/new"); return status == http.StatusOK })
	if err := os.Remove(filepath.Join(dir, "new.yml")); err != nil {
		t.Fatal(err)
	}
	p.await("its hook went with the file", func() bool { status, _ := p.get("/hooks/new"); return status == http.StatusNotFound })
}

// TestHotReloadOfASecret: a hook that waits for the file of its secret is there
// when that is; without -hotreload the log says what to do.
func TestHotReloadOfASecret(t *testing.T) {
	const hooks = "- {id: h, execute-command: \"true\", auth: {query: {name: token}}, secret: {file: h.secret}}\n"
	p := startPawl(t, hooks, nil, "-hotreload", "-nopanic")
	if status, _ := p.get("/hooks/h?token=s3cr3ts3cr3t"); status != http.StatusNotFound {
		t.Fatalf("a hook without its secret: %d", status)
	}
	p.write("h.secret", "s3cr3ts3cr3t")
	p.await("the hook is there", func() bool { status, _ := p.get("/hooks/h?token=s3cr3ts3cr3t"); return status == http.StatusOK })

	p = startPawl(t, hooks, nil, "-nopanic")
	p.await("the log says what to do", func() bool { return strings.Contains(p.logged(), "HUP (kill -HUP PID) reads it again") })
}

func TestHealth(t *testing.T) {
	p := startPawl(t, script("h", "echo", "true"), nil)
	self, _ := os.Executable()
	for flag, want := range map[string]int{filepath.Join(p.dir, "s"): 0, filepath.Join(p.dir, "none"): 1} {
		cmd := exec.Command(self, "health", "-socket", flag)
		cmd.Env = []string{playVariable + "=1", "GORACE=atexit_sleep_ms=0"}
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != want {
			t.Errorf("health of %s exits with %d: %s", flag, code, out)
		}
	}
}
