package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
)

// answerTime is how long a caller may take over one answer. A stream gets so
// long for each piece.
const answerTime = 30 * time.Second

// maxRequest bounds the body of a request, but for an edited payload.
const maxRequest = 1 << 20

// handler answers a request, or gives the error to answer.
type handler func(w http.ResponseWriter, r *http.Request) error

// Error is the answer to what cannot be done.
type Error struct {
	Status int      `json:"-"`
	Text   string   `json:"error"`
	IDs    []string `json:"ids,omitempty"` // of the runs that a beginning of an id could mean
}

func (e *Error) Error() string { return e.Text }

func refuse(status int, format string, args ...any) error {
	return &Error{Status: status, Text: fmt.Sprintf(format, args...)}
}

// handle makes an http.Handler of a handler.
func (a *API) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// What a script or a sender wrote must stay a text, whatever a browser
		// makes of it.
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
		w.Header().Set("Cache-Control", "no-store")
		// What is asked may take as long as it takes, and on this connection an
		// earlier answer's deadline still holds.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a recorder has none
		if err := h(w, r); err != nil {
			a.fail(w, r, err)
		}
	})
}

// fail answers an error. What is nobody's mistake is logged.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	answer := errorOf(err)
	if answer.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		a.options.Log.Warn().Err(err).Str("path", r.URL.Path).Msg("an operator's request failed")
	}
	_ = writeJSON(w, answer.Status, answer) // the caller is gone, if it fails
}

// errorOf gives an error its status.
func errorOf(err error) *Error {
	var known *Error
	var ambiguous *engine.AmbiguousError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &ambiguous):
		return &Error{Status: http.StatusConflict, Text: ambiguous.Error(), IDs: ambiguous.IDs}
	case errors.As(err, &large):
		return &Error{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the request's body is larger than %d bytes", large.Limit)}
	case errors.Is(err, engine.ErrNotFound):
		return &Error{Status: http.StatusNotFound, Text: "there is no such run, attempt or delivery"}
	case errors.Is(err, engine.ErrFull), errors.Is(err, engine.ErrStopped), errors.Is(err, engine.ErrUnavailable):
		return &Error{Status: http.StatusServiceUnavailable, Text: err.Error()}
	case errors.Is(err, context.Canceled):
		return &Error{Status: http.StatusServiceUnavailable, Text: "Pawl stops; it may have been done, or not"}
	}
	return &Error{Status: http.StatusInternalServerError, Text: err.Error()}
}

func writeJSON(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	write(w, append(body, '\n'))
	return nil
}

// write writes a whole answer, to a caller who takes it in time.
func write(w http.ResponseWriter, body []byte) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // a recorder has none
	_, _ = w.Write(body)                                                           // the caller is gone, if it fails
}

// readJSON reads a request's body into value; none leaves it as it is.
func readJSON(w http.ResponseWriter, r *http.Request, value any) error {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(value)
	var large *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return nil
	case errors.As(err, &large):
		return err
	}
	return refuse(http.StatusBadRequest, "the request's body: %v", err)
}
