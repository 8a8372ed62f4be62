package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/database/databasetest"
)

// TestADiskThatFails: the commit that fails is told, nothing works after it
// until the database is opened again, and what was committed before is there.
func TestADiskThatFails(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(*databasetest.Disk)
	}{
		{"fsync", func(d *databasetest.Disk) { d.FailSyncs(0) }},
		{"first write", func(d *databasetest.Disk) { d.FailWrites(0) }},
		{"write within a commit", func(d *databasetest.Disk) { d.FailWrites(3) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			disk := databasetest.NewDisk(t)
			o := testOptions(t, t.TempDir())
			o.VFS = disk.VFS()
			d := open(t, o)
			mustInsert(t, d, 1, 100)
			c.fail(disk)
			if err := insert(d, 101, 200, []byte("lost")); !errors.Is(err, ErrFailed) {
				t.Fatalf("error %v, want ErrFailed", err)
			}
			failures := disk.Failures()
			disk.Heal()
			if err := insert(d, 201, 201, nil); !errors.Is(err, ErrFailed) {
				t.Errorf("error %v, want ErrFailed until Reopen", err)
			}
			if disk.Failures() != failures || failures == 0 {
				t.Errorf("%d failures, then %d: the disk was not asked, or asked again", failures, disk.Failures())
			}
			if d.Stats().Problem == nil {
				t.Error("Stats tells no problem")
			}
			mustReopen(t, d)
			n := count(t, d)
			if n != 100 && n != 200 {
				t.Errorf("there are %d numbers, want those before, and all or none of the commit that failed", n)
			}
			mustInsert(t, d, 1000, 1000)
			mustCount(t, d, n+1)
			d.Maintain(true)
			if problem := d.Stats().Problem; problem != nil {
				t.Errorf("Stats tells a problem that is over: %v", problem)
			}
		})
	}
}

func mustReopen(t *testing.T, d *DB) {
	t.Helper()
	if err := d.Reopen(); err != nil {
		t.Fatal(err)
	}
}

// TestACopyThatFails: an fsync that fails beside the writer stops the writer
// too, for nobody knows what it lost.
func TestACopyThatFails(t *testing.T) {
	disk := databasetest.NewDisk(t)
	o := testOptions(t, t.TempDir())
	o.VFS = disk.VFS()
	d := open(t, o)
	mustInsert(t, d, 1, 100)
	disk.FailSyncs(0)
	settleDown(t, d)
	if err := insert(d, 101, 101, nil); !errors.Is(err, ErrFailed) {
		t.Fatalf("error %v, want ErrFailed", err)
	}
	disk.Heal()
	mustReopen(t, d)
	mustCount(t, d, 100)
}

// TestReopenIsTriedAgain: while the disk goes on failing Reopen does, readers
// are told so, and nothing is lost in the end.
func TestReopenIsTriedAgain(t *testing.T) {
	disk := databasetest.NewDisk(t)
	o := testOptions(t, t.TempDir())
	o.VFS = disk.VFS()
	d := open(t, o)
	mustInsert(t, d, 1, 100)
	disk.FailSyncs(0)
	if err := insert(d, 101, 101, nil); !errors.Is(err, ErrFailed) {
		t.Fatalf("error %v, want ErrFailed", err)
	}
	for range 3 {
		if err := d.Reopen(); !errors.Is(err, ErrFailed) {
			t.Fatalf("error %v, want ErrFailed", err)
		}
		if err := d.View(t.Context(), func(*Conn) error { return nil }); !errors.Is(err, ErrFailed) {
			t.Errorf("error %v, want ErrFailed", err)
		}
	}
	disk.Heal()
	mustReopen(t, d)
	if n := count(t, d); n < 100 {
		t.Errorf("there are %d numbers, want at least 100", n)
	}
}

