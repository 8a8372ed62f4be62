package database

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	mostReaders = 4
	readerRest  = 30 * time.Second // after so long without use readers are closed
)

// pool holds the connections that read. They are opened when they are wanted.
// Its gate can be shut, so that the WAL can begin anew when those inside have
// left.
type pool struct {
	connect func() (*Conn, error)
	places  chan struct{}

	mu      sync.Mutex
	idle    []*Conn
	active  int
	gate    chan struct{} // closed when it opens; nil while it is open
	empty   chan struct{} // closed when nobody is inside a shut gate
	refusal error         // for those who come to a shut gate
	limit   *time.Timer   // opens the gate in the end
	limits  int           // how many there were
	tidy    *time.Timer
}

// newPool makes a pool whose gate is shut.
func newPool(connect func() (*Conn, error)) *pool {
	p := &pool{connect: connect, places: make(chan struct{}, mostReaders)}
	p.shut(0)
	return p
}

// take gives a connection, when there is a place and the gate is open.
func (p *pool) take(ctx context.Context) (*Conn, error) {
	select {
	case p.places <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrTooLong, context.Cause(ctx))
	}
	c, err := p.enter(ctx)
	if err == nil && c == nil {
		if c, err = p.connect(); err != nil {
			p.leave(nil)
		}
	}
	if err != nil {
		<-p.places
	}
	return c, err
}

// enter passes the gate, and gives a connection if one is idle.
func (p *pool) enter(ctx context.Context) (*Conn, error) {
	for {
		p.mu.Lock()
		gate, refusal := p.gate, p.refusal
		if gate == nil {
			defer p.mu.Unlock()
			p.active++
			if n := len(p.idle); n > 0 {
				c := p.idle[n-1]
				p.idle = p.idle[:n-1]
				return c, nil
			}
			return nil, nil
		}
		p.mu.Unlock()
		if refusal != nil {
			return nil, refusal
		}
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrTooLong, context.Cause(ctx))
		}
	}
}

// give takes a connection back, or closes it.
func (p *pool) give(c *Conn, broken bool) {
	if broken {
		_ = c.close()
		c = nil
	}
	p.leave(c)
	<-p.places
}

func (p *pool) leave(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c != nil {
		p.idle = append(p.idle, c)
		if p.tidy == nil {
			p.tidy = time.AfterFunc(readerRest, p.closeIdle)
		} else {
			p.tidy.Reset(readerRest)
		}
	}
	if p.active--; p.active == 0 && p.gate != nil {
		close(p.empty)
	}
}

// shut lets nobody in any more, until open, or for a time above 0. The channel
// closes when nobody is inside.
func (p *pool) shut(limit time.Duration) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit != nil {
		p.limit.Stop()
		p.limit = nil
	}
	if limit > 0 {
		p.limits++
		number := p.limits
		p.limit = time.AfterFunc(limit, func() { p.endLimit(number) })
	}
	if p.gate == nil {
		p.gate, p.empty = make(chan struct{}), make(chan struct{})
		if p.active == 0 {
			close(p.empty)
		}
	}
	return p.empty
}

// refuse has a shut gate turn away who comes, instead of keeping him waiting.
func (p *pool) refuse(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal = why; p.gate != nil { // those who wait look again
		close(p.gate)
		p.gate = make(chan struct{})
	}
}

// isShut reports whether the gate is shut still.
func (p *pool) isShut() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gate != nil
}

// open lets everybody in.
func (p *pool) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.letIn()
}

// endLimit lets everybody in at the end of a limit, unless the gate was shut anew
// just before: for good, it may be.
func (p *pool) endLimit(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit != nil && p.limits == number {
		p.letIn()
	}
}

// letIn opens the gate. The caller holds mu.
func (p *pool) letIn() {
	if p.limit != nil {
		p.limit.Stop()
		p.limit = nil
	}
	p.refusal = nil
	if p.gate != nil {
		close(p.gate)
		p.gate = nil
	}
}

// closeIdle closes the connections that nobody uses.
func (p *pool) closeIdle() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	if p.tidy != nil {
		p.tidy.Stop()
		p.tidy = nil
	}
	p.mu.Unlock()
	for _, c := range idle {
		_ = c.close()
	}
}
