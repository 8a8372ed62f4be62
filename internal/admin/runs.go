package admin

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// list answers GET /api/v1/runs.
func (a *API) list(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	filter, err := queryFilter(query, "limit", "after")
	if err != nil {
		return err
	}
	page, err := queryPage(query)
	if err != nil {
		return err
	}
	found, err := a.options.Engine.List(r.Context(), filter, page)
	if err != nil {
		return err
	}
	now := time.Now()
	listing := Listing{Runs: make([]Run, 0, len(found.Runs)), Next: found.Next}
	for i := range found.Runs {
		listing.Runs = append(listing.Runs, describe(&found.Runs[i], now))
	}
	return writeJSON(w, http.StatusOK, listing)
}

// prune answers DELETE /api/v1/runs. Without a filter, or with one of empty
// values as an unset variable of a script leaves it, it must be told that all is
// meant: what was forgotten does not come back.
func (a *API) prune(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	filter, err := queryFilter(query, "all")
	if err != nil {
		return err
	}
	if filter == (engine.Filter{}) && query.Get("all") != "true" {
		return refuse(http.StatusBadRequest, "name hook, state, key, since or before; all=true means all ended runs")
	}
	if filter.State != "" && !filter.State.Final() {
		return refuse(http.StatusBadRequest, "only ended runs can be forgotten, not those that are %s", filter.State)
	}
	pruned, err := a.options.Engine.Prune(r.Context(), filter)
	if err != nil {
		return err
	}
	a.options.Log.Info().Int("runs", pruned).Msg("ended runs were forgotten by hand")
	return writeJSON(w, http.StatusOK, map[string]int{"pruned": pruned})
}

// find gives the run that a request's path names.
func (a *API) find(r *http.Request) (*run.Record, error) {
	id := strings.ToLower(mux.Vars(r)["id"])
	if len(id) > 36 || strings.Trim(id, "0123456789abcdef-") != "" {
		return nil, refuse(http.StatusBadRequest, "%q is no id of a run, and none begins so", id)
	}
	record, err := a.options.Engine.Find(r.Context(), id)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, refuse(http.StatusNotFound, "there is no run whose id begins with %s; it may have been forgotten (keep.runs, keep.age)", id)
	}
	return record, err
}

// show answers GET /api/v1/runs/{id}.
func (a *API) show(w http.ResponseWriter, r *http.Request) error {
	record, err := a.find(r)
	if err != nil {
		return err
	}
	described := describe(record, time.Now())
	if record.Delivery != nil {
		described.Delivery = describeDelivery(record.Delivery)
		described.DeliveryID = cmp.Or(described.DeliveryID, record.Delivery.ID)
	}
	if !record.State.Final() && record.State != run.Running {
		text, behind, err := a.options.Engine.Why(r.Context(), record.ID)
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
		if text != "" {
			described.Waiting = &Waiting{For: text, Behind: behind}
		}
	}
	return writeJSON(w, http.StatusOK, described)
}

// delivery answers GET /api/v1/runs/{id}/delivery.
func (a *API) delivery(w http.ResponseWriter, r *http.Request) error {
	record, err := a.find(r)
	if err != nil {
		return err
	}
	stored, err := a.stored(r, record)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, describeWhole(stored))
}

// stored gives the delivery of a run.
func (a *API) stored(r *http.Request, record *run.Record) (*run.Delivery, error) {
	if record.Delivery != nil {
		return record.Delivery, nil
	}
	stored, err := a.options.Engine.Delivery(r.Context(), record.DeliveryID)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, refuse(http.StatusNotFound, "the delivery of run %s is not kept any more", record.ID)
	}
	return stored, err
}

// The headers of an output of which only head and tail are kept: so many bytes
// came first, and so many are left out behind them.
const (
	HeadHeader    = "X-Pawl-Output-Head"
	OmittedHeader = "X-Pawl-Output-Omitted"
)

// output answers GET /api/v1/runs/{id}/output.
func (a *API) output(w http.ResponseWriter, r *http.Request) error {
	record, err := a.find(r)
	if err != nil {
		return err
	}
	attempt := record.Attempt
	if text := r.URL.Query().Get("attempt"); text != "" {
		if attempt, err = strconv.Atoi(text); err != nil || attempt < 1 {
			return refuse(http.StatusBadRequest, "attempt is a number from 1 on, not %q", text)
		}
	}
	if attempt == 0 {
		return refuse(http.StatusNotFound, "run %s has not been attempted yet", record.ID)
	}
	output, head, omitted, err := a.options.Engine.Output(r.Context(), record.ID, attempt)
	if errors.Is(err, engine.ErrNotFound) {
		return refuse(http.StatusNotFound, "run %s has no attempt %d", record.ID, attempt)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set(HeadHeader, strconv.Itoa(head))
	w.Header().Set(OmittedHeader, strconv.FormatInt(omitted, 10))
	write(w, output)
	return nil
}
