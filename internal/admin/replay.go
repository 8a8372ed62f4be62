package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

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

// replayMany sends the deliveries of runs again, one after the other.
func (a *API) replayMany(ctx context.Context, ids []string) ([]Done, error) {
	var results []Done
	for _, id := range ids {
		result, err := a.replayOne(ctx, id)
		if err != nil {
			if errors.Is(err, engine.ErrFull) || errors.Is(err, engine.ErrStopped) || errors.Is(err, engine.ErrUnavailable) || ctx.Err() != nil {
				return results, err // the others would fare no better
			}
			result = Done{ID: id, Error: errorOf(err).Text}
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

// sendAgain makes a new delivery of a stored one, and runs of it by the hook of
// its run as it is in force. Who called, and whether the delivery was there
// before, is not asked again.
func (a *API) sendAgain(ctx context.Context, record *run.Record, stored *run.Delivery, body []byte, edited bool) (Done, error) {
	h := a.options.Hooks().ByID(record.Hook)
	if h == nil {
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
	verdict := trigger.Ask(h, again.Whole(), trigger.Mode{Replayed: true})
	if verdict.Kind != trigger.Triggered {
		return Done{}, refuse(http.StatusConflict, "hook %q, as it is today, makes no run of it: %s", record.Hook, verdict.Why())
	}
	again.SenderID = verdict.Part.SenderID
	if _, err := a.options.Engine.Submit(ctx, run.Submission{Delivery: &again, Parts: []run.Part{verdict.Part}}); err != nil {
		return Done{}, err
	}
	done := Done{ID: record.ID, Done: true, DeliveryID: again.ID}
	for _, r := range verdict.Part.Runs {
		done.Runs = append(done.Runs, r.ID)
	}
	a.options.Log.Info().Str("hook", record.Hook).Str("delivery", again.ID).Str("of", stored.ID).Bool("edited", again.Origin.Edited).Int("runs", len(done.Runs)).Msg("sent again by hand")
	return done, nil
}
