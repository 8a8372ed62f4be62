package server

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// await answers with the end of the runs of a submission's first part, or with
// their ids when answer.wait is over, or Pawl stops, before all have ended. The
// time runs from their acceptance, which was just now.
func (s *Server) await(x *exchange, h *hook.Hook, submission *run.Submission) {
	ctx, cancel := context.WithTimeout(x.request.Context(), h.Answer.Wait)
	defer cancel()
	defer context.AfterFunc(drainOf(x.request), cancel)()
	part := &submission.Parts[0]
	ids := make([]string, len(part.Runs))
	for i := range part.Runs {
		ids[i] = part.Runs[i].ID
	}
	records, err := s.options.Engine.Await(ctx, ids...)
	if err != nil || len(records) == 0 {
		if err != nil && ctx.Err() == nil {
			x.warn().Err(err).Str("hook", h.ID).Msg("the end of the runs cannot be waited for")
		}
		pending(x, submission, records)
		return
	}
	worst := endOfRun(h, &records[0])
	for i := range records[1:] {
		if e := endOfRun(h, &records[1+i]); e.worse(worst) {
			worst = e
		}
	}
	switch {
	case worst.later:
		pending(x, submission, records)
	case worst.failed && worst.status >= http.StatusBadRequest:
		respond(x, worst.status, failedText)
	default:
		respond(x, worst.status, h.Message)
	}
}

// pendingAnswer is the JSON of an answer that could not wait for the end.
type pendingAnswer struct {
	Delivery string       `json:"delivery"` // Pawl's id of it
	Runs     []pendingRun `json:"runs"`     // of the hook that answers, in the order of for-each
}

type pendingRun struct {
	ID    string    `json:"id"`
	Hook  string    `json:"hook"`
	State run.State `json:"state,omitempty"` // where it is known
}

// pending answers 202 with the ids of the runs of the first part, for which
// there may be records.
func pending(x *exchange, submission *run.Submission, records []run.Record) {
	part := &submission.Parts[0]
	answer := pendingAnswer{Delivery: submission.Delivery.ID, Runs: make([]pendingRun, len(part.Runs))}
	states := make(map[string]run.State, len(records))
	for i := range records {
		states[records[i].ID] = records[i].State
	}
	for i := range part.Runs {
		id := part.Runs[i].ID
		answer.Runs[i] = pendingRun{ID: id, Hook: part.Hook, State: states[id]}
	}
	text, err := json.Marshal(answer)
	if err != nil { // strings alone: it cannot
		x.event(zerolog.ErrorLevel).Err(err).Msg("the answer cannot be written")
	}
	x.Header().Set("Content-Type", "application/json")
	x.WriteHeader(http.StatusAccepted)
	_, _ = x.Write(append(text, '\n')) // the sender hung up: nobody is left to tell
}
