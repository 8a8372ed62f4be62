package embedded

import "github.com/pawlhq/pawl/internal/run"

// phase is where a run is, as the journal knows it. Whether a hook is paused,
// or gone from the hook files, is no phase: it follows from the hook, so that a
// reload need not rewrite a million rows. The numbers are in the journal.
type phase int64

const (
	ready      phase = 0 // may start: the head of its key, or without a key
	blocked    phase = 1 // behind another run of its key
	delayed    phase = 2 // rests, until due
	retrying   phase = 3 // backs off, until due; stays the head of its key
	running    phase = 4
	succeeded  phase = 5
	failed     phase = 6
	cancelled  phase = 7
	superseded phase = 8

	phases = 9
)

func (p phase) waits() bool { return p < running }
func (p phase) final() bool { return p > running }

// state is what a phase is for people. held says that the hook is gone.
func (p phase) state(held bool) run.State {
	switch p {
	case running:
		return run.Running
	case succeeded:
		return run.Succeeded
	case failed:
		return run.Failed
	case cancelled:
		return run.Cancelled
	case superseded:
		return run.Superseded
	}
	switch {
	case held:
		return run.Held
	case p == retrying:
		return run.Retrying
	}
	return run.Queued
}

// phasesOf gives the phases that a state may be, of hooks that are there and of
// held ones.
func phasesOf(state run.State) (there, held []phase) {
	waiting := []phase{ready, blocked, delayed, retrying}
	switch state {
	case "":
		all := append(waiting, running, succeeded, failed, cancelled, superseded)
		return all, all
	case run.Queued:
		return waiting[:3], nil
	case run.Retrying:
		return waiting[3:], nil
	case run.Held:
		return nil, waiting
	}
	for p := running; p < phases; p++ {
		if p.state(false) == state {
			return []phase{p}, []phase{p}
		}
	}
	return nil, nil
}

// The flags of a run, as the journal has them.
const (
	byHand     = 1 << iota // a person asked for it: nothing takes its place
	toCancel               // its attempt is being interrupted, for good
	incomplete             // a value of its key was missing
	identified             // its sender gave its delivery an id by which repeats are known
	secrets                // its delivery was stored with credentials
)

// The ends of attempts, as the journal has them. 0 is none.
var ends = [...]run.End{"", run.Exited, run.Signalled, run.TimedOut, run.Overflowed, run.Interrupted, run.Stopped, run.NotStarted}

func endNumber(e run.End) int64 {
	for i, end := range ends {
		if end == e {
			return int64(i)
		}
	}
	return 0
}

func endOf(n int64) run.End {
	if n < 0 || n >= int64(len(ends)) {
		return ""
	}
	return ends[n]
}
