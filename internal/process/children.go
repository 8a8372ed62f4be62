package process

import "sync"

// children are the processes that Start started and Wait has not reaped. The
// kernel keeps one such table for the whole program, so this shadow of it is
// the package's only variable: it tells the reaper whom to leave alone.
var children = &childTable{}

type childTable struct {
	// starting is held for reading while a process is started and entered, and
	// for writing while the reaper looks: it never sees a child of ours that is
	// not in the table yet.
	starting sync.RWMutex

	unread unread // their outputs that nobody reads yet

	mu    sync.Mutex
	count map[int]int // by process id; a number can be given again before it is forgotten
}

func (t *childTable) start(start func() (*child, error)) (*child, error) {
	t.starting.RLock()
	defer t.starting.RUnlock()
	c, err := start()
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = make(map[int]int)
	}
	t.count[c.pid]++
	return c, nil
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
