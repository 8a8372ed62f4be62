package embedded

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
)

// op is something that is asked of the loop.
type op interface {
	apply(*tx) error  // an error is the journal's, and undoes the whole batch
	answer(err error) // after the commit, or with why there was none
}

const (
	maxBatch = 512                    // operations of one commit
	lazily   = 20 * time.Millisecond  // how long what nobody waits for may wait for company
	shortly  = 2 * time.Millisecond   // the same while runs wait for a place
	quiet    = 100 * time.Millisecond // after so long without work the loop tidies up
	resting  = 2 * time.Second        // and so long after that it gives memory back
	maxLazy  = 1024                   // runs begun beside all limits that may wait to be written

	firstRepair = 100 * time.Millisecond // between tries to write again, doubling
	lastRepair  = 5 * time.Second
)

// loop is what belongs to the loop's goroutine alone.
type loop struct {
	schedule *schedule
	active   map[int64]*attempt // what runs, by the run's sequence
	lives    map[int64]*live    // who waits to read along, by the run's sequence
	next     int64              // the next sequence
	due      time.Time          // not before then is a run due; zero: none is
	busy     int                // attempts above which the end of one may wait for company
	least    int                // attempts that starts do not yield below
	yielding yielding
	late     bool // something could start, and yields

	toldTaken time.Time // the log said that all places are taken; zero: never

	kept      []*attempt // ended; not yet written because the journal could not be
	broken    error
	retry     time.Time
	backoff   time.Duration
	tidyAt    time.Time
	restAt    time.Time // memory is given back; zero: there is none to give
	maintain  bool      // the file below has something to do when it is quiet
	looked    time.Time // at how much room there is
	used      int64     // bytes of the journal and what is kept with it
	most      int64     // bytes that may be; 0: any number
	keptBytes int64     // of artifacts; of the journal too where it lies in memory
	diskLow   bool
	crowded   map[int64]bool // lanes that remember more runs than they may
}

// run is the loop.
func (e *Engine) run() {
	defer close(e.done)
	l := &e.loop
	l.busy = 2 * runtime.GOMAXPROCS(0)
	l.least = max(1, runtime.NumCPU()/2)
	timer := time.NewTimer(0)
	defer timer.Stop()
	finish := e.finish
	var batch []op
	var patience time.Time // until then what nobody waits for may wait; zero: there is no such thing
	for {
		timer.Reset(e.until(patience))
		stop := false
		select {
		case o := <-e.ops:
			batch = append(batch, o)
		case <-timer.C:
		case <-e.wake:
		case <-finish:
			stop = true
		}
		batch = e.gather(batch)
		now := e.now()
		if !stop && !e.urgent(batch, now) {
			if loose := len(batch) > 0 || e.hasLazy(); !loose {
				e.idle(now)
				continue
			} else if patience.IsZero() {
				patience = now.Add(e.patience())
			}
			if now.Before(patience) {
				continue
			}
		}
		if l.broken != nil {
			e.repair(batch, now, stop)
		} else {
			e.turn(batch, now)
		}
		clear(batch)
		batch, patience = batch[:0], time.Time{}
		if stop && len(e.ops) == 0 {
			e.last()
			return
		}
	}
}

// patience is how long what nobody waits for may wait for company.
func (e *Engine) patience() time.Duration {
	if s := e.loop.schedule; s.waiting > 0 && s.free <= 0 {
		return shortly
	}
	return lazily
}

