//go:build unix

package cli

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStopLetsScriptsEnd(t *testing.T) {
	p := startPawl(t, script("slow", "touch began; sleep 0.3; touch ended; echo whole", "true"), nil)
	answered := make(chan string)
	go func() {
		_, body := p.get("/hooks/slow")
		answered <- body
	}()
	p.await("the script began", func() bool { return p.has("began") })
	p.signal(syscall.SIGTERM)
	if body := <-answered; body != "whole\n" {
		t.Errorf("who waited for the output got %q", body)
	}
	if code := p.exit(); code != 0 || !p.has("ended") {
		t.Errorf("exit status %d, script ended %t", code, p.has("ended"))
	}
}

func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	p := startPawl(t, script("stubborn", "trap '' TERM; touch began; while :; do sleep 0.05; done", "false"), nil, "-shutdown-grace", "500ms")
	p.get("/hooks/stubborn")
	p.await("the script began", func() bool { return p.has("began") })
	p.signal(syscall.SIGTERM)
	if code := p.exit(); code != 0 || !strings.Contains(p.logged(), "interrupted") {
		t.Errorf("exit status %d; log:\n%s", code, p.logged())
	}
}

func TestASecondSignalStopsAtOnce(t *testing.T) {
	p := startPawl(t, script("slow", "touch began; sleep 60", "false"), nil)
	p.get("/hooks/slow")
	p.await("the script began", func() bool { return p.has("began") })
	began := time.Now()
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGINT)
	p.exit()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestASecondSignalEndsOpenConnectionsToo(t *testing.T) {
	p := startPawl(t, script("long", "head -c 50000000 /dev/zero", "true"), nil, "-verbose")
	conn, err := net.Dial("unix", filepath.Join(p.dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The answer is longer than what sockets hold, and nobody reads it.
	if _, err := io.WriteString(conn, "GET /hooks/long HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	p.await("the script has ended", func() bool { return strings.Contains(p.logged(), "run succeeded") })
	p.signal(syscall.SIGTERM)
	p.await("the first signal is heard", func() bool { return strings.Contains(p.logged(), "asked to stop") })
	if p.ended() {
		t.Fatal("it did not wait for who takes the answer; nothing is shown")
	}
	began := time.Now()
	p.signal(syscall.SIGTERM)
	p.exit()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// startWithOneWaiting starts a Pawl whose journal is in memory, with one place
// for scripts, in which one sleeps, and one that waits.
func startWithOneWaiting(t *testing.T, seconds string) *pawl {
	t.Helper()
	p := startPawl(t, script("one", "touch began; sleep "+seconds, "false")+script("two", "touch two", "false"), nil, "-max-concurrent", "1", "-data-dir", "none")
	p.get("/hooks/one")
	p.await("the script began", func() bool { return p.has("began") })
	p.get("/hooks/two")
	return p
}

func TestWhatWaitsIsListedEvenIfPawlIsKilled(t *testing.T) {
	p := startWithOneWaiting(t, "60")
	p.signal(syscall.SIGTERM)
	p.await("what is lost is told while a script still runs", func() bool { return strings.Contains(p.logged(), "lost: the run was waiting") })
	if !strings.Contains(p.logged(), "waiting for running scripts to end") {
		t.Errorf("nothing says why it takes so long:\n%s", p.logged())
	}
}

func TestAPipeInPlaceOfAFileDoesNotKeepPawlFromStopping(t *testing.T) {
	p := startPawl(t, script("h", "echo", "true"), nil, "-hotreload")
	if err := os.Remove(filepath.Join(p.dir, "hooks.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(p.dir, "hooks.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	p.await("it is told", func() bool { return strings.Contains(p.logged(), "no file that can be read again") })
	if status, _ := p.get("/hooks/h"); status != 200 {
		t.Errorf("the hooks that it had are gone: %d", status)
	}
	p.signal(syscall.SIGTERM)
	p.exit()
}

func TestWhatWaitsAtAStopIsListed(t *testing.T) {
	p := startWithOneWaiting(t, "1")
	p.signal(syscall.SIGTERM)
	p.exit()
	if log := p.logged(); !strings.Contains(log, "runs wait: all places") {
		t.Errorf("that it waits is not told:\n%s", log)
	}
	if log := p.logged(); !strings.Contains(log, "lost: the run was waiting") || !strings.Contains(log, "hook=two") || p.has("two") {
		t.Errorf("log:\n%s", log)
	}
}
