package embedded

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

var long = flag.Bool("long", false, "also measure what takes minutes")

// A backlog of a million runs costs disk, not memory, and little time.
func TestAMillionRunsWait(t *testing.T) {
	n := 4_000
	if *long {
		n = 1_000_000
	}
	b := newBed(t, &hook.Hook{ID: "build"}, &hook.Hook{ID: "keyed", Queue: hook.Queue{Set: true}})
	o := b.options(t.TempDir())
	o.Concurrent = 0
	e := b.open(o)
	empty := acceptRate(b, e, 1000)
	fill(b, e, n)
	full := acceptRate(b, e, 1000)
	if err := e.Stop(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	began := time.Now()
	e = b.open(o)
	took := time.Since(began)
	if waiting := e.Status().Waiting; waiting != n+2_000 {
		t.Errorf("%d wait, want %d", waiting, n+2_000)
	}
	for _, l := range e.loop.schedule.byID {
		if len(l.window) > windowSize {
			t.Errorf("the window of %s holds %d runs, more than %d", l.name, len(l.window), windowSize)
		}
	}
	t.Logf("%d runs: ready again after %s; resident %s; accepted a second: %.0f empty, %.0f full", n, took, resident(), empty, full)
	if *long && took > 5*time.Second {
		t.Errorf("ready again after %s", took)
	}
	listQuickly(b, e)
}

// fill accepts n runs, most of one hook, a part of them of one key.
func fill(b *bed, e *Engine, n int) {
	var work sync.WaitGroup
	for worker := range 8 {
		work.Go(func() {
			for i := 0; i < n/8; i += 10 {
				hook, key := "build", ""
				if worker == 0 {
					hook, key = "keyed", "one"
				}
				s, _ := submissionOf(hook, key)
				for range min(9, n/8-i-1) {
					r := s.Parts[0].Runs[0]
					r.ID = newID()
					s.Parts[0].Runs = append(s.Parts[0].Runs, r)
				}
				if _, err := e.Submit(context.Background(), s); err != nil {
					b.t.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
}

// acceptRate is how many deliveries are accepted in a second.
func acceptRate(b *bed, e *Engine, n int) float64 {
	began := time.Now()
	var work sync.WaitGroup
	for range 50 {
		work.Go(func() {
			for range n / 50 {
				b.submit(e, "build", "")
			}
		})
	}
	work.Wait()
	return float64(n) / time.Since(began).Seconds()
}

func listQuickly(b *bed, e *Engine) {
	key := "one"
	since := time.Now().Add(-time.Minute)
	for name, f := range map[string]engine.Filter{
		"all": {}, "hook": {Hook: "build"}, "state": {State: run.Queued}, "key": {Key: &key}, "since": {Since: since},
		"hook and state": {Hook: "keyed", State: run.Queued}, "key and state": {Key: &key, State: run.Queued}, "hook and key": {Hook: "keyed", Key: &key},
	} {
		began := time.Now()
		listing, err := e.List(context.Background(), f, engine.Page{})
		took := time.Since(began)
		if err != nil || len(listing.Runs) != defaultPage {
			b.t.Errorf("%s: %d runs, %v", name, len(listing.Runs), err)
		}
		b.t.Logf("list by %s: %s", name, took)
		if *long && took > 20*time.Millisecond {
			b.t.Errorf("the newest 50 by %s took %s", name, took)
		}
	}
}

// resident is the memory of this process that is in use, where the system tells.
func resident() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kib int
			_, _ = fmt.Sscan(text, &kib)
			return fmt.Sprintf("%d MiB", kib>>10)
		}
	}
	return "unknown"
}
