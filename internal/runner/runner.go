// Package runner carries out one attempt of a run: it builds the command, lays
// out the run's own directory and the files for the script, runs the process
// and tidies up.
//
// It does not decide when a run starts, whether it is tried again, or what is
// remembered of it: that is the engine's.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
)

// Options is what a Runner needs.
type Options struct {
	// Hook gives the hook of that id that is in force, or nil.
	Hook func(id string) *hook.Hook

	// Environment is what every script inherits, as NAME=value.
	Environment []string

	// Directory is where runs get a directory each; it must exist. Empty: they
	// get none.
	Directory string

	// KillAfter is how long an interrupted script may take over SIGTERM,
	// whatever kill-grace its hook has. 0 means that of the hook.
	KillAfter time.Duration

	Log zerolog.Logger
}

// Runner runs attempts, any number at a time.
type Runner struct {
	options     Options
	directories *directories

	mu      sync.Mutex
	running map[*process.Process]struct{}
	killed  bool
}

// New makes a Runner.
func New(options Options) *Runner {
	return &Runner{
		options: options, directories: newDirectories(options.Directory),
		running: map[*process.Process]struct{}{},
	}
}

// Run runs one attempt to its end. It writes all that the script prints to
// output as well, where that is not nil; what the Outcome holds is bounded by
// the hook's keep.output. Cancelling ctx interrupts the script: SIGTERM, then
// SIGKILL.
func (r *Runner) Run(ctx context.Context, attempt run.Run, output io.Writer) run.Outcome {
	log := r.options.Log.With().Str("hook", attempt.Hook).Str("run", attempt.ID).Str("delivery", attempt.Delivery.ID).Logger()
	began := time.Now()
	outcome, err := r.attempt(ctx, attempt, output, log)
	if err != nil {
		outcome = run.Outcome{End: run.NotStarted, ExitCode: -1, Reason: err.Error(), Started: began, Ended: time.Now()}
		log.Error().Str("reason", err.Error()).Msg("the script cannot start")
		return outcome
	}
	level := zerolog.InfoLevel
	if outcome.State() != run.Succeeded {
		level = zerolog.WarnLevel
	}
	event := log.WithLevel(level).Stringer("took", outcome.Ended.Sub(outcome.Started).Round(time.Microsecond))
	if outcome.End == run.Exited {
		event = event.Int("exit", outcome.ExitCode)
	}
	if outcome.Omitted > 0 {
		event = event.Int64("omitted", outcome.Omitted)
	}
	event.Str("output", excerpt(outcome.Output)).Msg(finished(outcome))
	return outcome
}

