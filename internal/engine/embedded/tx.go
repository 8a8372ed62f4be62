package embedded

import (
	"time"

	"github.com/pawlhq/pawl/internal/database"
)

// tx is one transaction of the loop: what it does, and what must follow when it
// is committed. The scheduler is changed on the way; should the transaction
// fail, it is thrown away.
type tx struct {
	*loop
	e       *Engine
	c       *database.Conn
	batch   []op
	lazy    []*attempt // begun beside all limits, to be written
	fresh   bool       // the scheduler must be made anew first
	opening bool       // because the engine opens
	reload  bool       // the hooks in force have changed

	now  time.Time // the even clock
	wall time.Time // what people are told
	low  time.Time // the earlier of both: what is old by it is old for sure

	starts    []*attempt
	cancels   []*attempt
	lives     []ending // who read along in vain
	ended     []string // ids of runs
	forgotten []string
	lanes     []*lane // that were touched
	counter   bool    // the next sequence must be written
	yields    bool    // starts yield to accepting
}

func (e *Engine) newTx(batch []op, now time.Time) *tx {
	t := &tx{loop: &e.loop, e: e, batch: batch, now: now, wall: time.Now()}
	t.low = t.wall
	if now.Before(t.low) {
		t.low = now
	}
	t.lazy, t.reload = e.takeShared()
	t.yielding.see(int(e.inHand.Load()), now)
	t.yields = !t.yielding.until(now).IsZero()
	t.late = false
	return t
}

// may reports whether an attempt of a queued run may start, as far as the whole
// goes. Where it only yields to accepting, that is noted.
func (t *tx) may() bool {
	if !t.e.starting() || t.schedule.free <= 0 {
		return false
	}
	if t.yields && len(t.active) >= t.least {
		t.late = t.late || t.schedule.waiting > 0
		return false
	}
	return true
}

// do is the transaction. What frees places goes before what takes them, so that
// who waited longer starts first.
func (t *tx) do(c *database.Conn) error {
	t.c = c
	if t.fresh {
		if err := t.refresh(); err != nil {
			return err
		}
	}
	if t.reload && !t.fresh {
		if err := t.reloadHooks(); err != nil {
			return err
		}
	}
	for _, a := range t.lazy {
		if err := t.begun(a); err != nil {
			return err
		}
	}
	for _, o := range t.batch {
		if a, isEnd := o.(*attempt); isEnd {
			if err := a.apply(t); err != nil {
				return err
			}
		}
	}
	if err := t.timers(); err != nil {
		return err
	}
	if err := t.startHeads(); err != nil {
		return err
	}
	for _, o := range t.batch {
		if _, isEnd := o.(*attempt); isEnd {
			continue
		}
		if err := o.apply(t); err != nil {
			return err
		}
		if err := t.startHeads(); err != nil {
			return err
		}
	}
	if err := t.makeRoom(); err != nil {
		return err
	}
	return t.save()
}

// touch notes that what is known of a hook has changed.
func (t *tx) touch(l *lane) {
	if !l.listed {
		l.listed = true
		t.lanes = append(t.lanes, l)
	}
}

// save writes what has changed of hooks, and the counter.
func (t *tx) save() error {
	for _, l := range t.lanes {
		l.listed = false
		if change := l.bytes - l.saved; !l.dirty && change < saveFrom && change > -saveFrom {
			continue
		}
		l.dirty, l.saved = false, l.bytes
		if err := t.c.Exec(updateHook, l.paused, l.failures, l.bytes, l.artifacts, l.id); err != nil {
			return err
		}
	}
	if t.counter {
		return t.c.Exec(setNext, t.next)
	}
	return nil
}

// saveFrom is by how many bytes the journal's idea of how much a hook keeps may
// be wrong.
const saveFrom = 256 << 10

