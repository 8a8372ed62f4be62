package admin

import (
	"net/http"

	"github.com/gorilla/mux"

	"github.com/pawlhq/pawl/internal/explain"
)

// TurnedAway has the last deliveries that made no run. Its methods are called by
// many goroutines.
type TurnedAway interface {
	// List gives them, the newest first; of one hook where hook is not "".
	List(hook string) []explain.TurnedAway

	// Find gives the newest whose id begins so, or the sender's own id of it, and
	// says how many there are.
	Find(id string) (found explain.TurnedAway, matches int)

	// Skipped is how many there were of which nothing was kept.
	Skipped() int64
}

// TurnedAwayListing is the answer to GET /api/v1/turned-away. The explanations
// in it are without decisions and runs.
type TurnedAwayListing struct {
	TurnedAway []explain.TurnedAway `json:"turned_away"`
	Skipped    int64                `json:"skipped"` // since the start: a flood, of which not all were looked at
}

// turnedAway answers GET /api/v1/turned-away.
func (a *API) turnedAway(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	for name := range query {
		if name != "hook" {
			return refuse(http.StatusBadRequest, "unknown parameter %q; there is hook", name)
		}
	}
	listing := TurnedAwayListing{TurnedAway: []explain.TurnedAway{}}
	if a.options.TurnedAway != nil {
		listing.Skipped = a.options.TurnedAway.Skipped()
		for _, kept := range a.options.TurnedAway.List(query.Get("hook")) {
			listing.TurnedAway = append(listing.TurnedAway, withoutDecisions(kept))
		}
	}
	return writeJSON(w, http.StatusOK, listing)
}

func withoutDecisions(t explain.TurnedAway) explain.TurnedAway {
	brief := make([]explain.Explanation, len(t.Explanations))
	for i, e := range t.Explanations {
		e.Decision, e.Runs = nil, []explain.Run{}
		brief[i] = e
	}
	t.Explanations = brief
	return t
}

// turnedAwayOne answers GET /api/v1/turned-away/{id}.
func (a *API) turnedAwayOne(w http.ResponseWriter, r *http.Request) error {
	id := mux.Vars(r)["id"]
	if a.options.TurnedAway != nil {
		switch found, matches := a.options.TurnedAway.Find(id); {
		case matches == 1:
			return writeJSON(w, http.StatusOK, found)
		case matches > 1:
			return refuse(http.StatusConflict, "%q means %d of the last deliveries that made no run: give more of the id", id, matches)
		}
	}
	return refuse(http.StatusNotFound, "no delivery whose id begins with %q is among the last that made no run; they are kept in memory, and not for ever", id)
}

// explanation answers GET /api/v1/runs/{id}/explanation.
func (a *API) explanation(w http.ResponseWriter, r *http.Request) error {
	record, err := a.find(r)
	if err != nil {
		return err
	}
	stored, err := a.stored(r, record)
	if err != nil {
		return err
	}
	h := a.options.Hooks().ByID(record.Hook)
	if h == nil {
		return refuse(http.StatusConflict, "hook %q of run %s is in no hook file any more", record.Hook, record.ID)
	}
	return writeJSON(w, http.StatusOK, explain.Stored(r.Context(), h, stored, explain.Options{}))
}