// gather takes what else is there already.
func (e *Engine) gather(batch []op) []op {
	for len(batch) < maxBatch {
		select {
		case o := <-e.ops:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// until is how long the loop may sleep.
func (e *Engine) until(patience time.Time) time.Duration {
	l := &e.loop
	var next time.Time
	if l.broken != nil {
		next = soonest(patience, l.retry)
	} else if !e.starting() {
		next = patience
	} else {
		next = soonest(patience, l.due, e.calm())
		if patience.IsZero() { // there is time to tidy up only then
			next = soonest(next, l.tidyAt, l.restAt)
		}
		if a := l.schedule.alarm; len(a) > 0 {
			next = soonest(next, a[0].wake)
		}
	}
	if next.IsZero() {
		return time.Hour // nothing is due: any operation ends the wait
	}
	return max(0, next.Sub(e.now()))
}

// calm is when what yields may start, zero where nothing does.
func (e *Engine) calm() time.Time {
	if !e.loop.late {
		return time.Time{}
	}
	now := e.now()
	if calm := e.loop.yielding.until(now); !calm.IsZero() {
		return calm
	}
	return now
}

// urgent reports whether a batch must be written now: somebody waits for it, or
// something could start because of it, or something is due.
func (e *Engine) urgent(batch []op, now time.Time) bool {
	l := &e.loop
	ended := 0
	for _, o := range batch {
		a, isEnd := o.(*attempt)
		if !isEnd || e.awaited(a.id) {
			return true
		}
		ended++
	}
	if l.broken != nil {
		return !now.Before(l.retry)
	}
	if !e.starting() {
		return false
	}
	if !l.due.IsZero() && !l.due.After(now) {
		return true
	}
	if a := l.schedule.alarm; len(a) > 0 && !a[0].wake.After(now) {
		return true
	}
	if l.late && l.yielding.until(now).IsZero() {
		return true
	}
	if ended == 0 {
		return e.reloads()
	}
	// Scripts that run keep the processors busy: then a start may wait a moment
	// too, so that several share a commit.
	return l.schedule.waiting > 0 && (len(l.active)-ended < l.busy || 4*ended >= len(l.active))
}

// turn does a batch in one transaction and publishes what came of it.
func (e *Engine) turn(batch []op, now time.Time) {
	t := e.newTx(batch, now)
	if err := e.update(t); err != nil {
		e.failed(t, err)
		return
	}
	e.loop.backoff = 0
	e.publish(t)
}

// update writes a transaction.
func (e *Engine) update(t *tx) error {
	e.writing.begin(t.now)
	defer e.writing.end()
	return e.db.Update(t.do)
}

// failed tells all who wait that nothing was written.
func (e *Engine) failed(t *tx, err error) {
	l := &e.loop
	if l.backoff == 0 {
		l.backoff = firstRepair
	} else {
		l.backoff = min(2*l.backoff, lastRepair)
	}
	if l.broken == nil {
		e.options.Log.Error().Err(err).Msg("the journal cannot be written: deliveries are refused until it can be again")
	}
	l.broken, l.retry = err, e.now().Add(l.backoff)
	e.showBroken(err)
	refusal := fmt.Errorf("%w: %w", engine.ErrUnavailable, err)
	e.undo(t, err)
	for _, o := range t.batch {
		if a, isEnd := o.(*attempt); isEnd {
			if a.ticket != nil && !a.lost {
				l.active[a.ticket.seq] = a
			}
			l.kept = append(l.kept, a)
			continue
		}
		o.answer(refusal)
	}
}

// undo takes back what a transaction that failed has changed of what is not the
// scheduler's.
func (e *Engine) undo(t *tx, err error) {
	l := &e.loop
	for _, a := range t.starts {
		delete(l.active, a.ticket.seq)
		a.cancel(nil)
		if a.live != nil {
			l.lives[a.ticket.seq] = a.live
		}
	}
	for _, end := range t.lives {
		l.lives[end.seq] = end.live
	}
	for _, o := range t.batch {
		p, ok := o.(*submission)
		if !ok {
			continue
		}
		if p.beside != nil && p.beside.ticket != nil {
			delete(l.active, p.beside.ticket.seq)
		}
		if p.live != nil && l.lives[p.live.seq] == p.live {
			delete(l.lives, p.live.seq)
		}
	}
	for _, a := range t.lazy {
		if a.ticket != nil {
			delete(l.active, a.ticket.seq)
		}
		e.lose(a, err)
	}
}

// lose gives up a run that was begun beside all limits and could not be
// written. It runs, or ran, all the same.
func (e *Engine) lose(a *attempt, err error) {
	e.options.Log.Error().Err(err).Str("hook", a.hookName).Str("run", a.id).Msg("a run's history could not be written; the run itself is not affected")
	e.shared.mu.Lock()
	a.lost = true
	e.shared.mu.Unlock()
	e.loose.Add(-1)
}

// repair finds out whether the journal can be written again: it is opened anew,
// everything that the scheduler knows is read again, and the ends that were
// kept are written. The batch waits for that if it is time to try, else it is
// refused at once.
func (e *Engine) repair(batch []op, now time.Time, force bool) {
	l := &e.loop
	var ends, others []op
	for _, o := range batch {
		if a, isEnd := o.(*attempt); isEnd {
			ends = append(ends, a)
			l.kept = append(l.kept, a)
		} else {
			others = append(others, o)
		}
	}
	if force || len(ends) > 0 || !now.Before(l.retry) {
		e.tryRepair(now)
	}
	if l.broken == nil {
		e.turn(others, now)
		return
	}
	refusal := fmt.Errorf("%w: %w", engine.ErrUnavailable, l.broken)
	for _, o := range others {
		o.answer(refusal)
	}
	lazy, _ := e.takeShared() // hooks are read again with all else
	for _, a := range lazy {
		e.lose(a, l.broken)
	}
}

func (e *Engine) tryRepair(now time.Time) {
	l := &e.loop
	if !errors.Is(l.broken, database.ErrFull) {
		if err := e.db.Reopen(); err != nil {
			e.failed(&tx{}, fmt.Errorf("open the journal again: %w", err))
			return
		}
	}
	kept := make([]op, len(l.kept))
	for i, a := range l.kept {
		kept[i] = a
	}
	l.kept = nil
	t := e.newTx(kept, now)
	t.fresh = true
	if err := e.update(t); err != nil {
		e.failed(t, err)
		return
	}
	l.broken, l.retry = nil, time.Time{}
	e.showBroken(nil)
	e.publish(t)
	e.options.Log.Warn().Msg("the journal can be written again")
}
