package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener whose connections are pipes, so that a fake clock rules
// them.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// slowly serves one connection on a fake clock and gives the client's end of it.
func slowly(t *testing.T, e Engine, client func(conn net.Conn, stop func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := serverOf(t, `[{id: a, execute-command: x, response-message: done}]`, e, nil)
		listener := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() {
			served <- s.Serve(ctx, t.Context(), &Listeners{All: []net.Listener{listener}}, nil, time.Minute)
		}()
		ours, theirs := net.Pipe()
		listener.accepted <- theirs
		client(ours, cancel)
		_ = ours.Close()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// read reads until the server ends the connection.
func read(t *testing.T, conn net.Conn) (answer string, took time.Duration) {
	t.Helper()
	began := time.Now()
	bytes, err := io.ReadAll(conn)
	if err != nil {
		t.Error(err)
	}
	return string(bytes), time.Since(began)
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
}

func TestAClientThatDoesNotFinishItsHeadIsLeft(t *testing.T) {
	slowly(t, &fakeEngine{}, func(conn net.Conn, _ func()) {
		write(t, conn, "POST /hooks/a HTTP/1.1\r\nHost: x\r\n")
		if answer, took := read(t, conn); answer != "" || took != headerTime {
			t.Errorf("after %s: %q; want nothing after %s", took, answer, headerTime)
		}
	})
}

func TestABodyThatStopsComingIsAnswered408(t *testing.T) {
	e := &fakeEngine{}
	slowly(t, e, func(conn net.Conn, _ func()) {
		write(t, conn, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
		answer, took := read(t, conn)
		if !strings.HasPrefix(answer, "HTTP/1.1 408 ") || took < bodyPause || took > bodyPause+time.Second {
			t.Errorf("after %s: %q; want 408 after %s", took, answer, bodyPause)
		}
	})
	if e.submitted != nil {
		t.Errorf("it ran %v", e.submitted)
	}
}

func TestABodyMayComeSlowlyAsLongAsItComes(t *testing.T) {
	e := &fakeEngine{}
	slowly(t, e, func(conn net.Conn, _ func()) {
		const pieces = 10
		piece := strings.Repeat("x", bodyRate*int(bodyPause/time.Second))
		write(t, conn, fmt.Sprintf("POST /hooks/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", pieces*len(piece)))
		for range pieces {
			time.Sleep(bodyPause - time.Second)
			write(t, conn, piece)
		}
		if answer, _ := read(t, conn); !strings.HasPrefix(answer, "HTTP/1.1 200 ") {
			t.Errorf("answered %q", answer)
		}
	})
	if len(e.submitted) != 1 {
		t.Errorf("it ran %v", e.submitted)
	}
}

func TestABodyThatTricklesIsAnswered408(t *testing.T) {
	slowly(t, &fakeEngine{}, func(conn net.Conn, _ func()) {
		write(t, conn, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
		var writing sync.WaitGroup
		defer writing.Wait()
		defer conn.Close()
		writing.Go(func() {
			for range 10 {
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
				time.Sleep(bodyPause - time.Second)
			}
		})
		if answer, took := read(t, conn); !strings.HasPrefix(answer, "HTTP/1.1 408 ") || took > bodyPause+time.Second {
			t.Errorf("after %s: %q; want 408 after %s", took, answer, bodyPause)
		}
	})
}

func TestABodyThatNobodyWantsHoldsNoConnection(t *testing.T) {
	for name, path := range map[string]string{"an unknown hook": "/hooks/none", "a body that is too large": "/hooks/a"} {
		t.Run(name, func(t *testing.T) {
			slowly(t, &fakeEngine{}, func(conn net.Conn, _ func()) {
				write(t, conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n12345")
				if _, took := read(t, conn); took > bodyPause+time.Second {
					t.Errorf("the connection was held for %s", took)
				}
			})
		})
	}
}

func TestAStopDoesNotWaitForABodyThatStalls(t *testing.T) {
	slowly(t, &fakeEngine{}, func(conn net.Conn, stop func()) {
		write(t, conn, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
		synctest.Wait()
		stop()
		if answer, took := read(t, conn); !strings.HasPrefix(answer, "HTTP/1.1 408 ") || took > bodyDrain+time.Second {
			t.Errorf("after %s: %q; want 408 after %s", took, answer, bodyDrain)
		}
	})
}

func TestABodyMayNotTakeForEver(t *testing.T) {
	slowly(t, &fakeEngine{}, func(conn net.Conn, _ func()) {
		write(t, conn, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10000000\r\n\r\n")
		var writing sync.WaitGroup
		defer writing.Wait()
		defer conn.Close()
		writing.Go(func() {
			for {
				if _, err := io.WriteString(conn, strings.Repeat("x", 2*bodyRate)); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		if answer, took := read(t, conn); !strings.HasPrefix(answer, "HTTP/1.1 408 ") || took > bodyTime+time.Second {
			t.Errorf("after %s: %q; want 408 after %s", took, answer, bodyTime)
		}
	})
}

func TestAConnectionThatRestsIsClosed(t *testing.T) {
	slowly(t, &fakeEngine{}, func(conn net.Conn, _ func()) {
		write(t, conn, "GET /hooks/a HTTP/1.1\r\nHost: x\r\n\r\n")
		if answer, took := read(t, conn); !strings.HasPrefix(answer, "HTTP/1.1 200 ") || took != idleTime {
			t.Errorf("after %s: %q; want the answer, and the end after %s", took, answer, idleTime)
		}
	})
}

// crowd opens a connection to a server whose -max-inflight is 64 MiB, sends what is
// said at once, and then rate bytes each second for as long as that goes; others
// do so beside it, four times as fast.
func crowd(t *testing.T, others int, began int, rate int) (took time.Duration, answer string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := serverOf(t, `[{id: a, execute-command: x}]`, &fakeEngine{}, func(o *Options) { o.MaxBody, o.MaxInflight = 32<<20, 64<<20 })
		listener := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() {
			served <- s.Serve(ctx, t.Context(), &Listeners{All: []net.Listener{listener}}, nil, time.Minute)
		}()
		hold := func() net.Conn {
			ours, theirs := net.Pipe()
			listener.accepted <- theirs
			write(t, ours, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 33554432\r\n\r\n")
			write(t, ours, strings.Repeat("x", began))
			return ours
		}
		start := time.Now()
		var writing sync.WaitGroup
		trickle := func(conn net.Conn, rate int) {
			for rate > 0 && time.Since(start) < bodyTime {
				time.Sleep(time.Second)
				if _, err := io.WriteString(conn, strings.Repeat("x", rate)); err != nil {
					return
				}
			}
		}
		for range others {
			conn := hold()
			defer conn.Close()
			writing.Go(func() { trickle(conn, 4*rate) })
			go func() { _, _ = io.Copy(io.Discard, conn) }() // its answer
		}
		conn := hold()
		writing.Go(func() { trickle(conn, rate) })
		answer, took = read(t, conn)
		_ = conn.Close()
		writing.Wait()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return took, answer
}

// TestWhatIsHeldMustGoOnComing: a body that came fast at first may not hold its
// memory for long, and where others wait for memory the larger must come faster.
func TestWhatIsHeldMustGoOnComing(t *testing.T) {
	const begun = 5 << 20 // holds 8 MiB
	for _, c := range []struct {
		name         string
		others, rate int
		atMost       time.Duration
		whole        bool
	}{
		{"nothing more comes", 0, 0, largePause, false},
		{"a trickle, in place of what came early", 0, bodyRate / 2, 30 * time.Second, false},
		{"slowly, and nobody waits", 0, 64 << 10, bodyTime, true},
		{"slowly, and others hold as much", 4, 32 << 10, 20 * time.Second, false},
		{"fast, and another holds as much", 1, 4 << 20, 20 * time.Second, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			took, answer := crowd(t, c.others, begun, c.rate)
			if whole := strings.HasPrefix(answer, "HTTP/1.1 200 "); whole != c.whole || took > c.atMost+time.Second {
				t.Errorf("after %s: %.40q; want whole %v after %s at most", took, answer, c.whole, c.atMost)
			}
		})
	}
}
