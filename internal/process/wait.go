package process

import (
	"context"
	"time"
)

const (
	// killWait bounds the wait for a process that got SIGKILL. Only one that
	// hangs in the kernel (a dead NFS server) needs longer, and it may need for
	// ever.
	killWait = 10 * time.Second

	// treePoll is how soon a tree that is being stopped is looked at again, and
	// treePollMost how late at most: nothing tells us when processes end that are
	// not our children, and each look reads all of /proc.
	treePoll     = 10 * time.Millisecond
	treePollMost = 160 * time.Millisecond

	// settle is how often a group that is still there when the pipe has ended is
	// looked at again: a process closes its descriptors a moment before it is
	// gone, and should not count as left running.
	settle = 5
)

// Result is how a process tree ended.
type Result struct {
	ExitCode    int    // of the first process; -1 when a signal ended it
	Signal      string // the name of the signal that ended it ("SIGKILL"), whoever sent it
	TimedOut    bool   // stopped because Spec.Timeout passed
	Interrupted bool   // stopped because the context was cancelled, or by Stop or Kill
	Stuck       bool   // did not end even by SIGKILL; it was given up
	Started     time.Time
	Ended       time.Time // the first process's end

	Output  []byte // what was kept of standard output and error together
	Head    int    // Output[:Head] came first and Output[Head:] last; what is omitted was between
	Omitted int64  // bytes of output that are not in Output

	Leftover bool   // something still held the pipe or was in the group when Wait returned; a daemon that left both is not seen
	Hint     string // for a script that started and failed: why, where the file shows it; else empty
}

// Wait waits until the first process ends, stops the tree when the context is
// cancelled or the time is up, and collects the output. It must be called once.
func (p *Process) Wait(ctx context.Context) Result {
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, p.child.wake)()
	}
	result := Result{Started: p.started}
	p.awaitFirst(ctx, &result)
	if result.TimedOut || result.Interrupted {
		p.stop(ctx)
	}
	result.Ended = time.Now()
	if p.child.ended() {
		p.reaped()
		p.setExit(&result)
	} else {
		result.ExitCode, result.Stuck = -1, true
		go func() { // the kernel may let go of it one day
			for !p.child.await(time.Time{}) {
			}
			p.reaped()
		}()
	}
	if p.spec.StopLeftovers && !p.stopped(result) && p.tree.alive() {
		p.stop(ctx)
	}
	children.unread.remove(p.output)
	p.output.finish(leftoverRead)
	if p.stdin != nil {
		p.stdin.Close() // a leftover that holds the other end must not hold the copying
	}
	var held bool
	result.Output, result.Head, result.Omitted, held = p.output.kept()
	result.Leftover = held || result.Stuck || p.leftGroup()
	p.tree.close()
	return result
}

// reaped tells all who know the first process by its number that this is free
// again.
func (p *Process) reaped() {
	p.tree.reaped()
	children.forget(p.child.pid)
	p.child.close()
}

func (p *Process) stopped(r Result) bool { return r.TimedOut || r.Interrupted }

// awaitFirst waits for the first process, or for a reason to stop it. An end by
// itself counts more than a reason that came at the same moment.
func (p *Process) awaitFirst(ctx context.Context, result *Result) {
	var until time.Time
	if p.spec.Timeout > 0 {
		until = p.started.Add(p.spec.Timeout)
	}
	for !p.child.await(until) {
		late := !until.IsZero() && !time.Now().Before(until)
		interrupted := p.interrupted(ctx)
		if (late || interrupted) && !p.child.ended() {
			result.TimedOut, result.Interrupted = late && !interrupted, interrupted
			return
		}
	}
}

// stop ends the whole tree: SIGTERM, the grace, SIGKILL until nothing is left.
func (p *Process) stop(ctx context.Context) {
	p.tree.terminate()
	if p.awaitGone(ctx, time.Now().Add(p.spec.killGrace())) {
		return
	}
	p.tree.kill()
	p.awaitKilled(time.Now().Add(killWait))
}

// awaitGone waits until the first process and all of its tree are gone. It
// reports false when the time was up, or cut short, before.
func (p *Process) awaitGone(ctx context.Context, until time.Time) bool {
	if p.spec.InterruptGrace <= 0 {
		ctx = context.WithoutCancel(ctx)
	}
	interrupted := ctx.Done()
	shorten := func() {
		interrupted = nil
		if sooner := time.Now().Add(p.spec.InterruptGrace); sooner.Before(until) {
			until = sooner
		}
	}
	for {
		if interrupted != nil && ctx.Err() != nil {
			shorten()
		}
		if p.child.await(until) {
			break
		}
		if p.killed() || !time.Now().Before(until) {
			return false
		}
	}
	for pause := treePoll; p.tree.alive(); pause = min(2*pause, treePollMost) {
		poll := time.NewTimer(min(pause, time.Until(until)))
		select {
		case <-poll.C:
		case <-p.kill:
			return false
		case <-interrupted:
			shorten()
		}
		poll.Stop()
		if !time.Now().Before(until) {
			return false
		}
	}
	return true
}

// awaitKilled waits the same way after SIGKILL was sent, and sends it again to
// whatever was forked meanwhile.
func (p *Process) awaitKilled(until time.Time) {
	for !p.child.await(until) {
		if !time.Now().Before(until) {
			return
		}
	}
	for p.tree.alive() && time.Now().Before(until) {
		p.tree.kill()
		time.Sleep(treePoll)
	}
}

// leftGroup reports whether the group outlived its first process.
func (p *Process) leftGroup() bool {
	for range settle {
		if !p.tree.groupThere() {
			return false
		}
		time.Sleep(treePoll / settle)
	}
	return p.tree.groupAlive()
}

func (p *Process) setExit(result *Result) {
	result.ExitCode, result.Signal = p.child.exit()
	if result.ExitCode > 0 && !p.stopped(*result) {
		result.Hint = hint(p.spec, result.ExitCode)
	}
}
