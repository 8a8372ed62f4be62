package database

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestOpenOnAFullDisk: without a byte for the WAL's index it opens, commits into
// its reserve beside those who read, and opens again; and in the old way when
// there is room.
func TestOpenOnAFullDisk(t *testing.T) {
	for name, disk := range smallDisks() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			disk.mount(t, dir)
			o := testOptions(t, dir)
			o.Reserve = disk.reserve
			d := open(t, o)
			mustInsert(t, d, 1, 1000)
			fillReserve(t, d)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, o.Name+"-shm")); err != nil {
				t.Fatal(err)
			}

			filler := fillDisk(t, dir)
			next := 1001
			for range 3 {
				d = open(t, o)
				if d.vfs() != indexInMemory {
					t.Errorf("there was room for the index: %q", d.vfs())
				}
				mustInsert(t, d, next, next+199)
				next += 200
				mustCount(t, d, next-1)
				d.Maintain(true)
				if err := d.Close(); err != nil && !errors.Is(err, ErrFull) { // the WAL stays then
					t.Fatal(err)
				}
			}

			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			d = open(t, o)
			if d.vfs() != "" {
				t.Errorf("the index is not in its file: %q", d.vfs())
			}
			mustInsert(t, d, next, next+100)
			mustCount(t, d, next+100)
			sound(t, d)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
