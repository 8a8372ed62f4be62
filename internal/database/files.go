package database

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// createFile makes an empty file that only its owner reads, where there is
// none. SQLite gives the files beside it the same rights.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return diskError("make the database", err)
	}
	if err := f.Close(); err != nil {
		return diskError("make the database", err)
	}
	return syncDirectory(filepath.Dir(path))
}

// diskError says of an operating system's error which of ours it is.
func diskError(doing string, err error) error {
	kind := ErrFailed
	if isFull(err) {
		kind = ErrFull
	}
	return fmt.Errorf("%w: %s: %w", kind, doing, err)
}

// setAside renames a database with its WAL and its index, and gives its new
// name. What can be read of it is not lost.
func setAside(path string, now time.Time) (string, error) {
	aside := path + ".damaged-" + now.UTC().Format("20060102T150405.000Z")
	if _, err := os.Lstat(aside); err == nil {
		return "", fmt.Errorf("%s is there already", aside)
	}
	for _, suffix := range []string{"-shm", "-wal", ""} { // the file last: as long as it is there, the next start sees that it is damaged
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return aside, syncDirectory(filepath.Dir(path))
}

// rewriteWAL writes a WAL over itself and waits for the disk. After an fsync
// that failed the system counts pages as written that are not; only writing
// them again brings them to the disk.
func rewriteWAL(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the WAL again: %w", err)
	}
	defer func() { _ = f.Close() }()
	buffer := make([]byte, 256<<10)
	for offset := int64(0); ; {
		n, err := f.ReadAt(buffer, offset)
		if n > 0 {
			if _, err := f.WriteAt(buffer[:n], offset); err != nil {
				return fmt.Errorf("write the WAL again: %w", err)
			}
		}
		offset += int64(n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the WAL again: %w", err)
		}
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("write the WAL again: %w", err)
	}
	return nil
}

// sizeOf is the length of a file, 0 where there is none.
func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