// finished puts an outcome into words for the log.
func finished(o run.Outcome) string {
	if o.State() == run.Succeeded {
		return "run succeeded"
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

// attempt prepares, runs and tidies up. An error means that nothing ran.
func (r *Runner) attempt(ctx context.Context, attempt run.Run, output io.Writer, log zerolog.Logger) (run.Outcome, error) {
	h := r.options.Hook(attempt.Hook)
	if h == nil {
		return run.Outcome{}, errors.New("its hook is no longer in any hook file")
	}
	path, err := process.Lookup(h.Command, h.Directory)
	if err != nil {
		return run.Outcome{}, err
	}
	content := delivery.New(attempt.Delivery, h.Payload)
	if err := content.Parse(); err != nil {
		return run.Outcome{}, err
	}
	built, err := command.Build(h, content)
	if err != nil {
		return run.Outcome{}, err
	}
	for _, missing := range built.Missing {
		log.Info().Err(missing).Msg("a value is not in the delivery")
	}
	own, err := r.directories.take(attempt.ID)
	if err != nil {
		// A script that frees the disk must run when the disk is full.
		log.Warn().Err(err).Msg("the script runs without PAWL_ARTIFACTS, PAWL_SUMMARY and PAWL_OUTPUT")
	}
	defer r.directories.give(own)
	files, remove, err := writeFiles(built.Directory, built.Files)
	defer remove()
	if err != nil {
		return run.Outcome{}, err
	}
	spec := process.Spec{
		Path: path, Args: built.Args, Dir: built.Directory,
		Env:        r.environment(attempt, own, built.Env, files),
		KeepOutput: int(h.Keep.Output), Output: output,
		Timeout: h.Process.Timeout, KillGrace: h.Process.KillGrace,
		StopLeftovers: h.Process.StopLeftovers,
		Mark:          "PAWL_RUN_ID=" + attempt.ID,
	}
	log.Info().Str("command", path).Strs("arguments", built.Args[1:]).Msg("executing")
	result, err := r.execute(ctx, spec, own)
	if err != nil {
		return run.Outcome{}, err
	}
	return outcomeOf(result, spec), nil
}

// execute runs the process to its end.
func (r *Runner) execute(ctx context.Context, spec process.Spec, own directory) (process.Result, error) {
	started, err := process.Start(spec)
	if err != nil {
		return process.Result{}, err
	}
	defer r.watch(ctx, started)()
	own.writePID(started.PID())
	return started.Wait(ctx), nil
}

// outcomeOf puts the end of a process into the words of a run.
func outcomeOf(result process.Result, spec process.Spec) run.Outcome {
	outcome := run.Outcome{
		End: run.Exited, ExitCode: result.ExitCode, Started: result.Started, Ended: result.Ended,
		Output: result.Output, Head: result.Head, Omitted: result.Omitted,
	}
	switch {
	case result.Interrupted:
		outcome.End, outcome.ExitCode, outcome.Reason = run.Interrupted, -1, "interrupted: Pawl stopped"
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
	return outcome
}

// watch lets Kill reach a process, and kills it when it takes longer than
// KillAfter over an interruption. The func that it returns ends the watch.
func (r *Runner) watch(ctx context.Context, p *process.Process) (end func()) {
	r.mu.Lock()
	r.running[p] = struct{}{}
	if r.killed {
		p.Kill()
	}
	r.mu.Unlock()
	stop := func() bool { return true }
	if r.options.KillAfter > 0 {
		ended := make(chan struct{})
		cancel := context.AfterFunc(ctx, func() {
			timer := time.NewTimer(r.options.KillAfter)
			defer timer.Stop()
			select {
			case <-timer.C:
				p.Kill()
			case <-ended:
			}
		})
		stop = func() bool { close(ended); return cancel() }
	}
	return func() {
		stop()
		r.mu.Lock()
		delete(r.running, p)
		r.mu.Unlock()
	}
}

// Kill kills every script that runs, and every one that starts after it.
func (r *Runner) Kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.killed = true
	for p := range r.running {
		p.Kill()
	}
}

// environment joins what a script inherits, what its hook passes on, and what
// Pawl tells every script; of equal names the last counts.
func (r *Runner) environment(attempt run.Run, own directory, hookEnv, files []string) []string {
	env := make([]string, 0, len(r.options.Environment)+len(hookEnv)+len(files)+7)
	env = append(env, r.options.Environment...)
	env = append(env, hookEnv...)
	env = append(env, files...)
	env = append(env,
		"PAWL_RUN_ID="+attempt.ID,
		"PAWL_HOOK_ID="+attempt.Hook,
		fmt.Sprintf("PAWL_ATTEMPT=%d", attempt.Attempt),
		"PAWL_DELIVERY_ID="+attempt.Delivery.ID,
	)
	if own.path == "" {
		return env
	}
	return append(env,
		"PAWL_ARTIFACTS="+own.artifacts(),
		"PAWL_SUMMARY="+own.file("summary.md"),
		"PAWL_OUTPUT="+own.file("output"),
	)
}

// writeFiles writes the files for a script where webhook puts them: in its
// working directory, else in TMPDIR. It gives the variables that hold their
// paths, and removes the files when remove is called, an error or not.
func writeFiles(directory string, files []command.File) (env []string, remove func(), err error) {
	var written []string
	remove = func() {
		for _, path := range written {
			_ = os.Remove(path)
		}
	}
	if len(files) == 0 {
		return nil, remove, nil
	}
	if directory == "" {
		directory = os.TempDir()
	}
	if directory, err = filepath.Abs(directory); err != nil {
		return nil, remove, fmt.Errorf("find the working directory: %w", err)
	}
	for _, file := range files {
		// CreateTemp puts digits in place of the last star, and at the end
		// where there is none.
		name := strings.NewReplacer("/", "_", `\`, "_", "*", "_", "\x00", "_").Replace(file.Variable)
		path, err := writeTemporary(directory, name, file.Content)
		if path != "" {
			written = append(written, path)
		}
		if err != nil {
			return nil, remove, fmt.Errorf("write the file for %s: %w", file.Variable, err)
		}
		env = append(env, file.Variable+"="+path)
	}
	return env, remove, nil
}

// writeTemporary writes a new file of mode 0600 whose name begins so. The path
// is given, where the file came to be, with an error as well.
func writeTemporary(directory, name string, content []byte) (string, error) {
	file, err := os.CreateTemp(directory, name)
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	return file.Name(), errors.Join(err, file.Close())
}
