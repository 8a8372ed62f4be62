package cli

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/runner"
)

// stopping is what there is to stop, and how long it may take.
type stopping struct {
	runs    *engine.Memory
	scripts *runner.Runner
	grace   time.Duration
	log     zerolog.Logger
}

// stop tells at once what is lost, lets running scripts end within the grace,
// and waits until others returns. Another signal ends all of it now.
func (s stopping) stop(now context.Context, stopNow func(), signals <-chan os.Signal, others func()) {
	lost, running := s.runs.Close()
	for _, r := range lost {
		s.log.Error().Str("hook", r.Hook).Str("run", r.ID).Str("delivery", r.Delivery.ID).
			Msg("lost: the run was waiting when Pawl stopped")
	}
	patience := s.grace * 3 / 5
	if running > 0 {
		s.log.Warn().Int("scripts", running).Stringer("patience", patience).
			Msg("stopping: waiting for running scripts to end; a second signal stops now")
	}
	ended := make(chan struct{})
	var listening sync.WaitGroup
	listening.Go(func() {
		for {
			select {
			case sig := <-signals:
				if slices.Contains(stopSignals(), sig) {
					s.log.Warn().Stringer("signal", sig).Msg("stopping now")
					s.scripts.Kill()
					stopNow()
				}
			case <-ended:
				return
			}
		}
	})
	s.runs.Stop(now, patience)
	others()
	close(ended)
	listening.Wait()
}
