package cli

import (
	"context"
	"os"
	"sync"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/engine/embedded"
	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/runner"
	"github.com/pawlhq/pawl/internal/server"
)

// parts is what a serving Pawl is made of.
type parts struct {
	hooks   *reloader
	scripts *runner.Runner
	runs    *embedded.Engine
	desk    operator
	api     *admin.API
	front   *server.Server

	turnedAway *explain.Recent // deliveries that made no run, with the reasons
}

// turnedAwayMost is how many deliveries that made no run are remembered.
const turnedAwayMost = 200

// assemble makes the parts in the order in which they need each other. What was
// running at a crash is stopped by then, and what waited has begun to run.
func (s *settings) assemble(ctx context.Context, hooks *reloader, data dataDirectory, log zerolog.Logger) (_ *parts, err error) {
	p := &parts{hooks: hooks, turnedAway: explain.NewRecent(turnedAwayMost)}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	p.scripts = runner.New(runner.Options{
		Hook: hooks.byID, Environment: inherited(os.Environ()), Directory: data.runs(),
		KillAfter: s.shutdownGrace * 2 / 5, Cancelled: engine.ErrCancelled, Log: log,
	})
	if p.desk, err = s.openOperator(data, log); err != nil {
		return nil, err
	}
	if p.runs, err = s.openEngine(ctx, data, hooks, p.scripts, log); err != nil {
		return nil, err
	}
	p.desk.openSocket(data, log)
	if p.api, err = admin.New(s.adminOptions(p, data, log)); err != nil {
		return nil, err
	}
	if p.front, err = server.New(s.serverOptions(p, data, log)); err != nil {
		return nil, err
	}
	hooks.loaded = func() {
		p.runs.Reload()
		tellUnreachable(p.front, hooks.set(), s.secure, log)
	}
	tellUnreachable(p.front, hooks.set(), s.secure, log)
	return p, nil
}

// close ends what assemble has begun. After run there is nothing left to end.
func (p *parts) close() {
	p.desk.close()
	if p.runs != nil {
		_ = p.runs.Stop(context.Background(), 0) // where it failed, run has told
	}
}

// run serves until a signal says stop, or serve returns, and then ends the
// parts in the order in which nothing is lost.
func (p *parts) run(ctx context.Context, s *settings, signals <-chan os.Signal, log zerolog.Logger, serve func(ctx, now context.Context) error) error {
	now, stopNow := context.WithCancel(ctx) // ends when there is no more patience
	defer stopNow()
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	operating, stopOperating := context.WithCancel(ctx)
	defer stopOperating()
	if s.hotreload {
		// Not waited for: a reload may hang on a file (see await).
		go p.hooks.watch(serving)
	}
	served := make(chan error, 1)
	var hooksServed, operatorsServed sync.WaitGroup
	hooksServed.Go(func() { served <- serve(serving, now) })
	operatorsServed.Go(func() { p.desk.serve(operating, p.api, log) })
	_, _ = daemon.SdNotify(true, daemon.SdNotifyReady)

	err := await(signals, served, p.hooks, log)
	stopServing()
	stopping{runs: p.runs, scripts: p.scripts, grace: s.shutdownGrace, log: log}.stop(now, stopNow, signals, hooksServed.Wait)
	stopOperating()
	operatorsServed.Wait()
	return err
}
