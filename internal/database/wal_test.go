package database

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestTheWALStaysBounded: under load, with readers that follow each other so
// closely that one is always inside.
func TestTheWALStaysBounded(t *testing.T) {
	o := testOptions(t, t.TempDir())
	o.Reserve = 4 << 20
	d := open(t, o)
	fillReserve(t, d)
	ctx, cancel := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	views := make([]int, mostReaders)
	for i := range mostReaders {
		readers.Go(func() {
			for ctx.Err() == nil {
				err := d.View(ctx, func(c *Conn) error {
					_, _, err := c.Number("SELECT sum(length(body)) FROM (SELECT body FROM number ORDER BY id LIMIT 200)")
					return err
				})
				if err != nil && ctx.Err() == nil && !errors.Is(err, ErrTooLong) { // a machine may be that slow
					t.Error(err)
				}
				views[i]++
			}
		})
	}
	body := make([]byte, 20000)
	var longest int64
	for i := range 700 { // 14 MB
		if err := insert(d, i, i, body); err != nil {
			t.Fatal(err)
		}
		d.Maintain(false)
		longest = max(longest, d.Stats().WAL)
	}
	cancel()
	readers.Wait()
	t.Logf("the WAL had %d bytes at most, views %v", longest, views)
	if longest > 8<<20 {
		t.Errorf("the WAL had %d bytes, want at most 8 MiB", longest)
	}
	for _, n := range views {
		if n < 3 {
			t.Errorf("a reader was inside %d times: it was kept out", n)
		}
	}
	settleDown(t, d)
	if s := d.Stats(); s.WAL != o.Reserve {
		t.Errorf("the idle WAL has %d bytes, want its reserve of %d", s.WAL, o.Reserve)
	}
	if frames := d.writer.frames(); frames > shortWAL {
		t.Errorf("the idle WAL has %d frames to read at the next start", frames)
	}
}

// TestTheReserveIsFilledOnce: in small steps, and not again at the next start.
func TestTheReserveIsFilledOnce(t *testing.T) {
	for _, reserve := range []int64{0, 100 << 10, 1 << 20, 5 << 20} {
		o := testOptions(t, t.TempDir())
		o.Reserve = reserve
		d := open(t, o)
		if filled := d.Stats().Filled; filled != (reserve == 0) {
			t.Errorf("a reserve of %d is filled at the start: %t", reserve, filled)
		}
		settleDown(t, d)
		s := d.Stats()
		if !s.Filled || s.Reserve < reserve || s.WAL < reserve || s.Bytes < reserve {
			t.Errorf("reserve of %d: %+v", reserve, s)
		}
		mustInsert(t, d, 1, 100)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		d = open(t, o)
		if s := d.Stats(); !s.Filled || s.WAL < reserve {
			t.Errorf("reserve of %d after a restart: %+v", reserve, s)
		}
		before := d.upkeep.filled
		settleDown(t, d)
		if d.upkeep.filled != before {
			t.Errorf("a reserve of %d was filled again", reserve)
		}
		mustCount(t, d, 100)
	}
}

// TestFreePagesGoBackToTheDisk: what growth may need again stays, the rest goes.
func TestFreePagesGoBackToTheDisk(t *testing.T) {
	d := openIn(t, t.TempDir())
	body := make([]byte, 1<<20)
	for i := range 80 {
		if err := insert(d, i, i, body); err != nil {
			t.Fatal(err)
		}
		d.Maintain(false)
	}
	if err := d.Update(func(c *Conn) error { return c.Exec("DELETE FROM number") }); err != nil {
		t.Fatal(err)
	}
	settleDown(t, d)
	if s := d.Stats(); s.Free > spareBytes+2*stepBytes || s.Free < spareBytes/2 || s.Bytes > spareBytes+4*stepBytes {
		t.Errorf("%+v, want about %d bytes of free pages", s, spareBytes)
	}
}

