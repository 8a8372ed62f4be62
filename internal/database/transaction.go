package database

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// longestView is how long a View may take. While one reads, the WAL cannot
// begin anew.
const longestView = time.Second

// Update runs fn in a transaction and commits it: when it returns nil, what fn
// wrote is on disk. With an error nothing of it is there, but after ErrFailed,
// which leaves that open until Reopen. fn must not call Update or View.
func (d *DB) Update(fn func(*Conn) error) error {
	if d.o.Memory > 0 {
		d.memory.Lock()
		defer d.memory.Unlock()
	}
	if failed := d.failed.Load(); failed != nil {
		return *failed
	}
	err := d.writer.transaction("BEGIN IMMEDIATE", "COMMIT", fn)
	if errors.Is(err, ErrFailed) || errors.Is(err, ErrDamaged) {
		d.fail(err)
	}
	return err
}

// View runs fn in a transaction that sees one state of the database, beside
// other readers and the writer. It is cut off with ErrTooLong after a second,
// or when ctx ends. fn can change nothing, and must not call View or Update.
func (d *DB) View(ctx context.Context, fn func(*Conn) error) error {
	if d.o.Memory > 0 {
		d.memory.Lock()
		defer d.memory.Unlock()
		if failed := d.failed.Load(); failed != nil {
			return *failed
		}
		return d.writer.read(ctx, fn)
	}
	if failed := d.failed.Load(); failed != nil && errors.Is(*failed, ErrClosed) {
		return *failed
	}
	c, err := d.pool.take(ctx)
	if err != nil {
		return err
	}
	broken := true // unless fn comes to its end: a place that is not given back is lost
	defer func() { d.pool.give(c, broken) }()
	err = c.read(ctx, fn)
	broken = errors.Is(err, ErrFailed) || errors.Is(err, ErrDamaged)
	return err
}

// read runs fn in a transaction that changes nothing, for at most longestView.
func (c *Conn) read(ctx context.Context, fn func(*Conn) error) error {
	return c.transaction("BEGIN", "ROLLBACK", func(c *Conn) error {
		limited, cancel := context.WithTimeoutCause(ctx, longestView, fmt.Errorf("it took longer than %v", longestView))
		defer cancel()
		cut := make(chan struct{})
		stop := context.AfterFunc(limited, func() {
			defer close(cut)
			c.interrupt(fmt.Errorf("%w: %w", ErrTooLong, context.Cause(limited)))
		})
		defer func() {
			if !stop() {
				<-cut
			}
			c.cut.Store(nil)
		}()
		return fn(c)
	})
}

// transaction runs fn between two statements, and undoes what it did where it
// fails.
func (c *Conn) transaction(begin, end string, fn func(*Conn) error) (err error) {
	if err := c.Exec(begin); err != nil {
		return err
	}
	done := false
	defer func() {
		if done && err == nil {
			return
		}
		c.endAll()
		if c.inTransaction() {
			if undo := c.Exec("ROLLBACK"); undo != nil && err == nil {
				err = undo
			}
		}
	}()
	if err = fn(c); err == nil {
		c.endAll()
		err = c.Exec(end)
	}
	done = true
	return err
}
