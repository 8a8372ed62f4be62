// Package runner carries out one attempt of a run: it builds the command, lays
// out the run's own directory and the files for the script, runs the process
// and tidies up. It keeps what scripts leave, within bounds, reads it back, and
// lets others read along.
//
// It does not decide when a run starts, whether it is tried again, or what is
// remembered of it: that is the engine's.
package runner

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
)

// Options is what a Runner needs.
type Options struct {
	// Hook gives the hook of that id that is in force, or nil.
	Hook func(id string) *hook.Hook

	// Environment is what every script inherits, as NAME=value, where its hook
	// does not choose from it.
	Environment []string

	// Directory is where runs get a directory each; it must exist. Empty: they
	// get none.
	Directory string

	// KillAfter is how long an interrupted script may take over SIGTERM,
	// whatever kill-grace its hook has. 0 means that of the hook.
	KillAfter time.Duration

	// Cancelled is the cause of a context that ends because a person cancelled
	// the run. Any other cause is a stop of Pawl.
	Cancelled error

	Log zerolog.Logger
}

// Runner runs attempts, any number at a time.
type Runner struct {
	options Options
	slots   *slots

	mu      sync.Mutex
	running map[string]*live // by the run's id
	killed  bool
	looking bool // a look at what runs is due
}

// New makes a Runner. It touches nothing yet. When the first attempt needs the
// directory, or StopLeftovers does, it is put in order: what scripts of an
// earlier Pawl left is given to their runs.
func New(options Options) *Runner {
	tell := func(err error) {
		options.Log.Warn().Err(err).Msg("what scripts left before the crash is not kept whole")
	}
	return &Runner{options: options, slots: newSlots(options.Directory, tell), running: map[string]*live{}}
}

// Run runs one attempt to its end. It writes all that the script prints to
// output as well, where that is not nil; what the Outcome holds is bounded by
// the hook's keep. Cancelling ctx interrupts the script: SIGTERM, then SIGKILL.
func (r *Runner) Run(ctx context.Context, attempt run.Run, output io.Writer) run.Outcome {
	began := time.Now()
	outcome, err := r.attempt(ctx, &attempt, output)
	if err != nil {
		outcome.End, outcome.ExitCode, outcome.Reason = run.NotStarted, -1, err.Error()
		outcome.Started, outcome.Ended = began, time.Now()
		r.about(r.options.Log.Error(), &attempt).Str("reason", outcome.Reason).Msg("the script cannot start")
		return outcome
	}
	level := zerolog.InfoLevel
	if outcome.State() != run.Succeeded {
		level = zerolog.WarnLevel
	}
	event := r.options.Log.WithLevel(level)
	if !event.Enabled() {
		return outcome
	}
	event = r.about(event, &attempt).Stringer("took", outcome.Ended.Sub(outcome.Started).Round(time.Microsecond))
	if outcome.End == run.Exited {
		event = event.Int("exit", outcome.ExitCode)
	}
	if outcome.Omitted > 0 {
		event = event.Int64("omitted", outcome.Omitted)
	}
	event.Str("output", excerpt(outcome.Output)).Msg(finished(outcome))
	return outcome
}

// about says which run an event of the log is about. An event that nobody wants
// is nil, and costs nothing.
func (r *Runner) about(event *zerolog.Event, attempt *run.Run) *zerolog.Event {
	if event == nil {
		return nil
	}
	if attempt.Attempt > 1 {
		event = event.Int("attempt", attempt.Attempt)
	}
	return event.Str("hook", attempt.Hook).Str("run", attempt.ID).Str("delivery", attempt.Delivery.ID)
}

// finished puts an outcome into words for the log.
func finished(o run.Outcome) string {
	switch {
	case o.State() == run.Succeeded:
		return "run succeeded"
	case o.End == run.Interrupted: // it may run again
		return "run interrupted: " + o.Reason
	}
	return "run failed: " + o.Reason
}

// excerpt bounds what the log gets of an output to its last 16 KiB.
func excerpt(output []byte) string {
	const most = 16 << 10
	if len(output) > most {
		return "…" + string(output[len(output)-most:])
	}
	return string(output)
}

// Kill kills every script that runs, and every one that starts after it.
func (r *Runner) Kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	for _, l := range r.running {
		l.process.Kill()
	}
}

// StopLeftovers stops the scripts of these runs that a crash left running, with
// all that belongs to them: SIGTERM, 2 s, SIGKILL. It returns when they are
// gone. It must be called before any of the runs starts again, and only then:
// what a run that has ended left on purpose is not to be named.
func (r *Runner) StopLeftovers(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	const name, grace = "PAWL_RUN_ID", 2 * time.Second
	marks := make(map[string]bool, len(ids))
	for _, id := range ids {
		marks[name+"="+id] = true
	}
	found, err := process.Leftovers{
		Name: name, Marked: func(mark string) bool { return marks[mark] },
		First: r.slots.firstOf(func(id string) bool { return marks[name+"="+id] }), Grace: grace,
	}.Stop(ctx)
	if found > 0 {
		r.options.Log.Warn().Int("processes", found).Msg("stopped what scripts from before the crash left running")
	}
	if err != nil {
		return fmt.Errorf("stop what scripts from before the crash left running: %w", err)
	}
	r.slots.release()
	return nil
}
