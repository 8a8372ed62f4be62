package process

import (
	"time"
)

// child is the first process of a tree, until it was reaped. One goroutine
// waits for it; any may wake that one.
//
// Where the system tells of its end by a descriptor (Linux), waiting for it
// takes neither a thread nor a goroutine. Elsewhere a goroutine reaps it.
type child struct {
	pid    int
	status status
	reaped bool // only by its waiter's goroutine

	alarm alarm // how it is waited for
}

// alarm waits for the end of a child.
type alarm interface {
	// wait returns when the child may be reaped or was, at the time until where
	// that is not zero, or after wake.
	wait(until time.Time)
	wake()
	// reap gives the child's status if it has ended.
	reap() (status, bool)
	close()
}

// await waits until the child has ended, and reports whether it has: not when
// the time was up first, or when it was woken.
func (c *child) await(until time.Time) bool {
	if c.ended() {
		return true
	}
	c.alarm.wait(until)
	return c.ended()
}

// ended reaps the child if it has ended.
func (c *child) ended() bool {
	if !c.reaped {
		c.status, c.reaped = c.alarm.reap()
	}
	return c.reaped
}

// wake makes the wait return that goes on, or else the next one.
func (c *child) wake() { c.alarm.wake() }

// close lets go of what waiting took. The child must have ended.
func (c *child) close() { c.alarm.close() }

// exit gives the exit code, and the signal's name, of a child that has ended.
func (c *child) exit() (code int, signal string) { return c.status.code(), c.status.signal() }

// reaping is the alarm of systems without a better one: it waits in a goroutine
// of its own, for which the runtime keeps a thread.
type reaping struct {
	ended  chan struct{} // closed once status is there
	status status
	woken  chan struct{} // holds one wake
}

// startReaping begins to wait for a child by a func that blocks until then.
func startReaping(wait func() status) *reaping {
	r := &reaping{ended: make(chan struct{}), woken: make(chan struct{}, 1)}
	go func() {
		r.status = wait()
		close(r.ended)
	}()
	return r
}

func (r *reaping) wait(until time.Time) {
	var up <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		up = timer.C
	}
	select {
	case <-r.ended:
	case <-r.woken:
	case <-up:
	}
}

func (r *reaping) wake() {
	select {
	case r.woken <- struct{}{}:
	default: // one is enough
	}
}

func (r *reaping) reap() (status, bool) {
	select {
	case <-r.ended:
		return r.status, true
	default:
		return status{}, false
	}
}

func (r *reaping) close() {}
