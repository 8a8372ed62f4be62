package process

import (
	"sync"
	"time"
)

const (
	// unreadLook is how often it is looked for output that should be read by now.
	unreadLook = 2 * time.Millisecond

	// unreadTurn and unreadMost say when: a script that does nothing takes about
	// so long for each that runs beside it, and no output waits longer than that.
	unreadTurn = 2 * time.Millisecond
	unreadMost = 24 * time.Millisecond

	// unreadRest is after how many looks at nothing they end.
	unreadRest = 100
)

// unread are the collectors for which nobody reads yet. One timer serves all.
type unread struct {
	mu      sync.Mutex
	all     map[*collector]struct{}
	looking bool
	nothing int // looks that found none
}

// add makes sure that somebody reads soon.
func (u *unread) add(c *collector) {
	if !readsLate {
		c.begin()
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all == nil {
		u.all = make(map[*collector]struct{})
	}
	u.all[c] = struct{}{}
	u.nothing = 0
	if !u.looking {
		u.looking = true
		time.AfterFunc(unreadLook, u.look)
	}
}

// remove says that it has ended.
func (u *unread) remove(c *collector) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.all, c)
}

// look begins to read what has waited for long enough.
func (u *unread) look() {
	for _, c := range u.due(time.Now()) {
		c.begin()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.looking = u.nothing < unreadRest; u.looking {
		time.AfterFunc(unreadLook, u.look)
	}
}

// due takes those out that have waited for long enough.
func (u *unread) due(now time.Time) (due []*collector) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.all) == 0 {
		u.nothing++
	}
	patience := min(time.Duration(len(u.all))*unreadTurn, unreadMost)
	for c := range u.all {
		if now.Sub(c.since) >= patience {
			due = append(due, c)
			delete(u.all, c)
		}
	}
	return due
}
