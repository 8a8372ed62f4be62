package fault

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/engine/embedded"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// decade is how far the clock jumps between two lives of an engine.
const decade = 10 * 365 * 24 * time.Hour

// jumps are what the clock may do while Pawl is not running. Each life begins in
// a bubble of time of its own, in which it is the year 2000 at first.
var jumps = map[string]struct{ before, after time.Duration }{
	"set back":    {decade, 0},
	"set forward": {0, decade},
}

// clocked is an engine of two lives, and what its scripts did.
type clocked struct {
	t         *testing.T
	directory string
	hook      hook.Hook
	fails     bool // its scripts do, now

	mu      sync.Mutex
	started []string // runs, in order
	names   map[string]string
}

func (c *clocked) open() *embedded.Engine {
	c.t.Helper()
	e, err := embedded.Open(context.Background(), embedded.Options{
		Options: engine.Options{
			Start:      c.start,
			Hook:       func(string) *hook.Hook { return &c.hook },
			Concurrent: 10, Sync: 1, Log: zerolog.Nop(),
		},
		Directory: c.directory,
	})
	check(c.t, err)
	return e
}

func (c *clocked) start(_ context.Context, r run.Run, _ io.Writer) run.Outcome {
	c.mu.Lock()
	c.started = append(c.started, c.names[r.ID])
	fails := c.fails
	c.mu.Unlock()
	now := time.Now()
	if fails {
		return run.Outcome{End: run.Exited, ExitCode: 1, Started: now, Ended: now}
	}
	return run.Outcome{End: run.Exited, Started: now, Ended: now}
}

// deliver submits one run of the one key, by a name; sender is the sender's own
// id of the delivery.
func (c *clocked) deliver(e engine.Engine, name, sender string) run.Receipt {
	c.t.Helper()
	id := uuid.Must(uuid.NewV7()).String()
	c.mu.Lock()
	c.names[id] = name
	c.mu.Unlock()
	receipt, err := e.Submit(context.Background(), run.Submission{
		Delivery: &run.Delivery{ID: uuid.Must(uuid.NewV7()).String(), Received: time.Now(), Method: "POST", Path: "/h"},
		Parts: []run.Part{{
			Hook: "h", SenderID: sender, Dedupe: 24 * time.Hour,
			Runs: []run.Run{{ID: id, Hook: "h", Key: run.Key{Text: "k", Set: true}}},
		}},
	})
	check(c.t, err)
	return receipt
}

func (c *clocked) begun() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.started)
}

// lives runs two lives of an engine, between which the clock jumps.
func lives(t *testing.T, h hook.Hook, first, second func(c *clocked, e engine.Engine)) {
	for name, jump := range jumps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &clocked{directory: t.TempDir(), hook: h, names: map[string]string{}}
			c.hook.ID, c.hook.Queue.Set, c.hook.Keep.Runs = "h", true, 1000
			life := func(at time.Duration, what func(*clocked, engine.Engine)) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(at)
					c.t = t
					e := c.open()
					what(c, e)
					check(t, e.Stop(context.Background(), time.Minute))
				})
			}
			life(jump.before, first)
			life(jump.after, second)
		})
	}
}

// TestOrderIsNotTheClocks: what was delivered first runs first.
func TestOrderIsNotTheClocks(t *testing.T) {
	lives(t, hook.Hook{},
		func(c *clocked, e engine.Engine) {
			check(c.t, e.Pause(context.Background(), "h", "a test"))
			for i := range 5 {
				c.deliver(e, fmt.Sprint("before ", i), "")
			}
		},
		func(c *clocked, e engine.Engine) {
			for i := range 5 {
				c.deliver(e, fmt.Sprint("then ", i), "")
			}
			check(c.t, e.Resume(context.Background(), "h"))
			time.Sleep(time.Second)
			want := []string{"before 0", "before 1", "before 2", "before 3", "before 4", "then 0", "then 1", "then 2", "then 3", "then 4"}
			if got := c.begun(); !slices.Equal(got, want) {
				c.t.Errorf("they ran as %v", got)
			}
		})
}

// TestWaitsAreNoLongerThanTheirHookSays, whatever the clock does meanwhile.
func TestWaitsAreNoLongerThanTheirHookSays(t *testing.T) {
	cases := map[string]struct {
		hook  hook.Hook
		fails bool
		begun int // attempts before the clock jumps
		most  time.Duration
	}{
		"for another try": {
			hook:  hook.Hook{Retry: hook.Retry{Attempts: 3, Backoff: time.Hour, MaxBackoff: 2 * time.Hour}},
			fails: true, begun: 1, most: 2*time.Hour + 12*time.Minute,
		},
		"for a key to rest": {
			hook:  hook.Hook{Queue: hook.Queue{Coalesce: true, Debounce: 10 * time.Minute}},
			begun: 0, most: 100 * time.Minute,
		},
		"for a rate": {
			hook:  hook.Hook{Queue: hook.Queue{Rate: hook.Rate{Starts: 1, Per: time.Hour}}},
			begun: 1, most: time.Hour,
		},
	}
	for name, k := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lives(t, k.hook,
				func(c *clocked, e engine.Engine) {
					c.fails = k.fails
					if c.deliver(e, "first", ""); k.begun > 0 {
						time.Sleep(time.Second) // its attempt ends
						c.deliver(e, "second", "")
					}
					time.Sleep(time.Second)
					if n := len(c.begun()); n != k.begun {
						c.t.Fatalf("%d attempts before the clock jumps, want %d", n, k.begun)
					}
				},
				func(c *clocked, _ engine.Engine) {
					c.mu.Lock()
					c.fails = false
					c.mu.Unlock()
					time.Sleep(k.most + time.Second)
					if n := len(c.begun()); n <= k.begun {
						c.t.Errorf("after %v nothing more has begun", k.most)
					}
				})
		})
	}
}

// TestARepeatIsKnownNoLongerThanItsHookSays: the time when the first came may
// seem to lie years ahead.
func TestARepeatIsKnownNoLongerThanItsHookSays(t *testing.T) {
	lives(t, hook.Hook{},
		func(c *clocked, e engine.Engine) {
			c.deliver(e, "first", "id")
			time.Sleep(time.Second)
			if receipt := c.deliver(e, "repeat", "id"); receipt.DuplicateOf[0] == "" {
				c.t.Error("the repeat was not known")
			}
		},
		func(c *clocked, e engine.Engine) {
			time.Sleep(25 * time.Hour)
			if receipt := c.deliver(e, "a day later", "id"); receipt.DuplicateOf[0] != "" {
				c.t.Error("a day later it was taken for a repeat")
			}
			time.Sleep(time.Second)
		})
}
