package database

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The reserve is two things on the disk, each of Options.Reserve bytes:
//
//   - The WAL file is that long at least. A commit writes over what is there,
//     and needs no room as long as the WAL begins anew in time.
//   - The file has a table of zeros. When the disk is full, rows of it are
//     deleted, and their pages take what is written then. It is a table and not
//     a list of free pages from the beginning, because a file that grows takes
//     free pages first: they would be gone before the disk is full, and to fill
//     them again and again would cost more than the growth itself.
//
// Pages that commits added at the end of the file, just before the disk was
// full, cannot be copied out of the WAL; they are moved into the free pages.
const reserveTable = `CREATE TABLE IF NOT EXISTS database_reserve (id INTEGER PRIMARY KEY, filler BLOB NOT NULL)`

const (
	stepBytes  = 1 << 20               // of the reserve, filled in one step
	stepRest   = 50 * time.Millisecond // between two steps while transactions wait
	spareBytes = 64 << 20              // free pages beyond the reserve that stay for growth
)

// Stats is how a database is. Bytes are of the disk, or 0 in memory.
type Stats struct {
	Bytes   int64 // of the file
	WAL     int64 // of the WAL beside it
	Free    int64 // of free pages in the file
	Reserve int64 // bytes that can still be written when the disk is full, about
	Wanted  int64 // what Reserve should be
	Filled  bool  // Reserve was Wanted at least once since Open
	Problem error // why nothing works; nil while all is well
}

// Stats tells how the database was a moment ago.
func (d *DB) Stats() Stats {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stats
	if failed := d.failed.Load(); failed != nil {
		s.Problem = *failed
	}
	return s
}

// keepReserve gives the reserve away where there is no room, and fills it where
// there is.
func (d *DB) keepReserve(idle bool, now time.Time) (more bool) {
	u := &d.upkeep
	room := freeBytes(d.o.Directory)
	low := min(d.o.Reserve/2, 16<<20)
	wal := sizeOf(d.path + "-wal")
	missing := max(d.o.Reserve-u.held-u.free, 0) + max(d.o.Reserve-wal, 0)
	switch {
	case u.squeezed:
		return d.squeeze()
	case room < low && u.free < low && u.held > 0:
		d.release(low - u.free)
		return true
	case missing > 0 && room > 2*missing+low:
		if !idle && now.Sub(u.filled) < stepRest {
			return true
		}
		u.filled = now
		return d.fill(wal)
	case idle && missing == 0 && u.free > spareBytes+stepBytes:
		return d.shrink(stepBytes / u.pageSize)
	}
	return false
}

// fill takes the reserve one step further.
func (d *DB) fill(wal int64) (more bool) {
	var err error
	if wal < d.o.Reserve {
		err = d.lengthenWAL(wal)
	} else {
		step := min(d.o.Reserve, stepBytes)
		err = d.Update(func(c *Conn) error {
			return c.Exec("INSERT INTO database_reserve (filler) VALUES (zeroblob(?))", step)
		})
	}
	switch {
	case err == nil:
		return true
	case errors.Is(err, ErrFull):
		return false // the next look sees that there is no room
	}
	d.upkeepFailed("fill its reserve", err)
	return false
}

// lengthenWAL writes zeros behind the end of the WAL, where SQLite finds no
// frames. Nobody else writes to it meanwhile: this is the writer's goroutine.
func (d *DB) lengthenWAL(size int64) error {
	f, err := os.OpenFile(d.path+"-wal", os.O_WRONLY, 0)
	if err != nil {
		return diskError("open the WAL", err)
	}
	zeros := make([]byte, min(d.o.Reserve-size, stepBytes))
	if _, err = f.WriteAt(zeros, size); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return diskError("lengthen the WAL", err)
	}
	return nil
}

// release makes free pages of at least so many bytes of the reserve.
func (d *DB) release(bytes int64) {
	u := &d.upkeep
	rows := (bytes + stepBytes - 1) / min(max(d.o.Reserve, 1), stepBytes)
	err := d.Update(func(c *Conn) error {
		return c.Exec("DELETE FROM database_reserve WHERE id IN (SELECT id FROM database_reserve ORDER BY id DESC LIMIT ?)", max(rows, 1))
	})
	if err == nil {
		err = d.look(u.looked)
	}
	if err != nil {
		d.upkeepFailed("use its reserve", err)
	}
}

// squeeze moves pages that the file has no room for into its free pages, and
// copies the WAL then.
func (d *DB) squeeze() (more bool) {
	u := &d.upkeep
	beyond := u.pages - sizeOf(d.path)/u.pageSize
	if need := max(beyond, 0)*u.pageSize + d.o.Reserve/8; u.free < need && u.held > 0 {
		d.release(need - u.free)
	}
	if beyond > 0 && u.free > 0 {
		d.shrink(beyond)
	}
	if d.failed.Load() != nil || d.copier.busy.Load() {
		return true
	}
	u.squeezed = false
	d.copyRest(d.writer.frames())
	return !u.squeezed
}

// shrink takes so many pages off the end of the file.
func (d *DB) shrink(pages int64) (more bool) {
	err := d.Update(func(c *Conn) error { return c.script(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", pages)) })
	if err != nil {
		d.upkeepFailed("give free pages back", err)
	}
	return err == nil
}

// Room is the bytes that are free on the disk of the database, for its owner.
func (d *DB) Room() int64 { return freeBytes(filepath.Dir(d.path)) }
