package server

import (
	"errors"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
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
func (s *Server) hooks(w http.ResponseWriter, r *http.Request) {
	x := w.(*exchange) // ServeHTTP made it
	hooks := s.options.Hooks().At(mux.Vars(r)["path"])
	if len(hooks) == 0 {
		respond(x, http.StatusNotFound, "Hook not found.")
		return
	}
	hooks = slices.DeleteFunc(slices.Clone(hooks), func(h *hook.Hook) bool { return !s.methodAllowed(h, r.Method) })
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
	s.deliver(x, hooks, record)
}

// read makes a delivery of a request. release gives its share of the memory for
// bodies back.
func (s *Server) read(x *exchange, r *http.Request) (record *run.Delivery, release func(), err error) {
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

// verdict is what a hook says to a delivery.
type verdict struct {
	hook *hook.Hook
	err  error // the rule cannot be evaluated, or the body not be parsed
	run  run.Run
	ok   bool // the hook triggers, and run is made
}

// deliver asks all hooks, submits the runs of those that trigger, and answers:
// for the first that triggers, else for the first whose rule does not hold,
// else for the first that fails.
func (s *Server) deliver(x *exchange, hooks []*hook.Hook, record *run.Delivery) {
	var triggered, mismatched, failed []verdict
	for _, h := range hooks {
		v := s.judge(x, h, record)
		switch {
		case v.err != nil:
			failed = append(failed, v)
		case v.ok:
			triggered = append(triggered, v)
		default:
			mismatched = append(mismatched, v)
		}
	}
	switch {
	case len(triggered) > 0:
		s.run(x, triggered)
	case len(mismatched) > 0:
		h := mismatched[0].hook
		respond(x, h.MismatchCode, "Hook rules were not satisfied.")
	default:
		text := "Error occurred while evaluating hook rules."
		var unparsed *delivery.ParseError
		if errors.As(failed[0].err, &unparsed) {
			text = "Error occurred while parsing multipart form."
		}
		respond(x, http.StatusInternalServerError, text)
	}
}

// judge asks one hook about a delivery.
func (s *Server) judge(x *exchange, h *hook.Hook, record *run.Delivery) verdict {
	content := delivery.New(record, h.Payload)
	if err := content.Parse(); err != nil {
		x.warn().Err(err).Str("hook", h.ID).Msg("cannot parse the body")
		return verdict{hook: h, err: err}
	}
	request := &rule.Request{Delivery: content, SoftSignatures: h.SoftSignatures}
	ok, err := true, error(nil)
	if h.Rule != nil {
		ok, err = rule.Decide(h.Rule, request)
	}
	if s.options.ValidateJSON && err == nil {
		_ = content.Validate() // told below
	}
	if problem := content.Problem(); problem != nil {
		x.info().Err(problem).Str("hook", h.ID).Msg("not all of the request could be parsed")
	}
	if err != nil {
		x.warn().Err(err).Str("hook", h.ID).Msg("error evaluating the trigger rule")
		return verdict{hook: h, err: err}
	}
	if !ok {
		if event := x.info(); event != nil {
			event.Str("because", rule.Why(h.Rule, request)).Str("hook", h.ID).Msg("trigger rule not satisfied")
		}
		return verdict{hook: h}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return verdict{hook: h, err: err}
	}
	return verdict{hook: h, ok: true, run: run.Run{ID: id.String(), Hook: h.ID, Delivery: record, Attempt: 1}}
}
