package admin

import (
	"maps"
	"net/http"
	"slices"
)

// Readiness says whether deliveries are accepted, and what an operator should
// look after.
type Readiness struct {
	Ready   bool     `json:"ready"`             // deliveries are accepted
	Durable bool     `json:"durable"`           // what is accepted outlives this process, and its machine's restart
	Problem string   `json:"problem,omitempty"` // in words
	Notes   []string `json:"notes,omitempty"`   // what else an operator should know
	Waiting int      `json:"waiting"`           // runs
	Running int      `json:"running"`           // attempts
	Paused  []string `json:"paused_hooks,omitempty"`
	Journal Journal  `json:"journal"`
}

// Journal is what runs take of the disk, in bytes.
type Journal struct {
	Bytes         int64 `json:"bytes"`
	Reserve       int64 `json:"reserve_bytes"`        // that is left
	ReserveWanted int64 `json:"reserve_wanted_bytes"` // that there should be
	ReserveFilled bool  `json:"reserve_filled"`
}

func (a *API) healthz(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	write(w, []byte("ok\n"))
	return nil
}

// readyz answers 503 only where nothing is accepted: a machine whose disk fills
// up still takes deliveries, and nobody else would take them better.
func (a *API) readyz(w http.ResponseWriter, _ *http.Request) error {
	ready := a.Readiness()
	status := http.StatusOK
	if !ready.Ready {
		status = http.StatusServiceUnavailable
	}
	return writeJSON(w, status, ready)
}

// Readiness is what /readyz answers.
func (a *API) Readiness() Readiness {
	status := a.options.Engine.Status()
	ready := Readiness{
		Ready: status.Accepting, Durable: status.Durable && !a.options.Fleeting, Problem: status.Problem,
		Waiting: status.Waiting, Running: status.Running,
		Journal: Journal{
			Bytes: status.Bytes, Reserve: status.Reserve, ReserveWanted: status.Wanted,
			ReserveFilled: status.Reserve >= status.Wanted,
		},
	}
	for _, id := range slices.Sorted(maps.Keys(status.Hooks)) {
		if status.Hooks[id].Paused != "" {
			ready.Paused = append(ready.Paused, id)
		}
	}
	if a.options.Notes != nil {
		ready.Notes = a.options.Notes()
	}
	return ready
}
