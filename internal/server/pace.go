package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
)

// drainKey is where a request's context has the context that ends when the
// server begins to stop.
type drainKey struct{}

// How slowly a body may come depends on what it holds, and on whether others wait
// for that memory: who holds much must go on sending, or make room. By this, to
// keep all of -max-inflight taken needs a twentieth of it each second, as much as
// to send deliveries in earnest does.
const (
	largeBody   = 512 << 10        // bytes; what is larger
	largePause  = 10 * time.Second // may wait no longer than this for its next byte
	scarcePause = 10 * time.Second // where memory is scarce, a body must bring as much again as has come of it in this time
)

// pacedBody lets a body come slowly only as long as it comes.
type pacedBody struct {
	body    io.Reader
	control *http.ResponseController
	budget  *delivery.Budget
	began   time.Time
	until   time.Time // how long the next byte may take, by what came before
	got     int64
	drain   context.Context // lives as long as this body is read
	settle  func() bool
}

func newPacedBody(w http.ResponseWriter, r *http.Request, budget *delivery.Budget) *pacedBody {
	now := time.Now()
	b := &pacedBody{
		body: r.Body, control: http.NewResponseController(w), budget: budget,
		began: now, until: now.Add(bodyPause), drain: drainOf(r),
	}
	// A Read that waits already must hear of the stop too.
	b.settle = context.AfterFunc(b.drain, func() { b.deadline(time.Now().Add(bodyDrain)) })
	return b
}

func (b *pacedBody) deadline(at time.Time) {
	_ = b.control.SetReadDeadline(at) // not supported: no deadline
}

func (b *pacedBody) Read(p []byte) (int, error) {
	next := earliest(b.until, b.began.Add(bodyTime))
	if b.drain.Err() != nil {
		next = earliest(next, time.Now().Add(bodyDrain))
	}
	b.deadline(next)
	n, err := b.body.Read(p)
	b.earn(n)
	return n, err
}

// earn gives a body the time that what came of it is worth, but never more than a
// pause: what came fast at first is no leave to hold it for long.
func (b *pacedBody) earn(n int) {
	b.got += int64(n)
	rate, pause := int64(bodyRate), bodyPause
	if b.got > largeBody {
		pause = largePause
	}
	if b.budget.Scarce() {
		rate = max(rate, b.got/int64(scarcePause/time.Second))
	}
	worth := time.Duration(int64(n) * int64(time.Second) / rate)
	b.until = earliest(b.until.Add(worth), time.Now().Add(pause))
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
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
