package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/run"
)

// attempt is a started process of a run, from the decision to start it until
// its end is on disk. Handed to the loop it is the operation that ends it.
type attempt struct {
	ticket   *ticket // nil until the loop has seen a run that began beside all limits
	id       string  // the run's
	hookName string
	number   int
	begun    time.Time
	ctx      context.Context
	cancel   context.CancelCauseFunc
	live     *live
	record   *run.Delivery // nil: made of the ticket, or read
	isBeside bool          // it takes no place among the queued ones
	stale    bool          // the journal no longer has it as the current one
	toCancel bool          // it is being interrupted for good; the loop's own

	// Of one that began beside all limits, under shared.mu.
	submission *submission
	taken      bool // the loop has written its beginning, or does so now
	over       bool // it has ended
	complete   bool // it had when the loop took it: its end is written with its beginning
	lost       bool // its beginning could not be written

	// Its end, complete before the loop gets it.
	outcome run.Outcome
	output  []byte // as the journal has it
	results []byte
}

func (a *attempt) answer(error) {}

// started is when the attempt began, for the journal.
func (a *attempt) started() int64 {
	if !a.outcome.Started.IsZero() {
		return a.outcome.Started.UnixNano()
	}
	return nanos(a.begun)
}

// newAttempt makes the attempt of a run whose ticket has its number.
func (e *Engine) newAttempt(tk *ticket) *attempt {
	a := &attempt{ticket: tk, id: tk.id, hookName: tk.lane.name, number: tk.attempt, begun: time.Now()}
	a.ctx, a.cancel = context.WithCancelCause(e.base)
	return a
}

// perform carries an attempt out, hands its end to the loop, and gives back
// that it has ended. It is a goroutine of its own.
func (e *Engine) perform(a *attempt) {
	defer e.attempts.Done()
	tk := a.ticket
	r := tk.run(a.hookName, a.record)
	r.Attempt = a.number
	if a.record == nil {
		record, err := e.patientlyOf(a)
		if err != nil {
			a.outcome = run.Outcome{End: run.NotStarted, ExitCode: -1, Reason: "its delivery cannot be read: " + err.Error()}
			if a.ctx.Err() != nil {
				a.outcome.End = run.Interrupted // it can be read another time
				tk.interruptions--              // that does not count: nothing has begun
			}
			e.options.Log.Error().Err(err).Str("hook", r.Hook).Str("run", r.ID).Msg("a run could not start")
		}
		r.Delivery = record
	}
	var output io.Writer
	if a.live != nil {
		a.live.isAccepted()
		output = a.live.output
	}
	if r.Delivery != nil {
		a.outcome = e.start(a.ctx, r, output)
	}
	tk.content, a.record = nil, nil
	e.endOf(a)
	e.loose.Add(1)
	if a.live != nil {
		a.live.end(a.outcome)
	}
	e.ops <- a // the loop ends after the last attempt
}

// start runs one attempt. What a delivery may hold is a stranger's choice:
// should it make Pawl panic, that run fails and no other.
func (e *Engine) start(ctx context.Context, r run.Run, output io.Writer) (outcome run.Outcome) {
	defer func() {
		if fault := recover(); fault != nil {
			e.options.Log.Error().Interface("fault", fault).Bytes("stack", debug.Stack()).
				Str("hook", r.Hook).Str("run", r.ID).Msg("a run made Pawl panic; please report this")
			outcome = run.Outcome{End: run.NotStarted, ExitCode: -1, Reason: "Pawl failed while it ran"}
		}
	}()
	return e.options.Start(ctx, r, output)
}

// endOf completes what the journal gets of an attempt's end.
func (e *Engine) endOf(a *attempt) {
	if a.outcome.Started.IsZero() {
		a.outcome.Started = a.begun
	}
	if a.outcome.Ended.IsZero() {
		a.outcome.Ended = time.Now()
	}
	a.output, a.results = e.codec.output(a.outcome.Output), results(a.outcome.Results)
	a.cancel(nil) // frees what the context holds
}

// readPatience is how long a delivery may be unreadable before its run is given
// up: a disk that fails for a moment must cost no run its only attempt.
const readPatience = 5 * time.Minute

// patientlyOf gives the delivery of a run that has its turn. While the journal
// cannot be read it tries again, until the patience ends or the attempt's context.
func (e *Engine) patientlyOf(a *attempt) (*run.Delivery, error) {
	for pause := firstRepair; ; pause = min(2*pause, lastRepair) {
		d, err := e.deliveryOf(a.ticket)
		if err == nil || !errors.Is(err, errUnread) || time.Since(a.begun) > readPatience {
			return d, err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-a.ctx.Done():
			timer.Stop()
			return nil, fmt.Errorf("%w, and %w", err, context.Cause(a.ctx))
		}
	}
}

// errUnread says that the journal could not be read, which may be over soon.
var errUnread = errors.New("the journal cannot be read")

// deliveryOf gives the delivery of a run.
func (e *Engine) deliveryOf(tk *ticket) (*run.Delivery, error) {
	if tk.content != nil && tk.flags&secrets == 0 {
		d, err := e.codec.readDelivery(tk.content)
		if err == nil {
			d.ID = tk.deliveryID
		}
		return d, err
	}
	var stored storedDelivery
	found := false
	err := e.db.View(context.WithoutCancel(e.base), func(c *database.Conn) (err error) {
		found, err = one(c, stored.read, deliveryOf, tk.delivery)
		return err
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	case !found:
		return nil, errors.New("the journal does not hold it")
	}
	return stored.unpack(e.codec, stored.id)
}

// storedDelivery is a delivery as the journal has it.
type storedDelivery struct {
	content, secrets []byte
	id               string
}

func (s *storedDelivery) read(r *database.Rows) {
	s.content, s.secrets, s.id = r.Blob(0), r.Blob(1), idText(r.Raw(2))
}

func (s *storedDelivery) unpack(c *codec, id string) (*run.Delivery, error) {
	d, err := c.readDelivery(s.content)
	if err != nil {
		return nil, err
	}
	d.ID = id
	d.Credentials, err = readCredentials(s.secrets)
	return d, err
}

// live is a caller of Attend: it reads along with one attempt and waits for its
// end.
type live struct {
	seq      int64 // of its run, if that takes its turn; the loop's own
	accepted sync.Once
	accept   func() // until then
	output   *outlet
	ended    chan run.Outcome // of one
}

// ending is what a caller of Attend is told when its run ends unstarted.
type ending struct {
	*live
	seq     int64
	outcome run.Outcome
}

func newLive(accept func(), output io.Writer) *live {
	if accept == nil {
		accept = func() {}
	}
	return &live{accept: accept, output: &outlet{w: output}, ended: make(chan run.Outcome, 1)}
}

// isAccepted tells the caller, once. What that needs, a whole request, is not
// held until the run's turn.
func (l *live) isAccepted() {
	l.accepted.Do(func() {
		l.accept()
		l.accept = nil
	})
}

func (l *live) end(o run.Outcome) { l.ended <- o }

// outlet passes on what a script prints, until its reader has gone away.
type outlet struct {
	mu sync.Mutex
	w  io.Writer // nil: nobody reads
}

// Write never fails: that nobody reads is no fault of the script.
func (o *outlet) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w != nil {
		if _, err := o.w.Write(p); err != nil {
			o.w = nil
		}
	}
	return len(p), nil
}

// close returns when nothing is written any more.
func (o *outlet) close() {
	o.mu.Lock()
	o.w = nil
	o.mu.Unlock()
}
