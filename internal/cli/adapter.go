package cli

import (
	"context"
	"errors"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// memoryEngine serves the listener with an engine that keeps runs in memory
// alone: it knows no repeats, and nobody can wait for the end of its runs.
type memoryEngine struct{ memory *engine.Memory }

func (m memoryEngine) Submit(ctx context.Context, s run.Submission) (run.Receipt, error) {
	return run.Receipt{}, m.memory.Submit(ctx, runsOf(s)...)
}

func (m memoryEngine) Attend(ctx context.Context, s run.Submission, live engine.Live) (run.Receipt, run.Outcome, error) {
	runs := runsOf(s)
	outcome, err := m.memory.Now(ctx, runs[0], runs[1:], live.Output, live.Accepted)
	return run.Receipt{}, outcome, err
}

func (m memoryEngine) Await(context.Context, ...string) ([]run.Record, error) {
	return nil, errors.New("runs that are kept in memory alone cannot be waited for")
}

// runsOf takes the runs out of a submission, and has them carry its delivery.
func runsOf(s run.Submission) []run.Run {
	var runs []run.Run
	delivery := s.Delivery.Whole()
	for _, part := range s.Parts {
		for _, r := range part.Runs {
			r.Delivery, r.Attempt = delivery, 1
			runs = append(runs, r)
		}
	}
	return runs
}
