//go:build unix

package runner

import (
	"time"

	"golang.org/x/sys/unix"
)

// stamp tells one state of a slot's two directories from another: whatever is
// made in or removed from a directory changes the time of its last change, which
// nobody can set.
type stamp struct {
	ok    bool
	outer entry
	inner entry
	taken time.Time
}

type entry struct {
	inode   uint64
	changed int64 // nanoseconds
	isDir   bool
}

// view looks at a slot's directories. It holds them open, for to find them by
// their names each time takes ten times as long. Its zero value is closed.
type view struct {
	open         bool
	outer, inner int
}

// reopen opens the directories that have these names now.
func (v *view) reopen(path string) {
	v.close()
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	outer, err := unix.Open(path, flags, 0)
	if err != nil {
		return
	}
	inner, err := unix.Openat(outer, "artifacts", flags, 0)
	if err != nil {
		unix.Close(outer)
		return
	}
	*v = view{true, outer, inner}
}

func (v *view) close() {
	if v.open {
		unix.Close(v.outer)
		unix.Close(v.inner)
		v.open = false
	}
}

// take notes how the slot is now.
func (v *view) take() stamp {
	if !v.open {
		return stamp{}
	}
	s := stamp{taken: time.Now()} // before the look
	var outerErr, innerErr error
	s.outer, outerErr = look(v.outer)
	s.inner, innerErr = look(v.inner)
	s.ok = outerErr == nil && innerErr == nil && s.outer.isDir && s.inner.isDir
	return s
}

// look notes how a directory is. One that was removed is none.
func look(fd int) (entry, error) {
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return entry{}, err
	}
	changed := time.Unix(info.Ctim.Unix()).UnixNano()
	return entry{uint64(info.Ino), changed, info.Nlink > 0}, nil
}

// proves reports whether nothing has changed since s, when the slot was empty.
// A file system's clock is coarse: what changed shortly before s was taken might
// have changed again without a trace.
func (s stamp) proves(now stamp) bool {
	const coarse, coarsest = 100 * time.Millisecond, 3 * time.Second
	trusted := func(e entry) bool {
		margin := coarse
		if e.changed%int64(time.Second) == 0 {
			margin = coarsest // it may count in seconds
		}
		return s.taken.UnixNano()-e.changed > int64(margin)
	}
	return s.ok && now.ok && s.outer == now.outer && s.inner == now.inner && trusted(s.outer) && trusted(s.inner)
}
