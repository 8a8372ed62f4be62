package embedded

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// While runs wait for a place alone, the log says so, once a minute at most, and
// names the hook whose script has run longest. What waits for something else is
// no reason.
func TestThatAllPlacesAreTakenIsTold(t *testing.T) {
	const text = "runs wait: all places"
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "hangs"}, &hook.Hook{ID: "build"}, &hook.Hook{ID: "one", Queue: hook.Queue{MaxConcurrent: 1}})
		o := b.options("")
		o.Memory, o.Concurrent = true, 2
		o.Start = func(ctx context.Context, r run.Run, output io.Writer) run.Outcome {
			if r.Hook == "hangs" {
				<-ctx.Done()
			}
			return b.start(ctx, r, output)
		}
		e := b.open(o)
		told := func(when string, want int) {
			t.Helper()
			synctest.Wait()
			if got := strings.Count(b.logged(), text); got != want {
				t.Errorf("%s: told %d times, want %d:\n%s", when, got, want, b.logged())
			}
		}
		b.submit(e, "hangs", "")
		time.Sleep(time.Millisecond)
		b.submit(e, "one", "")
		told("all places are taken, and nothing waits", 0)
		b.submit(e, "one", "")
		told("what waits may not start anyway", 0)
		b.submit(e, "build", "")
		told("a run waits for a place", 1)
		if log := b.logged(); !strings.Contains(log, `"hook":"hangs"`) {
			t.Errorf("the script that has run longest is not named:\n%s", log)
		}
		for range 50 {
			b.submit(e, "build", "")
		}
		told("more wait", 1)
		time.Sleep(tellEvery)
		for range 3 {
			b.submit(e, "build", "")
		}
		told("a minute later", 2)
	})
}
