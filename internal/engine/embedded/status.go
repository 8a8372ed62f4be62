package embedded

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
)

// showBroken makes known whether the journal can be written.
func (e *Engine) showBroken(err error) {
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.broken == nil {
		s.since = e.now()
	}
	s.broken = err
}

// Status tells how the engine is; see engine.Engine.
func (e *Engine) Status() engine.Status {
	stats := e.db.Stats()
	problem := e.alarm(e.nearlyFull()) // as it is now: the loop may be at rest
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	status := engine.Status{
		Durable:   !e.options.Memory,
		Accepting: s.broken == nil && !e.closed.Load(),
		Problem:   problem,
		Waiting:   s.waiting,
		Running:   s.running + len(s.beside),
		Bytes:     stats.Bytes + stats.WAL + s.kept,
		Reserve:   stats.Reserve,
		Wanted:    stats.Wanted,
		Hooks:     make(map[string]engine.HookStatus, len(s.hooks)),
	}
	if s.broken != nil {
		status.Problem = brokenText(s.broken)
	} else if hangs := e.writing.hangs(e.now); hangs != nil {
		status.Accepting, status.Problem = false, "nothing is accepted: "+hangs.Error()
	}
	for name, l := range s.hooks {
		l.Running += s.ofHook[name]
		status.Hooks[name] = l.HookStatus
	}
	for name, n := range s.ofHook {
		if _, known := status.Hooks[name]; !known {
			status.Hooks[name] = engine.HookStatus{Running: n}
		}
	}
	return status
}

// brokenText says in words why nothing is accepted, and what to do.
func brokenText(err error) string {
	switch {
	case errors.Is(err, database.ErrFull):
		return "nothing is accepted: the disk is full and the journal's reserve is used up; make room: " + err.Error()
	case errors.Is(err, database.ErrDamaged):
		return "nothing is accepted: the journal is damaged; restore a backup, or start with -data-dir-repair: " + err.Error()
	}
	return "nothing is accepted: the journal cannot be written; it is tried again by itself: " + err.Error()
}

// Why tells what a run waits for; see engine.Engine.
func (e *Engine) Why(ctx context.Context, id string) (text, behind string, err error) {
	e.settle(ctx)
	key, err := parseID(id)
	if err != nil {
		return "", "", engine.ErrNotFound
	}
	var found bool
	var record entry
	err = e.view(ctx, func(c *database.Conn) error {
		var place int64
		if found, err = one(c, func(r *database.Rows) { record = readRecord(r, e.gone) }, recordByID, key); err != nil || !found {
			return err
		}
		if record.phase != blocked {
			return nil
		}
		if _, err = one(c, func(r *database.Rows) { place = r.Int64(1) }, ticketByID, key); err != nil {
			return err
		}
		_, err = one(c, func(r *database.Rows) { behind = idText(r.Raw(0)) }, behindRun, record.hook, record.Key.Text, place)
		return err
	})
	switch {
	case err != nil:
		return "", "", err
	case !found:
		return "", "", engine.ErrNotFound
	case !record.phase.waits():
		return "", "", nil
	}
	return e.whyWaits(&record, behind), behind, nil
}

// whyWaits says what a waiting run waits for: first what nobody but a person
// ends, then what is before it.
func (e *Engine) whyWaits(r *entry, behind string) string {
	h := e.hookOf(r.Hook)
	s := &e.shared
	s.mu.Lock()
	l, all := s.hooks[r.Hook], s.running
	s.mu.Unlock()
	switch {
	case h == nil:
		return "its hook " + r.Hook + " is in no hook file; it waits until it is back"
	case l.Paused != "":
		return "its hook is paused: " + l.Paused
	case r.phase == retrying:
		return "it is tried again at " + clock(r.NotBefore)
	case r.phase == delayed:
		return "it rests (queue.debounce) until " + clock(r.NotBefore)
	case r.phase == blocked && behind != "":
		return "it stands behind run " + behind + " of the same key"
	case h.Queue.MaxConcurrent > 0 && l.Running >= h.Queue.MaxConcurrent:
		return fmt.Sprintf("%d of its hook's runs run, which is as many as may (queue.max-concurrent)", l.Running)
	case all >= e.options.Concurrent:
		return fmt.Sprintf("%d runs run, which is as many as may (-max-concurrent)", all)
	case h.Queue.Rate.Starts > 0:
		return fmt.Sprintf("no more than %d attempts of its hook may start in %s (queue.rate-limit)", h.Queue.Rate.Starts, h.Queue.Rate.Per)
	case e.closed.Load():
		return "Pawl stops: it starts after the next start of Pawl"
	}
	return "it is about to start"
}

func clock(t time.Time) string { return t.Format(time.RFC3339) }
