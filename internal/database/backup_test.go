package database

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestABackupIsOneMoment: while the writer goes on, each copy is sound, has no
// gap, and holds what was committed before it began.
func TestABackupIsOneMoment(t *testing.T) {
	o := testOptions(t, t.TempDir())
	o.Reserve = 4 << 20
	d := open(t, o)
	mustInsert(t, d, 1, 1000)
	fillReserve(t, d)
	target := filepath.Join(t.TempDir(), "journal.db")
	ended := make(chan error)
	go func() { ended <- d.Backup(t.Context(), target) }()
	last := 1000
	for done := false; !done; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
			last++
			mustInsert(t, d, last, last)
			d.Maintain(false)
		}
	}
	if err := d.Backup(t.Context(), target); !errors.Is(err, fs.ErrExist) {
		t.Errorf("error %v, want that the file is there", err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() > 1<<20 {
		t.Errorf("the copy: %+v (%v), want a small file of its owner's", info, err)
	}
	copied := testOptions(t, filepath.Dir(target))
	c := open(t, copied)
	sound(t, c)
	n := count(t, c)
	if n < 1000 || n > last {
		t.Errorf("the copy has %d numbers, want 1000 to %d", n, last)
	}
	err = c.View(t.Context(), func(c *Conn) error {
		highest, _, err := c.Number("SELECT max(id) FROM number")
		if int(highest) != n {
			t.Errorf("the copy has %d numbers up to %d", n, highest)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestABackupThatIsCutOffLeavesNothing(t *testing.T) {
	d := openIn(t, t.TempDir())
	mustInsert(t, d, 1, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if err := d.Backup(ctx, filepath.Join(dir, "copy")); err == nil {
		t.Error("no error")
	}
	if err := d.Backup(t.Context(), filepath.Join(dir, "missing", "copy")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want one of the directory that is missing", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left: %v", entries)
	}
}
