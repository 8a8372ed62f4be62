package embedded

import (
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// verdict is what the end of an attempt means for its run.
type verdict struct {
	phase         phase
	why           string        // for people; empty: the attempt's reason says it
	wait          time.Duration // before the next attempt, when it backs off
	tries         int
	interruptions int
	loud          bool // it must be logged as an error
}

// judge says what the end of an attempt means for its run. h is the hook in
// force, nil where it is gone. stopped says that a person cancelled it. random
// is from 0 up to 1.
func judge(tk *ticket, o *run.Outcome, h *hook.Hook, stopped bool, random float64) verdict {
	v := verdict{tries: tk.tries, interruptions: tk.interruptions}
	switch {
	case stopped || o.End == run.Stopped:
		v.phase, v.why, v.tries = cancelled, "cancelled by hand", v.tries+1
	case o.End == run.Interrupted:
		v.interruptions++
		if v.phase = ready; h != nil && v.interruptions > h.Retry.Interruptions {
			v.phase, v.loud = failed, true
			v.why = interruptedTooOften(v.interruptions, o.Reason)
		}
	case o.State() == run.Succeeded:
		v.phase, v.tries = succeeded, v.tries+1
	default:
		v.tries++
		v.phase = failed
		if h != nil && v.tries < h.Retry.Attempts && retriable(&h.Retry, o) {
			v.phase, v.wait = retrying, backoff(&h.Retry, v.tries, random)
		}
	}
	return v
}

func interruptedTooOften(n int, reason string) string {
	text := "interrupted"
	if n > 1 {
		text = fmt.Sprintf("interrupted %d times", n)
	}
	if reason != "" {
		text += " (" + reason + ")"
	}
	return text + ": it is not run again by itself; retry.interruptions says how often it may be, and it can be retried by hand"
}

// inWords says how an attempt ended that did not end well.
func inWords(o *run.Outcome) string {
	switch {
	case o.Reason != "":
		return o.Reason
	case o.End == run.Exited:
		return fmt.Sprintf("exit code %d", o.ExitCode)
	case o.End == run.Signalled:
		return "killed by signal " + o.Signal
	}
	return string(o.End)
}

// retriable reports whether an attempt that failed so is tried again.
func retriable(r *hook.Retry, o *run.Outcome) bool {
	if o.End == run.NotStarted {
		return false
	}
	if len(r.ExitCodes) == 0 && !r.Timeout && !r.Signal {
		return true
	}
	switch o.End {
	case run.Exited:
		return slices.Contains(r.ExitCodes, o.ExitCode)
	case run.TimedOut:
		return r.Timeout
	case run.Signalled:
		return r.Signal
	}
	return false
}

// backoff is the wait after the given number of tries: it doubles each time, up
// to the hook's most, and varies by a tenth so that what failed together does
// not come back together.
func backoff(r *hook.Retry, tries int, random float64) time.Duration {
	wait := r.Backoff
	for i := 1; i < tries && (r.MaxBackoff <= 0 || wait < r.MaxBackoff) && wait < 1<<60; i++ {
		wait *= 2
	}
	if r.MaxBackoff > 0 {
		wait = min(wait, r.MaxBackoff)
	}
	return time.Duration(float64(wait) * (0.9 + 0.2*random))
}

// apply writes the end of an attempt and all that follows from it.
func (a *attempt) apply(t *tx) error {
	tk := a.ticket
	if tk == nil || t.active[tk.seq] != a {
		if tk != nil && !a.lost {
			t.e.refuseEnd(a)
		}
		return nil
	}
	if a.stale { // the journal has another idea of it
		t.e.refuseEnd(a)
		t.leave(a)
		return nil
	}
	l := tk.lane
	v := judge(tk, &a.outcome, l.hook, a.toCancel || tk.flags&toCancel != 0, rand.Float64())
	written, err := t.writeEnd(a, v)
	if err != nil {
		return err
	}
	if !written {
		t.e.refuseEnd(a)
		t.leave(a)
		return nil
	}
	t.leave(a)
	if v.loud {
		t.e.options.Log.Error().Str("hook", l.name).Str("run", tk.id).Int("interruptions", v.interruptions).
			Msg("a run was interrupted more often than its hook allows and has failed")
	}
	if v.phase == ready {
		// A ticket of its own: should this transaction fail, the end is judged and
		// written once more, by what was true before.
		again := *tk
		again.tries, again.interruptions = v.tries, v.interruptions
		tk = &again
	}
	return t.after(tk, v.phase)
}

func (e *Engine) refuseEnd(a *attempt) {
	e.options.Log.Warn().Err(errStale).Str("hook", a.hookName).Str("run", a.id).Int("attempt", a.number).Msg("the end of an attempt changes nothing")
}

// leave gives back the place of an attempt that has ended.
func (t *tx) leave(a *attempt) {
	delete(t.active, a.ticket.seq)
	if !a.isBeside {
		t.schedule.left(a.ticket.lane, t.now)
	}
	t.touch(a.ticket.lane)
}

// writeEnd writes what came of an attempt; false where the journal knows
// another one as the current.
func (t *tx) writeEnd(a *attempt, v verdict) (bool, error) {
	tk, o := a.ticket, &a.outcome
	place, ended := tk.place, int64(0)
	var due any
	switch {
	case v.phase.final():
		place, ended = tk.seq, t.wall.UnixNano()
		if !o.Ended.IsZero() {
			ended = o.Ended.UnixNano()
		}
	case v.phase == retrying:
		at := t.now.Add(v.wait).UnixNano()
		t.dueAt(at)
		due = at
		t.e.options.Log.Info().Str("hook", a.hookName).Str("run", a.id).Int("attempt", a.number).
			Stringer("in", v.wait.Round(time.Millisecond)).Msg("the run is tried again")
	}
	why := v.why
	if why == "" && v.phase != succeeded {
		why = inWords(o)
	}
	size := int64(len(a.output) + len(a.results))
	err := t.c.Exec(endAttempt, int64(v.phase), place, due, v.tries, v.interruptions, ended, why,
		a.started(), nanos(o.Ended), endNumber(o.End), o.ExitCode, o.Signal, o.Reason, o.HookHash, o.Artifacts, o.Head, o.Omitted, len(o.Output),
		a.results, a.output, size, tk.seq, a.number)
	if err != nil || t.c.Changes() == 0 {
		return false, err
	}
	l := tk.lane
	l.bytes += size + o.Artifacts
	l.artifacts += o.Artifacts
	return true, nil
}

// after does what follows when a run has left the phase running for another.
func (t *tx) after(tk *ticket, to phase) error {
	l := tk.lane
	switch {
	case to == ready: // interrupted: it is the head of its key still
		t.count(l, 1)
		t.expires(l, tk)
		return t.queue(waiter{ticket: tk, hook: l.id})
	case to == retrying:
		t.count(l, 1)
		t.schedule.look(l, t.now)
		return nil
	}
	if err := t.closeRun(tk, to); err != nil {
		return err
	}
	if tk.keyed {
		return t.promote(l, tk.key)
	}
	return nil
}

// closeRun does what follows from the end of a run, however it came; its row is
// written already.
func (t *tx) closeRun(tk *ticket, to phase) error {
	l := tk.lane
	l.ended++
	t.touch(l)
	t.ages(l)
	t.ended = append(t.ended, tk.id)
	if tk.flags&secrets != 0 {
		if err := t.dropSecrets(tk); err != nil {
			return err
		}
	}
	t.streak(l, to)
	if l.hook == nil {
		return nil
	}
	if to == failed && l.hook.OnFailure != "" || to == succeeded && l.hook.OnSuccess != "" {
		return t.follow(tk)
	}
	return nil
}

// dropSecrets deletes the credentials of a delivery when none of its runs may
// need them any more.
func (t *tx) dropSecrets(tk *ticket) error {
	_, open, err := t.c.Number(openOfDelivery, tk.delivery, tk.delivery, tk.delivery)
	if err != nil || open {
		return err
	}
	return t.c.Exec(dropSecrets, tk.delivery)
}

// streak counts final failures in a row, and pauses a hook that has too many.
func (t *tx) streak(l *lane, to phase) {
	switch {
	case to == succeeded && l.failures > 0:
		l.failures, l.dirty = 0, true
	case to == failed:
		l.failures++
		l.dirty = true
		if most := l.pauseAfter(); most > 0 && l.failures >= most && l.paused == "" {
			l.paused = fmt.Sprintf("by Pawl: %d runs in a row have failed (queue.pause-after)", l.failures)
			t.e.options.Log.Error().Str("hook", l.name).Int("failures", l.failures).
				Msg("the hook is paused, since too many of its runs have failed in a row; deliveries wait until it is resumed")
		}
	}
}

func (l *lane) pauseAfter() int {
	if l.hook == nil {
		return 0
	}
	return l.hook.Queue.PauseAfter
}

// follow accepts what follows from a run's end, with that end.
func (t *tx) follow(tk *ticket) error {
	record, err := t.whole(tk)
	if err != nil || record == nil {
		return err
	}
	s, ok := t.e.follows(record)
	if !ok {
		return nil
	}
	for i := range s.Parts {
		s.Parts[i].MustAccept = true // it belongs to a run that was accepted
	}
	p, err := t.e.prepare(s)
	if err != nil {
		t.e.options.Log.Error().Err(err).Str("hook", tk.lane.name).Str("run", tk.id).Msg("what follows from the end of a run cannot be accepted")
		return nil
	}
	p.follows = true
	if err := t.submit(p); err != nil {
		return err
	}
	if p.refuse != nil {
		t.e.options.Log.Error().Err(p.refuse).Str("hook", tk.lane.name).Str("run", tk.id).Msg("what follows from the end of a run is lost")
	}
	return nil
}

// follows asks what follows from a run's end. Should what a stranger sent make
// Pawl panic here, nothing follows: the end is written with it, and a Pawl that
// starts again would end in the same way.
func (e *Engine) follows(record *run.Record) (s run.Submission, ok bool) {
	defer func() {
		if fault := recover(); fault != nil {
			e.options.Log.Error().Interface("fault", fault).Bytes("stack", debug.Stack()).
				Str("hook", record.Hook).Str("run", record.ID).Msg("the end of a run made Pawl panic, and nothing follows from it; please report this")
			s, ok = run.Submission{}, false
		}
	}()
	return e.options.Follow(record)
}

// whole reads a run as its hook's on-failure and on-success are told of it:
// with its newest output.
func (t *tx) whole(tk *ticket) (*run.Record, error) {
	var record run.Record
	found, err := one(t.c, func(r *database.Rows) {
		record = readRecord(r, func(string) bool { return false }).Record
		if newest, ok := readNewest(r); ok {
			record.Attempts = []run.Attempt{newest}
		}
	}, recordBySeq, tk.seq)
	if err != nil || !found {
		return nil, err
	}
	older, err := readOlder(t.c, tk.seq)
	if err != nil {
		return nil, err
	}
	record.Attempts = append(older, record.Attempts...)
	if n := len(record.Attempts); n > 0 {
		var packed []byte
		if _, err := one(t.c, func(r *database.Rows) { packed = r.Blob(0) }, outputNewest, tk.seq); err != nil {
			return nil, err
		}
		if record.Attempts[n-1].Output, err = t.e.codec.readOutput(packed); err != nil {
			return nil, err
		}
	}
	return &record, nil
}

func readOlder(c *database.Conn, seq int64) ([]run.Attempt, error) {
	var list []run.Attempt
	err := each(c, func(r *database.Rows) {
		a := readAttempt(r, 0)
		a.Number = r.Int(0)
		list = append(list, a)
	}, olderEnds, seq)
	return list, err
}
