package embedded

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/hook"
)

const (
	pruneStep = 200         // runs that one transaction forgets
	lookEvery = time.Second // at how much room there is
)

// kept says how many runs of a hook are remembered, and how long; 0: for ever.
func (l *lane) kept() (runs int, age time.Duration) {
	if l.hook == nil {
		return hook.DefaultKeepRuns, hook.DefaultKeepAge
	}
	return l.hook.Keep.Runs, l.hook.Keep.Age
}

// surplus is how many runs more than it may a hook has in memory.
func (l *lane) surplus() int {
	runs, _ := l.kept()
	return max(0, l.ended-max(runs, 0))
}

// ages notes that a run has ended: one day it will be too old.
func (t *tx) ages(l *lane) {
	if l.surplus() > 0 {
		t.crowded[l.id] = true
	}
	if _, age := l.kept(); age > 0 && l.ageing.IsZero() {
		l.ageing = t.now.Add(age)
		t.schedule.look(l, t.now)
	}
}

// age forgets runs of a lane that are too old, and finds out when the next one
// will be.
func (t *tx) age(l *lane) error {
	l.ageing = time.Time{}
	_, age := l.kept()
	if age <= 0 || l.ended == 0 {
		return nil
	}
	var old []int64
	for p := succeeded; p < phases; p++ {
		rows, err := t.c.Query(oldestOf, int64(p), l.id, pruneStep)
		if err != nil {
			return err
		}
		for rows.Next() {
			left := moment(rows.Int64(1)).Add(age).Sub(t.low)
			if left > 0 {
				l.ageing = soonest(l.ageing, t.now.Add(left))
				break
			}
			if old = append(old, rows.Int64(0)); len(old) >= pruneStep {
				l.ageing = t.now
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return t.forgetAll(old)
}

// oldest gives the first ended runs of a lane, or of all with none.
func (t *tx) oldest(l *lane, n int) ([]int64, error) {
	var list []int64
	read := func(r *database.Rows) { list = append(list, r.Int64(0)) }
	for p := succeeded; p < phases; p++ {
		var err error
		if l != nil {
			err = each(t.c, read, oldestOf, int64(p), l.id, n)
		} else {
			err = each(t.c, read, oldestEnded, int64(p), n)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(list, cmp.Compare[int64])
	return list[:min(n, len(list))], nil
}

func (t *tx) forgetAll(list []int64) error {
	for _, seq := range list {
		if err := t.forget(seq); err != nil {
			return err
		}
	}
	return nil
}

// forget deletes a run that has ended, and its delivery with its last run.
func (t *tx) forget(seq int64) error {
	var id string
	var hookID, delivery, size, artifacts int64
	attempts, unsees := 0, false
	found, err := one(t.c, func(r *database.Rows) {
		id, hookID, delivery, attempts, size = idText(r.Raw(0)), r.Int64(1), r.Int64(2), r.Int(3), r.Int64(4)
		artifacts = r.Int64(5)
		p := phase(r.Int64(6))
		unsees = (p == failed || p == cancelled) && r.Int64(7)&identified != 0
	}, forgetRun, seq)
	if err != nil || !found {
		return err
	}
	l := t.schedule.byID[hookID]
	if attempts > 1 {
		if err := each(t.c, func(r *database.Rows) { artifacts += r.Int64(0) }, forgetOld, seq); err != nil {
			return err
		}
	}
	if unsees {
		if err := t.c.Exec(unsee, delivery, hookID); err != nil {
			return err
		}
	}
	left, _, err := t.c.Number(lessRuns, delivery)
	if err != nil {
		return err
	}
	if left <= 0 {
		if err := t.c.Exec(forgetRecord, delivery); err != nil {
			return err
		}
	}
	l.ended--
	l.bytes = max(0, l.bytes-size-artifacts)
	l.artifacts = max(0, l.artifacts-artifacts)
	t.touch(l)
	t.counter = true // what is deleted no longer tells the sequence
	t.forgotten = append(t.forgotten, id)
	return nil
}

// makeRoom forgets what must go at once: history of hooks that have twice what
// they may, and what is too much for the disk.
func (t *tx) makeRoom() error {
	for id := range t.crowded {
		l := t.schedule.byID[id]
		if runs, _ := l.kept(); l.ended < 2*max(runs, 1) {
			continue
		}
		if err := t.thin(l); err != nil {
			return err
		}
	}
	if t.now.Sub(t.looked) < lookEvery {
		return nil
	}
	return t.lookAtRoom()
}

// thin forgets the oldest runs of a lane that has too many.
func (t *tx) thin(l *lane) error {
	list, err := t.oldest(l, min(l.surplus(), pruneStep))
	if err != nil {
		return err
	}
	if err := t.forgetAll(list); err != nil {
		return err
	}
	if len(list) == 0 || l.surplus() == 0 {
		delete(t.crowded, l.id)
	}
	return nil
}

// lookAtRoom finds out how much room there is, and forgets some history if
// there is too little.
func (t *tx) lookAtRoom() error {
	if err := t.measure(); err != nil {
		return err
	}
	_, err := t.relieve()
	return err
}

// measure finds out how much room is taken.
func (t *tx) measure() error {
	t.looked = t.now
	o := &t.e.options
	t.most = o.DataMax
	t.diskLow = false
	if o.Memory {
		pages, _, err := t.c.Number("PRAGMA page_count")
		if err != nil {
			return err
		}
		free, _, err := t.c.Number("PRAGMA freelist_count")
		if err != nil {
			return err
		}
		size, _, err := t.c.Number("PRAGMA page_size")
		if err != nil {
			return err
		}
		t.used = (pages - free) * size
		t.keptBytes = t.used
		// Above it ends of runs can be written still, while deliveries are refused.
		if t.most = o.memory / 8 * 7; o.DataMax > 0 {
			t.most = min(t.most, o.DataMax)
		}
		return nil
	}
	stats := t.e.db.Stats()
	t.used = max(0, stats.Bytes-stats.Free)
	t.keptBytes = 0
	for _, l := range t.schedule.byID {
		t.keptBytes += l.artifacts
	}
	t.used += t.keptBytes
	t.diskLow = t.e.nearlyFull()
	return nil
}

// forRoom is the time between two looks at a disk without room while nothing
// else happens: nobody tells when there is some again.
const forRoom = 2 * time.Second

// nearlyFull reports whether the disk has less room than twice the reserve.
func (e *Engine) nearlyFull() bool {
	o := &e.options
	return !o.Memory && o.Reserve > 0 && e.db.Room() < 2*o.Reserve
}

// lacksReserve reports whether the reserve is not whole.
func (e *Engine) lacksReserve() bool {
	stats := e.db.Stats()
	return stats.Reserve < stats.Wanted
}

// alarm is what an operator should know of a disk that is nearly full.
func (e *Engine) alarm(low bool) string {
	if !low {
		return ""
	}
	return fmt.Sprintf("the disk is nearly full: less than twice the journal's reserve (%d MiB) is free; history is being forgotten", e.options.Reserve>>20)
}

// relieve forgets a little history if there is too little room, and reports
// whether it did.
func (t *tx) relieve() (bool, error) {
	over := t.most > 0 && t.used > t.most
	var greedy *lane
	if t.most > 0 {
		for _, l := range t.schedule.byID {
			if l.bytes > t.most/2 && l.ended > 0 {
				greedy = l
			}
		}
	}
	if !over && greedy == nil && !t.diskLow {
		return false, nil
	}
	list, err := t.oldest(greedy, pruneStep)
	if err != nil {
		return false, err
	}
	if err := t.forgetAll(list); err != nil {
		return false, err
	}
	return len(list) > 0, nil
}

// fits reports whether a submission of so many bytes may be accepted: history
// has made room for it, or there is enough.
func (t *tx) fits(bytes int64) (bool, error) {
	t.used += bytes
	if t.most <= 0 || t.used <= t.most {
		return true, nil
	}
	if err := t.measure(); err != nil {
		return false, err
	}
	if t.used += bytes; t.used <= t.most {
		return true, nil
	}
	return t.relieve()
}

// tidy does some of what has time, and reports whether there is more.
func (e *Engine) tidy(now time.Time) bool {
	l := &e.loop
	more := false
	r := newRequest(func(t *tx, _ *request) error {
		for id := range t.crowded {
			if err := t.thin(t.schedule.byID[id]); err != nil {
				return err
			}
			more = true
			return nil
		}
		if err := t.measure(); err != nil {
			return err
		}
		relieved, err := t.relieve()
		if more = relieved; err != nil || relieved {
			return err
		}
		return t.c.Exec(forgetSeen, t.low.UnixNano())
	})
	e.turn([]op{r}, now)
	e.showRoom(l.diskLow, l.keptBytes)
	return more && l.broken == nil
}

// showRoom makes known how much is kept, and that the disk is nearly full.
func (e *Engine) showRoom(low bool, kept int64) {
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	alarm := e.alarm(low)
	if alarm != "" && s.alarm == "" {
		e.options.Log.Error().Msg(alarm)
	}
	s.alarm, s.kept = alarm, kept
}
