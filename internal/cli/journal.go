package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/engine/embedded"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/runner"
	"github.com/pawlhq/pawl/internal/trigger"
)

// openEngine opens the journal and makes the engine that starts scripts by it.
func (s *settings) openEngine(ctx context.Context, data dataDirectory, hooks *reloader, scripts *runner.Runner, log zerolog.Logger) (*embedded.Engine, error) {
	runs, err := embedded.Open(ctx, embedded.Options{
		Options: engine.Options{
			Start: scripts.Run, Hook: hooks.byID, Forgotten: scripts.Forget,
			Follow: func(r *run.Record) (run.Submission, bool) {
				s, follows := trigger.Follow(r, hooks.byID, time.Now())
				if !follows {
					if why := trigger.Lost(r, hooks.byID, time.Now()); why != "" {
						log.Error().Str("hook", r.Hook).Str("run", r.ID).Str("state", string(r.State)).Str("because", why).
							Msg("nobody is told of this end by on-failure or on-success")
					}
				}
				return s, follows
			},
			Concurrent: s.maxConcurrent, Sync: s.maxSync, Log: log,
		},
		Directory: data.journal, Memory: data.journal == "",
		Reserve: int64(s.journalReserve), DataMax: int64(s.dataMax), Repair: s.dataDirRepair,
		Recover: func(ids []string) {
			if err := scripts.StopLeftovers(ctx, ids); err != nil {
				log.Error().Err(err).Msg("a script may run twice at the same time")
			}
		},
		Kept: scripts.Kept,
	})
	switch {
	case errors.Is(err, database.ErrInUse):
		return nil, fmt.Errorf("%w; another Pawl needs a -data-dir, or a -port, of its own", err)
	case errors.Is(err, database.ErrDamaged):
		return nil, err // it says what to do
	case err != nil:
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return runs, nil
}
