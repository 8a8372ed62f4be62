package server

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// output takes what a command prints and makes an answer of it. Write is called
// by the attempt, the others by whoever answers the request.
type output interface {
	io.Writer // never fails: no script dies of a sender that does not listen

	// stop ends it: what is written from now on goes nowhere. It reports whether
	// a part of the answer was sent before, or else the time was up before.
	stop() (begun, late bool)

	// timeUp ends it too, but does nothing and reports false where a part of the
	// answer was sent.
	timeUp() bool

	// finish answers, when the attempt has ended and nothing was sent before.
	finish(e ending)

	// close frees what the output holds.
	close()
}

// newOutput makes what a hook's answer.body asks for. hopeless is called when it
// becomes clear that no answer can be made of what the command prints.
func (s *Server) newOutput(x *exchange, h *hook.Hook, hopeless func()) output {
	switch h.Answer.Body {
	case hook.BodyStream:
		return &stream{x: x, hook: h}
	case hook.BodyCGI:
		return &cgi{stream: stream{x: x, hook: h}, hopeless: hopeless}
	}
	return &buffered{x: x, hook: h, spool: newSpool(s.options.SpoolDirectory)}
}

// attend has the first run of a submission run while the sender waits, and
// answers with what its command prints. Neither a sender that hangs up nor
// answer.wait keeps the run from being accepted, or ends it.
func (s *Server) attend(x *exchange, h *hook.Hook, submission *run.Submission) {
	patience, giveUp := context.WithCancel(x.request.Context())
	defer giveUp()
	ctx, turn := patience, h.Queue.Set
	cancel := giveUp
	if turn {
		// It is accepted at once, as far as the disk goes, and only then may the
		// end of the patience end the waiting: of what is cut off before, nobody
		// would know whether it was accepted.
		ctx, cancel = context.WithCancel(context.WithoutCancel(patience))
		defer cancel()
	}
	// For an answer that begins before the end. Whether other hooks at this path
	// drop their part as a repeat is not known by then.
	identify(x.Header(), submission, run.Receipt{})
	out := s.newOutput(x, h, giveUp)
	defer out.close()
	if h.Answer.Wait > 0 {
		defer time.AfterFunc(h.Answer.Wait, func() {
			if out.timeUp() {
				giveUp()
			}
		}).Stop()
	}
	var accepted atomic.Bool
	receipt, outcome, err := s.options.Engine.Attend(ctx, *submission, engine.Live{
		Turn: turn, Output: out,
		Stays: h.Answer.Wait == 0 && h.Answer.Body != hook.BodyCGI, // nothing but the end of the command ends the wait
		Accepted: func() {
			x.triggered(&submission.Parts[0].Runs[0])
			accepted.Store(true)
			if turn {
				context.AfterFunc(patience, cancel)
			}
		},
	})
	begun, late := out.stop()
	if !accepted.Load() {
		s.unattended(x, h, submission, receipt, err, ctx.Err() != nil)
		return
	}
	x.accepted(submission, receipt, 1)
	identify(x.Header(), submission, receipt)
	switch {
	case begun && (err != nil || outcome.End != run.Exited):
		x.breakOff(h)
	case begun: // and whole
	case isHopeless(out) || err == nil && !late:
		out.finish(endOfAttempt(h, outcome))
	default: // the run goes on without this answer
		setAnswerHeaders(x, h)
		pending(x, submission, nil)
	}
}

// unattended answers where the engine did not run what was to be attended.
func (s *Server) unattended(x *exchange, h *hook.Hook, submission *run.Submission, receipt run.Receipt, err error, gaveUp bool) {
	switch {
	case err == nil: // a repeat
		x.accepted(submission, receipt, 0)
		identify(x.Header(), submission, receipt)
	case gaveUp:
		// The sender hung up, or answer.wait was over, before its turn came. It is
		// not known whether it will try again, so the runs take the way of those
		// that nobody waits for.
		if receipt, err = s.submit(x, submission); err != nil {
			unavailable(x, err)
			return
		}
	default:
		unavailable(x, err)
		return
	}
	setAnswerHeaders(x, h)
	if duplicateOf(receipt, 0) == "" {
		pending(x, submission, nil)
		return
	}
	respond(x, h.SuccessCode, h.Message)
}

// breakOff ends an answer in the middle, so that the sender does not take it for
// whole.
func (x *exchange) breakOff(h *hook.Hook) {
	if x.request.Context().Err() != nil {
		return // the sender did
	}
	x.warn().Str("hook", h.ID).Msg("the answer breaks off: the command did not end by itself, or is not waited for any more")
	panic(http.ErrAbortHandler)
}

// buffered keeps the output until the command has ended, for then the answer's
// status is known.
type buffered struct {
	x     *exchange
	hook  *hook.Hook
	spool *spool
	late  atomic.Bool
}

func (b *buffered) Write(p []byte) (int, error) {
	_, _ = b.spool.Write(p) // it remembers what goes wrong
	return len(p), nil
}

func (b *buffered) stop() (begun, late bool) {
	b.spool.Seal()
	return false, b.late.Load()
}

func (b *buffered) timeUp() bool {
	b.late.Store(true)
	b.spool.Seal()
	return true
}

func (b *buffered) close() { b.spool.Close() }

// finish answers with the output. That of a failed command is for the sender
// only where the hook says so, or names the status of such an end.
func (b *buffered) finish(e ending) {
	setAnswerHeaders(b.x, b.hook)
	control := http.NewResponseController(b.x)
	_ = control.SetWriteDeadline(time.Now().Add(answerTime))
	if e.failed && !e.named && !b.hook.OutputInResponseOnError {
		respond(b.x, e.status, failedText)
		return
	}
	reader, head, err := b.spool.Reader()
	if err != nil {
		b.x.event(zerolog.ErrorLevel).Err(err).Str("hook", b.hook.ID).Msg("the command ran, but its output was lost before it could be sent")
		respond(b.x, http.StatusInternalServerError, failedText)
		return
	}
	if e.status != http.StatusNoContent && e.status != http.StatusNotModified {
		setContentType(b.x, head)
	}
	if e.status != 0 {
		b.x.WriteHeader(e.status)
	}
	_, _ = io.Copy(b.x, reader) // the sender hung up: nobody is left to tell
}
