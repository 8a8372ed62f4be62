//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// load is what a server is asked to bear.
type load struct {
	address     netip.AddrPort
	requests    [][]byte      // whole, as sent; connection i always sends number i modulo their count
	connections int           // kept alive
	count       int           // answers to wait for; 0: as many as come within duration
	duration    time.Duration // only with count 0
	status      int           // what every answer must have
}

// answers is what came of a load.
type answers struct {
	took      time.Duration // from the first byte sent to the last answer
	latencies []time.Duration
}

// perSecond is the rate of answers.
func (a answers) perSecond() float64 { return float64(len(a.latencies)) / a.took.Seconds() }

// quantile gives the time within which that part of the answers came.
func (a answers) quantile(q float64) time.Duration {
	if len(a.latencies) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(a.latencies))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// generator sends a load from one thread. It waits for the kernel to say which
// connections have something, as wrk does: a goroutine a connection would cost
// more than many a server does, and its share of the CPUs is missing to both
// sides of a comparison.
type generator struct {
	load
	epoll       int
	connections []connection
	sent        int
	done        answers
	until       time.Time
}

// patience is how long no connection may have anything to say.
const patience = 2 * time.Minute

// run sends the load and returns when all of it is answered. An answer of
// another status is an error: a server that refuses is fast for nothing.
func (l load) run(ctx context.Context) (answers, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return answers{}, fmt.Errorf("make an epoll: %w", err)
	}
	defer syscall.Close(epoll)
	g := &generator{load: l, epoll: epoll, connections: make([]connection, l.connections)}
	defer g.close()
	for i := range g.connections {
		c := &g.connections[i]
		c.request = l.requests[i%len(l.requests)]
		if err := c.open(l.address, epoll, i); err != nil {
			return answers{}, fmt.Errorf("connect to %s: %w", l.address, err)
		}
	}
	g.done.latencies = make([]time.Duration, 0, max(l.count, 1<<16))
	begin := time.Now()
	if l.count == 0 {
		g.until = begin.Add(l.duration)
	}
	if err := g.drive(ctx); err != nil {
		return answers{}, fmt.Errorf("after %d answers: %w", len(g.done.latencies), err)
	}
	g.done.took = time.Since(begin)
	return g.done, nil
}

// drive moves bytes until everything is answered.
func (g *generator) drive(ctx context.Context) error {
	var events [64]syscall.EpollEvent
	open := 0
	for i := range g.connections {
		going, err := g.next(&g.connections[i])
		if err != nil {
			return err
		}
		if going {
			open++
		}
	}
	heard := time.Now()
	for open > 0 {
		n, err := syscall.EpollWait(g.epoll, events[:], 1000)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("wait for connections: %w", err)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n > 0 {
			heard = time.Now()
		} else if time.Since(heard) > patience {
			return fmt.Errorf("%d requests were not answered within %s", open, patience)
		}
		for _, event := range events[:max(n, 0)] {
			going, err := g.serve(&g.connections[event.Fd], event.Events)
			if err != nil {
				return err
			}
			if !going {
				open--
			}
		}
	}
	return nil
}

// serve goes on with a connection that has something to say, and reports
// whether it goes on: it does not when it has no more to send.
func (g *generator) serve(c *connection, events uint32) (bool, error) {
	if events&syscall.EPOLLOUT != 0 {
		if err := c.write(g.epoll); err != nil {
			return false, err
		}
	}
	if events&^syscall.EPOLLOUT == 0 {
		return true, nil
	}
	status, err := c.read()
	if err != nil || status == 0 {
		return true, err
	}
	if status != g.status {
		return false, fmt.Errorf("an answer was %d and should have been %d: %.300q", status, g.status, c.answer[:c.filled])
	}
	g.done.latencies = append(g.done.latencies, time.Since(c.begun))
	return g.next(c)
}

// next sends a connection's next request, if there is one to send.
func (g *generator) next(c *connection) (bool, error) {
	if g.count > 0 && g.sent == g.count || g.count == 0 && !time.Now().Before(g.until) {
		return false, nil
	}
	g.sent++
	c.begin()
	return true, c.write(g.epoll)
}

func (g *generator) close() {
	for i := range g.connections {
		g.connections[i].close()
	}
}
