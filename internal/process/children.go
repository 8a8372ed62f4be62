package process

import (
	"os/exec"
	"sync"
)

// children are the processes that Start started and Wait has not reaped. The
// kernel keeps one such table for the whole program, so this shadow of it is
// the package's only variable: it tells the reaper whom to leave alone.
var children = &childTable{}

type childTable struct {
	// starting is held for reading while a process is started and entered, and
	// for writing while the reaper looks: it never sees a child of ours that is
	// not in the table yet.
	starting sync.RWMutex

	mu    sync.Mutex
	count map[int]int // by process id; a number can be given again before it is forgotten
}

func (t *childTable) start(cmd *exec.Cmd) error {
	t.starting.RLock()
	defer t.starting.RUnlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = make(map[int]int)
	}
	t.count[cmd.Process.Pid]++
	return nil
}

func (t *childTable) forget(pid int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count[pid]--; t.count[pid] <= 0 {
		delete(t.count, pid)
	}
}

func (t *childTable) has(pid int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count[pid] > 0
}
