package secret

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// settled is the age from which a file's time of change is believed: a change
// within the same tick of a file system's clock would not show (FAT counts in
// steps of 2 s).
const settled = 2 * time.Second

// Set is the secrets of one hook, or the one secret of an argument: any of them
// passes, so that they can be exchanged while both sides go on. It may be used
// from several goroutines.
//
// Variables and credentials are read once, when the Set is made: they cannot
// change in a process that runs. Files are looked at whenever the secrets are
// asked for, and read again when they have changed.
type Set struct {
	sources []Source
	alarm   func(text string)

	// UnsetLoopback says that as long as none is set only callers on this
	// machine may call (unset: loopback).
	UnsetLoopback bool

	now     func() time.Time
	renewal sync.Mutex // held while a new state is made
	state   atomic.Pointer[state]
}

// state is what the sources held when they were last read. It never changes.
type state struct {
	read   []reading // one a source
	values []Value   // of those that are set
}

// reading is what one source held.
type reading struct {
	value Value // the last good one; empty: there was none
	err   error // why there is none now

	info    os.FileInfo // of a file as it was read; nil: there was none
	settled bool        // the file need not be read again until info changes
}

// NewSet makes a Set of sources, the newest secret first, and reads them all.
// alarm is told, once, when a source that was good cannot be read any more, and
// when it can be again; it may be nil, and must not ask the Set for anything.
func NewSet(sources []Source, alarm func(text string)) *Set {
	s := &Set{sources: sources, alarm: alarm, now: time.Now}
	first := &state{read: make([]reading, len(sources))}
	for i := range sources {
		first.read[i] = s.readAgain(i, reading{})
	}
	first.gather()
	s.state.Store(first)
	return s
}

// Sources lists where the secrets come from, for people.
func (s *Set) Sources() []Source { return s.sources }

// Check tells which sources cannot be read now, in their order; errors.Is
// ErrUnset of those that are not set. It tells so also where an older secret of
// theirs still counts.
func (s *Set) Check() []error {
	var errs []error
	for _, r := range s.current().read {
		if r.err != nil {
			errs = append(errs, r.err)
		}
	}
	return errs
}

// Values gives the secrets that are set, in order; none is empty. A file that
// changed is read again; where it cannot be read, or is empty, its last good
// value counts. The caller must not change the slice.
func (s *Set) Values() []Value { return s.current().values }

// current is the state that the files have now.
func (s *Set) current() *state {
	now := s.state.Load()
	if !slices.ContainsFunc(s.sources, isFile) || !s.stale(now) {
		return now
	}
	s.renewal.Lock()
	defer s.renewal.Unlock()
	old := s.state.Load() // another goroutine may just have made it
	if old != now && !s.stale(old) {
		return old
	}
	next := &state{read: slices.Clone(old.read)}
	for i, source := range s.sources {
		if isFile(source) && changed(source, old.read[i]) {
			next.read[i] = s.readAgain(i, old.read[i])
		}
	}
	next.gather()
	s.state.Store(next)
	return next
}

func isFile(s Source) bool { return s.File != "" }

// stale reports whether a file must be read again.
func (s *Set) stale(of *state) bool {
	for i, source := range s.sources {
		if isFile(source) && changed(source, of.read[i]) {
			return true
		}
	}
	return false
}

// changed reports whether a file is, or may be, another than that which was
// read. One that could not be read may be readable without having changed.
func changed(source Source, last reading) bool {
	if !last.settled {
		return true
	}
	info, err := os.Stat(source.File)
	if err != nil {
		return last.info != nil || !errors.Is(err, fs.ErrNotExist)
	}
	return last.info == nil || !info.ModTime().Equal(last.info.ModTime()) ||
		info.Size() != last.info.Size() || !os.SameFile(info, last.info)
}

// readAgain reads one source, and tells the alarm when it begins to fail and
// when that ends.
func (s *Set) readAgain(i int, last reading) reading {
	source := s.sources[i]
	value, info, err := source.read()
	next := reading{value: value, err: err, info: info}
	switch {
	case info != nil:
		// One that is there and cannot be read is tried each time: what keeps it
		// from being read does not show in its times.
		next.settled = (err == nil || errors.Is(err, ErrUnset)) && s.now().Sub(info.ModTime()) >= settled
	default:
		next.settled = err == nil || errors.Is(err, ErrUnset)
	}
	if err == nil {
		if last.err != nil && !last.value.Empty() {
			s.tell(source.String() + " can be read again: its secret counts from now on")
		}
		return next
	}
	next.value = last.value
	if last.err == nil && !last.value.Empty() {
		text := strings.TrimPrefix(err.Error(), ErrUnset.Error()+": ") // one is set: the last
		s.tell(text + ": the secret that was last read from it goes on to count, until Pawl ends or the hook is read again")
	}
	return next
}

func (s *Set) tell(text string) {
	if s.alarm != nil {
		s.alarm(text)
	}
}

// gather collects what is set.
func (s *state) gather() {
	for _, r := range s.read {
		if !r.value.Empty() {
			s.values = append(s.values, r.value)
		}
	}
}
