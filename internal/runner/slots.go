package runner

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/process"
)

const slotPrefix = "slot-"

func slotPath(parent string, number int) string {
	return filepath.Join(parent, slotPrefix+strconv.Itoa(number))
}

// isRunID reports whether a name is that of a run, and not a path to somewhere.
func isRunID(name string) bool { return len(name) == 36 && uuid.Validate(name) == nil }

// slots hands out directories to attempts, below parent.
//
// Most runs leave nothing in theirs. So an attempt gets a slot, a directory that
// is made once and used again and again; only where a script left something is
// it renamed after its run. To make or rename a directory for each run cost as
// much as a third of the script's own start (ext4, measured).
//
// A slot whose run left processes behind is not used again, for they may write
// to it. A daemon that left its group and closed its output is not seen; when it
// writes into the directory while that is free, the directory goes.
type slots struct {
	parent string          // "": there are none
	tell   func(err error) // what could not be put in order
	begin  sync.Once       // begun by the first who needs a slot

	table *table

	mu   sync.Mutex
	free []*slot
	next int // numbers from here on were never given

	// reserved are slots in which a process of an earlier Pawl still runs.
	reserved []record
}

// slot is one directory that attempts use one after the other.
type slot struct {
	number int
	path   string
	made   bool
	view   view
	clean  stamp // of it and its artifacts, as they were empty
}

// gone says that the slot's directories are no longer there.
func (s *slot) gone() {
	s.made = false
	s.view.close()
}

// newSlots makes slots below a directory. It touches nothing yet: that it is
// Pawl's alone is known only once the journal is open.
func newSlots(parent string, tell func(error)) *slots { return &slots{parent: parent, tell: tell} }

// load begins with what an earlier Pawl left: its table tells which runs it left
// files or processes of.
func (s *slots) load() {
	var records []record
	s.table, records = openTable(s.parent)
	var problems []error
	taken := map[int]bool{}
	for _, r := range records {
		if r.process.Running() {
			s.reserved, taken[r.slot] = append(s.reserved, r), true
		}
		problems = append(problems, r.salvage(s.parent))
	}
	entries, _ := os.ReadDir(s.parent) // what is wrong with it is told by the first run
	for _, entry := range entries {
		name := entry.Name()
		number, isSlot := strings.CutPrefix(name, slotPrefix)
		n, err := strconv.Atoi(number)
		switch {
		case isSlot && err == nil && n >= 0:
			s.next = max(s.next, n+1)
			if !taken[n] {
				s.free = append(s.free, &slot{number: n, path: slotPath(s.parent, n), made: true})
				taken[n] = true
			}
		case strings.HasPrefix(name, "output-"), strings.HasPrefix(name, "probe-"), strings.HasPrefix(name, ".spare-"):
			_ = os.RemoveAll(filepath.Join(s.parent, name)) // of an earlier Pawl, which could not remove it itself
		}
	}
	for n := range taken {
		s.next = max(s.next, n+1)
	}
	if err := errors.Join(problems...); err != nil {
		s.tell(err)
	}
}

// place is where one attempt may write. Its zero value is nowhere.
type place struct {
	path string
	slot *slot // its number is taken also where path is the run's own directory
}

func (p place) file(name string) string { return filepath.Join(p.path, name) }

func (p place) artifacts() string { return p.file("artifacts") }

// own reports whether the place is the run's own directory, which an earlier
// attempt left.
func (p place) own() bool { return p.slot != nil && p.path != p.slot.path }

// take gives an attempt its place. A further attempt gets the directory in which
// an earlier one of the run left something.
func (s *slots) take(id string, attempt int) (place, error) {
	if s.parent == "" {
		return place{}, nil
	}
	s.begin.Do(s.load)
	p := place{slot: s.pop()}
	if attempt > 1 && isRunID(id) {
		p.path = filepath.Join(s.parent, id)
		if info, err := os.Lstat(p.path); err == nil && info.IsDir() {
			_ = os.Remove(p.file(outputName)) // those results are remembered with their attempt
			return p, s.checked(p, os.MkdirAll(p.artifacts(), 0o700))
		}
	}
	p.path = p.slot.path
	return p, s.checked(p, p.slot.prepare())
}

