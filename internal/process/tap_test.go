//go:build unix

package process

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// tapped is a process whose output is what the test writes.
func tapped(t *testing.T, limit int) (*Process, *collector) {
	t.Helper()
	from, _ := testPipe(t)
	c := newCollector(from, limit, nil)
	return &Process{output: c}, c
}

func TestATapBeginsWithWhatIsKept(t *testing.T) {
	p, c := tapped(t, 8)
	c.take([]byte("0123456789ab"))
	tap, kept, head, omitted := p.Tap()
	defer tap.Close()
	if string(kept) != "012389ab" || head != 4 || omitted != 4 {
		t.Errorf("kept %q, head %d, omitted %d", kept, head, omitted)
	}
	c.take([]byte("cd"))
	c.take([]byte("ef"))
	if data, missed, err := tap.Next(t.Context()); string(data) != "cdef" || missed != 0 || err != nil {
		t.Errorf("%q, missed %d, %v", data, missed, err)
	}
	c.take([]byte("g"))
	c.close(false)
	if data, _, err := tap.Next(t.Context()); string(data) != "g" || err != nil {
		t.Errorf("%q, %v: what came before the end is lost", data, err)
	}
	if _, _, err := tap.Next(t.Context()); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	late, kept, _, _ := p.Tap()
	defer late.Close()
	if _, _, err := late.Next(t.Context()); err != io.EOF || string(kept) != "0123defg" {
		t.Errorf("a tap after the end: kept %q, %v", kept, err)
	}
}

func TestASlowReaderMissesSomethingAndHoldsNothingUp(t *testing.T) {
	p, c := tapped(t, 0)
	tap, _, _, _ := p.Tap()
	defer tap.Close()
	block := bytes.Repeat([]byte("x"), 1000)
	for range 1000 { // it returns although nobody reads
		c.take(block)
	}
	data, missed, err := tap.Next(t.Context())
	if len(data) != tapBuffer || int64(len(data))+missed != 1_000_000 || err != nil {
		t.Errorf("%d bytes, missed %d, %v", len(data), missed, err)
	}
	c.take([]byte("again"))
	if data, missed, _ := tap.Next(t.Context()); string(data) != "again" || missed != 0 {
		t.Errorf("after the gap %q, missed %d", data, missed)
	}
	tap.Close()
	tap.Close()
	c.take([]byte("unheard"))
	if len(c.taps) != 0 {
		t.Error("a closed tap is still there")
	}
}

func TestATapWaits(t *testing.T) {
	_, c := tapped(t, 0)
	synctest.Test(t, func(t *testing.T) {
		tap := &Tap{from: c, ready: make(chan struct{}, 1)}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, _, err := tap.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without output: %v", err)
		}
		go func() { time.Sleep(time.Second); tap.put([]byte("late")) }()
		if data, _, err := tap.Next(t.Context()); string(data) != "late" || err != nil {
			t.Errorf("%q, %v", data, err)
		}
	})
}

func TestStopStopsInOrder(t *testing.T) {
	t.Parallel()
	heard := listen("ready")
	spec := script(t, "obey-term")
	spec.Output = heard
	p := start(t, spec)
	go func() { <-heard.heard; p.Stop(); p.Stop() }()
	if r := p.Wait(t.Context()); !r.Interrupted || r.TimedOut || !strings.Contains(string(r.Output), "cleaned up") {
		t.Errorf("%+v with output %q", r, r.Output)
	}
	p.Stop() // after the end it does nothing
	p.Kill()
}

// The end of the context shortens the grace, also of a tree that is being
// stopped for another reason.
func TestInterruptGrace(t *testing.T) {
	t.Parallel()
	for name, timeout := range map[string]time.Duration{"the context alone": 0, "a time-out before it": 2 * time.Second} {
		heard := listen("ready")
		spec := script(t, "ignore-term")
		spec.Output, spec.Timeout, spec.InterruptGrace = heard, timeout, 50*time.Millisecond // the grace is a minute
		ctx, cancel := context.WithCancel(t.Context())
		p := start(t, spec)
		go func() {
			<-heard.heard
			if timeout > 0 {
				eventually(t, "the time is up", func() bool { return time.Since(p.started) > timeout+timeout/4 })
			}
			cancel()
		}()
		r := p.Wait(ctx)
		if r.Signal != "SIGKILL" || r.TimedOut != (timeout > 0) || r.Ended.Sub(r.Started) > 30*time.Second {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// Where the kernel gives no descriptor of a process, a goroutine waits for it.
func TestWaitingWithoutADescriptor(t *testing.T) {
	t.Parallel()
	for _, wake := range []bool{false, true} {
		over := make(chan struct{})
		c := &child{alarm: startReaping(func() status { <-over; return status{} })}
		if wake {
			c.wake()
			c.wake()
			if c.await(time.Time{}) {
				t.Error("it has ended, it says, when it was only woken")
			}
		}
		if c.await(time.Now().Add(10 * time.Millisecond)) {
			t.Error("it has ended, it says, when only the time was up")
		}
		close(over)
		if !c.await(time.Time{}) || !c.ended() {
			t.Error("its end is not noticed")
		}
	}
}
