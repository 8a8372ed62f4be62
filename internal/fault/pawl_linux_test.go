package fault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/admin"
)

const patience = time.Minute // for one thing that is waited for; machines are slow

// pawl is a Pawl that is started and killed again and again in one directory.
type pawl struct {
	t     *testing.T
	dir   string // of hook file, sockets and ledger
	data  string // its -data-dir
	flags []string
	env   []string // besides PATH

	hooks, operator *http.Client

	cmd    *exec.Cmd
	exited chan struct{} // of the newest process
	log    *text
}

// text is what a process prints, to be read while it goes on.
type text struct {
	mu    sync.Mutex
	lines []byte
}

func (x *text) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lines = append(x.lines, b...)
	return len(b), nil
}

func (x *text) String() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.lines)
}

// newPawl makes a directory with a hook file and the worker, in which @DIR@
// stands for the directory. Nothing is started yet. data is where its data
// directory lies; empty: in its own directory.
func newPawl(t *testing.T, data, hooks string, flags ...string) *pawl {
	t.Helper()
	dir, err := os.MkdirTemp("", "pawl-fault-") // sockets' paths must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &pawl{t: t, dir: dir, data: data, flags: flags, log: &text{}}
	if data == "" {
		p.data = filepath.Join(dir, "state")
	}
	for _, name := range []string{"locks", "flags"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	p.write("hooks.yaml", hooks)
	p.write("worker", worker)
	p.hooks, p.operator = clientOf(filepath.Join(dir, "s")), clientOf(filepath.Join(p.data, admin.SocketName))
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the log of Pawl ends so:\n%s", tail(p.log.String(), 400))
		}
	})
	return p
}

func clientOf(socket string) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, // a kept connection may be a dead Pawl's
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
}

func tail(s string, lines int) string {
	all := strings.Split(s, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

func (p *pawl) write(name, text string) {
	p.t.Helper()
	text = strings.ReplaceAll(text, "@DIR@", p.dir)
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o700); err != nil {
		p.t.Fatal(err)
	}
}

// raise makes a file that scripts wait for.
func (p *pawl) raise(flag string) { p.write(filepath.Join("flags", flag), "") }

// command is the test binary as pawl.
func (p *pawl) command(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = p.dir
	cmd.Env = append([]string{playVariable + "=1", "GORACE=atexit_sleep_ms=0", "PATH=" + os.Getenv("PATH")}, p.env...)
	return cmd
}

// launch starts Pawl, with further flags, and does not wait until it answers.
func (p *pawl) launch(flags ...string) {
	p.t.Helper()
	args := []string{"-hooks", "hooks.yaml", "-socket", filepath.Join(p.dir, "s"), "-data-dir", p.data,
		"-pidfile", filepath.Join(p.dir, "pid"), "-admin", "off", "-journal-reserve", "1MiB"}
	p.cmd = p.command(append(append(args, p.flags...), flags...)...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait()
		close(exited)
	}(p.cmd, p.exited)
}

// start starts Pawl and waits until it answers, or has ended.
func (p *pawl) start(flags ...string) {
	p.t.Helper()
	p.launch(flags...)
	p.await("it answers", func() bool {
		_, err := p.ready()
		return err == nil || p.ended()
	})
}

func (p *pawl) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// kill ends Pawl as kill -9 does, if it runs.
func (p *pawl) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// stop ends Pawl in order.
func (p *pawl) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.await("it ended", p.ended)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("stopped, it exits with %d", code)
	}
}

// await looks again and again until something is so.
func (p *pawl) await(what string, so func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if so() {
			return
		}
	}
	ready, err := p.ready()
	p.dump()
	p.t.Fatalf("it did not come to be that %s; readyz: %+v, %v", what, ready, err)
}

// dump has a Pawl that hangs tell in its log what it is doing.
func (p *pawl) dump() {
	if p.cmd == nil || p.ended() {
		return
	}
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-p.exited:
	case <-time.After(5 * time.Second):
	}
}

// ready is what readyz says.
func (p *pawl) ready() (admin.Readiness, error) {
	var ready admin.Readiness
	answer, err := p.operator.Get("http://localhost/readyz")
	if err != nil {
		return ready, err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&ready); err != nil {
		return ready, err
	}
	if want := map[bool]int{true: 200, false: 503}[ready.Ready]; answer.StatusCode != want {
		return ready, fmt.Errorf("readyz answers %d with %+v", answer.StatusCode, ready)
	}
	return ready, nil
}

// idle reports whether nothing waits and nothing runs.
func (p *pawl) idle() bool {
	ready, err := p.ready()
	return err == nil && ready.Waiting == 0 && ready.Running == 0
}

// ask runs a subcommand of pawl and gives what it prints.
func (p *pawl) ask(args ...string) (string, error) {
	out, err := p.command(args...).Output()
	if failed := new(exec.ExitError); errors.As(err, &failed) {
		err = fmt.Errorf("pawl %s: %w: %s", strings.Join(args, " "), err, failed.Stderr)
	}
	return string(out), err
}

// runs gives what Pawl remembers, by the runs' ids.
func (p *pawl) runs() map[string]admin.Run {
	p.t.Helper()
	out, err := p.ask("runs", "ls", "-data-dir", p.data, "-n", "0", "-o", "json")
	if err != nil {
		p.t.Fatal(err)
	}
	var list []admin.Run
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		p.t.Fatalf("pawl runs ls -o json: %v: %.300s", err, out)
	}
	runs := map[string]admin.Run{}
	for _, r := range list {
		runs[r.ID] = r
	}
	if len(runs) != len(list) {
		p.t.Errorf("of %d runs that are listed, %d are listed twice", len(list), len(list)-len(runs))
	}
	return runs
}

// reply is what a sender gets.
type reply struct {
	status   int
	run      string // the run's id
	after    string // Retry-After
	delivery string
	text     string
}

func (r reply) accepted() bool { return r.status >= 200 && r.status < 300 }

// post delivers to a hook: the values that the worker gets, and a body.
func (p *pawl) post(ctx context.Context, hook, key string, number int, work, body string) (reply, error) {
	url := fmt.Sprintf("http://pawl/hooks/%s?key=%s&number=%d&work=%s", hook, key, number, work)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Content-Type", "text/plain")
	answer, err := p.hooks.Do(request)
	if err != nil {
		return reply{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return reply{
		status: answer.StatusCode, run: answer.Header.Get("X-Pawl-Run-Id"), after: answer.Header.Get("Retry-After"),
		delivery: answer.Header.Get("X-Pawl-Delivery-Id"), text: string(text),
	}, err
}

// mustPost delivers what must be accepted.
func (p *pawl) mustPost(hook, key string, number int, work string) reply {
	p.t.Helper()
	r, err := p.post(p.t.Context(), hook, key, number, work, "")
	if err != nil || !r.accepted() {
		p.t.Fatalf("delivery %d to %s: %+v, %v", number, hook, r, err)
	}
	return r
}
