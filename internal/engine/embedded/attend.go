package embedded

import (
	"context"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// Attend submits for a caller who reads along; see engine.Engine.
func (e *Engine) Attend(ctx context.Context, s run.Submission, l engine.Live) (run.Receipt, run.Outcome, error) {
	if err := e.refuses(); err != nil {
		return run.Receipt{}, run.Outcome{}, err
	}
	p, err := e.prepare(s)
	if err != nil {
		return run.Receipt{}, run.Outcome{}, err
	}
	reads := newLive(l.Accepted, l.Output)
	if len(s.Parts) == 0 || len(s.Parts[0].Runs) == 0 { // nobody's output to wait for
		receipt, err := e.submit(ctx, p)
		return receipt, run.Outcome{}, err
	}
	if l.Turn || e.paused(s.Parts[0].Hook) {
		return e.attendTurn(ctx, p, reads)
	}
	return e.attendBeside(ctx, p, reads, l.Stays)
}

// paused reports whether a hook is paused: then not even a run that takes no
// turn starts.
func (e *Engine) paused(hook string) bool {
	e.shared.mu.Lock()
	defer e.shared.mu.Unlock()
	return e.shared.hooks[hook].Paused != ""
}

// attendTurn waits until a run has had its turn.
func (e *Engine) attendTurn(ctx context.Context, p *submission, reads *live) (run.Receipt, run.Outcome, error) {
	p.live = reads
	// Who hangs up while it is being written would not know whether it is accepted.
	receipt, err := e.submit(context.WithoutCancel(ctx), p)
	if err != nil {
		reads.output.close()
		return run.Receipt{}, run.Outcome{}, err
	}
	if receipt.DuplicateOf[0] != "" {
		return receipt, run.Outcome{}, nil
	}
	reads.isAccepted()
	outcome, err := e.readAlong(ctx, reads, e.stopping)
	return receipt, outcome, err
}

// readAlong waits for the end of the attempt, or for the caller's.
func (e *Engine) readAlong(ctx context.Context, reads *live, stopping <-chan struct{}) (run.Outcome, error) {
	for {
		select {
		case o := <-reads.ended:
			return o, nil
		case <-ctx.Done():
			reads.output.close()
			if stopping != nil { // its run may wait for long, and nobody waits with it
				_ = e.send(context.WithoutCancel(ctx), newRequest(func(t *tx, _ *request) error {
					t.hangUp(reads)
					return nil
				}))
			}
			return run.Outcome{}, context.Cause(ctx)
		case <-stopping:
			stopping = nil
			if !e.begins(reads) {
				reads.output.close()
				return run.Outcome{}, engine.ErrStopped
			}
		case <-e.done:
			select {
			case o := <-reads.ended:
				return o, nil
			default:
			}
			reads.output.close()
			return run.Outcome{}, engine.ErrStopped
		}
	}
}

// begins reports whether the run that a caller of Attend waits for has begun,
// now that nothing starts any more.
func (e *Engine) begins(reads *live) (begun bool) {
	err := e.ask(context.Background(), func(t *tx, _ *request) error {
		begun = !t.hangUp(reads)
		return nil
	})
	return err != nil || begun
}

// hangUp lets a run go on without the caller who waits for its turn; false where
// it has begun or ended.
func (t *tx) hangUp(reads *live) bool {
	waits := t.loop.lives[reads.seq] == reads
	if waits {
		delete(t.loop.lives, reads.seq)
	}
	return waits
}

// attendBeside starts a run at once, beside all limits but that of its kind.
func (e *Engine) attendBeside(ctx context.Context, p *submission, reads *live, stays bool) (run.Receipt, run.Outcome, error) {
	if err := e.token(ctx); err != nil {
		return run.Receipt{}, run.Outcome{}, err
	}
	first := &p.Parts[0]
	r := first.Runs[0]
	r.Hook, r.Attempt, r.Delivery = first.Hook, 1, p.Delivery
	a := &attempt{id: r.ID, hookName: first.Hook, number: 1, begun: time.Now(), live: reads, isBeside: true, submission: p}
	a.ctx, a.cancel = context.WithCancelCause(e.base)
	p.beside = a
	alone := len(p.Parts) == 1 && len(first.Runs) == 1 && (first.SenderID == "" || first.Dedupe <= 0)
	if alone {
		alone = e.beginLazily(a)
	}
	if !alone {
		a.taken = true
		if !e.beginBeside(a) {
			<-e.tokens
			a.cancel(nil)
			return run.Receipt{}, run.Outcome{}, engine.ErrStopped
		}
		receipt, err := e.submit(context.WithoutCancel(ctx), p)
		if err != nil || receipt.DuplicateOf[0] != "" {
			e.endBeside(a)
			a.cancel(nil)
			return receipt, run.Outcome{}, err
		}
	}
	reads.isAccepted()
	receipt := run.Receipt{DuplicateOf: make([]string, len(p.Parts)), Overfull: make([]bool, len(p.Parts))}
	if !alone { // else the loop may be writing to it
		receipt = p.receipt
	}
	if stays {
		e.performBeside(a, r)
		return receipt, <-reads.ended, nil
	}
	e.workers.do(func() { e.performBeside(a, r) })
	outcome, err := e.readAlong(ctx, reads, nil)
	return receipt, outcome, err
}

// token waits for a place among the runs that take no turn.
func (e *Engine) token(ctx context.Context) error {
	select {
	case e.tokens <- struct{}{}:
		return nil
	default:
	}
	if e.inLine.Add(1) > int64(4*e.options.Sync) {
		e.inLine.Add(-1)
		return engine.ErrFull
	}
	defer e.inLine.Add(-1)
	select {
	case e.tokens <- struct{}{}:
		return nil
	case <-e.stopping:
		return engine.ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// beginBeside enters an attempt among those that run beside all limits; false
// where nothing starts any more.
func (e *Engine) beginBeside(a *attempt) bool {
	s := &e.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.enterBeside(a)
}

func (e *Engine) enterBeside(a *attempt) bool {
	if e.closed.Load() {
		return false
	}
	e.attempts.Add(1)
	e.shared.beside[a.id] = a
	e.shared.ofHook[a.hookName]++
	return true
}

// beginLazily enters an attempt that is written a little later; false where so
// many are to be written that this one must wait for it.
func (e *Engine) beginLazily(a *attempt) bool {
	s := &e.shared
	s.mu.Lock()
	if len(s.lazy) >= maxLazy || !e.enterBeside(a) {
		s.mu.Unlock()
		return false
	}
	s.lazy = append(s.lazy, a)
	first := len(s.lazy) == 1
	s.mu.Unlock()
	e.loose.Add(1)
	if first {
		e.nudge()
	}
	return true
}

// nudge has the loop look at what is shared.
func (e *Engine) nudge() {
	select {
	case e.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// performBeside carries out an attempt that takes no turn.
func (e *Engine) performBeside(a *attempt, r run.Run) {
	a.outcome = e.start(a.ctx, r, a.live.output)
	e.endOf(a)
	s := &e.shared
	s.mu.Lock()
	a.over = true
	mine := a.taken && !a.lost // its beginning is in the journal: its end must go there
	s.mu.Unlock()
	if mine {
		e.loose.Add(1)
	}
	a.live.end(a.outcome)
	if mine {
		e.ops <- a // the loop ends after the last attempt
	}
	e.endBeside(a)
}

// endBeside gives up the place of an attempt that takes no turn.
func (e *Engine) endBeside(a *attempt) {
	s := &e.shared
	s.mu.Lock()
	delete(s.beside, a.id)
	if s.ofHook[a.hookName]--; s.ofHook[a.hookName] == 0 {
		delete(s.ofHook, a.hookName)
	}
	s.mu.Unlock()
	<-e.tokens
	e.attempts.Done()
}

func (e *Engine) hasLazy() bool {
	e.shared.mu.Lock()
	defer e.shared.mu.Unlock()
	return len(e.shared.lazy) > 0
}

// takeShared takes the attempts whose beginning must be written, and whether the
// hooks in force have changed. Attempts that are over are written with their
// end.
func (e *Engine) takeShared() ([]*attempt, bool) {
	e.shared.mu.Lock()
	defer e.shared.mu.Unlock()
	list := e.shared.lazy
	reload := e.shared.reload
	e.shared.lazy, e.shared.reload = nil, false
	for _, a := range list {
		a.taken, a.complete = true, a.over
	}
	return list, reload
}

func (e *Engine) reloads() bool {
	e.shared.mu.Lock()
	defer e.shared.mu.Unlock()
	return e.shared.reload
}

// begun writes a run that began beside all limits, and its end if it has come.
func (t *tx) begun(a *attempt) error {
	if err := t.submit(a.submission); err != nil {
		return err
	}
	a.submission = nil   // its body may be large, and it runs on
	if a.ticket == nil { // refused: there is no room for its history
		return nil
	}
	if a.complete {
		return a.apply(t)
	}
	return nil
}