// TestADamagedFile: it is told with what to do, nothing is changed, and with
// Repair it is set aside whole and a new one begun.
func TestADamagedFile(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, path string)
	}{
		{"no database", func(t *testing.T, path string) { write(t, path, 0, []byte(strings.Repeat("no database ", 1000))) }},
		{"first page zeroed", func(t *testing.T, path string) { write(t, path, 0, make([]byte, 4096)) }},
		{"cut off", func(t *testing.T, path string) {
			if err := os.Truncate(path, 4096); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			d := openIn(t, dir)
			mustInsert(t, d, 1, 2000)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "journal.db")
			if err := os.Remove(path + "-wal"); err != nil {
				t.Fatal(err)
			}
			c.damage(t, path)
			damaged := read(t, path)

			o := testOptions(t, dir)
			_, err := Open(t.Context(), o)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "-data-dir-repair") {
				t.Fatalf("error %v, want ErrDamaged that says what to do", err)
			}
			if read(t, path) != damaged {
				t.Error("the damaged file was changed")
			}
			o.Repair = true
			d = open(t, o)
			mustCount(t, d, 0)
			mustInsert(t, d, 1, 1)
			aside, err := filepath.Glob(path + ".damaged-*Z")
			if err != nil || len(aside) != 1 || read(t, aside[0]) != damaged {
				t.Errorf("set aside: %v (%v), want one file as it was", aside, err)
			}
		})
	}
}

// TestDamageFoundLater: damage that nothing touches at the start shows when it
// is read, and Repair reads the whole file.
func TestDamageFoundLater(t *testing.T) {
	dir := t.TempDir()
	d := openIn(t, dir)
	mustInsert(t, d, 1, 2000)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "journal.db"), 8*4096, []byte(strings.Repeat("\xff", 10*4096)))
	if err := os.Remove(filepath.Join(dir, "journal.db-wal")); err != nil {
		t.Fatal(err)
	}
	d = openIn(t, dir)
	err := d.Update(func(c *Conn) error {
		_, _, err := c.Number("SELECT sum(length(text)) + sum(length(body)) FROM number NOT INDEXED")
		return err
	})
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("error %v, want ErrDamaged", err)
	}
	if err := insert(d, 20000, 20000, nil); !errors.Is(err, ErrDamaged) {
		t.Errorf("error %v, want ErrDamaged for all that follows", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	o := testOptions(t, dir)
	o.Repair = true
	mustCount(t, open(t, o), 0)
}

func write(t *testing.T, path string, offset int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteAt(b, offset)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRepairLeavesASoundFileAlone: the flag may stay set.
func TestRepairLeavesASoundFileAlone(t *testing.T) {
	dir := t.TempDir()
	d := openIn(t, dir)
	mustInsert(t, d, 1, 10)
	_ = d.Close()
	o := testOptions(t, dir)
	o.Repair = true
	mustCount(t, open(t, o), 10)
}

// TestInUse: a second one is refused, and told whose the directory is.
func TestInUse(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir)
	_, err := Open(t.Context(), testOptions(t, dir))
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("error %v, want ErrInUse with the directory and the pid", err)
	}
}

// TestAWALThatCannotBeOpened: on a disk that turned read-only, say. Readers are
// told so too, instead of waiting.
func TestAWALThatCannotBeOpened(t *testing.T) {
	o := testOptions(t, t.TempDir())
	d := open(t, o)
	mustInsert(t, d, 1, 10)
	wal := filepath.Join(o.Directory, o.Name+"-wal")
	if err := errors.Join(os.Rename(wal, wal+".away"), os.Mkdir(wal, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := d.Reopen(); !errors.Is(err, ErrFailed) {
		t.Fatalf("error %v, want ErrFailed", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := d.View(ctx, func(*Conn) error { return nil }); !errors.Is(err, ErrFailed) {
		t.Errorf("a View: error %v, want ErrFailed", err)
	}
	if d.Stats().Problem == nil {
		t.Error("Stats tell of no problem")
	}
	if err := errors.Join(os.Remove(wal), os.Rename(wal+".away", wal)); err != nil {
		t.Fatal(err)
	}
	mustReopen(t, d)
	mustCount(t, d, 10)
}
