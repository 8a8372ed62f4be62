package embedded

import (
	"context"
	"errors"

	"github.com/pawlhq/pawl/internal/database"
)

// handStep is how many runs one operation of a person's changes: others must
// not wait behind a hundred thousand.
const handStep = 200

// byHandEach does something with runs, by their ids, and gives the ids of those
// with which it could. Unknown ones are left out.
func (e *Engine) byHandEach(ctx context.Context, ids []string, do func(*tx, waiter) (bool, error)) ([]string, error) {
	var done []string
	for len(ids) > 0 {
		n := min(len(ids), handStep)
		var step []string
		err := e.ask(ctx, func(t *tx, _ *request) error {
			step = nil
			for _, id := range ids[:n] {
				w, found, err := t.find(id)
				if err != nil {
					return err
				}
				if !found {
					continue
				}
				did, err := do(t, w)
				if err != nil {
					return err
				}
				if did {
					step = append(step, id)
				}
			}
			return nil
		})
		if err != nil {
			return done, err
		}
		done, ids = append(done, step...), ids[n:]
	}
	return done, nil
}

// find reads a run by its id.
func (t *tx) find(id string) (w waiter, found bool, err error) {
	key, err := parseID(id)
	if err != nil {
		return w, false, nil
	}
	found, err = one(t.c, func(r *database.Rows) { w = readTicket(r) }, ticketByID, key)
	if found {
		w.lane = t.schedule.byID[w.hook]
	}
	return w, found, err
}

// Cancel ends runs for good; see engine.Engine.
func (e *Engine) Cancel(ctx context.Context, ids ...string) ([]string, error) {
	return e.byHandEach(ctx, ids, func(t *tx, w waiter) (bool, error) {
		switch {
		case w.phase.waits():
			return true, t.endWaiting(w, cancelled, "cancelled by hand", "", true)
		case w.phase == running:
			if err := t.c.Exec(markCancelled, w.seq); err != nil {
				return false, err
			}
			if a := t.active[w.seq]; a != nil {
				t.cancels = append(t.cancels, a)
			}
			return true, nil
		}
		return false, nil
	})
}

// Rerun puts runs in line once more; see engine.Engine.
func (e *Engine) Rerun(ctx context.Context, ids ...string) ([]string, error) {
	return e.byHandEach(ctx, ids, func(t *tx, w waiter) (bool, error) {
		switch {
		case w.phase == retrying:
			w.flags |= byHand
			w.tries = 0
			if err := t.c.Exec(endWait, w.seq); err != nil {
				return false, err
			}
			return true, t.queue(w)
		case w.phase.final():
			return true, t.putAgain(w)
		}
		return false, nil
	})
}

// putAgain puts a run that has ended at the end of its line.
func (t *tx) putAgain(w waiter) error {
	l := w.lane
	w.place, t.counter = t.sequence(1), true
	w.flags = w.flags&^toCancel | byHand
	w.tries, w.interruptions = 0, 0
	to := ready
	if w.keyed {
		behind, err := t.isBehind(w.ticket)
		if err != nil {
			return err
		}
		if behind {
			to = blocked
		}
	}
	if err := t.c.Exec(putAgain, int64(to), w.place, w.flags, w.seq); err != nil {
		return err
	}
	l.ended--
	t.count(l, 1)
	if to == ready {
		return t.queue(w)
	}
	return nil
}

var errNoReason = errors.New("a pause needs a reason")

// Pause keeps runs of a hook from starting; see engine.Engine.
func (e *Engine) Pause(ctx context.Context, hook, reason string) error {
	if reason == "" {
		return errNoReason
	}
	return e.ask(ctx, func(t *tx, _ *request) error {
		l, err := t.lane(hook)
		if err != nil {
			return err
		}
		l.paused, l.dirty = reason, true
		t.touch(l)
		return nil
	})
}

// Resume lets them start again; see engine.Engine. The failures that may have
// paused the hook are forgotten, else the next one would pause it again.
func (e *Engine) Resume(ctx context.Context, hook string) error {
	return e.ask(ctx, func(t *tx, _ *request) error {
		l := t.schedule.named[hook]
		if l == nil || l.paused == "" {
			return nil
		}
		l.paused, l.failures, l.dirty = "", 0, true
		t.touch(l)
		t.schedule.look(l, t.now)
		return nil
	})
}

// Reload says that the hooks in force have changed; see engine.Engine. It does
// not wait for the loop.
func (e *Engine) Reload() {
	e.shared.mu.Lock()
	e.shared.reload = true
	e.shared.mu.Unlock()
	e.nudge()
}
