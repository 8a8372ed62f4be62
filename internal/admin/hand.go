package admin

import (
	"context"
	"net/http"
	"slices"
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
