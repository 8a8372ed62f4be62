package embedded

import (
	"context"
	"fmt"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// submission is a run.Submission on its way into the journal. What takes time
// is done before the loop sees it.
type submission struct {
	run.Submission
	id      []byte
	ids     [][]byte // of the runs of all parts
	content []byte
	secrets []byte
	origin  []byte
	live    *live    // who reads along with the first run; nil: nobody
	beside  *attempt // the first run, if it starts beside all limits; nil: it takes its turn
	follows bool     // from the end of a run: it was accepted with that one

	receipt run.Receipt
	refuse  error
	result  chan error
}

// prepare makes a submission ready for the loop.
func (e *Engine) prepare(s run.Submission) (*submission, error) {
	if s.Delivery == nil {
		return nil, fmt.Errorf("a submission without a delivery")
	}
	id, err := parseID(s.Delivery.ID)
	if err != nil {
		return nil, fmt.Errorf("a delivery: %w", err)
	}
	p := &submission{Submission: s, id: id, result: make(chan error, 1)}
	p.receipt = run.Receipt{DuplicateOf: make([]string, len(s.Parts)), Overfull: make([]bool, len(s.Parts))}
	for _, part := range s.Parts {
		for i := range part.Runs {
			id, err := parseID(part.Runs[i].ID)
			if err != nil {
				return nil, fmt.Errorf("a run of hook %s: %w", part.Hook, err)
			}
			p.ids = append(p.ids, id)
		}
	}
	p.content, p.secrets, p.origin = e.codec.delivery(s.Delivery), credentials(s.Delivery.Credentials), origin(s.Delivery.Origin)
	return p, nil
}

// Submit accepts a delivery and its runs; see engine.Engine.
func (e *Engine) Submit(ctx context.Context, s run.Submission) (run.Receipt, error) {
	if err := e.refuses(); err != nil {
		return run.Receipt{}, err
	}
	p, err := e.prepare(s)
	if err != nil {
		return run.Receipt{}, err
	}
	return e.submit(ctx, p)
}

func (e *Engine) submit(ctx context.Context, p *submission) (run.Receipt, error) {
	e.inHand.Add(1)
	defer e.inHand.Add(-1)
	if err := e.send(ctx, p); err != nil {
		return run.Receipt{}, err
	}
	if err := e.wait(ctx, p.result); err != nil {
		return run.Receipt{}, err
	}
	return p.receipt, nil
}

// refuses gives why nothing is accepted, nil where it is.
func (e *Engine) refuses() error {
	if e.closed.Load() {
		return engine.ErrStopped
	}
	e.shared.mu.Lock()
	broken := e.shared.broken
	e.shared.mu.Unlock()
	if broken != nil {
		return fmt.Errorf("%w: %w", engine.ErrUnavailable, broken)
	}
	return e.writing.hangs(e.now)
}

func (p *submission) answer(err error) {
	if err == nil {
		err = p.refuse
	}
	p.result <- err
}

// apply writes the submission, or refuses all of it.
func (p *submission) apply(t *tx) error {
	if t.e.closed.Load() {
		p.refuse = engine.ErrStopped
		return nil
	}
	return t.submit(p)
}

// submit writes a submission. It reads all that could refuse it first.
func (t *tx) submit(p *submission) error {
	lanes := make([]*lane, len(p.Parts))
	runs, grows := 0, int64(len(p.content))
	for i := range p.Parts {
		part := &p.Parts[i]
		l, err := t.lane(part.Hook)
		if err != nil {
			return err
		}
		lanes[i] = l
		of, err := t.duplicate(l, part)
		if err != nil {
			return err
		}
		if p.receipt.DuplicateOf[i] = of; of != "" {
			continue
		}
		if p.beside == nil || i > 0 {
			full, err := t.overfull(l, p, part)
			if err != nil {
				return err
			}
			if full && !part.MustAccept && !l.hook.Queue.DropOldest {
				p.refuse = fmt.Errorf("hook %s: %w", part.Hook, engine.ErrFull)
				return nil
			}
			p.receipt.Overfull[i] = full && !l.hook.Queue.DropOldest
		}
		runs += len(part.Runs)
	}
	if runs == 0 {
		return nil
	}
	if fits, err := t.fits(grows); err != nil {
		return err
	} else if !fits && (!p.follows || t.e.options.Memory) {
		p.refuse = engine.ErrFull
		return nil
	}
	return t.accept(p, lanes, runs)
}

// duplicate gives the id of the delivery that a part repeats, or "".
func (t *tx) duplicate(l *lane, part *run.Part) (string, error) {
	if part.SenderID == "" || part.Dedupe <= 0 {
		return "", nil
	}
	var at, first, made int64
	var id string
	found, err := one(t.c, func(r *database.Rows) {
		at, id, first, made = r.Int64(0), idText(r.Raw(1)), r.Int64(2), r.Int64(3)
	}, getSeen, l.id, part.SenderID)
	// Either way: the clock may have been set back since, and by years.
	if err != nil || !found || t.low.Sub(moment(at)).Abs() >= part.Dedupe {
		return "", err
	}
	_, bad, err := t.c.Number(spoilt, first, first+made, l.id)
	if err != nil || bad {
		return "", err
	}
	return id, nil
}

// overfull reports whether more runs of a hook would wait than may.
func (t *tx) overfull(l *lane, p *submission, part *run.Part) (bool, error) {
	if l.hook == nil || l.hook.Queue.MaxQueued <= 0 {
		return false, nil
	}
	q := &l.hook.Queue
	room := q.MaxQueued - l.waiting
	if len(part.Runs) <= room {
		return false, nil
	}
	waits := 0 // runs that would wait besides those that do now
	starts := 0
	if able, _ := l.room(t.now); able && q.Debounce == 0 && t.e.starting() {
		starts = max(t.schedule.free, 0)
		if q.MaxConcurrent > 0 {
			starts = min(starts, q.MaxConcurrent-l.running)
		}
		if q.Rate.Starts > 0 && len(l.starts)+starts > q.Rate.Starts {
			starts = max(1, q.Rate.Starts-len(l.starts))
		}
	}
	keys := map[string]bool{}
	for i := range part.Runs {
		key := part.Runs[i].Key
		if q.Coalesce {
			victims, err := t.victims(l, key, 0)
			if err != nil {
				return false, err
			}
			if len(victims) > 0 && !keys[key.Text] {
				keys[key.Text] = true
				continue
			}
		}
		idle := true
		if key.Set {
			idle = !keys[key.Text]
			if keys[key.Text] = true; idle {
				_, open, err := t.c.Number(keyOpen, l.id, key.Text, t.next)
				if err != nil {
					return false, err
				}
				idle = !open
			}
		}
		if idle && starts > 0 {
			starts--
			continue
		}
		waits++
	}
	return waits > max(room, 0), nil
}

// accept writes a submission that nothing refuses.
func (t *tx) accept(p *submission, lanes []*lane, runs int) error {
	first := t.sequence(runs)
	if err := t.c.Exec(insertDelivery, first, p.id, runs, runs, p.secrets, p.content); err != nil {
		return err
	}
	share := int64(len(p.content)/runs) + rowBytes
	accepted := t.wall
	if p.beside != nil { // it has begun already, and may have ended
		accepted = p.beside.begun
	}
	seq, at := first, 0
	for i := range p.Parts {
		part, l := &p.Parts[i], lanes[i]
		if p.receipt.DuplicateOf[i] != "" {
			at += len(part.Runs)
			continue
		}
		if part.SenderID != "" && part.Dedupe > 0 {
			now := t.low.UnixNano()
			if err := t.c.Exec(setSeen, l.id, part.SenderID, now, now+int64(part.Dedupe), p.id, first, runs); err != nil {
				return err
			}
		}
		for j := range part.Runs {
			r := &part.Runs[j]
			tk := &ticket{seq: seq, place: seq, id: r.ID, lane: l, delivery: first, deliveryID: p.Delivery.ID,
				key: r.Key.Text, keyed: r.Key.Set, element: r.Element, accepted: accepted.UnixNano(), depth: r.Depth, size: share}
			if r.Key.Incomplete {
				tk.flags |= incomplete
			}
			if part.SenderID != "" && part.Dedupe > 0 {
				tk.flags |= identified
			}
			if p.Delivery.Origin.Kind == run.Replay {
				tk.flags |= byHand
			}
			if p.secrets != nil {
				tk.flags |= secrets
			}
			if err := t.enter(p, tk, p.ids[at], i == 0 && j == 0); err != nil {
				return err
			}
			seq++
			at++
		}
		if err := t.dropOldest(l, p.Parts[i].Runs); err != nil {
			return err
		}
	}
	return nil
}

// rowBytes is about what a run takes in the journal besides its delivery and
// what it prints.
const rowBytes = 400

// enter writes one run, in the phase in which it begins.
func (t *tx) enter(p *submission, tk *ticket, id []byte, first bool) error {
	l := tk.lane
	l.bytes += tk.size
	t.touch(l)
	if first && p.live != nil {
		p.live.seq = tk.seq
		t.loop.lives[tk.seq] = p.live
	}
	if first && p.beside != nil {
		tk.attempt = 1
		p.beside.ticket = tk
		t.active[tk.seq] = p.beside
		return t.insert(p, tk, id, running, 0, 0)
	}
	victims, err := t.replace(tk)
	if err != nil {
		return err
	}
	phase, due, rested, err := t.entryPhase(tk, victims)
	if err != nil {
		return err
	}
	if phase == ready {
		if able, _ := l.room(t.now); able && t.may() {
			phase = running
			tk.attempt = 1
		}
	}
	if err := t.insert(p, tk, id, phase, due, rested); err != nil {
		return err
	}
	if phase == running {
		t.begin(tk).record = p.Delivery
		return nil
	}
	t.count(l, 1)
	t.expires(l, tk)
	if phase == ready {
		tk.content = p.content
		t.schedule.put(tk, t.now)
	} else {
		t.schedule.look(l, t.now)
	}
	return nil
}

func (t *tx) insert(p *submission, tk *ticket, id []byte, phase phase, due, rested int64) error {
	var key, dueAt any
	if tk.keyed {
		key = tk.key
	}
	if due != 0 {
		dueAt = due
	}
	started := int64(0)
	if phase == running {
		started = t.wall.UnixNano()
	}
	return t.c.Exec(insertRun, tk.seq, id, tk.lane.id, tk.delivery, int64(phase), tk.place, key, tk.element, tk.accepted, tk.flags, tk.depth,
		p.origin, tk.size, dueAt, rested, tk.attempt, started)
}

// entryPhase says in which phase a run begins that has its place; and if it
// rests, until and since when.
func (t *tx) entryPhase(tk *ticket, victims []waiter) (phase, int64, int64, error) {
	l := tk.lane
	if h := l.hook; h != nil && h.Queue.Coalesce && h.Queue.Debounce > 0 {
		rested := t.now.UnixNano()
		for _, v := range victims {
			if v.rested != 0 {
				rested = min(rested, v.rested)
			}
		}
		due := min(t.now.Add(h.Queue.Debounce).UnixNano(), rested+10*int64(h.Queue.Debounce))
		t.dueAt(due)
		return delayed, due, rested, nil
	}
	if !tk.keyed {
		return ready, 0, 0, nil
	}
	behind, err := t.isBehind(tk)
	if behind {
		return blocked, 0, 0, err
	}
	return ready, 0, 0, err
}

// isBehind reports whether a run of the same key stands before a run.
func (t *tx) isBehind(tk *ticket) (bool, error) {
	_, open, err := t.c.Number(keyOpen, tk.lane.id, tk.key, tk.place)
	return open, err
}

// dueAt notes that something is due at a time of the even clock.
func (t *tx) dueAt(due int64) {
	t.due = soonest(t.due, time.Unix(0, due))
}
