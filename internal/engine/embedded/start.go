package embedded

import (
	"context"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// recover makes the scheduler of the journal, ends what was running when it was
// last used, and starts what may start.
func (e *Engine) recover(ctx context.Context) error {
	if e.options.Recover != nil {
		var ids []string
		err := e.db.View(ctx, func(c *database.Conn) error {
			return each(c, func(r *database.Rows) { ids = append(ids, idText(r.Raw(0))) }, idsOfPhase, int64(running))
		})
		if err != nil {
			return err
		}
		if len(ids) > 0 {
			e.options.Recover(ids)
		}
	}
	var kept []string
	if e.options.Kept != nil && e.options.Forgotten != nil {
		kept = e.options.Kept()
	}
	t := e.newTx(nil, e.now())
	t.fresh, t.opening = true, true
	if err := e.db.Update(t.do); err != nil {
		return err
	}
	e.publish(t)
	if len(kept) > 0 {
		e.hearers.Go(func() { e.sweep(kept) })
	}
	e.loop.tidyAt = t.now.Add(quiet) // the reserve may have to be filled
	return nil
}

// refresh makes the scheduler anew of what the journal holds.
func (t *tx) refresh() error {
	if err := t.c.Exec(mkProbe); err != nil {
		return err
	}
	if err := t.c.Exec(probe); err != nil {
		return err
	}
	t.schedule = newSchedule(t.e.options.Concurrent)
	t.crowded = map[int64]bool{}
	if err := t.readLanes(); err != nil {
		return err
	}
	next, _, err := t.c.Number(getNext)
	if err != nil {
		return err
	}
	t.next = max(t.next, next)
	if err := t.readRunning(); err != nil {
		return err
	}
	if err := t.capWaits(); err != nil {
		return err
	}
	for _, l := range t.schedule.byID {
		t.begins(l)
		t.touch(l)
	}
	return t.readDue()
}

// readLanes reads the hooks and how many runs each has.
func (t *tx) readLanes() error {
	err := each(t.c, func(r *database.Rows) {
		l := &lane{id: r.Int64(0), name: r.Text(1), paused: r.Text(2), failures: r.Int(3), bytes: r.Int64(4), artifacts: r.Int64(5)}
		l.saved = l.bytes
		t.schedule.add(l)
	}, allHooks)
	if err != nil {
		return err
	}
	err = each(t.c, func(r *database.Rows) {
		l, n := t.schedule.byID[r.Int64(1)], r.Int(2)
		if l == nil {
			return
		}
		switch p := phase(r.Int64(0)); {
		case p.waits():
			l.waiting += n
			t.schedule.waiting += n
		case p.final():
			l.ended += n
		}
	}, counts)
	if err != nil {
		return err
	}
	for _, l := range t.schedule.byID {
		l.whole = l.waiting == 0
		l.set(t.e.hookOf(l.name))
		if err := t.readStarts(l); err != nil {
			return err
		}
	}
	return nil
}

// readStarts reads when the newest attempts of a hook began, if its rate asks.
func (t *tx) readStarts(l *lane) error {
	if l.hook == nil || l.hook.Queue.Rate.Starts <= 0 {
		return nil
	}
	for p := retrying; p < phases; p++ {
		err := each(t.c, func(r *database.Rows) {
			at := moment(r.Int64(0))
			if at.After(t.now) { // the clock was set back, and the hook must not wait for that time
				at = t.now
			}
			if !at.IsZero() && at.Add(l.hook.Queue.Rate.Per).After(t.low) {
				l.starts = append(l.starts, at)
			}
		}, newestStarts, int64(p), l.id, l.hook.Queue.Rate.Starts)
		if err != nil {
			return err
		}
	}
	l.resize(l.hook.Queue.Rate.Starts)
	return nil
}

// readRunning compares what the journal has as running with what runs.
func (t *tx) readRunning() error {
	var list []waiter
	if err := each(t.c, func(r *database.Rows) { list = append(list, readTicket(r)) }, hookRunning, int64(running)); err != nil {
		return err
	}
	known := map[int64]int{}
	for _, w := range list {
		known[w.seq] = w.attempt
		w.lane = t.schedule.byID[w.hook]
		if t.active[w.seq] != nil {
			continue
		}
		if err := t.cutOff(w); err != nil {
			return err
		}
	}
	for seq, a := range t.active {
		a.ticket.lane = t.schedule.byID[a.ticket.lane.id]
		a.stale = known[seq] != a.number
		if !a.isBeside {
			t.schedule.free--
			a.ticket.lane.running++
		}
	}
	return nil
}

// cutOff ends an attempt of which nothing runs any more: Pawl died under it; or
// its start was written by a commit that seemed to fail, and then it never
// began.
func (t *tx) cutOff(w waiter) error {
	reason := "Pawl was killed, or the machine went down, while it ran"
	if !t.opening {
		reason = "the journal failed before it began"
		w.interruptions-- // that does not count
	}
	a := &attempt{ticket: w.ticket, id: w.id, hookName: w.lane.name, number: w.attempt}
	a.outcome = run.Outcome{End: run.Interrupted, ExitCode: -1, Reason: reason, Ended: t.wall}
	var began int64
	if _, err := one(t.c, func(r *database.Rows) { began = r.Int64(0) }, startOf, w.seq); err != nil {
		return err
	}
	t.active[w.seq] = a
	t.schedule.free--
	w.lane.running++
	a.outcome.Started = moment(began)
	if err := a.apply(t); err != nil {
		delete(t.active, w.seq) // nothing runs: the next try must find it again
		return err
	}
	return nil
}

// capWaits shortens waits that are longer than any can be: the clock was set
// back while Pawl was not running.
func (t *tx) capWaits() error {
	for _, l := range t.schedule.byID {
		if l.hook == nil || l.waiting == 0 {
			continue
		}
		longest := t.now.Add(max(l.hook.Retry.MaxBackoff*11/10, 10*l.hook.Queue.Debounce))
		if l.hook.Retry.MaxBackoff <= 0 && l.hook.Queue.Debounce <= 0 {
			continue
		}
		if err := t.c.Exec(capDue, longest.UnixNano(), longest.UnixNano(), l.id); err != nil {
			return err
		}
	}
	return nil
}

// begins sets what a lane must be looked at for.
func (t *tx) begins(l *lane) {
	l.expiry, l.ageing = time.Time{}, time.Time{}
	if l.expireAfter() > 0 && l.waiting > 0 {
		l.expiry = t.now
	}
	if _, age := l.kept(); age > 0 && l.ended > 0 {
		l.ageing = t.now
	}
	if l.surplus() > 0 {
		t.crowded[l.id] = true
	}
	t.schedule.look(l, t.now)
}

// reloadHooks puts the hooks that are in force now in force for what waits.
func (t *tx) reloadHooks() error {
	t.reload = false
	for _, l := range t.schedule.byID {
		before := l.hook
		l.set(t.e.hookOf(l.name))
		t.tellHeld(l, before)
		t.begins(l)
		t.touch(l)
	}
	t.schedule.again(t.now)
	return nil
}

// tellHeld tells of runs that are held from now on, or no longer.
func (t *tx) tellHeld(l *lane, before *hook.Hook) {
	switch {
	case l.waiting == 0 || (l.hook == nil) == (before == nil):
	case l.hook == nil:
		t.e.options.Log.Warn().Str("hook", l.name).Int("runs", l.waiting).Msg("runs are held: their hook is in no hook file any more")
	default:
		t.e.options.Log.Warn().Str("hook", l.name).Int("runs", l.waiting).Msg("runs that were held wait for their turn again: their hook is back")
	}
}
