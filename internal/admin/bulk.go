package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// Bulk is a request to do something with many runs: those of whole ids, or
// those that match a filter. A filter without a state means failed runs for
// retry, those that have not ended for cancel, and all for replay.
type Bulk struct {
	IDs    []string `json:"ids,omitempty"` // at most MaxIDs
	Filter *Filter  `json:"filter,omitempty"`
	DryRun bool     `json:"dry_run,omitempty"` // only tell which
}

const (
	// MaxIDs is how many ids one Bulk may name.
	MaxIDs = 1000
	// MaxMatches is how many runs one Bulk may choose by a filter.
	MaxMatches = 100_000
	// chunk is how many runs an engine is asked to change at a time, so that the
	// caller sees that something happens.
	chunk = 100
)

// bulk makes a handler that does something with many runs. Without a state in
// the filter those of the states given count; "" is any.
func (a *API) bulk(do func(ctx context.Context, ids []string) ([]Done, error), states ...run.State) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var request Bulk
		if err := readJSON(w, r, &request); err != nil {
			return err
		}
		ids, err := a.chosen(r.Context(), request, states)
		if err != nil {
			return err
		}
		act := do
		if request.DryRun {
			act = func(_ context.Context, ids []string) ([]Done, error) { return untouched(ids), nil }
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		out := &stream{w: w, control: http.NewResponseController(w)}
		total := 0
		for part := range slices.Chunk(ids, chunk) {
			results, err := act(r.Context(), part)
			if total == 0 && len(results) == 0 && err != nil {
				return err
			}
			for _, result := range results {
				if result.Done {
					total++
				}
			}
			if err != nil { // of the rest it is told why nothing was done
				results = append(results, told(part[len(results):], nil, errorOf(err).Text)...)
			}
			if writeLines(out, results) != nil || err != nil {
				return nil
			}
		}
		if !request.DryRun {
			a.options.Log.Info().Str("path", r.URL.Path).Int("runs", total).Msg("runs were changed by hand")
		}
		return nil
	}
}

func untouched(ids []string) []Done {
	results := make([]Done, 0, len(ids))
	for _, id := range ids {
		results = append(results, Done{ID: id, DryRun: true})
	}
	return results
}

// writeLines writes results, each on a line.
func writeLines(out *stream, results []Done) error {
	var lines []byte
	for _, result := range results {
		line, err := json.Marshal(result)
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	_, err := out.Write(lines)
	return err
}

// chosen gives the ids that a Bulk means.
func (a *API) chosen(ctx context.Context, request Bulk, states []run.State) ([]string, error) {
	switch {
	case len(request.IDs) > MaxIDs:
		return nil, refuse(http.StatusBadRequest, "at most %d ids at a time", MaxIDs)
	case len(request.IDs) > 0 && request.Filter != nil:
		return nil, refuse(http.StatusBadRequest, "ids and a filter do not go together")
	case len(request.IDs) > 0:
		for _, id := range request.IDs {
			if _, err := uuid.Parse(id); err != nil {
				return nil, refuse(http.StatusBadRequest, "%q is no whole id of a run", id)
			}
		}
		return request.IDs, nil
	case request.Filter == nil:
		return nil, refuse(http.StatusBadRequest, "name the ids, or a filter; an empty filter means all")
	case request.Filter.State != "":
		states = []run.State{request.Filter.State}
	}
	filter, err := request.Filter.check()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, filter.State = range states {
		more, err := a.matching(ctx, filter, MaxMatches-len(ids))
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	return ids, nil
}

// matching gives the ids of all runs that match, the oldest first: in this
// order they stand in their lines again.
func (a *API) matching(ctx context.Context, filter engine.Filter, most int) ([]string, error) {
	var ids []string
	for page := (engine.Page{Limit: engine.MaxPage}); ; {
		found, err := a.options.Engine.List(ctx, filter, page)
		if err != nil {
			return nil, err
		}
		for i := range found.Runs {
			ids = append(ids, found.Runs[i].ID)
		}
		if len(ids) > most {
			return nil, refuse(http.StatusBadRequest, "more than %d runs match; choose fewer, by since and before, say", MaxMatches)
		}
		if page.After = found.Next; page.After == "" {
			slices.Reverse(ids)
			return ids, nil
		}
	}
}
