package embedded

import (
	"context"
	"slices"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// Await waits for the end of runs; see engine.Engine.
func (e *Engine) Await(ctx context.Context, ids ...string) ([]run.Record, error) {
	ended := e.register(ids)
	defer e.unregister(ended)
	records, err := e.records(ctx, ids)
	if err != nil {
		return nil, err
	}
	waited := false
	for i := range records {
		if records[i].State.Final() {
			continue
		}
		waited = true
		select {
		case <-ended[i].end:
		case <-ctx.Done():
			return e.late(records, ids, context.Cause(ctx))
		case <-e.done:
			return records, engine.ErrStopped
		}
	}
	if !waited {
		return records, nil
	}
	return e.records(ctx, ids)
}

// late gives the records as they are when time is up.
func (e *Engine) late(old []run.Record, ids []string, cause error) ([]run.Record, error) {
	if records, err := e.records(context.WithoutCancel(e.base), ids); err == nil {
		return records, cause
	}
	return old, cause
}

// registration is who waits for the end of a run.
type registration struct {
	id  string
	end chan struct{}
}

func (e *Engine) register(ids []string) []registration {
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]registration, len(ids))
	for i, id := range ids {
		list[i] = registration{id, make(chan struct{})}
		s.waiters[id] = append(s.waiters[id], list[i].end)
	}
	return list
}

func (e *Engine) unregister(list []registration) {
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range list {
		left := slices.DeleteFunc(s.waiters[r.id], func(c chan struct{}) bool { return c == r.end })
		if len(left) == 0 {
			delete(s.waiters, r.id)
		} else {
			s.waiters[r.id] = left
		}
	}
}

// awaited reports whether somebody waits for the end of a run.
func (e *Engine) awaited(id string) bool {
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiters[id]) > 0
}

// records reads runs with their attempts, without output, in the order of ids.
func (e *Engine) records(ctx context.Context, ids []string) ([]run.Record, error) {
	e.settle(ctx)
	list := make([]run.Record, 0, len(ids))
	err := e.view(ctx, func(c *database.Conn) error {
		for _, id := range ids {
			key, err := parseID(id)
			if err != nil {
				return engine.ErrNotFound
			}
			record, err := e.record(c, recordByID, key)
			if err != nil {
				return err
			}
			list = append(list, *record)
		}
		return nil
	})
	return list, err
}
