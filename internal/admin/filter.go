package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// Filter chooses runs. What is missing chooses all.
type Filter struct {
	Hook   string    `json:"hook,omitempty"`
	State  run.State `json:"state,omitempty"`
	Key    *string   `json:"key,omitempty"`   // may be empty: the runs whose key is
	Since  time.Time `json:"since,omitzero"`  // accepted then or later
	Before time.Time `json:"before,omitzero"` // accepted earlier
}

// Values is the filter as the query of a URL.
func (f Filter) Values() url.Values {
	values := url.Values{}
	set := func(name, value string) {
		if value != "" {
			values.Set(name, value)
		}
	}
	set("hook", f.Hook)
	set("state", string(f.State))
	if f.Key != nil {
		values.Set("key", *f.Key)
	}
	for name, at := range map[string]time.Time{"since": f.Since, "before": f.Before} {
		if !at.IsZero() {
			values.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return values
}

// check gives what an engine understands, or says what of it nobody does.
func (f Filter) check() (engine.Filter, error) {
	if f.State != "" && !slices.Contains(run.States(), f.State) {
		return engine.Filter{}, refuse(http.StatusBadRequest, "there is no state %q; the states are %s", f.State, states())
	}
	return engine.Filter{Hook: f.Hook, State: f.State, Key: f.Key, Since: f.Since, Before: f.Before}, nil
}

func states() string {
	var names []string
	for _, state := range run.States() {
		names = append(names, string(state))
	}
	return strings.Join(names, ", ")
}

// queryFilter reads a filter of a URL's query. A parameter that nobody knows is
// an error: a filter that was mistyped must not choose all.
func queryFilter(query url.Values, besides ...string) (engine.Filter, error) {
	f := Filter{Hook: query.Get("hook"), State: run.State(query.Get("state"))}
	if query.Has("key") {
		key := query.Get("key")
		f.Key = &key
	}
	for name, at := range map[string]*time.Time{"since": &f.Since, "before": &f.Before} {
		if text := query.Get(name); text != "" {
			parsed, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return engine.Filter{}, refuse(http.StatusBadRequest, "%s is no time as in 2026-01-31T23:59:59Z: %q", name, text)
			}
			*at = parsed
		}
	}
	known := append([]string{"hook", "state", "key", "since", "before"}, besides...)
	for name := range query {
		if !slices.Contains(known, name) {
			return engine.Filter{}, refuse(http.StatusBadRequest, "unknown parameter %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	return f.check()
}

// queryPage reads which page of a list is asked for.
func queryPage(query url.Values) (engine.Page, error) {
	page := engine.Page{After: query.Get("after")}
	text := query.Get("limit")
	if text == "" {
		return page, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > engine.MaxPage {
		return page, refuse(http.StatusBadRequest, "limit must lie between 1 and %d", engine.MaxPage)
	}
	page.Limit = limit
	return page, nil
}
