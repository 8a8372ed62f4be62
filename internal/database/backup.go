package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	sqlite3 "modernc.org/sqlite/lib"
)

// Backup writes a sound copy of the database, as it is at one moment, to a new
// file. The writer goes on meanwhile. The copy is complete and on disk before
// it gets its name; until then it is called path.partial. A file that is there
// is an error. In memory there is nothing to copy, which is an error too.
func (d *DB) Backup(ctx context.Context, path string) error {
	if d.o.Memory > 0 {
		return errors.New("the database is in memory: there is nothing to back up")
	}
	d.backup.Lock()
	defer d.backup.Unlock()
	if failed := d.failed.Load(); failed != nil {
		return *failed
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fs.ErrExist
		}
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	partial := path + ".partial"
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	// Made first, so that its rights are right from the beginning.
	if err := createFile(partial); err != nil {
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	err := d.copyTo(ctx, partial)
	if err == nil {
		err = finish(partial, path)
	}
	if err != nil {
		_ = os.Remove(partial)
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

// copyTo writes the copy, without the reserve.
func (d *DB) copyTo(ctx context.Context, partial string) error {
	c, err := d.openBeside(1024)
	if err != nil {
		return err
	}
	defer func() { _ = c.close() }()
	d.copies.Add(1)
	defer d.copies.Add(-1)
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cut)
		c.interrupt(context.Cause(ctx))
	})
	err = c.Exec("VACUUM INTO ?", partial)
	if !stop() {
		<-cut
		if err == nil { // a short copy may be done sooner than it is cut off
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		return err
	}
	return dropReserve(partial)
}

// dropReserve takes the reserve out of a copy: a copy has none.
func dropReserve(partial string) error {
	c, err := openConn(partial, "", sqlite3.SQLITE_OPEN_READWRITE)
	if err != nil {
		return err
	}
	err = c.pragmas("journal_mode = OFF", "synchronous = OFF")
	if err == nil {
		err = c.script("DELETE FROM database_reserve; PRAGMA incremental_vacuum")
	}
	if closing := c.close(); err == nil {
		err = closing
	}
	return err
}

// finish brings the copy to the disk and gives it its name.
func finish(partial, path string) error {
	f, err := os.OpenFile(partial, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}
