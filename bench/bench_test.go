//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestParseAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, answer string
		status       int
		whole        bool
		wrong        bool
	}{
		{"nothing yet", "", 0, false, false},
		{"half a head", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", 0, false, false},
		{"without its body", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 200, false, false},
		{"whole", "HTTP/1.1 200 OK\r\nDate: today\r\ncontent-length: 2\r\n\r\nok", 200, true, false},
		{"empty", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500, true, false},
		{"chunks that go on", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", 200, false, false},
		{"chunks that ended", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, true, false},
		{"no body by its status", "HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n", 204, true, false},
		{"not HTTP", "SSH-2.0-x\r\n\r\n", 0, false, true},
		{"no status", "HTTP/1.1 abc OK\r\n\r\n", 0, false, true},
		{"no length", "HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\n", 0, false, true},
	} {
		status, whole, err := parseAnswer([]byte(c.answer))
		if status != c.status || whole != c.whole || (err != nil) != c.wrong {
			t.Errorf("%s: got %d, whole %t, error %v; want %d, %t, an error: %t", c.name, status, whole, err, c.status, c.whole, c.wrong)
		}
	}
}

func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		if _, whole, err := parseAnswer(answer); whole && err != nil {
			t.Errorf("whole and wrong: %v", err)
		}
	})
}

func TestPayloadIsJSONOfItsSize(t *testing.T) {
	t.Parallel()
	for _, size := range []int{250, 300, 20_000, 1_000_000} {
		body := payload(size)
		if len(body) != size || !json.Valid(body) {
			t.Errorf("payload(%d) has %d bytes, valid: %t", size, len(body), json.Valid(body))
		}
	}
}

// TestLoad sends to a server that tells what it got.
func TestLoad(t *testing.T) {
	t.Parallel()
	var got atomic.Int64
	body := payload(3_000_000) // more than a socket takes at once
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/hooks/a" || !bytes.Equal(text, body) {
			w.WriteHeader(http.StatusTeapot)
		}
		got.Add(1)
		fmt.Fprint(w, strings.Repeat("long ", 2000)) // more than one buffer
	}))
	defer server.Close()
	l := load{address: netip.MustParseAddrPort(server.Listener.Addr().String()), requests: [][]byte{post("a", body)}, connections: 3, count: 6, status: http.StatusOK}
	answered, err := l.run(context.Background())
	if err != nil || len(answered.latencies) != 6 || got.Load() != 6 {
		t.Fatalf("%d answers, %d requests, error %v; want 6 of each", len(answered.latencies), got.Load(), err)
	}
	if p0, p100 := answered.quantile(0), answered.quantile(1); p0 <= 0 || p100 < p0 || p100 > answered.took {
		t.Errorf("answers within %s to %s, all within %s", p0, p100, answered.took)
	}
	l.status = http.StatusAccepted
	if _, err := l.run(context.Background()); err == nil || !strings.Contains(err.Error(), "should have been 202") {
		t.Errorf("an answer of another status: %v", err)
	}
	l.status, l.count, l.duration = http.StatusOK, 0, 20*time.Millisecond
	if answered, err := l.run(context.Background()); err != nil || len(answered.latencies) < 1 {
		t.Errorf("for a time: %d answers, error %v", len(answered.latencies), err)
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		row    row
		ratio  float64
		judged string
	}{
		{"the median of the rounds' ratios, not the ratio of medians", row{Pawl: []float64{1, 8, 3}, Other: []float64{2, 4, 4}, Reach: reach{AtMost: 0.75}}, 0.75, "yes"},
		{"too much", row{Pawl: []float64{2}, Other: []float64{1}, Reach: reach{AtMost: 1.9}}, 2, "no"},
		{"too little", row{Pawl: []float64{2}, Other: []float64{1}, Reach: reach{AtLeast: 2.1}}, 2, "no"},
		{"the figure counts", row{Pawl: []float64{2}, Other: []float64{1}, Reach: reach{AtLeast: 2, Figure: true}}, 2, "yes"},
		{"nothing beside it", row{Pawl: []float64{5, 7}, Reach: reach{AtMost: 5.9, Figure: true}}, 0, "no"},
		{"told only", row{Pawl: []float64{5}, Other: []float64{2}}, 2.5, ""},
	} {
		got := c.row.judge()
		judged := ""
		if got.Reached != nil {
			judged = map[bool]string{true: "yes", false: "no"}[*got.Reached]
		}
		if got.Ratio != c.ratio || judged != c.judged {
			t.Errorf("%s: ratio %g, reached %q; want %g, %q", c.name, got.Ratio, judged, c.ratio, c.judged)
		}
	}
}

// TestChildren watches a process that has one child until that ends.
func TestChildren(t *testing.T) {
	t.Parallel()
	command := exec.Command("/bin/sh", "-c", "read line </dev/null; cat; exec cat >&2") // the second cat takes the shell's place
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := input.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(output, make([]byte, 1)); err != nil { // the first cat runs
		t.Fatal(err)
	}
	if got, err := children(command.Process.Pid, true); err != nil || len(got) != 1 {
		t.Errorf("while its child runs: %v, %v", got, err)
	}
	before, err := forks()
	if err != nil {
		t.Fatal(err)
	}
	if err := exec.Command("/bin/true").Run(); err != nil {
		t.Fatal(err)
	}
	if after, err := forks(); err != nil || after <= before {
		t.Errorf("a process was started, and the machine counts %d before, %d after, error %v", before, after, err)
	}
	input.Close()
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	if now, peak, err := memory(os.Getpid()); err != nil || now <= 0 || peak < now {
		t.Errorf("this process's memory: %d now, %d at most, %v", now, peak, err)
	}
}
