//go:build unix && !linux

package process

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// tree is a process group: these systems give no cheap way to follow what
// leaves it.
type tree struct {
	pid  int // the first process and the group
	gone atomic.Bool
}

func newTree(pid int, _ string) *tree { return &tree{pid: pid} }

// reaped tells that the first process's number is free again.
func (t *tree) reaped() { t.gone.Store(true) }

func (t *tree) close()     {}
func (t *tree) terminate() { _ = unix.Kill(-t.pid, unix.SIGTERM) }
func (t *tree) kill()      { _ = unix.Kill(-t.pid, unix.SIGKILL) }

// alive reports whether anything of the group still runs. A group of zombies
// answers EPERM on some of these systems, and counts as gone.
func (t *tree) alive() bool { return unix.Kill(-t.pid, 0) == nil }

func (t *tree) groupThere() bool { return t.alive() }
func (t *tree) groupAlive() bool { return t.alive() }
