package server

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// What answers say of a delivery that was accepted.
const (
	DeliveryHeader  = "X-Pawl-Delivery-Id"
	RunHeader       = "X-Pawl-Run-Id"       // where there is one run
	RunsHeader      = "X-Pawl-Runs"         // how many, where there are more, or none
	DuplicateHeader = "X-Pawl-Duplicate-Of" // the delivery that this one repeats
	spoiledHeader   = "X-Pawl-Not-Run"      // how many elements do not fit, and so got no run
)

// failedText is what a sender hears of a failed command whose output is not for
// it.
const failedText = "Error occurred while executing the hook's command. Please check your logs for more details."

// accept hands over the runs of the hooks that triggered and answers for the
// first of them. What is handed over is without credentials that no hook passes
// on.
func (s *Server) accept(x *exchange, record *run.Delivery, triggered []trigger.Verdict, release func()) {
	hooks := make([]*hook.Hook, len(triggered))
	parts := make([]run.Part, len(triggered))
	for i := range triggered {
		hooks[i], parts[i] = triggered[i].Hook, triggered[i].Part
		if record.SenderID == "" {
			record.SenderID = parts[i].SenderID
		}
	}
	var others []*hook.Hook // that may ask for credentials of their own
	if len(x.hooks) > len(triggered) {
		others = x.hooks
	}
	submission := &run.Submission{Delivery: trigger.Withhold(record, hooks, x.rest, others...), Parts: parts}
	h := hooks[0]
	if h.OutputInResponse || h.Answer.Live() {
		s.attend(x, h, submission)
		return
	}
	receipt, err := s.submit(x, submission)
	if err != nil {
		unavailable(x, err)
		return
	}
	release()
	setAnswerHeaders(x, h)
	if h.Answer.Wait > 0 && duplicateOf(receipt, 0) == "" {
		s.await(x, h, submission)
		return
	}
	respond(x, h.SuccessCode, h.Message)
}

// submit hands a delivery over, and says so in the log and in the answer's
// headers. It does not end because the sender hangs up, so that it is known what
// became of the delivery.
func (s *Server) submit(x *exchange, submission *run.Submission) (run.Receipt, error) {
	receipt, err := s.options.Engine.Submit(context.WithoutCancel(x.request.Context()), *submission)
	if err != nil {
		return receipt, err
	}
	x.accepted(submission, receipt, 0)
	identify(x.Header(), submission, receipt)
	return receipt, nil
}

// identify says in an answer what it is an answer to.
func identify(header http.Header, submission *run.Submission, receipt run.Receipt) {
	runs, id := 0, ""
	for i := range submission.Parts {
		if duplicateOf(receipt, i) == "" {
			part := &submission.Parts[i]
			runs += len(part.Runs)
			id = part.Runs[0].ID
		}
	}
	anonymous(header)
	if runs > 0 {
		header.Set(DeliveryHeader, submission.Delivery.ID)
	}
	switch {
	case runs == 1:
		header.Set(RunHeader, id)
	case runs > 1:
		header.Set(RunsHeader, strconv.Itoa(runs))
	}
	if of := duplicateOf(receipt, 0); of != "" {
		header.Set(DuplicateHeader, of)
	}
}

// anonymous takes back what identify said.
func anonymous(header http.Header) {
	for _, name := range []string{DeliveryHeader, RunHeader, RunsHeader, DuplicateHeader} {
		delete(header, name)
	}
}

// setAnswerHeaders sets what the hook wants in its answers.
func setAnswerHeaders(w http.ResponseWriter, h *hook.Hook) {
	for _, header := range h.Headers {
		w.Header().Set(header.Name, header.Value)
	}
}

// unavailable refuses a delivery that could not be accepted. The cause may hold
// paths and the like, so the log has it and the sender hears its kind.
func unavailable(x *exchange, err error) {
	x.event(zerolog.ErrorLevel).Err(err).Msg("a delivery was refused")
	text := "Pawl cannot take it now"
	for _, kind := range []error{engine.ErrFull, engine.ErrStopped, engine.ErrUnavailable} {
		if errors.Is(err, kind) {
			text = kind.Error()
			break
		}
	}
	anonymous(x.Header())
	x.Header().Del(spoiledHeader)
	x.Header().Set("Retry-After", "30")
	respond(x, http.StatusServiceUnavailable, "Not accepted: "+text+".")
}

// respond answers with a text. A code of 0 is 200.
func respond(w http.ResponseWriter, code int, text string) {
	content := []byte(text)
	if code != http.StatusNoContent && code != http.StatusNotModified {
		setContentType(w, content)
	}
	if x, ok := w.(*exchange); ok && x.whole {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	}
	if code != 0 {
		w.WriteHeader(code)
	}
	_, _ = w.Write(content) // the sender hung up: nobody is left to tell
}

// setContentType says what an answer is, where no header of the hook's does. As
// in webhook it is guessed from the content, with one difference: nothing that
// a browser would run is guessed, for an answer may echo what a stranger sent.
func setContentType(w http.ResponseWriter, content []byte) {
	if len(content) == 0 || w.Header().Get("Content-Type") != "" {
		return
	}
	guess := http.DetectContentType(content)
	if strings.HasPrefix(guess, "text/html") || strings.HasPrefix(guess, "text/xml") {
		guess = "text/plain; charset=utf-8"
		w.Header().Set("X-Content-Type-Options", "nosniff")
	}
	w.Header().Set("Content-Type", guess)
}
