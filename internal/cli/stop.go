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
	runs    engine.Engine
	scripts *runner.Runner
	grace   time.Duration
	log     zerolog.Logger
}

// mostLost is how many lost runs are told one by one.
const mostLost = 1000

// stop tells at once what is lost, lets running scripts end within the grace,
// and waits until others returns. Another signal ends all of it now.
func (s stopping) stop(now context.Context, stopNow func(), signals <-chan os.Signal, others func()) {
	running, lost := s.runs.Close()
	s.tellLost(lost)
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
	if err := s.runs.Stop(now, patience); err != nil {
		s.log.Error().Err(err).Msg("the end of some runs could not be written: they count as interrupted")
	}
	others()
	close(ended)
	listening.Wait()
}

// tellLost lists runs that no journal keeps.
func (s stopping) tellLost(ids []string) {
	for _, id := range ids[:min(len(ids), mostLost)] {
		event := s.log.Error().Str("run", id)
		if r, err := s.runs.Find(context.Background(), id); err == nil {
			event = event.Str("hook", r.Hook).Str("delivery", r.DeliveryID)
		}
		event.Msg("lost: the run was waiting when Pawl stopped")
	}
	if more := len(ids) - mostLost; more > 0 {
		s.log.Error().Int("more", more).Msg("lost: further runs were waiting when Pawl stopped")
	}
}