// checked gives the slot back when its place cannot be used.
func (s *slots) checked(p place, err error) error {
	if err == nil {
		return nil
	}
	s.push(p.slot)
	return fmt.Errorf("make the run's own directory: %w", err)
}

func (s *slots) pop() *slot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		s.next++
		return &slot{number: s.next - 1, path: slotPath(s.parent, s.next-1)}
	}
	last := len(s.free) - 1
	free := s.free[last]
	s.free = s.free[:last]
	return free
}

func (s *slots) push(free *slot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, free)
}

// prepare makes the directories of a slot, or makes sure that they are there and
// empty.
func (s *slot) prepare() error {
	if s.made {
		if !s.touched() {
			return nil
		}
		// Something that no longer belongs to a run has written to it, or it is
		// gone, or an earlier Pawl made it.
		if err := removeAll(s.path); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(s.path, "artifacts"), 0o700); err != nil {
		return err
	}
	s.view.reopen(s.path)
	s.made, s.clean = true, s.view.take()
	return nil
}

// touched reports whether anything was made in the slot since it was empty. It
// costs two quick system calls where nothing was.
func (s *slot) touched() bool {
	if s.clean.proves(s.view.take()) {
		return false
	}
	s.view.reopen(s.path) // whatever has these names now
	now := s.view.take()
	if !now.ok || len(names(s.path, 2)) != 1 || len(names(filepath.Join(s.path, "artifacts"), 1)) != 0 {
		return true
	}
	s.clean = now // taken before the look into it, so what came since changes it
	return false
}

// give takes a place back. Where the script left something it becomes, or stays,
// the run's own directory; a slot of which somebody may still hold a part is not
// used again.
func (s *slots) give(p place, id string, left, occupied bool) error {
	if p.slot == nil {
		return nil
	}
	defer s.push(p.slot)
	switch {
	case p.own():
		if !left {
			return removeAll(p.path)
		}
		return nil
	case left:
		p.slot.gone()
		if err := os.Rename(p.path, filepath.Join(s.parent, id)); err != nil {
			return fmt.Errorf("keep what the script left: %w", err)
		}
	case occupied:
		p.slot.gone()
		return errors.Join(ignoreMissing(os.Remove(p.artifacts())), ignoreMissing(os.Remove(p.path)))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// note writes down who runs where.
func (s *slots) note(p place, id string, identity process.Identity) {
	if p.slot != nil {
		s.table.write(p.slot.number, id, identity)
	}
}

// names lists up to n entries of a directory. One that is not there or cannot be
// read counts as full: what may be there must not be lost.
func names(path string, n int) []string {
	file, err := os.Open(path)
	if err != nil {
		return []string{err.Error(), ""}[:min(n, 2)]
	}
	defer file.Close()
	list, err := file.Readdirnames(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return []string{err.Error(), ""}[:min(n, 2)]
	}
	return list
}

// firstOf gives the processes of an earlier Pawl that still run, of those runs.
func (s *slots) firstOf(chosen func(id string) bool) []process.Identity {
	if s.parent == "" {
		return nil
	}
	s.begin.Do(s.load)
	var first []process.Identity
	for _, r := range s.reserved {
		if chosen(r.run) {
			first = append(first, r.process)
		}
	}
	return first
}

// release gives the slots free in which nothing runs any more.
func (s *slots) release() {
	var still []record
	for _, r := range s.reserved {
		if r.process.Running() {
			still = append(still, r)
			continue
		}
		if err := r.salvage(s.parent); err == nil {
			s.push(&slot{number: r.slot, path: slotPath(s.parent, r.slot), made: true})
		}
	}
	s.reserved = still
}
