package process

import (
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// tree is what belongs to a process that we started: its group, what descends
// from it, and what carries its mark in the environment.
type tree struct {
	pid  int // the first process and the group
	mark string
	gone atomic.Bool // the first process was reaped: its number may be given again

	// seen holds everything found so far by its number and start time, so that
	// a process is known again after its parent, which linked it to the tree,
	// is gone. Wait's goroutine alone uses it.
	seen map[int]uint64

	// strangers are known the same way not to carry the mark: to read the
	// environment of every process each time would take most of a look. It does
	// not change in one that is not ours, and ours have it from their birth.
	strangers map[int]uint64
}

func newTree(pid int, mark string) *tree {
	return &tree{pid: pid, mark: mark}
}

// reaped tells that the first process's number is free again.
func (t *tree) reaped() { t.gone.Store(true) }

func (t *tree) close() {}

func (t *tree) terminate() { t.signal(unix.SIGTERM) }
func (t *tree) kill()      { t.signal(unix.SIGKILL) }

// signal sends sig to the group at one stroke, so that nothing forks past it,
// and to each process of the tree that left the group. Errors mean that a
// process has just ended, or now belongs to another user; there is nothing
// that could be done about either.
func (t *tree) signal(sig unix.Signal) {
	members := t.members()
	grouped := !t.gone.Load()
	for _, m := range members {
		grouped = grouped || m.group == t.pid
	}
	if grouped {
		_ = unix.Kill(-t.pid, sig)
	}
	for _, m := range members {
		if m.group != t.pid {
			_ = unix.Kill(m.pid, sig)
		}
	}
}

// alive reports whether anything of the tree still runs, zombies aside.
func (t *tree) alive() bool { return len(t.members()) > 0 }

// groupThere reports whether anything is in the group, zombies as well. It costs
// one system call.
func (t *tree) groupThere() bool { return unix.Kill(-t.pid, 0) == nil }

// groupAlive reports whether anything of the group still runs, zombies aside.
func (t *tree) groupAlive() bool {
	for _, m := range t.members() {
		if m.group == t.pid {
			return true
		}
	}
	return false
}

// marked reports whether a process carries the tree's mark.
func (t *tree) marked(entry procEntry) bool {
	if start, known := t.strangers[entry.pid]; known && start == entry.start {
		return false
	}
	if hasMark(entry.pid, t.mark) {
		return true
	}
	t.strangers[entry.pid] = entry.start
	return false
}

// members finds everything of the tree that is there now and no zombie.
func (t *tree) members() []procEntry {
	if t.seen == nil {
		t.seen, t.strangers = make(map[int]uint64), make(map[int]uint64)
	}
	all := readProcesses()
	byPID := make(map[int]procEntry, len(all))
	children := make(map[int][]int, len(all))
	for _, entry := range all {
		byPID[entry.pid] = entry
		children[entry.parent] = append(children[entry.parent], entry.pid)
	}
	var queue []int
	add := func(pid int) {
		entry, there := byPID[pid]
		if there && t.seen[pid] != entry.start {
			t.seen[pid] = entry.start
			queue = append(queue, pid)
		}
	}
	first, there := byPID[t.pid]
	stranger := there && t.gone.Load() // the number was given again, so the group had ended
	for pid, start := range t.seen {
		if byPID[pid].start != start {
			delete(t.seen, pid)
		} else {
			queue = append(queue, pid)
		}
	}
	if there && !stranger {
		add(first.pid)
	}
	self := os.Getpid()
	for _, entry := range all {
		inGroup := entry.group == t.pid && !stranger
		if entry.pid != self && entry.pid != 1 && (inGroup || t.marked(entry)) {
			add(entry.pid)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, child := range children[queue[0]] {
			add(child)
		}
	}
	members := make([]procEntry, 0, len(t.seen))
	for pid := range t.seen {
		if !byPID[pid].zombie {
			members = append(members, byPID[pid])
		}
	}
	return members
}
