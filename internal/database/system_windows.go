package database

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// indexInMemory is empty: SQLite has no such way here.
const indexInMemory = ""

// isFull reports whether an error means that there is no room.
func isFull(err error) bool {
	return errors.Is(err, windows.ERROR_DISK_FULL) || errors.Is(err, windows.ERROR_HANDLE_DISK_FULL)
}

// lockDirectory takes a directory for this process. The lock ends with the
// file, or with the process.
func lockDirectory(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, diskError("lock the directory", err)
	}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err = windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		_ = f.Close()
		return nil, fmt.Errorf("%s is %w", dir, ErrInUse)
	}
	if err != nil {
		_ = f.Close()
		return nil, diskError("lock the directory", err)
	}
	return f, nil
}

// syncDirectory does nothing: NTFS keeps names durable by itself.
func syncDirectory(string) error { return nil }

// freeBytes is the room on the disk of a directory. Where it cannot be told
// there is much.
func freeBytes(dir string) int64 {
	name, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return math.MaxInt64
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(name, &free, nil, nil); err != nil {
		return math.MaxInt64
	}
	return int64(min(free, math.MaxInt64))
}
