package server

import (
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
func (s *Server) run(w http.ResponseWriter, r *http.Request, triggered []verdict) {
	first := triggered[0]
	runs := make([]run.Run, 0, len(triggered))
	for i, v := range triggered {
		if i > 0 || !v.hook.OutputInResponse {
			runs = append(runs, v.run)
		}
	}
	if len(runs) > 0 {
		if err := s.options.Engine.Submit(r.Context(), runs...); err != nil {
			s.unavailable(w, r, err)
			return
		}
	}
	w.Header().Set("X-Pawl-Delivery-Id", first.run.Delivery.ID)
	if len(triggered) == 1 {
		w.Header().Set("X-Pawl-Run-Id", first.run.ID)
	} else {
		w.Header().Set("X-Pawl-Runs", strconv.Itoa(len(triggered)))
	}
	if first.hook.OutputInResponse {
		s.answerOutput(w, r, first)
		return
	}
	for _, h := range first.hook.Headers {
		w.Header().Set(h.Name, h.Value)
	}
	respond(w, first.hook.SuccessCode, first.hook.Message)
}

// unavailable refuses a delivery that could not be accepted.
func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, err error) {
	zerolog.Ctx(r.Context()).Error().Err(err).Msg("a delivery was refused")
	w.Header().Set("Retry-After", "30")
	respond(w, http.StatusServiceUnavailable, "Not accepted: "+err.Error()+".")
}

// answerOutput runs a hook's command and answers with what it printed.
func (s *Server) answerOutput(w http.ResponseWriter, r *http.Request, v verdict) {
	output := newSpool(s.options.SpoolDirectory)
	defer output.Close()
	outcome, err := s.options.Engine.Now(r.Context(), v.run, output)
	if err != nil {
		s.unavailable(w, r, err)
		return
	}
	for _, h := range v.hook.Headers {
		w.Header().Set(h.Name, h.Value)
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(answerTime))
	if outcome.State() != run.Succeeded && !v.hook.OutputInResponseOnError {
		respond(w, http.StatusInternalServerError, failedText)
		return
	}
	code := v.hook.SuccessCode
	if outcome.State() != run.Succeeded {
		code = http.StatusInternalServerError
	}
	s.sendOutput(w, r, v.hook, code, output)
}

func (s *Server) sendOutput(w http.ResponseWriter, r *http.Request, h *hook.Hook, code int, output *spool) {
	reader, head, err := output.Reader()
	if err != nil {
		zerolog.Ctx(r.Context()).Error().Err(err).Str("hook", h.ID).Msg("the command's output cannot be read back")
		respond(w, http.StatusInternalServerError, failedText)
		return
	}
	if code != http.StatusNoContent && code != http.StatusNotModified {
		setContentType(w, head)
	}
	if code != 0 {
		w.WriteHeader(code)
	}
	_, _ = io.Copy(w, reader) // the sender hung up: nobody is left to tell
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