// saveAll writes all that has changed of hooks, at the end.
func (e *Engine) saveAll() {
	e.turn([]op{newRequest(func(t *tx, _ *request) error {
		for _, l := range t.schedule.byID {
			if l.bytes != l.saved {
				l.dirty = true
				t.touch(l)
			}
		}
		return nil
	})}, e.now())
}

// lane gives the lane of a hook, and makes it known to the journal if it is
// new.
func (t *tx) lane(name string) (*lane, error) {
	if l := t.schedule.named[name]; l != nil {
		return l, nil
	}
	if err := t.c.Exec(insertHook, name); err != nil {
		return nil, err
	}
	l := &lane{id: t.c.LastInsertID(), name: name, whole: true}
	l.set(t.e.hookOf(name))
	t.schedule.add(l)
	t.touch(l)
	return l, nil
}

// count adds to the number of a lane's waiting runs.
func (t *tx) count(l *lane, n int) {
	l.waiting += n
	t.schedule.waiting += n
	t.touch(l)
}

// sequence takes n sequences and gives the first.
func (t *tx) sequence(n int) int64 {
	first := t.next
	t.next += int64(n)
	return first
}

// startHeads starts what can start.
func (t *tx) startHeads() error {
	for t.may() {
		l := t.schedule.next(t.now)
		if l == nil {
			return nil
		}
		if len(l.window) == 0 {
			if err := t.fill(l); err != nil {
				return err
			}
		}
		if tk := t.schedule.head(l); tk != nil {
			if err := t.start(tk); err != nil {
				return err
			}
		}
		t.schedule.look(l, t.now)
	}
	return nil
}

// fill reads the next runs of a lane that may start.
func (t *tx) fill(l *lane) error {
	most := t.schedule.window()
	err := each(t.c, func(r *database.Rows) {
		w := readTicket(r)
		w.lane = l
		w.deliveryID = idText(r.Raw(16))
		if t.schedule.cached < allCached {
			w.content = r.Blob(17)
		}
		l.window = append(l.window, w.ticket)
		t.schedule.keep(w.ticket)
	}, fillWindow, l.id, most)
	l.whole = len(l.window) < most
	return err
}

// start writes that an attempt of a run begins, which it does when that is on
// disk.
func (t *tx) start(tk *ticket) error {
	started := t.wall.UnixNano()
	statement := startFirst
	if tk.attempt > 0 {
		if err := t.c.Exec(keepAttempt, tk.seq); err != nil {
			return err
		}
		statement = startFurther
	}
	if err := t.c.Exec(statement, started, tk.seq); err != nil {
		return err
	}
	tk.attempt++
	t.count(tk.lane, -1)
	t.begin(tk)
	return nil
}

// begin takes a place for a run's attempt and makes it ready to go.
func (t *tx) begin(tk *ticket) *attempt {
	a := t.e.newAttempt(tk)
	if live := t.loop.lives[tk.seq]; live != nil {
		delete(t.loop.lives, tk.seq)
		a.live = live
	}
	t.active[tk.seq] = a
	t.starts = append(t.starts, a)
	t.schedule.started(tk.lane, t.now)
	t.touch(tk.lane)
	return a
}

// queue enters a run that has become ready.
func (t *tx) queue(w waiter) error {
	w.lane = t.schedule.byID[w.hook]
	if w.deliveryID == "" {
		if _, err := one(t.c, func(r *database.Rows) { w.deliveryID = idText(r.Raw(2)) }, deliveryOf, w.delivery); err != nil {
			return err
		}
	}
	t.schedule.put(w.ticket, t.now)
	return nil
}

// promote lets the next of a key go, if it waits for nothing else.
func (t *tx) promote(l *lane, key string) error {
	if l.waiting == 0 {
		return nil
	}
	var head waiter
	found, err := one(t.c, func(r *database.Rows) { head = readTicket(r) }, keyHead, l.id, key)
	if err != nil || !found || head.phase != blocked {
		return err
	}
	if err := t.c.Exec(makeReady, head.seq); err != nil {
		return err
	}
	return t.queue(head)
}
