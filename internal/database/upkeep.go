package database

import (
	"errors"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

const (
	frameSize = 4096 + 24 // bytes of the WAL for a page

	longestGate = 2 * time.Second        // for which readers are kept out, at most
	lookEvery   = 100 * time.Millisecond // at room and reserve
	shortWAL    = 256                    // frames that are quickly read at the next start
)

// upkeep is what the writer's goroutine knows of the WAL and the reserve.
type upkeep struct {
	threshold int64 // frames after which they are copied into the file
	gate      int64 // frames from which new readers wait, so that the WAL begins anew

	copied  int  // frames of this WAL that are in the file
	tried   int  // frames that it had when the newest copy was begun
	gated   bool // readers are kept out
	empty   <-chan struct{}
	touched int // frames that it had when it was last to begin anew

	squeezed bool // a copy failed because the file could not grow
	looked   time.Time
	filled   time.Time // the newest step
	held     int64     // bytes that the reserve's table holds
	free     int64     // bytes of free pages
	pageSize int64
	pages    int64
}

// newUpkeep makes bounds of the reserve: when the disk is full, the WAL must
// begin anew before it outgrows its reserve.
func newUpkeep(reserve int64) upkeep {
	threshold := int64(8 << 20)
	if reserve > 0 {
		threshold = min(threshold, max(reserve/4, 256<<10))
	}
	frames := threshold / frameSize
	// Below 4,062 frames SQLite's index of the WAL has its first size, and need
	// not grow on a full disk.
	return upkeep{threshold: frames, gate: min(2*frames, 3900)}
}

// Maintain does what is due between two transactions, in a few milliseconds at
// most: it keeps the WAL short, fills the reserve a step further, gives it away
// where the disk is full, and gives back to the disk what is not needed. idle
// says that no transaction waits. It reports whether there is more to do soon:
// then it should be called again within a second, idle or not. It is for the
// writer's goroutine.
func (d *DB) Maintain(idle bool) (more bool) {
	if d.o.Memory > 0 || d.failed.Load() != nil {
		return false
	}
	now := time.Now()
	more = d.keepShort(idle)
	if d.failed.Load() != nil {
		return false
	}
	if idle || now.Sub(d.upkeep.looked) >= lookEvery {
		if err := d.look(now); err != nil {
			d.upkeepFailed("look at the database", err)
			return false
		}
		more = d.keepReserve(idle, now) || more
	}
	return more
}

// Rest gives the memory of the writer's pages back, for when there is nothing to
// do. Like Maintain it is called by the writer's goroutine between transactions.
func (d *DB) Rest() {
	if d.o.Memory > 0 || d.failed.Load() != nil {
		return
	}
	if err := d.writer.Exec("PRAGMA shrink_memory"); err != nil {
		d.upkeepFailed("give memory back", err)
	}
}

// keepShort copies the WAL into the file, so that it begins anew.
func (d *DB) keepShort(idle bool) (more bool) {
	u := &d.upkeep
	frames := d.writer.frames()
	if frames < u.tried { // it has begun anew
		u.copied, u.tried, u.touched = 0, 0, 0
	}
	if int64(frames) >= u.gate {
		d.copier.wait() // or the WAL outgrows its reserve
	}
	if d.copier.busy.Load() {
		return true
	}
	if r := d.copier.result.Swap(nil); r != nil {
		d.noteCopy(r.copied, r.err)
		if r.err == nil && r.copied < frames && r.copied == r.frames {
			d.copyRest(frames)
		}
	}
	pending := frames - max(u.copied, u.tried)
	switch {
	case int64(pending) >= u.threshold, idle && pending > 0:
		u.tried = frames
		d.copier.ask()
		return true
	case idle && u.copied == frames && frames > shortWAL && u.touched != frames && d.copies.Load() == 0:
		return d.beginAnew(frames)
	}
	return d.keepGate(frames)
}

// copyRest copies what was written while the copier worked. That is little, and
// with the whole of it copied the next commit begins the WAL anew.
func (d *DB) copyRest(frames int) {
	_, copied, err := d.writer.checkpoint(sqlite3.SQLITE_CHECKPOINT_PASSIVE)
	d.upkeep.tried = frames
	d.noteCopy(copied, err)
}

// noteCopy remembers what came of a copy.
func (d *DB) noteCopy(copied int, err error) {
	switch {
	case err == nil:
		d.upkeep.copied = copied
	case errors.Is(err, ErrFull):
		if !d.upkeep.squeezed {
			d.upkeep.squeezed, d.upkeep.looked = true, time.Time{} // at once
		}
	default:
		// After an fsync that failed nobody knows which pages are on the disk.
		d.upkeepFailed("copy the WAL into the database", err)
	}
}

// beginAnew has an idle database begin its WAL anew, so that little is to be
// read at the next start.
func (d *DB) beginAnew(frames int) (more bool) {
	d.upkeep.touched = frames
	if err := d.Update((*Conn).touch); err != nil {
		d.upkeepFailed("begin the WAL anew", err)
		return false
	}
	d.upkeep.touched = d.writer.frames()
	return true
}

// keepGate bounds the WAL where readers follow each other so closely that there
// is always one who needs it: new ones wait until those inside have left.
func (d *DB) keepGate(frames int) (more bool) {
	u := &d.upkeep
	if !u.gated {
		if int64(frames) < u.gate || d.copies.Load() > 0 {
			return false
		}
		u.gated, u.empty = true, d.pool.shut(longestGate)
	}
	select {
	case <-u.empty:
	default:
		// One who does not leave must not keep the others out for ever. Then the
		// gate is tried again.
		u.gated = d.pool.isShut()
		return true
	}
	d.copyRest(frames)
	u.gated = false
	d.pool.open()
	return true
}

// upkeepFailed stops the caller's transactions where the disk is not to be
// trusted any more, and logs what went wrong. That the disk is full is no news
// then: Stats tells what is left.
func (d *DB) upkeepFailed(doing string, err error) {
	if errors.Is(err, ErrFull) {
		return
	}
	if errors.Is(err, ErrFailed) || errors.Is(err, ErrDamaged) {
		d.fail(err)
	}
	d.o.Log.Error().Err(err).Msg("the database could not " + doing)
}

// look measures the file and its reserve.
func (d *DB) look(now time.Time) error {
	u := &d.upkeep
	u.looked = now
	var free int64
	for _, ask := range []struct {
		sql  string
		into *int64
	}{
		{"PRAGMA page_size", &u.pageSize},
		{"PRAGMA page_count", &u.pages},
		{"PRAGMA freelist_count", &free},
		{"SELECT coalesce(sum(length(filler)), 0) FROM database_reserve", &u.held},
	} {
		n, _, err := d.writer.Number(ask.sql)
		if err != nil {
			return err
		}
		*ask.into = n
	}
	u.free = free * u.pageSize
	d.mu.Lock()
	defer d.mu.Unlock()
	wal := sizeOf(d.path + "-wal")
	s := &d.stats
	s.Bytes, s.WAL, s.Free, s.Wanted = sizeOf(d.path), wal, u.free, d.o.Reserve
	s.Reserve = min(d.o.Reserve, u.held+u.free, wal)
	s.Filled = s.Filled || s.Reserve >= d.o.Reserve
	s.Problem = nil
	return nil
}
