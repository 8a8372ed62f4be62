package embedded

import (
	"runtime/debug"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
)

// shownLane is what of a lane others may ask, as of the newest commit.
type shownLane struct {
	engine.HookStatus
	held bool
	id   int64
}

// publish does what must follow a commit: callers get their answers, attempts
// begin, and who waits for a run's end hears of it.
func (e *Engine) publish(t *tx) {
	e.show(t)
	for _, a := range t.starts {
		e.attempts.Add(1)
		e.workers.do(func() { e.perform(a) })
	}
	for _, o := range t.batch {
		if _, isEnd := o.(*attempt); isEnd {
			e.loose.Add(-1)
		}
		o.answer(nil)
	}
	e.loose.Add(-int64(len(t.lazy)))
	for _, a := range t.cancels {
		a.toCancel = true // not before: a commit that fails cancels nothing
		a.cancel(engine.ErrCancelled)
	}
	for _, end := range t.lives {
		end.end(end.outcome)
	}
	if forgotten := t.forgotten; len(forgotten) > 0 && e.options.Forgotten != nil {
		e.hearers.Go(func() { e.options.Forgotten(forgotten) })
	}
	l := &e.loop
	e.tellTaken(t.now)
	e.showRoom(l.diskLow, l.keptBytes)
	if l.maintain = e.db.Maintain(false); l.maintain || len(t.batch)+len(t.lazy) > 0 {
		l.tidyAt, l.restAt = t.now.Add(quiet), time.Time{}
	}
}

// show makes known what others may ask, and wakes who waits for a run's end.
func (e *Engine) show(t *tx) {
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range t.lanes {
		s.hooks[l.name] = shownLane{
			HookStatus: engine.HookStatus{Waiting: l.waiting, Running: l.running, Failures: l.failures, Paused: l.paused},
			held:       l.hook == nil, id: l.id,
		}
	}
	s.waiting = t.schedule.waiting
	s.running = e.options.Concurrent - t.schedule.free
	if len(s.waiters) == 0 {
		return
	}
	for _, id := range t.ended {
		for _, waiter := range s.waiters[id] {
			close(waiter)
		}
		delete(s.waiters, id)
	}
}

// idle tidies up when nothing else is to be done.
func (e *Engine) idle(now time.Time) {
	l := &e.loop
	if !l.restAt.IsZero() && !now.Before(l.restAt) {
		l.restAt = time.Time{}
		e.rest()
	}
	if l.tidyAt.IsZero() || now.Before(l.tidyAt) || l.broken != nil || !e.starting() {
		return
	}
	more := e.tidy(now)
	l.tidyAt = time.Time{}
	switch {
	case l.broken != nil:
	case more:
		l.tidyAt = now
	case e.db.Maintain(true):
		l.tidyAt = now.Add(quiet)
	case l.diskLow || e.lacksReserve():
		l.tidyAt = now.Add(forRoom)
	default:
		l.restAt = now.Add(resting)
	}
}

// rest gives memory that work has left behind back to the system, once work has
// ended: by itself the runtime does so only over minutes, and SQLite never.
func (e *Engine) rest() {
	e.db.Rest()
	debug.FreeOSMemory()
}
