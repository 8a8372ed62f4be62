//go:build unix

package database

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// indexInMemory names SQLite's way to files that keeps the WAL's index in memory.
const indexInMemory = "unix-excl"

// isFull reports whether an error means that there is no room.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// lockDirectory takes a directory for this process. The lock ends with the
// file, or with the process.
func lockDirectory(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, diskError("lock the directory", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		text, _ := io.ReadAll(io.LimitReader(f, 32))
		_ = f.Close()
		return nil, inUse(dir, strings.TrimSpace(string(text)))
	}
	if err != nil {
		_ = f.Close()
		return nil, diskError("lock the directory", err)
	}
	// For people; on a full disk it does without.
	_ = f.Truncate(0)
	_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return f, nil
}

func inUse(dir, pid string) error {
	if _, err := strconv.Atoi(pid); err == nil {
		return fmt.Errorf("%s is %w (pid %s)", dir, ErrInUse, pid)
	}
	return fmt.Errorf("%s is %w", dir, ErrInUse)
}

// syncDirectory makes a new name durable.
func syncDirectory(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return diskError("bring a directory to the disk", err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return diskError("bring a directory to the disk", err)
	}
	return nil
}

// freeBytes is the room on the disk of a directory, for who is not root. Where
// it cannot be told there is much.
func freeBytes(dir string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return math.MaxInt64
	}
	return int64(min(uint64(max(s.Bavail, 0))*uint64(s.Bsize), math.MaxInt64))
}
