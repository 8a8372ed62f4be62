package enginetest

import (
	"net/http"
	"time"

	"github.com/pawlhq/pawl/internal/run"
)

// order is one part of a delivery, in the making: runs of one hook, by names.
type order struct {
	names []string
	part  run.Part
	key   run.Key
}

// of is an order of runs of a hook, in one delivery.
func of(hook string, names ...string) order {
	return order{names: names, part: run.Part{Hook: hook}}
}

// keyed gives all runs of an order a key.
func (o order) keyed(text string) order {
	o.key = run.Key{Text: text, Set: true}
	return o
}

// incomplete says that a value of the key was missing.
func (o order) incomplete() order {
	o.key.Incomplete = true
	return o
}

// once says that the sender gave the delivery an id, which within that time
// runs nothing again.
func (o order) once(senderID string, within time.Duration) order {
	o.part.SenderID, o.part.Dedupe = senderID, within
	return o
}

// must says that the sender would stop calling if it were refused.
func (o order) must() order {
	o.part.MustAccept = true
	return o
}

// submission makes a submission of orders, with a small delivery.
func (w *world) submission(orders ...order) run.Submission {
	return w.submissionOf(&run.Delivery{
		Method: http.MethodPost, Path: "/hooks/any", Host: "pawl.example",
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       []byte(`{"ref":"main"}`),
		RemoteAddr: "192.0.2.7:4711",
	}, orders...)
}

// submissionOf makes a submission of a delivery, to which it gives an id and a
// time. Each name stands for a new run.
func (w *world) submissionOf(d *run.Delivery, orders ...order) run.Submission {
	w.up()
	w.mu.Lock()
	defer w.mu.Unlock()
	d.ID, d.Received = w.newID(time.Now()), time.Now()
	s := run.Submission{Delivery: d}
	for _, o := range orders {
		if o.part.SenderID != "" {
			d.SenderID = o.part.SenderID
		}
		for _, name := range o.names {
			r := run.Run{ID: w.newID(time.Now()), Hook: o.part.Hook, Key: o.key}
			w.ids[name], w.names[r.ID], w.deliveries[name] = r.ID, name, d.ID
			o.part.Runs = append(o.part.Runs, r)
		}
		s.Parts = append(s.Parts, o.part)
	}
	return s
}

// try submits one delivery.
func (w *world) try(orders ...order) (run.Receipt, error) {
	w.t.Helper()
	return w.up().Submit(w.t.Context(), w.submission(orders...))
}

// deliver submits one delivery, which must be accepted.
func (w *world) deliver(orders ...order) run.Receipt {
	w.t.Helper()
	receipt, err := w.try(orders...)
	if err != nil {
		w.t.Fatalf("submit %v: %v", orders, err)
	}
	if len(receipt.DuplicateOf) != len(orders) || len(receipt.Overfull) != len(orders) {
		w.t.Fatalf("the receipt tells of %d and %d parts, not of %d",
			len(receipt.DuplicateOf), len(receipt.Overfull), len(orders))
	}
	return receipt
}

// accept submits a delivery for each name: a run of that hook without a key.
func (w *world) accept(hook string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.deliver(of(hook, name))
	}
}

// line submits a delivery for each name: a run of that hook and key.
func (w *world) line(hook, key string, names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.deliver(of(hook, name).keyed(key))
	}
}

// cancel, rerun, pause and resume are what a person does, and must work. The
// former give the names of the runs that the engine says it could.

func (w *world) cancel(names ...string) []string {
	w.t.Helper()
	ids, err := w.up().Cancel(w.t.Context(), w.allNamed(names)...)
	if err != nil {
		w.t.Fatalf("cancel %v: %v", names, err)
	}
	return w.namesOf(ids)
}

func (w *world) rerun(names ...string) []string {
	w.t.Helper()
	ids, err := w.up().Rerun(w.t.Context(), w.allNamed(names)...)
	if err != nil {
		w.t.Fatalf("rerun %v: %v", names, err)
	}
	return w.namesOf(ids)
}

func (w *world) pause(hook string) {
	w.t.Helper()
	if err := w.up().Pause(w.t.Context(), hook, "maintenance"); err != nil {
		w.t.Fatalf("pause %s: %v", hook, err)
	}
}

func (w *world) resume(hook string) {
	w.t.Helper()
	if err := w.up().Resume(w.t.Context(), hook); err != nil {
		w.t.Fatalf("resume %s: %v", hook, err)
	}
}
