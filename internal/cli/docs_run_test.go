//go:build unix

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a document's server may take to start, and a document's
// "eventually" may take to come true.
const patience = 20 * time.Second

// TestDocsCommands types what the documents tell the reader to type, in their
// order, and compares what they say is printed. Words behind a block's language
// tell how: server runs beside the rest, eventually is repeated until its output
// is there, file=NAME is written to that file. Blocks marked make, root or
// docker need what tests have not; other tests do the like.
func TestDocsCommands(t *testing.T) {
	for _, tool := range []string{"curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is needed: scripts/install-tools.sh test, or apt-get install %s", tool, tool)
		}
	}
	typed := map[string]int{}
	for _, p := range readPages(t) {
		t.Run(p.path, func(t *testing.T) {
			r := newReader(t)
			if filepath.Dir(p.path) == "examples" {
				if err := os.CopyFS(r.dir, os.DirFS(filepath.Join(repository, "examples"))); err != nil {
					t.Fatal(err)
				}
			}
			typed[p.path] = r.follow(p)
		})
	}
	if typed["README.md"] < 5 || typed["examples/README.md"] < 2 {
		t.Errorf("these blocks were typed: %v", typed)
	}
}

// reader does what a document says, in a directory of its own.
type reader struct {
	t         *testing.T
	dir, port string
	env       []string
	output    string // of the last commands
	again     string // commands that are repeated until their output is right
}

func newReader(t *testing.T) *reader {
	bin := t.TempDir()
	linkTestBinary(t, bin, "pawl")
	r := &reader{t: t, dir: t.TempDir(), port: freePort(t)}
	r.env = append(os.Environ(),
		"PATH="+bin+":"+os.Getenv("PATH"), "HOME="+t.TempDir(), "XDG_STATE_HOME="+t.TempDir(),
		"PAWL_PORT="+r.port, "GORACE=atexit_sleep_ms=0")
	return r
}

// freePort finds a port that nobody listens on at this moment.
func freePort(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

// follow types the blocks of a page and counts them.
func (r *reader) follow(p page) (typed int) {
	for _, b := range p.blocks {
		what := fmt.Sprintf("%s:%d", p.path, b.line)
		switch {
		case b.file != "":
			r.write(b.file, b.text)
		case b.is("make"), b.is("root"), b.is("docker"):
		case b.is("output"):
			r.expect(what, b.text)
		case b.language != "sh":
		case b.is("server"):
			typed++
			r.serve(what, b.text)
		default:
			typed++
			r.again = ""
			if b.is("eventually") {
				r.again = b.text
			}
			r.run(what, b.text)
		}
	}
	return typed
}

// write replaces a file at once, so that no reload sees half of it.
func (r *reader) write(name, text string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		r.t.Fatal(err)
	}
}

func (r *reader) shell(script string) *exec.Cmd {
	cmd := exec.Command("sh", "-eu", "-c", strings.ReplaceAll(script, ":9000", ":"+r.port))
	cmd.Dir, cmd.Env = r.dir, r.env
	return cmd
}

func (r *reader) run(what, script string) {
	r.t.Helper()
	cmd := r.shell(script)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if r.output = string(output); err != nil {
		r.t.Fatalf("%s: %v\n%s%s", what, err, output, &stderr)
	}
}

// expect compares what the document says is printed with what was.
func (r *reader) expect(what, want string) {
	r.t.Helper()
	right := func() bool { return strings.TrimSpace(r.output) == strings.TrimSpace(want) }
	if r.again != "" {
		poll(patience, func() bool { r.run(what, r.again); return right() })
	}
	if !right() {
		r.t.Errorf("%s: the document says:\n%s\nit is:\n%s", what, want, r.output)
	}
}

// serve starts a server that runs until the test ends, and waits until it answers.
func (r *reader) serve(what, script string) {
	r.t.Helper()
	cmd := r.shell("exec " + strings.TrimSpace(script))
	log, err := os.Create(filepath.Join(r.t.TempDir(), "log"))
	if err != nil {
		r.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		r.t.Fatalf("%s: %v", what, err)
	}
	r.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			text, _ := os.ReadFile(log.Name())
			r.t.Errorf("%s: the server ended with %v:\n%s", what, err, text)
		}
		_ = log.Close()
	})
	answers := func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", "127.0.0.1:"+r.port)
		return err == nil && errors.Join(conn.Close()) == nil
	}
	if !poll(patience, answers) {
		text, _ := os.ReadFile(log.Name())
		r.t.Fatalf("%s: the server does not answer:\n%s", what, text)
	}
}
