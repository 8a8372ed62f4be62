package server

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// failedText is what a sender hears of a failed command whose output is not for
// it.
const failedText = "Error occurred while executing the hook's command. Please check your logs for more details."

// run hands over the runs of the hooks that triggered and answers for the first
// of them.
func (s *Server) run(x *exchange, triggered []verdict) {
	first := triggered[0]
	runs := make([]run.Run, len(triggered))
	for i, v := range triggered {
		runs[i] = v.run
	}
	x.Header().Set("X-Pawl-Delivery-Id", first.run.Delivery.ID)
	if len(runs) == 1 {
		x.Header().Set("X-Pawl-Run-Id", first.run.ID)
	} else {
		x.Header().Set("X-Pawl-Runs", strconv.Itoa(len(runs)))
	}
	if first.hook.OutputInResponse {
		s.answerOutput(x, first.hook, runs)
		return
	}
	if err := s.options.Engine.Submit(x.request.Context(), runs...); err != nil {
		unavailable(x, err)
		return
	}
	x.triggered(runs)
	for _, h := range first.hook.Headers {
		x.Header().Set(h.Name, h.Value)
	}
	respond(x, first.hook.SuccessCode, first.hook.Message)
}

// triggered logs the runs that were accepted.
func (x *exchange) triggered(runs []run.Run) {
	for _, r := range runs {
		x.info().Str("hook", r.Hook).Str("run", r.ID).Msg("hook triggered")
	}
}

// unavailable refuses a delivery that could not be accepted.
func unavailable(x *exchange, err error) {
	x.event(zerolog.ErrorLevel).Err(err).Msg("a delivery was refused")
	for _, name := range []string{"X-Pawl-Delivery-Id", "X-Pawl-Run-Id", "X-Pawl-Runs"} {
		x.Header().Del(name)
	}
	x.Header().Set("Retry-After", "30")
	respond(x, http.StatusServiceUnavailable, "Not accepted: "+err.Error()+".")
}

// answerOutput runs a hook's command, the first of runs, and answers with what
// it printed.
func (s *Server) answerOutput(x *exchange, h *hook.Hook, runs []run.Run) {
	output := newSpool(s.options.SpoolDirectory)
	defer output.Close()
	ctx := x.request.Context()
	outcome, err := s.options.Engine.Now(ctx, runs[0], runs[1:], output, func() { x.triggered(runs) })
	if err != nil && ctx.Err() != nil {
		// The sender hung up before its turn came. It is not known whether it
		// will try again, so the runs take the way of those that nobody waits for.
		if err = s.options.Engine.Submit(context.WithoutCancel(ctx), runs...); err == nil {
			x.triggered(runs)
			return
		}
	}
	if err != nil {
		unavailable(x, err)
		return
	}
	for _, header := range h.Headers {
		x.Header().Set(header.Name, header.Value)
	}
	control := http.NewResponseController(x)
	_ = control.SetWriteDeadline(time.Now().Add(answerTime))
	if outcome.State() != run.Succeeded && !h.OutputInResponseOnError {
		respond(x, http.StatusInternalServerError, failedText)
		return
	}
	code := h.SuccessCode
	if outcome.State() != run.Succeeded {
		code = http.StatusInternalServerError
	}
	sendOutput(x, h, code, output)
}

func sendOutput(x *exchange, h *hook.Hook, code int, output *spool) {
	reader, head, err := output.Reader()
	if err != nil {
		x.event(zerolog.ErrorLevel).Err(err).Str("hook", h.ID).Msg("the command ran, but its output was lost before it could be sent")
		respond(x, http.StatusInternalServerError, failedText)
		return
	}
	if code != http.StatusNoContent && code != http.StatusNotModified {
		setContentType(x, head)
	}
	if code != 0 {
		x.WriteHeader(code)
	}
	_, _ = io.Copy(x, reader) // the sender hung up: nobody is left to tell
}

// respond answers with a text. A code of 0 is 200.
func respond(w http.ResponseWriter, code int, text string) {
	if code != http.StatusNoContent && code != http.StatusNotModified {
		setContentType(w, []byte(text))
	}
	if code != 0 {
		w.WriteHeader(code)
	}
	_, _ = io.WriteString(w, text)
}

// setContentType says what an answer is, where no header of the hook's does. As
// in webhook it is guessed from the content, with one difference: nothing that
// a browser would run is guessed, for an answer may echo what a stranger sent.
func setContentType(w http.ResponseWriter, content []byte) {
	if w.Header().Get("Content-Type") != "" || len(content) == 0 {
		return
	}
	guess := http.DetectContentType(content)
	if strings.HasPrefix(guess, "text/html") || strings.HasPrefix(guess, "text/xml") {
		guess = "text/plain; charset=utf-8"
		w.Header().Set("X-Content-Type-Options", "nosniff")
	}
	w.Header().Set("Content-Type", guess)
}
