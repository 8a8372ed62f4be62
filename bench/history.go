//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/engine/embedded"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// The journal that lists are asked of. The numbers are coprime, so that hooks,
// keys and failures fall together in every way.
const (
	historyHooks = 20     // each of the same number of runs
	historyKeys  = 10_007 // the same, over all hooks
	failedEvery  = 23
	rareEvery    = 15_013 // a run of the hook "rare"
	waitEvery    = 101    // a run of the hook "waiting", which is paused
	cancelEvery  = 97     // of those that wait, one that is cancelled
)

// historyHook names the hook of a run.
func historyHook(i int) string {
	switch {
	case i%rareEvery == 0:
		return "rare"
	case i%waitEvery == 0:
		return "waiting"
	}
	return fmt.Sprintf("hook-%02d", i%historyHooks)
}

func historyKey(i int) string { return fmt.Sprintf("acme/example-%05d", i%historyKeys) }

// openHistory opens the engine itself, without a server: what is measured is the
// journal. Nothing of it is pruned, and scripts end at once.
func openHistory(ctx context.Context, directory string) (*embedded.Engine, error) {
	start := func(_ context.Context, r run.Run, _ io.Writer) run.Outcome {
		now := time.Now()
		outcome := run.Outcome{End: run.Exited, Started: now, Ended: now, Output: []byte("done\n"), Head: 5}
		if r.Element == "fail" {
			outcome.ExitCode, outcome.Reason = 1, "exit status 1"
		}
		return outcome
	}
	kept := hook.Keep{Runs: math.MaxInt32, Age: 100 * 365 * 24 * time.Hour, Output: hook.DefaultKeepOutput, Artifacts: hook.DefaultKeepArtifacts}
	return embedded.Open(ctx, embedded.Options{
		Options: engine.Options{
			Start:      start,
			Hook:       func(id string) *hook.Hook { return &hook.Hook{ID: id, Keep: kept, Queue: hook.Queue{Set: true}} },
			Concurrent: 256, Sync: 16, Log: zerolog.Nop(),
		},
		Directory: directory, Reserve: 64 << 20,
	})
}

// fillHistory submits runs and waits until those have ended that are to. It
// gives the moment at which nine of ten had been accepted.
func fillHistory(ctx context.Context, e *embedded.Engine, count int) (since time.Time, err error) {
	if err := e.Pause(ctx, "waiting", "measured"); err != nil {
		return since, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, waiting atomic.Int64
	var senders sync.WaitGroup
	var late sync.Once
	for range 256 {
		senders.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= count || ctx.Err() != nil {
					return
				}
				if i >= count/10*9 {
					late.Do(func() { since = time.Now() })
				}
				if err := submitHistory(ctx, e, i); err != nil {
					cancel(err)
					return
				}
				if historyHook(i) == "waiting" && waiting.Add(1)%cancelEvery == 0 {
					if err := cancelNewest(ctx, e); err != nil {
						cancel(err)
					}
				}
			}
		})
	}
	senders.Wait()
	for left := 1; left > 0 && ctx.Err() == nil; {
		status := e.Status()
		left = status.Running + status.Waiting - status.Hooks["waiting"].Waiting
		_ = pause(ctx, 10*time.Millisecond) // its end is the loop's
	}
	return since, context.Cause(ctx)
}

func submitHistory(ctx context.Context, e *embedded.Engine, i int) error {
	delivery, id := uuid.Must(uuid.NewV7()).String(), uuid.Must(uuid.NewV7()).String()
	r := run.Run{ID: id, Hook: historyHook(i), Key: run.Key{Text: historyKey(i), Set: true}}
	if i%failedEvery == 0 {
		r.Element = "fail"
	}
	_, err := e.Submit(ctx, run.Submission{
		Delivery: &run.Delivery{ID: delivery, Received: time.Now(), Method: "POST", Path: "/hooks/" + r.Hook, Body: payload(300), RemoteAddr: "127.0.0.1:1"},
		Parts:    []run.Part{{Hook: r.Hook, Runs: []run.Run{r}}},
	})
	return err
}

