//go:build e2e

package e2e

import (
	"bufio"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// service is a program that runs beside a test. Its output is read line by
// line, so that a test waits for what happens and not for time to pass.
type service struct {
	cmd   *exec.Cmd
	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and made anew with each line
	ended chan struct{}
}

// start runs a program until the test ends.
func start(t *testing.T, cmd *exec.Cmd) *service {
	t.Helper()
	s := &service{cmd: cmd, more: make(chan struct{}), ended: make(chan struct{})}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		s.read(r)
	}()
	go func() {
		_ = cmd.Wait() // a service ends by signal
		_ = w.Close()
		<-read
		close(s.ended)
	}()
	t.Cleanup(func() {
		s.signal(syscall.SIGTERM)
		select {
		case <-s.ended:
		case <-time.After(40 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-s.ended
		}
		if t.Failed() {
			s.mu.Lock()
			defer s.mu.Unlock()
			t.Logf("%s said in the end:\n%s", cmd.Path, strings.Join(s.lines[max(0, len(s.lines)-15):], "\n"))
		}
	})
	return s
}

func (s *service) signal(sig syscall.Signal) { _ = s.cmd.Process.Signal(sig) }

func (s *service) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		s.mu.Lock()
		s.lines = append(s.lines, lines.Text())
		close(s.more)
		s.more = make(chan struct{})
		s.mu.Unlock()
	}
	_, _ = io.Copy(io.Discard, r)
}

// wait returns once pattern was matched n times in the output so far.
func (s *service) wait(t *testing.T, pattern string, n int) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		more := s.more
		s.mu.Unlock()
		if s.count(re) >= n {
			return
		}
		select {
		case <-more:
		case <-s.ended:
			if s.count(re) < n {
				t.Fatalf("%s ended before %q was seen %d times", s.cmd.Path, pattern, n)
			}
		case <-deadline:
			t.Fatalf("%s: %q was not seen %d times in %v", s.cmd.Path, pattern, n, patience)
		}
	}
}

func (s *service) count(re *regexp.Regexp) int { return len(re.FindAllString(s.text(), -1)) }

func (s *service) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, "\n")
}
