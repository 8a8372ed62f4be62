package embedded

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
)

func TestStartsYieldToACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options("")
		o.Memory, o.Concurrent = true, 32
		e := b.open(o)
		var accepted sync.WaitGroup
		gathered := make(chan struct{})
		accepted.Go(func() { // the loop is held up until the crowd is there
			if err := e.ask(t.Context(), func(*tx, *request) error { <-gathered; return nil }); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 64 {
			accepted.Go(func() {
				s, _ := submissionOf("build", "")
				if _, err := e.Submit(t.Context(), s); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(gathered)
		accepted.Wait()
		synctest.Wait()
		if n := b.attempts(); n == 0 || n == o.Concurrent {
			t.Errorf("%d attempts began with the crowd, want some and not all", n)
		}
		time.Sleep(2 * yieldFor)
		synctest.Wait()
		if n := b.attempts(); n != o.Concurrent {
			t.Errorf("%d attempts began after it had gone, want %d", n, o.Concurrent)
		}
	})
}

func TestACrowdThatStaysIsYieldedToForATimeOnly(t *testing.T) {
	var y yielding
	now := time.Unix(0, 0)
	yielded, longest := time.Duration(0), time.Duration(0)
	for range 20 * int(yieldMost/time.Millisecond) {
		y.see(crowd, now)
		if y.until(now).IsZero() {
			yielded = 0
		} else {
			yielded += time.Millisecond
		}
		longest = max(longest, yielded)
		now = now.Add(time.Millisecond)
	}
	if longest < yieldMost/2 || longest > yieldMost {
		t.Errorf("starts yielded %s at a stretch, want %s at most", longest, yieldMost)
	}
	if y.see(crowd-1, now.Add(yieldGap)); y.until(now.Add(yieldGap)) != (time.Time{}) {
		t.Error("they yield to what is no crowd")
	}
}