func cancelNewest(ctx context.Context, e *embedded.Engine) error {
	list, err := e.List(ctx, engine.Filter{Hook: "waiting", State: run.Queued}, engine.Page{Limit: 1})
	if err != nil || len(list.Runs) == 0 {
		return err
	}
	_, err = e.Cancel(ctx, list.Runs[0].ID)
	return err
}

// question is a list that is asked for.
type question struct {
	name   string
	filter engine.Filter
}

func questions(since time.Time) []question {
	key := historyKey(5)
	const common, rare = "hook-07", "rare"
	return []question{
		{"all", engine.Filter{}},
		{"hook", engine.Filter{Hook: common}},
		{"rare hook", engine.Filter{Hook: rare}},
		{"state", engine.Filter{State: run.Failed}},
		{"rare state", engine.Filter{State: run.Cancelled}},
		{"waiting state", engine.Filter{State: run.Queued}},
		{"key", engine.Filter{Key: &key}},
		{"since", engine.Filter{Since: since}},
		{"hook and state", engine.Filter{Hook: common, State: run.Failed}},
		{"rare hook and state", engine.Filter{Hook: rare, State: run.Failed}},
		{"hook and rare state", engine.Filter{Hook: common, State: run.Cancelled}},
		{"hook and key", engine.Filter{Hook: "hook-05", Key: &key}},
		{"hook and since", engine.Filter{Hook: common, Since: since}},
		{"rare hook and since", engine.Filter{Hook: rare, Since: since}},
		{"state and key", engine.Filter{State: run.Failed, Key: &key}},
		{"state and since", engine.Filter{State: run.Failed, Since: since}},
		{"rare state and since", engine.Filter{State: run.Cancelled, Since: since}},
		{"key and since", engine.Filter{Key: &key, Since: since}},
	}
}

// history fills a journal, opens it anew, and asks for lists.
func (b *bench) history(ctx context.Context) (rows []row, err error) {
	directory := filepath.Join(b.directory, "history")
	count := b.number(1_000_000, 30_000)
	e, err := openHistory(ctx, directory)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	since, err := fillHistory(ctx, e, count)
	b.say("%d runs written in %s, %s", count, time.Since(began).Round(time.Millisecond), size.text(float64(sizeOf(directory))))
	if err = errors.Join(err, e.Stop(ctx, time.Second)); err != nil {
		return nil, err
	}
	if e, err = openHistory(ctx, directory); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Stop(ctx, time.Second)) }()
	var slowest, worst float64
	var name string
	for _, q := range questions(since) {
		took, found, err := askHistory(ctx, e, q.filter)
		if err != nil {
			return nil, fmt.Errorf("list by %s: %w", q.name, err)
		}
		b.say("%-22s %3d runs, the first list %s, median %s", q.name, found, seconds.text(took[0]), seconds.text(median(took)))
		worst = max(worst, took[0])
		if median(took) > slowest {
			slowest, name = median(took), q.name
		}
	}
	of := fmt.Sprintf("newest 50 of %d runs: ", count)
	return []row{
		{What: of + "slowest, by " + name, Unit: seconds, Pawl: []float64{slowest}, Reach: reach{AtMost: 0.020, Figure: true}},
		{What: of + "slowest first time", Unit: seconds, Pawl: []float64{worst}},
	}, nil
}

// askHistory asks for a list 20 times, and gives the seconds that each took and
// how many runs it has.
func askHistory(ctx context.Context, e *embedded.Engine, f engine.Filter) (took []float64, found int, err error) {
	for range 20 {
		began := time.Now()
		list, err := e.List(ctx, f, engine.Page{Limit: 50})
		if err != nil {
			return nil, 0, err
		}
		took, found = append(took, time.Since(began).Seconds()), len(list.Runs)
	}
	return took, found, nil
}
