package server

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// What a slow client gets. A body may take long in all, as long as it keeps
// coming: so many waiting bodies as memory holds must not be had for nothing.
const (
	bodyPause  = 30 * time.Second // without a byte of the body
	bodyRate   = 1 << 10          // bytes a second that make up for time, up to bodyPause
	bodyTime   = 10 * time.Minute // for the whole body
	bodyDrain  = 3 * time.Second  // for what is still to come when the server stops
	answerTime = 2 * time.Minute  // for taking the answer
)

// hooks takes a delivery to the hooks at its path: it asks who calls, as far as
// that can be told without the body, reads that, asks the rest and the rules,
// hands over the runs of all hooks that trigger, and answers.
func (s *Server) hooks(x *exchange, r *http.Request, path string) {
	s.find(x, path)
	x.dumpHead()
	if len(x.hooks) == 0 {
		s.lost(x, path)
		return
	}
	hooks := s.allowing(x.hooks, r.Method)
	if len(hooks) == 0 {
		s.notAllowed(x)
		return
	}
	record, err := x.record()
	if err != nil {
		refuse(x, err)
		return
	}
	if hooks = x.admitted(hooks, record); len(hooks) == 0 {
		s.unauthenticated(x, record)
		return
	}
	s.setHeaders(x)
	release, err := s.read(x, record)
	if err != nil {
		refuse(x, err)
		return
	}
	defer release()
	if hooks, err = x.authentic(hooks); err != nil {
		x.event(zerolog.ErrorLevel).Err(err).Msg("who calls cannot be told: the delivery was refused")
		busy(x, trigger.Unsure().Text)
		return
	}
	if len(hooks) == 0 {
		s.unauthenticated(x, record)
		return
	}
	s.deliver(x, hooks, record, release)
}

// find looks up the hooks at a path, or before a secret that stands behind
// theirs. What is behind the path of such hooks is hidden from here on, whether
// it is their secret or not: a wrong one may be a slip of the right one.
func (s *Server) find(x *exchange, path string) {
	x.shown = ""
	x.hooks, x.rest = s.options.Hooks().Find(path)
	if x.rest != "" {
		x.shown = strings.TrimSuffix(x.request.URL.Path, x.rest)
		if len(x.shown) == len(x.request.URL.Path) {
			x.shown = s.below // it was spelt in another way: nobody knows where it stands
		}
	}
}

// allowing gives the hooks that take a method; hooks itself where all do.
func (s *Server) allowing(hooks []*hook.Hook, method string) []*hook.Hook {
	refuses := func(h *hook.Hook) bool { return !s.methodAllowed(h, method) }
	if !slices.ContainsFunc(hooks, refuses) {
		return hooks
	}
	return slices.DeleteFunc(slices.Clone(hooks), refuses)
}

// record makes a delivery of a request whose body is still to be read.
func (x *exchange) record() (*run.Delivery, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	x.delivery = id.String()
	r := x.request
	return &run.Delivery{
		ID: x.delivery, Received: time.Now(),
		Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery,
		Host: r.Host, Header: r.Header,
		RemoteAddr: x.caller,
	}, nil
}

// read reads the body of a delivery, which is received with that. release gives
// its share of the memory for bodies back, and may be called again.
func (s *Server) read(x *exchange, record *run.Delivery) (release func(), err error) {
	x.paced = true
	body := newPacedBody(x, x.request, s.budget)
	data, release, err := delivery.ReadBody(body, x.request.ContentLength, s.options.MaxBody, s.budget)
	body.finish(err)
	if x.dump && len(data) > 0 {
		x.dumped("the request's body", string(data[:min(len(data), maxDump)]))
	}
	if err != nil {
		release()
		return nil, err
	}
	record.Body, record.Received = data, time.Now()
	return release, nil
}

// notFound answers as if there were no hook: also where there is one, and the
// secret behind its path is wrong. On the wire the two must be one, so both say
// their length themselves: net/http would put it elsewhere among the headers.
func notFound(x *exchange) {
	x.whole = true
	answer(x, trigger.NotFound())
}

// busy answers that a delivery may come again later.
func busy(x *exchange, text string) {
	x.Header().Set("Retry-After", "30")
	respond(x, http.StatusServiceUnavailable, text)
}

// refuse answers a request whose body could not be taken.
func refuse(x *exchange, err error) {
	x.warn().Err(err).Msg("the body was not read")
	switch {
	case errors.Is(err, delivery.ErrTooLarge):
		http.Error(x, "The body is larger than this server takes (-max-body).", http.StatusRequestEntityTooLarge)
	case errors.Is(err, delivery.ErrBusy):
		x.Header().Set("Retry-After", "5")
		http.Error(x, "Too many large requests at a time. Try again later.", http.StatusServiceUnavailable)
	case errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(x, "The body came too slowly.", http.StatusRequestTimeout)
	default:
		http.Error(x, "The body was cut short.", http.StatusBadRequest)
	}
}