// TestALongViewIsCutOff: in the middle of a statement, and between two.
func TestALongViewIsCutOff(t *testing.T) {
	memoryAndFile(t, func(t *testing.T, d *DB) {
		endless := "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
		started := time.Now()
		err := d.View(t.Context(), func(c *Conn) error {
			_, _, err := c.Number(endless)
			return err
		})
		if took := time.Since(started); !errors.Is(err, ErrTooLong) || took < longestView || took > 5*longestView {
			t.Errorf("error %v after %v, want ErrTooLong after %v", err, took, longestView)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("the client has gone")
		err = d.View(ctx, func(c *Conn) error {
			rows, err := c.Query("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n")
			if err != nil {
				return err
			}
			cancel(gone)
			for rows.Next() { // never ends by itself
			}
			if _, _, err := c.Number("SELECT 1"); !errors.Is(err, gone) {
				t.Errorf("error %v, want the context's cause", err)
			}
			return rows.Err()
		})
		if !errors.Is(err, ErrTooLong) || !errors.Is(err, gone) {
			t.Errorf("error %v, want ErrTooLong and the context's cause", err)
		}
		mustCount(t, d, 0) // the connection is as good as new
	})
}

// TestViewsWaitForAPlace: more than there are places, and one whose time ends.
func TestViewsWaitForAPlace(t *testing.T) {
	d := openIn(t, t.TempDir())
	inside, leave := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	for range mostReaders {
		readers.Go(func() {
			_ = d.View(t.Context(), func(*Conn) error {
				inside <- struct{}{}
				<-leave
				return nil
			})
		})
	}
	for range mostReaders {
		<-inside
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.View(ctx, func(*Conn) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	readers.Go(func() { mustCount(t, d, 0) })
	close(leave)
	readers.Wait()
}

// TestAMemoryDatabaseIsBounded: a full one is ErrFull, and works on when there
// is room.
func TestAMemoryDatabaseIsBounded(t *testing.T) {
	o := testOptions(t, "")
	o.Memory = 1 << 20
	d := open(t, o)
	body := make([]byte, 10000)
	n := 0
	for ; ; n++ {
		err := insert(d, n, n, body)
		if errors.Is(err, ErrFull) {
			break
		}
		if err != nil || n > 1000 {
			t.Fatalf("number %d: %v", n, err)
		}
	}
	mustCount(t, d, n)
	if err := d.Update(func(c *Conn) error { return c.Exec("DELETE FROM number WHERE id < 10") }); err != nil {
		t.Fatal(err)
	}
	mustInsert(t, d, 1, 3)
	if err := d.Backup(t.Context(), t.TempDir()+"/copy"); err == nil {
		t.Error("a copy of what is in memory")
	}
	if err := d.Reopen(); err != nil {
		t.Error(err)
	}
	mustCount(t, d, n-10+3)
}

// TestAReaderThatDoesNotLeave: it keeps others out for a while, not for good, and
// the WAL begins anew when it has left.
func TestAReaderThatDoesNotLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := testOptions(t, t.TempDir())
		o.Reserve = 1 << 20
		d := open(t, o)
		mustInsert(t, d, 1, 1)
		inside, leave := make(chan struct{}), make(chan struct{})
		var reader sync.WaitGroup
		reader.Go(func() {
			_ = d.View(t.Context(), func(c *Conn) error {
				_, _, err := c.Number("SELECT count(*) FROM number") // from here on it needs the WAL
				close(inside)
				<-leave
				return err
			})
		})
		<-inside
		body := make([]byte, 20000)
		n := 2
		for ; !d.upkeep.gated; n++ {
			if err := insert(d, n, n, body); err != nil || n > 1000 {
				t.Fatalf("the gate is not shut after %d: %v", n, err)
			}
			d.Maintain(false)
		}
		time.Sleep(2 * longestGate)
		d.Maintain(false)
		mustCount(t, d, n-1)
		close(leave)
		reader.Wait()
		before := d.writer.frames()
		for last := n + 100; d.writer.frames() >= before; n++ {
			if err := insert(d, n, n, nil); err != nil || n > last {
				t.Fatalf("the WAL has %d frames and does not begin anew: %v", d.writer.frames(), err)
			}
			d.Maintain(false)
		}
	})
}

// TestALimitThatEndsLate opens no gate that was shut for good meanwhile.
func TestALimitThatEndsLate(t *testing.T) {
	p := newPool(nil)
	p.open()
	p.shut(time.Hour)
	late := p.limits
	p.shut(0)
	p.endLimit(late)
	if !p.isShut() {
		t.Error("the gate is open")
	}
	p.shut(time.Hour)
	p.endLimit(p.limits)
	if p.isShut() {
		t.Error("the gate stays shut")
	}
}

// TestAPlaceOfAViewThatPanics is given back.
func TestAPlaceOfAViewThatPanics(t *testing.T) {
	d := openIn(t, t.TempDir())
	for range mostReaders + 1 {
		func() {
			defer func() { _ = recover() }()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			t.Errorf("no panic, but %v", d.View(ctx, func(*Conn) error { panic("broken") }))
		}()
	}
	mustCount(t, d, 0)
}
