package admin

import (
	"cmp"
	"maps"
	"net/http"
	"slices"

	"github.com/gorilla/mux"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
)

// maxReason bounds the words that a person gives for a pause.
const maxReason = 500

// hooks lists the hooks in force in the order of their files, then those that
// are gone and still have runs that wait.
func (a *API) hooks(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string][]Hook{"hooks": a.describeHooks(a.options.Engine.Status())})
}

func (a *API) describeHooks(status engine.Status) []Hook {
	list := []Hook{}
	set := a.options.Hooks()
	for _, h := range set.All() {
		list = append(list, describeHook(h.ID, h, status.Hooks[h.ID]))
	}
	for _, id := range slices.Sorted(maps.Keys(status.Hooks)) {
		if set.ByID(id) == nil {
			list = append(list, describeHook(id, nil, status.Hooks[id]))
		}
	}
	return list
}

// describeHook tells a hook; h is nil where it is in no hook file.
func describeHook(id string, h *hook.Hook, s engine.HookStatus) Hook {
	described := Hook{ID: id, Waiting: s.Waiting, Running: s.Running, Failures: s.Failures, Paused: s.Paused}
	if h != nil {
		described.Loaded, described.Path, described.Command, described.At = true, h.Path, h.Command, h.At.String()
	}
	return described
}

func (a *API) pause(w http.ResponseWriter, r *http.Request) error {
	id, err := a.knownHook(r)
	if err != nil {
		return err
	}
	var request struct {
		Reason string `json:"reason"`
	}
	if err := readJSON(w, r, &request); err != nil {
		return err
	}
	if len(request.Reason) > maxReason {
		return refuse(http.StatusBadRequest, "the reason is longer than %d bytes", maxReason)
	}
	reason := cmp.Or(request.Reason, "by hand")
	if err := a.options.Engine.Pause(r.Context(), id, reason); err != nil {
		return err
	}
	a.options.Log.Warn().Str("hook", id).Str("why", reason).Msg("paused by hand: its runs wait")
	return a.tellHook(w, id)
}

func (a *API) resume(w http.ResponseWriter, r *http.Request) error {
	id, err := a.knownHook(r)
	if err != nil {
		return err
	}
	if err := a.options.Engine.Resume(r.Context(), id); err != nil {
		return err
	}
	a.options.Log.Warn().Str("hook", id).Msg("resumed by hand")
	return a.tellHook(w, id)
}

func (a *API) tellHook(w http.ResponseWriter, id string) error {
	return writeJSON(w, http.StatusOK, describeHook(id, a.options.Hooks().ByID(id), a.options.Engine.Status().Hooks[id]))
}

// knownHook is the hook that a request names: one in force, or one of which
// there are runs.
func (a *API) knownHook(r *http.Request) (string, error) {
	id := mux.Vars(r)["id"]
	list := a.describeHooks(a.options.Engine.Status())
	var known []string
	for _, h := range list {
		if h.ID == id {
			return id, nil
		}
		known = append(known, h.ID)
	}
	return "", refuse(http.StatusNotFound, "there is no hook %q%s", id, hook.Suggestion(id, known))
}
