package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
)

// attempt prepares, runs and tidies up. An error means that nothing ran.
func (r *Runner) attempt(ctx context.Context, attempt *run.Run, output io.Writer) (run.Outcome, error) {
	h := r.options.Hook(attempt.Hook)
	if h == nil {
		return run.Outcome{}, errors.New("its hook is no longer in any hook file")
	}
	failed := run.Outcome{HookHash: h.Hash()}
	path, err := process.Locate(h.Command, h.Directory)
	if err != nil {
		return failed, err
	}
	built, of, err := r.build(h, attempt)
	if err != nil {
		return failed, err
	}
	files, remove, err := writeFiles(built.Directory, built.Files)
	defer remove()
	if err != nil {
		return failed, err
	}
	own, err := r.slots.take(attempt.ID, attempt.Attempt)
	if err != nil {
		// A script that frees the disk must run when the disk is full.
		r.about(r.options.Log.Warn(), attempt).Err(err).Msg("the script runs without PAWL_ARTIFACTS, PAWL_SUMMARY and PAWL_OUTPUT")
		own = place{}
	}
	spec := process.Spec{
		Path: path, Args: built.Args, Dir: built.Directory, Stdin: stdinOf(built),
		Env:        r.environment(h, attempt, own, of, slices.Concat(built.Env, files)),
		KeepOutput: int(h.Keep.Output), Output: output,
		Timeout: h.Process.Timeout, KillGrace: h.Process.KillGrace, InterruptGrace: r.options.KillAfter,
		StopLeftovers: h.Process.StopLeftovers,
		Mark:          "PAWL_RUN_ID=" + attempt.ID,
	}
	if event := r.options.Log.Info(); event != nil {
		r.about(event, attempt).Str("command", path).Strs("arguments", built.Shown().Args[1:]).Msg("executing")
	}
	return r.execute(ctx, attempt, h, spec, own)
}

// caller is who sent a delivery and what happened there, as far as is known.
type caller struct{ sender, event string }

// build makes the command of an attempt.
func (r *Runner) build(h *hook.Hook, attempt *run.Run) (command.Command, caller, error) {
	content := delivery.OfRun(*attempt, h.Payload)
	if err := content.Parse(); err != nil {
		return command.Command{}, caller{}, err
	}
	built, err := command.Build(h, content)
	if err != nil {
		return command.Command{}, caller{}, err
	}
	for _, missing := range built.Missing {
		r.about(r.options.Log.Info(), attempt).Err(missing).Msg("a value is not in the delivery")
	}
	return built, caller{content.SenderName(), content.EventType()}, nil
}

// stdinOf is what the script reads, nil where that is nothing: from where it
// lies, without a copy for each run.
func stdinOf(built command.Command) io.Reader {
	if len(built.Stdin) == 0 {
		return nil
	}
	return bytes.NewReader(built.Stdin)
}

// execute runs the process to its end and keeps what it left.
func (r *Runner) execute(ctx context.Context, attempt *run.Run, h *hook.Hook, spec process.Spec, own place) (run.Outcome, error) {
	outcome := run.Outcome{HookHash: h.Hash()}
	started, err := process.Start(spec)
	if err != nil {
		r.giveBack(attempt, own, own.own(), false) // an earlier attempt's files stay
		if _, why := process.Lookup(h.Command, h.Directory); why != nil {
			err = why // it knows what the hook says, not only which file that is
		}
		return outcome, err
	}
	r.slots.note(own, attempt.ID, started.Identity())
	l := r.enter(attempt.ID, started, own, h.Keep.Artifacts)
	result := started.Wait(ctx)
	r.leave(attempt.ID, l)
	outcomeOf(&outcome, result, spec)
	switch {
	case l.overflowed.Load() && result.Interrupted:
		outcome.End = run.Overflowed
		outcome.Reason = "stopped: what it wrote to PAWL_ARTIFACTS, PAWL_SUMMARY and PAWL_OUTPUT grew beyond keep.artifacts (" +
			size(h.Keep.Artifacts) + "); raise that, or write large files elsewhere"
	case result.Interrupted && r.options.Cancelled != nil && errors.Is(context.Cause(ctx), r.options.Cancelled):
		outcome.End, outcome.Reason = run.Stopped, r.options.Cancelled.Error()
	}
	r.keep(attempt, h, own, result.Leftover, &outcome)
	return outcome, nil
}

// outcomeOf puts the end of a process into the words of a run.
func outcomeOf(outcome *run.Outcome, result process.Result, spec process.Spec) {
	outcome.End, outcome.ExitCode = run.Exited, result.ExitCode
	outcome.Started, outcome.Ended = result.Started, result.Ended
	outcome.Output, outcome.Head, outcome.Omitted = result.Output, result.Head, result.Omitted
	switch {
	case result.Interrupted:
		outcome.End, outcome.ExitCode, outcome.Reason = run.Interrupted, -1, "Pawl stopped"
	case result.TimedOut:
		outcome.End, outcome.ExitCode = run.TimedOut, -1
		outcome.Reason = fmt.Sprintf("timed out: process.timeout is %s", spec.Timeout)
	case result.Signal != "":
		outcome.End, outcome.ExitCode, outcome.Signal = run.Signalled, -1, result.Signal
		outcome.Reason = "killed by signal: " + result.Signal
	case result.ExitCode != 0:
		outcome.Reason = fmt.Sprintf("exit status %d", result.ExitCode)
	}
	if result.Hint != "" {
		outcome.Reason += ": " + result.Hint
	}
	if result.Stuck {
		outcome.Reason += "; a process did not end even by SIGKILL and was given up"
	}
}

// keep looks at what the script left, takes its results, and gives the place
// back.
func (r *Runner) keep(attempt *run.Run, h *hook.Hook, own place, leftover bool, outcome *run.Outcome) {
	if own.slot == nil {
		return
	}
	if !own.own() && !own.slot.touched() {
		r.giveBack(attempt, own, false, leftover)
		return
	}
	var problems []string
	outcome.Results, problems = readResults(own.path)
	_ = removeAll(own.file(outputName)) // taken; what else it may be is not kept
	for _, problem := range problems {
		r.about(r.options.Log.Warn(), attempt).Str("problem", problem).Msg("what the script wrote to PAWL_OUTPUT does not all count")
	}
	m := measure(own.path, h.Keep.Artifacts, false)
	if m.cost > h.Keep.Artifacts {
		var err error
		m.bytes, err = own.cut(h.Keep.Artifacts)
		r.about(r.options.Log.Warn(), attempt).Err(err).Str("bound", size(h.Keep.Artifacts)).
			Msg("what the script left is more than keep.artifacts: the largest files are not kept")
		if outcome.End == run.Exited && outcome.ExitCode == 0 {
			outcome.Reason = "not all artifacts are kept: they are more than keep.artifacts (" + size(h.Keep.Artifacts) + ")"
		}
		m.cost = measure(own.path, h.Keep.Artifacts, false).cost
	}
	outcome.Artifacts = m.bytes
	r.giveBack(attempt, own, m.cost > 0, leftover)
}

// giveBack gives an attempt's place back.
func (r *Runner) giveBack(attempt *run.Run, own place, left, occupied bool) {
	if err := r.slots.give(own, attempt.ID, left, occupied); err != nil {
		r.about(r.options.Log.Warn(), attempt).Err(err).Msg("the run's own directory is not as it should be")
	}
}
