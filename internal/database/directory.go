package database

import "io"

// LockDirectory takes a directory that is there for this process, as Open does,
// until it is closed or the process ends. The error is ErrInUse, ErrFull or
// ErrFailed.
func LockDirectory(dir string) (io.Closer, error) {
	f, err := lockDirectory(dir)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// NoRoom reports whether an error of the system means that there is no room: the
// disk is full, or this user's share of it.
func NoRoom(err error) bool { return isFull(err) }
