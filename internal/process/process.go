// Package process starts scripts and ends them: one process tree at a time,
// with its output bounded and its end certain.
//
// It is the only package that starts processes. It knows nothing of hooks,
// deliveries or runs: a Spec says what to start, a Result how it ended, and a
// StartError says in words why it could not start.
//
// # What it promises
//
//   - A process gets a process group of its own (a job object on Windows), an
//     empty standard input unless it is given one, one pipe for standard output
//     and error together, and no other descriptor (see SealDescriptors).
//   - Start returns when the program runs, or fails with a *StartError. The
//     context belongs to Wait, not to Start: starting takes no time worth
//     cancelling, and only Wait knows how to stop a tree in order.
//   - Wait returns when the first process has ended, and never later than one
//     second after that for the sake of processes that it left behind (see
//     leftoverRead). Only an Output writer that blocks can hold it longer.
//   - Output is read as it comes, but not in the first moments of a process (2 ms
//     for each that runs beside it, 24 ms at most): most scripts have ended by
//     then, and what they printed is read at their end.
//   - Memory is bounded by Spec.KeepOutput and one read buffer, however much is
//     printed. Who reads along by a Tap never holds the process up.
//   - A tree is stopped with SIGTERM, then, after the grace, with SIGKILL. Both
//     go to everything that belongs to the tree: the group and, on Linux, what
//     left the group but descends from it or carries Spec.Mark in its
//     environment. Elsewhere the group alone is reached; on Windows everything
//     in the job.
//
// # What a script leaves running
//
// Deploy scripts start daemons, so what outlives the first process stays,
// unless Spec.StopLeftovers is set. A leftover that still holds the output pipe
// must not die of SIGPIPE at its next line, hence the pipe is not closed: what
// it prints is read in the background and thrown away until it ends, or until
// Pawl does. That costs one descriptor, one parked goroutine and 4 KiB for as
// long as such a process lives, which is less than the process itself costs.
package process

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultKillGrace is the time between SIGTERM and SIGKILL where a Spec sets
// none.
const DefaultKillGrace = 10 * time.Second

// Spec says what to start and within which limits. Path is required; every
// other zero value is useful.
type Spec struct {
	Path  string    // the program, from Lookup or Locate
	Args  []string  // argv, Args[0] included; none: Path alone
	Env   []string  // the complete environment, NAME=value; of equal names the last counts; nil is empty
	Dir   string    // working directory; "" is the server's
	Stdin io.Reader // nil: empty. Anything but an *os.File is copied by a goroutine until the process ends

	KeepOutput int       // bytes of output to keep, half from its head and half from its tail; 0 or less: none
	Output     io.Writer // gets all output as it comes, at the very beginning up to 24 ms late; may be nil. An error ends the forwarding, not the process; while a Write blocks, the process is held up at a full pipe

	Timeout        time.Duration // from the start; 0 or less: none
	KillGrace      time.Duration // between SIGTERM and SIGKILL; 0 or less: DefaultKillGrace
	InterruptGrace time.Duration // the same once Wait's context has ended, whatever else stops the tree; 0 or less: KillGrace
	StopLeftovers  bool          // stop what the first process left running, the same way
	Mark           string        // "NAME=value" of Env that nothing else carries; on Linux it finds stragglers that left the group
}

func (s Spec) killGrace() time.Duration {
	if s.KillGrace > 0 {
		return s.KillGrace
	}
	return DefaultKillGrace
}

// Process is a started process tree. Wait must be called exactly once, or the
// process is never reaped.
type Process struct {
	spec    Spec
	child   *child
	started time.Time
	began   time.Duration // before the start, since the machine's boot
	begun   time.Duration // after it
	tree    *tree
	output  *collector
	stdin   *os.File // our end of the input pipe; nil when there is none

	asked    atomic.Bool   // by Stop
	kill     chan struct{} // closed by Kill
	killOnce sync.Once
}

// Start starts the program. When it cannot, the error is a *StartError and
// nothing is left behind.
func Start(spec Spec) (*Process, error) {
	if err := checkStrings(spec); err != nil {
		return nil, err
	}
	// Before the start: a short script may have ended when this goroutine goes on.
	started, began := time.Now(), sinceBoot()
	born, err := launch(spec)
	if err != nil {
		return nil, diagnoseStart(spec, err)
	}
	p := &Process{
		spec:    spec,
		child:   born.child,
		started: started,
		began:   began,
		begun:   sinceBoot(),
		tree:    newTree(born.child.pid, spec.Mark),
		output:  newCollector(born.output, spec.KeepOutput, spec.Output),
		stdin:   born.input,
		kill:    make(chan struct{}),
	}
	children.unread.add(p.output)
	if p.stdin != nil {
		go feed(p.stdin, spec.Stdin)
	}
	return p, nil
}

// Kill cuts every grace short: the tree gets SIGKILL at once, by Wait. It may
// be called at any time, from any goroutine, and again.
func (p *Process) Kill() {
	p.killOnce.Do(func() { close(p.kill) })
	p.child.wake()
}

// Stop makes Wait stop the tree in order, as the end of its context does, but
// with the process's own KillGrace. It may be called at any time, from any
// goroutine, and again.
func (p *Process) Stop() {
	p.asked.Store(true)
	p.child.wake()
}

// born is what launch makes: a process that runs its program, and our ends of
// its pipes.
type born struct {
	child  *child
	output outlet
	input  *os.File // nil where no input must be copied into it
}

// patiently starts a program, and tries again for a moment while its file is
// busy. It is so not only while somebody writes it: a file that Pawl has just
// written and closed stays open in a process that is being started at the same
// time, until that one's exec.
func patiently(start func() error) error {
	const first, last = 5 * time.Millisecond, 80 * time.Millisecond // 155 ms in all
	for pause := first; ; pause *= 2 {
		err := start()
		if err == nil || pause > last || !isBusy(err) {
			return err
		}
		time.Sleep(pause)
	}
}

// connectStdin returns what the process reads and, when it is a pipe that input
// must be copied into, our end of it. Then the caller closes theirs once the
// process has it. All is nil where there is no input.
func connectStdin(input io.Reader) (ours, theirs *os.File, err error) {
	switch input := input.(type) {
	case nil:
		return nil, nil, nil
	case *os.File:
		return nil, input, nil
	}
	theirs, ours, err = os.Pipe()
	return ours, theirs, err
}

// feed copies input to the process. A process that does not read it all is
// none of our concern, and an input that fails ends early: either way the
// process sees the end of its input.
func feed(stdin *os.File, input io.Reader) {
	_, _ = io.Copy(stdin, input)
	stdin.Close()
}

// interrupted reports whether the tree is to be stopped though its time is not
// up.
func (p *Process) interrupted(ctx context.Context) bool {
	return p.asked.Load() || p.killed() || ctx.Err() != nil
}

func (p *Process) killed() bool {
	select {
	case <-p.kill:
		return true
	default:
		return false
	}
}
