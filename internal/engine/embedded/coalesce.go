package embedded

import (
	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/run"
)

// victims gives the waiting runs whose place a new run of a key takes: all of
// that key, or of the hook where runs have none, that nobody asked for by hand,
// whose key is complete and that are not of the delivery but.
func (t *tx) victims(l *lane, key run.Key, but int64) ([]waiter, error) {
	if l.waiting == 0 {
		return nil, nil
	}
	var list []waiter
	read := func(r *database.Rows) {
		if w := readTicket(r); w.flags&(byHand|incomplete) == 0 && w.delivery != but && w.keyed == key.Set {
			w.lane = l
			list = append(list, w)
		}
	}
	if key.Set {
		return list, each(t.c, read, keyWaits, l.id, key.Text)
	}
	for p := ready; p < running; p++ {
		if err := each(t.c, read, hookWaits, int64(p), l.id, 512); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// replace lets a run that is about to be written take the place of the waiting
// runs of its key, where its hook says so.
func (t *tx) replace(tk *ticket) ([]waiter, error) {
	l := tk.lane
	if l.hook == nil || !l.hook.Queue.Coalesce {
		return nil, nil
	}
	victims, err := t.victims(l, run.Key{Text: tk.key, Set: tk.keyed}, tk.delivery)
	if err != nil {
		return nil, err
	}
	for _, v := range victims {
		tk.place = min(tk.place, v.place)
	}
	for _, v := range victims {
		if err := t.endWaiting(v, superseded, "a newer run of its key took its place", tk.id, false); err != nil {
			return nil, err
		}
	}
	return victims, nil
}

// dropOldest supersedes the oldest waiting runs of a hook until no more wait
// than may. The runs that were just accepted took their places.
func (t *tx) dropOldest(l *lane, by []run.Run) error {
	if l.hook == nil || !l.hook.Queue.DropOldest || l.hook.Queue.MaxQueued <= 0 || len(by) == 0 {
		return nil
	}
	for l.waiting > l.hook.Queue.MaxQueued {
		var oldest waiter
		for p := ready; p < running; p++ {
			_, err := one(t.c, func(r *database.Rows) {
				if w := readTicket(r); oldest.ticket == nil || w.seq < oldest.seq {
					oldest = w
				}
			}, hookWaits, int64(p), l.id, 1)
			if err != nil {
				return err
			}
		}
		if oldest.ticket == nil {
			return nil // the count is wrong; that must not hold up anything
		}
		oldest.lane = l
		why := "the hook's queue is full, and a newer run took its place"
		if err := t.endWaiting(oldest, superseded, why, by[len(by)-1].ID, true); err != nil {
			return err
		}
	}
	return nil
}

// endWaiting ends a run that waits, for good. With next the next of its key may
// go.
func (t *tx) endWaiting(w waiter, to phase, why, by string, next bool) error {
	var superseded []byte
	if by != "" {
		id, err := parseID(by)
		if err != nil {
			return err
		}
		superseded = id
	}
	if err := t.c.Exec(endWaiting, int64(to), t.wall.UnixNano(), why, superseded, w.seq); err != nil {
		return err
	}
	l := w.lane
	t.schedule.take(l, w.seq)
	t.count(l, -1)
	if live := t.loop.lives[w.seq]; live != nil {
		delete(t.loop.lives, w.seq)
		t.lives = append(t.lives, ending{live, w.seq, run.Outcome{End: run.Stopped, ExitCode: -1, Reason: why}})
	}
	if err := t.closeRun(w.ticket, to); err != nil {
		return err
	}
	if next && w.keyed {
		return t.promote(l, w.key)
	}
	return nil
}
