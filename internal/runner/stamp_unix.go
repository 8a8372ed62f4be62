//go:build unix

package runner

import (
	"path/filepath"
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

// takeStamp notes how a slot is now.
func takeStamp(path string) stamp {
	s := stamp{taken: time.Now()} // before the look
	var outerErr, innerErr error
	s.outer, outerErr = look(path)
	s.inner, innerErr = look(filepath.Join(path, "artifacts"))
	s.ok = outerErr == nil && innerErr == nil && s.outer.isDir && s.inner.isDir
	return s
}

func look(path string) (entry, error) {
	var info unix.Stat_t
	if err := unix.Lstat(path, &info); err != nil {
		return entry{}, err
	}
	changed := time.Unix(info.Ctim.Unix()).UnixNano()
	return entry{uint64(info.Ino), changed, info.Mode&unix.S_IFMT == unix.S_IFDIR}, nil
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
