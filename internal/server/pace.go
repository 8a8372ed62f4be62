package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// drainKey is where a request's context has the context that ends when the
// server begins to stop.
type drainKey struct{}

// pacedBody lets a body come slowly only as long as it comes.
type pacedBody struct {
	body    io.Reader
	control *http.ResponseController
	began   time.Time
	got     int64
	drain   context.Context // lives as long as this body is read
	settle  func() bool
}

func newPacedBody(w http.ResponseWriter, r *http.Request) *pacedBody {
	b := &pacedBody{body: r.Body, control: http.NewResponseController(w), began: time.Now(), drain: drainOf(r)}
	// A Read that waits already must hear of the stop too.
	b.settle = context.AfterFunc(b.drain, func() { b.deadline(time.Now().Add(bodyDrain)) })
	return b
}

func (b *pacedBody) deadline(at time.Time) {
	_ = b.control.SetReadDeadline(at) // not supported: no deadline
}

func (b *pacedBody) Read(p []byte) (int, error) {
	now := time.Now()
	last := b.began.Add(min(bodyTime, bodyPause+time.Duration(b.got/bodyRate)*time.Second))
	next := now.Add(bodyPause)
	if b.drain.Err() != nil {
		next = now.Add(bodyDrain)
	}
	if next.After(last) {
		next = last
	}
	b.deadline(next)
	n, err := b.body.Read(p)
	b.got += int64(n)
	return n, err
}

// finish lets the connection rest while the answer is made. When the body was
// not read to its end, for which err is the reason, net/http reads on before it
// answers, and must not wait for it as long as the sender likes.
func (b *pacedBody) finish(err error) {
	b.settle()
	switch {
	case err == nil:
		b.deadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.deadline(time.Now())
	default:
		b.deadline(time.Now().Add(bodyDrain))
	}
}

// drainOf is the context that ends when the server begins to stop; outside of
// Serve it is the request's own.
func drainOf(r *http.Request) context.Context {
	if drain, ok := r.Context().Value(drainKey{}).(context.Context); ok {
		return drain
	}
	return r.Context()
}
