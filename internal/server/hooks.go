package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
)

// The times that a slow client gets. A body may take long in all, as long as it
// keeps coming.
const (
	bodyPause  = 30 * time.Second // without a byte of the body
	bodyTime   = 10 * time.Minute // for the whole body
	answerTime = 2 * time.Minute  // for taking the answer
)

// hooks takes a delivery to the hooks at its path: it reads the body, asks the
// rules, hands over the runs of all hooks that trigger, and answers.
func (s *Server) hooks(w http.ResponseWriter, r *http.Request) {
	hooks := s.options.Hooks().At(mux.Vars(r)["path"])
	if len(hooks) == 0 {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "Hook not found.")
		return
	}
	hooks = slices.DeleteFunc(slices.Clone(hooks), func(h *hook.Hook) bool { return !s.methodAllowed(h, r.Method) })
	if len(hooks) == 0 {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	s.setHeaders(w)
	record, release, err := s.read(w, r)
	if err != nil {
		refuse(w, r, err)
		return
	}
	defer release()
	s.deliver(w, r, hooks, record)
}

// read makes a delivery of a request. release gives its share of the memory for
// bodies back.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (record *run.Delivery, release func(), err error) {
	body := &pacedBody{body: r.Body, control: http.NewResponseController(w), until: time.Now().Add(bodyTime)}
	data, release, err := delivery.ReadBody(body, r.ContentLength, s.options.MaxBody, s.budget)
	if err != nil {
		return nil, nil, err
	}
	body.finish()
	id, err := uuid.NewV7()
	if err != nil {
		release()
		return nil, nil, err
	}
	return &run.Delivery{
		ID: id.String(), Received: time.Now(),
		Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery,
		Host: r.Host, Header: r.Header, Body: data,
		RemoteAddr: callerAddress(r, s.options.TrustedProxies),
	}, release, nil
}

// pacedBody lets a body come as slowly as it likes only as long as it comes.
type pacedBody struct {
	body    io.Reader
	control *http.ResponseController
	until   time.Time
}

func (b *pacedBody) Read(p []byte) (int, error) {
	deadline := time.Now().Add(bodyPause)
	if deadline.After(b.until) {
		deadline = b.until
	}
	_ = b.control.SetReadDeadline(deadline) // not supported: no deadline
	return b.body.Read(p)
}

// finish lets the connection rest while the answer is made.
func (b *pacedBody) finish() { _ = b.control.SetReadDeadline(time.Time{}) }

// refuse answers a request whose body could not be taken.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	log := zerolog.Ctx(r.Context())
	log.Warn().Err(err).Str("remote", r.RemoteAddr).Msg("the body was not read")
	switch {
	case errors.Is(err, delivery.ErrTooLarge):
		http.Error(w, "The body is larger than this server takes (-max-body).", http.StatusRequestEntityTooLarge)
	case errors.Is(err, delivery.ErrBusy):
		w.Header().Set("Retry-After", "5")
		http.Error(w, "Too many large requests at a time. Try again later.", http.StatusServiceUnavailable)
	case errors.Is(err, os.ErrDeadlineExceeded):
		http.Error(w, "The body came too slowly.", http.StatusRequestTimeout)
	default:
		http.Error(w, "The body was cut short.", http.StatusBadRequest)
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
func (s *Server) deliver(w http.ResponseWriter, r *http.Request, hooks []*hook.Hook, record *run.Delivery) {
	log := zerolog.Ctx(r.Context())
	var triggered, mismatched, failed []verdict
	for _, h := range hooks {
		v := s.judge(log, h, record)
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
		s.run(w, r, triggered)
	case len(mismatched) > 0:
		h := mismatched[0].hook
		respond(w, h.MismatchCode, "Hook rules were not satisfied.")
	default:
		text := "Error occurred while evaluating hook rules."
		var unparsed *delivery.ParseError
		if errors.As(failed[0].err, &unparsed) {
			text = "Error occurred while parsing multipart form."
		}
		respond(w, http.StatusInternalServerError, text)
	}
}

// judge asks one hook about a delivery.
func (s *Server) judge(log *zerolog.Logger, h *hook.Hook, record *run.Delivery) verdict {
	content := delivery.New(record, h.Payload)
	if err := content.Parse(); err != nil {
		log.Warn().Err(err).Str("hook", h.ID).Msg("cannot parse the body")
		return verdict{hook: h, err: err}
	}
	if s.options.ValidateJSON {
		content.Validate()
	}
	ok, err := true, error(nil)
	if h.Rule != nil {
		ok, err = h.Rule.Evaluate(&rule.Request{Delivery: content, SoftSignatures: h.SoftSignatures})
	}
	if problem := content.Problem(); problem != nil {
		log.Info().Err(problem).Str("hook", h.ID).Msg("not all of the request could be parsed")
	}
	if err != nil && !delivery.IsMissing(err) {
		log.Warn().Err(err).Str("hook", h.ID).Msg("error evaluating the trigger rule")
		return verdict{hook: h, err: err}
	}
	if !ok {
		log.Info().AnErr("because", err).Str("hook", h.ID).Msg("trigger rule not satisfied")
		return verdict{hook: h}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return verdict{hook: h, err: err}
	}
	log.Info().Str("hook", h.ID).Stringer("run", id).Str("delivery", record.ID).Msg("hook triggered")
	return verdict{hook: h, ok: true, run: run.Run{ID: id.String(), Hook: h.ID, Delivery: record, Attempt: 1}}
}
