package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// retry answers POST /api/v1/runs/{id}/retry.
func (a *API) retry(w http.ResponseWriter, r *http.Request) error {
	record, err := a.find(r)
	if err != nil {
		return err
	}
	done, err := a.options.Engine.Rerun(r.Context(), record.ID)
	if err != nil {
		return err
	}
	if !slices.Contains(done, record.ID) {
		return refuse(http.StatusConflict, "run %s is %s: only an ended run, or one that waits to be tried again, can be tried once more", record.ID, record.State)
	}
	a.note("run", record.ID, "tried once more by hand")
	return writeJSON(w, http.StatusOK, Done{ID: record.ID, Done: true})
}

// cancel answers POST /api/v1/runs/{id}/cancel.
func (a *API) cancel(w http.ResponseWriter, r *http.Request) error {
	record, err := a.find(r)
	if err != nil {
		return err
	}
	done, err := a.options.Engine.Cancel(r.Context(), record.ID)
	if err != nil {
		return err
	}
	if !slices.Contains(done, record.ID) {
		return refuse(http.StatusConflict, "run %s has ended already: it is %s", record.ID, record.State)
	}
	a.note("run", record.ID, "cancelled by hand")
	return writeJSON(w, http.StatusOK, Done{ID: record.ID, Done: true})
}

// replay answers POST /api/v1/runs/{id}/replay.
func (a *API) replay(w http.ResponseWriter, r *http.Request) error {
	edited := false
	if text := r.URL.Query().Get("edited"); text != "" {
		var err error
		if edited, err = strconv.ParseBool(text); err != nil {
			return refuse(http.StatusBadRequest, "edited is true or false, not %q", text)
		}
	}
	var body []byte
	if edited {
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, a.options.MaxBody)); err != nil {
			return err
		}
	}
	record, err := a.find(r)
	if err != nil {
		return err
	}
	stored, err := a.stored(r, record)
	if err != nil {
		return err
	}
	done, err := a.sendAgain(r.Context(), record, stored, body, edited)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusCreated, done)
}

// sendAgain makes a new delivery of a stored one, and runs of it by the hook of
// the run.
func (a *API) sendAgain(ctx context.Context, record *run.Record, stored *run.Delivery, body []byte, edited bool) (Done, error) {
	switch {
	case a.options.Replay == nil:
		return Done{}, refuse(http.StatusNotImplemented, "nothing can be replayed")
	case a.options.Hooks().ByID(record.Hook) == nil:
		return Done{}, refuse(http.StatusConflict, "hook %q of run %s is in no hook file any more", record.Hook, record.ID)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Done{}, err
	}
	again := *stored
	again.ID, again.Received = id.String(), time.Now()
	again.Origin = run.Origin{Kind: run.Replay, Of: stored.ID, Edited: edited || stored.Origin.Edited}
	if edited {
		again.Body = body
	}
	replayed, err := a.options.Replay(ctx, &again, record.Hook)
	if err != nil {
		return Done{}, err
	}
	a.options.Log.Info().Str("delivery", again.ID).Str("of", stored.ID).Bool("edited", again.Origin.Edited).Int("runs", len(replayed.Runs)).Msg("replayed by hand")
	return Done{ID: record.ID, Done: true, DeliveryID: again.ID, Runs: replayed.Runs, Note: replayed.Why}, nil
}

// note logs what a person did to a run.
func (a *API) note(what, id, text string) { a.options.Log.Info().Str(what, id).Msg(text) }

// retryMany tries runs once more.
func (a *API) retryMany(ctx context.Context, ids []string) ([]Done, error) {
	done, err := a.options.Engine.Rerun(ctx, ids...)
	return told(ids, done, "it neither has ended nor waits to be tried again, or is not known"), err
}

// cancelMany ends runs.
func (a *API) cancelMany(ctx context.Context, ids []string) ([]Done, error) {
	done, err := a.options.Engine.Cancel(ctx, ids...)
	return told(ids, done, "it has ended already, or is not known"), err
}

// replayMany sends the deliveries of runs again, one after the other.
func (a *API) replayMany(ctx context.Context, ids []string) ([]Done, error) {
	var results []Done
	for _, id := range ids {
		result, err := a.replayOne(ctx, id)
		if err != nil {
			if errors.Is(err, engine.ErrFull) || errors.Is(err, engine.ErrStopped) || errors.Is(err, engine.ErrUnavailable) || ctx.Err() != nil {
				return results, err // the others would fare no better
			}
			result = Done{ID: id, Error: explain(err).Text}
		}
		results = append(results, result)
	}
	return results, nil
}

func (a *API) replayOne(ctx context.Context, id string) (Done, error) {
	record, err := a.options.Engine.Find(ctx, id)
	if err != nil {
		return Done{}, err
	}
	stored := record.Delivery
	if stored == nil {
		if stored, err = a.options.Engine.Delivery(ctx, record.DeliveryID); err != nil {
			return Done{}, err
		}
	}
	return a.sendAgain(ctx, record, stored, nil, false)
}

// told makes results of those ids that something was done with, and of the
// others, with the reason.
func told(ids, done []string, otherwise string) []Done {
	results := make([]Done, 0, len(ids))
	for _, id := range ids {
		result := Done{ID: id, Done: slices.Contains(done, id)}
		if !result.Done {
			result.Error = otherwise
		}
		results = append(results, result)
	}
	return results
}
