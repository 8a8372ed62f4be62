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

	// treePoll is how often a tree that is being stopped is looked at. Nothing
	// tells us when processes end that are not our children.
	treePoll = 10 * time.Millisecond

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
	Interrupted bool   // stopped because the context was cancelled, or by Kill
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
	exited := make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // the state says it all; nothing else can fail, no copying is os/exec's
		p.tree.reaped()
		children.forget(p.PID())
		close(exited)
	}()
	result := Result{Started: p.started}
	p.awaitFirst(ctx, exited, &result)
	if result.TimedOut || result.Interrupted {
		p.stop(exited)
	}
	select {
	case <-exited:
		result.Ended = time.Now()
		p.setExit(&result)
	default:
		result.Ended, result.ExitCode, result.Stuck = time.Now(), -1, true
	}
	if p.spec.StopLeftovers && !p.stopped(result) && p.tree.alive() {
		p.stop(exited)
	}
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

func (p *Process) stopped(r Result) bool { return r.TimedOut || r.Interrupted }

// awaitFirst waits for the first process, or for a reason to stop it. An end by
// itself counts more than a reason that came at the same moment.
func (p *Process) awaitFirst(ctx context.Context, exited <-chan struct{}, result *Result) {
	var timeout <-chan time.Time
	if p.spec.Timeout > 0 {
		timer := time.NewTimer(time.Until(p.started.Add(p.spec.Timeout)))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-exited:
		return
	case <-timeout:
		result.TimedOut = true
	case <-ctx.Done():
		result.Interrupted = true
	case <-p.kill:
		result.Interrupted = true
	}
	select {
	case <-exited:
		result.TimedOut, result.Interrupted = false, false
	default:
	}
}

// stop ends the whole tree: SIGTERM, the grace, SIGKILL until nothing is left.
func (p *Process) stop(exited <-chan struct{}) {
	p.tree.terminate()
	grace := time.NewTimer(p.spec.killGrace())
	defer grace.Stop()
	if p.awaitGone(exited, grace.C, p.kill) {
		return
	}
	p.tree.kill()
	given := time.NewTimer(killWait)
	defer given.Stop()
	p.awaitGone(exited, given.C, nil)
}

// awaitGone waits until the first process and all of its tree are gone. It
// reports false when the time was up, or cut short, before. Once SIGKILL was
// sent (cut is nil), it is sent again to whatever was forked meanwhile.
func (p *Process) awaitGone(exited <-chan struct{}, up <-chan time.Time, cut <-chan struct{}) bool {
	select {
	case <-exited:
	case <-up:
		return false
	case <-cut:
		return false
	}
	poll := time.NewTicker(treePoll)
	defer poll.Stop()
	for p.tree.alive() {
		if cut == nil {
			p.tree.kill()
		}
		select {
		case <-poll.C:
		case <-up:
			return false
		case <-cut:
			return false
		}
	}
	return true
}

// leftGroup reports whether the group outlived its first process.
func (p *Process) leftGroup() bool {
	for range settle {
		if !p.tree.groupAlive() {
			return false
		}
		time.Sleep(treePoll / settle)
	}
	return true
}

func (p *Process) setExit(result *Result) {
	state := p.cmd.ProcessState
	result.ExitCode = state.ExitCode()
	result.Signal = signalName(state)
	if result.ExitCode > 0 && !p.stopped(*result) {
		result.Hint = hint(p.spec, result.ExitCode)
	}
}
