package server

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// What a slow client gets. A body may take long in all, as long as it keeps
// coming: so many waiting bodies as memory holds must not be had for nothing.
const (
	bodyPause  = 30 * time.Second // without a byte of the body
	bodyRate   = 1 << 10          // bytes a second on the average, after bodyPause
	bodyTime   = 10 * time.Minute // for the whole body
	bodyDrain  = 3 * time.Second  // for what is still to come when the server stops
	answerTime = 2 * time.Minute  // for taking the answer
)

// hooks takes a delivery to the hooks at its path: it reads the body, asks the
// rules, hands over the runs of all hooks that trigger, and answers.
func (s *Server) hooks(x *exchange, r *http.Request, path string) {
	hooks := s.options.Hooks().At(path)
	if len(hooks) == 0 {
		respond(x, http.StatusNotFound, "Hook not found.")
		return
	}
	hooks = s.allowing(hooks, r.Method)
	if len(hooks) == 0 {
		x.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s.setHeaders(x)
	record, release, err := s.read(x, r)
	if err != nil {
		refuse(x, err)
		return
	}
	defer release()
	s.deliver(x, hooks, record, release)
}

// allowing gives the hooks that take a method; hooks itself where all do.
func (s *Server) allowing(hooks []*hook.Hook, method string) []*hook.Hook {
	refuses := func(h *hook.Hook) bool { return !s.methodAllowed(h, method) }
	if !slices.ContainsFunc(hooks, refuses) {
		return hooks
	}
	return slices.DeleteFunc(slices.Clone(hooks), refuses)
}

// read makes a delivery of a request. release gives its share of the memory for
// bodies back, and may be called again.
func (s *Server) read(x *exchange, r *http.Request) (record *run.Delivery, release func(), err error) {
	x.paced = true
	body := newPacedBody(x, r)
	data, release, err := delivery.ReadBody(body, r.ContentLength, s.options.MaxBody, s.budget)
	body.finish(err)
	if x.dump && len(data) > 0 {
		x.dumped("the request's body", string(data[:min(len(data), maxDump)]))
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		release()
		return nil, nil, err
	}
	x.delivery = id.String()
	return &run.Delivery{
		ID: x.delivery, Received: time.Now(),
		Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery,
		Host: r.Host, Header: r.Header, Body: data,
		RemoteAddr: x.caller,
	}, release, nil
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
