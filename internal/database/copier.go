package database

import (
	"sync/atomic"

	sqlite3 "modernc.org/sqlite/lib"
)

// copier copies the WAL into the file beside the writer, who goes on.
type copier struct {
	asked  chan struct{}
	ended  chan struct{}
	idle   chan struct{} // holds one value while no copy is under way
	busy   atomic.Bool
	result atomic.Pointer[copied] // of the newest copy, until it is taken
}

// copied is what came of a copy.
type copied struct {
	frames, copied int
	err            error
}

func startCopier(c *Conn) *copier {
	k := &copier{asked: make(chan struct{}, 1), ended: make(chan struct{}), idle: make(chan struct{}, 1)}
	k.idle <- struct{}{}
	go func() {
		defer close(k.ended)
		for range k.asked {
			var r copied
			r.frames, r.copied, r.err = c.checkpoint(sqlite3.SQLITE_CHECKPOINT_PASSIVE)
			k.result.Store(&r)
			k.busy.Store(false)
			k.idle <- struct{}{}
		}
		_ = c.close()
	}()
	return k
}

// ask begins a copy. It must not be busy.
func (k *copier) ask() {
	<-k.idle
	k.busy.Store(true)
	k.asked <- struct{}{}
}

// wait returns when no copy is under way.
func (k *copier) wait() {
	<-k.idle
	k.idle <- struct{}{}
}

// stop ends it, when a copy under way has ended.
func (k *copier) stop() {
	close(k.asked)
	<-k.ended
}
