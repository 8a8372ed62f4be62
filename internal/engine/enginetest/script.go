package enginetest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// script is what the attempts of a run do. The zero value runs for a second and
// exits with 0.
type script struct {
	takes  time.Duration // 0: a second
	ends   []run.Outcome // of the first attempt, the second…; the last one's holds for all that follow
	prints []string      // likewise
	deaf   bool          // goes on to its end though it is interrupted
}

// exits makes outcomes of exit codes.
func exits(codes ...int) []run.Outcome {
	var outcomes []run.Outcome
	for _, code := range codes {
		outcomes = append(outcomes, run.Outcome{End: run.Exited, ExitCode: code})
	}
	return outcomes
}

// does says what the attempts of a run, by its name, or of all runs of a hook do.
func (w *world) does(runOrHook string, s script) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scripts[runOrHook] = s
}

// attempt is one attempt as the world saw it.
type attempt struct {
	name    string
	life    int
	run     run.Run
	began   time.Time
	ended   time.Time // zero while it goes on
	cause   error     // for which it was interrupted
	outcome run.Outcome
}

// start is the Start func of the engine of one life.
func (w *world) start(life int) engine.Start {
	return func(ctx context.Context, r run.Run, output io.Writer) run.Outcome {
		a, s := w.begin(life, r)
		outcome := nth(s.ends, r.Attempt, run.Outcome{End: run.Exited})
		outcome.Started = a.began
		if outcome.Output == nil {
			outcome.Output = []byte(nth(s.prints, r.Attempt, ""))
			outcome.Head = len(outcome.Output)
		}
		if output != nil {
			_, _ = output.Write(outcome.Output)
		}
		interrupted := s.play(ctx)
		if interrupted != nil && !s.deaf {
			outcome.End, outcome.ExitCode, outcome.Reason = run.Interrupted, -1, "Pawl stopped"
			if errors.Is(interrupted, engine.ErrCancelled) {
				outcome.End, outcome.Reason = run.Stopped, "cancelled by hand"
			}
		}
		outcome.Ended = time.Now()
		w.end(a, outcome, interrupted)
		return outcome
	}
}

// nth gives the n-th of a list, counted from 1, or the last.
func nth[T any](list []T, n int, otherwise T) T {
	if len(list) == 0 {
		return otherwise
	}
	return list[max(0, min(n, len(list))-1)]
}

// play passes the script's time, and gives the cause for which it was to end
// before.
func (s script) play(ctx context.Context) error {
	takes := s.takes
	if takes == 0 {
		takes = time.Second
	}
	timer := time.NewTimer(takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		if s.deaf {
			<-timer.C
		}
		return context.Cause(ctx)
	}
}

// begin notes that an attempt begins, and complains where it must not.
func (w *world) begin(life int, r run.Run) (*attempt, script) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name, ok := w.names[r.ID]
	if !ok {
		name = r.Hook // it follows from another run, and its hook tells enough
	}
	a := &attempt{name: name, life: life, run: r, began: time.Now()}
	if life == w.life {
		w.complain(a)
		w.attempts = append(w.attempts, a)
		w.going[a], w.latest[r.ID] = true, r.Attempt
	}
	s, ok := w.scripts[name]
	if !ok {
		s = w.scripts[r.Hook]
	}
	return a, s
}

// complain looks whether an attempt may begin beside those that go on.
func (w *world) complain(a *attempt) {
	all, ofHook := 1, 1
	if latest := w.latest[a.run.ID]; latest >= a.run.Attempt {
		w.t.Errorf("attempt %d of %s begins after its attempt %d", a.run.Attempt, a.name, latest)
	}
	for other := range w.going {
		if other.run.ID == a.run.ID {
			w.t.Errorf("two attempts of %s at once", a.name)
		}
		if w.beside[other.run.ID] || w.beside[a.run.ID] {
			continue
		}
		all++
		if other.run.Hook != a.run.Hook {
			continue
		}
		ofHook++
		if a.run.Key.Set && other.run.Key.Set && other.run.Key.Text == a.run.Key.Text {
			w.t.Errorf("%s begins while %s of the same key %q goes on", a.name, other.name, a.run.Key.Text)
		}
	}
	if all > w.concurrent {
		w.t.Errorf("%s is the %d. attempt at once, allowed are %d", a.name, all, w.concurrent)
	}
	h := w.hooks[a.run.Hook]
	switch {
	case w.beside[a.run.ID]:
	case h == nil:
		w.t.Errorf("%s begins though its hook %s is gone", a.name, a.run.Hook)
	case h.Queue.MaxConcurrent > 0 && ofHook > h.Queue.MaxConcurrent:
		w.t.Errorf("%s is the %d. attempt of %s at once, allowed are %d", a.name, ofHook, h.ID, h.Queue.MaxConcurrent)
	}
}

func (w *world) end(a *attempt, outcome run.Outcome, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.life != w.life {
		return
	}
	a.ended, a.outcome, a.cause = outcome.Ended, outcome, cause
	delete(w.going, a)
}
