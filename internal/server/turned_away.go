package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// TurnedAway keeps deliveries that made no run, with the reasons. Of a flood it
// allows only some to be explained. Its methods are called by many goroutines.
type TurnedAway interface {
	Allow(now time.Time) bool
	AllowLost(now time.Time) bool // of one that came to no hook
	Explain(make func() explain.TurnedAway)
	Add(explain.TurnedAway)
}

// explainTime bounds how long an explanation may wait for others.
const explainTime = 2 * time.Second

// keeps decides, before the answer, whether the delivery is kept: the answer then
// tells its length, so that it can be sent while the reasons are still gathered.
func (s *Server) keeps(x *exchange) bool {
	x.whole = s.options.TurnedAway != nil && s.options.TurnedAway.Allow(time.Now())
	return x.whole
}

// keep sends the answer and explains why there was no run: of each hook at the
// path that takes the method, or of each where none does.
func (s *Server) keep(x *exchange, record *run.Delivery) {
	if !x.paced && x.request.ContentLength != 0 {
		// Nobody has read the body, so net/http does before it answers.
		_ = http.NewResponseController(x).SetReadDeadline(time.Now().Add(bodyPause))
	}
	_ = http.NewResponseController(x).Flush() // where it cannot be, it is sent at the end
	hooks := s.allowing(x.hooks, record.Method)
	if len(hooks) == 0 {
		hooks = x.hooks
	}
	s.keepOf(x, record, hooks)
}

// keepSpoiled keeps a delivery that was accepted, and of which elements of hooks got
// no run: nobody would look for those among the runs of the others.
func (s *Server) keepSpoiled(x *exchange, record *run.Delivery, spoiled []*hook.Hook) {
	_ = http.NewResponseController(x).Flush()
	s.keepOf(x, record, spoiled)
}

// keepOf keeps a delivery with what hooks make of it.
func (s *Server) keepOf(x *exchange, record *run.Delivery, hooks []*hook.Hook) {
	s.options.TurnedAway.Explain(func() explain.TurnedAway {
		ctx, cancel := context.WithTimeout(x.request.Context(), explainTime)
		defer cancel()
		kept := explain.TurnedAway{
			ID: record.ID, Received: record.Received, Method: record.Method, Path: x.target(),
			RemoteAddr: record.RemoteAddr, Size: len(record.Body), Status: x.status,
			Explanations: make([]explain.Explanation, len(hooks)),
		}
		for i, h := range hooks {
			kept.Explanations[i] = explain.Explain(ctx, h, x.question(record), explain.Options{Methods: s.options.Methods})
		}
		return kept
	})
}

// notAllowed answers where no hook at the path takes the method. Who does not know
// the secret behind the path hears nothing of the hook, nor which methods it takes.
func (s *Server) notAllowed(x *exchange) {
	record, err := x.record()
	if err != nil {
		refuse(x, err)
		return
	}
	if x.rest != "" && len(x.admitted(x.hooks, record)) == 0 {
		s.unauthenticated(x, record)
		return
	}
	if !s.keeps(x) {
		x.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	x.Header().Set("Content-Length", "0")
	x.WriteHeader(http.StatusMethodNotAllowed)
	s.keep(x, record)
}

// lost answers and keeps a request that no hook is for. Of its path only the
// first part is shown: behind that may stand the secret of a hook whose name has
// a slip in it.
func (s *Server) lost(x *exchange, path string) {
	notFound(x)
	if s.options.TurnedAway == nil || !s.options.TurnedAway.AllowLost(time.Now()) {
		return
	}
	record, err := x.record()
	if err != nil {
		return
	}
	first, _, more := strings.Cut(path, "/")
	shown := (&url.URL{Path: s.below + first}).EscapedPath()
	if more {
		shown += "/" + hidden
	}
	s.options.TurnedAway.Add(explain.TurnedAway{
		ID: record.ID, Received: record.Received, Method: record.Method, Path: shown,
		RemoteAddr: record.RemoteAddr, Status: x.status, Explanations: []explain.Explanation{},
	})
}
