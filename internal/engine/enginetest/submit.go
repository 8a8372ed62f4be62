package enginetest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// What is accepted, and what is told of it.
func submitTests() []test {
	return []test{
		{name: "what is accepted is found at once, and runs", try: acceptedIsFound},
		{name: "a run is found as it went", try: foundAsItWent},
		{name: "all parts are accepted or none", try: allOrNone},
		{name: "runs of all parts run", try: allPartsRun},
		{name: "a submission of a thousand runs is one", try: thousandRuns},
		{name: "what many submit at once is all accepted", try: manySubmit},
		{name: "what was accepted survives a crash", try: acceptedSurvives, restarts: true},
	}
}

func acceptedIsFound(w *world) {
	w.plain("build")
	w.accept("build", "a")
	r := w.record("a") // before anything else happens
	if r.State != run.Queued && r.State != run.Running {
		w.t.Errorf("it is %s", r.State)
	}
	w.pass(2 * time.Second)
	w.are(run.Succeeded, "a")
}

func foundAsItWent(w *world) {
	w.plain("build")
	w.does("a", script{takes: 3 * time.Second, ends: []run.Outcome{{
		End: run.Signalled, ExitCode: -1, Signal: "killed", Reason: "out of memory?",
		Output: []byte("begin...end"), Head: 5, Omitted: 7,
		Results:   []run.Result{{Name: "digest", Value: "sha256:1"}, {Name: "digest", Value: "=ß\n"}},
		Artifacts: 4096, HookHash: "0123456789ab",
	}}})
	w.deliver(of("build", "a").keyed("main"))
	w.pass(5 * time.Second)
	r := w.record("a")
	if r.ID != w.named("a") || r.Hook != "build" || r.Key != (run.Key{Text: "main", Set: true}) ||
		r.DeliveryID != w.deliveries["a"] || r.State != run.Failed || r.Attempt != 1 || r.Reason == "" {
		w.t.Errorf("the record is %+v", r)
	}
	w.about("its acceptance", r.Accepted, 0)
	w.about("its start", r.Started, 0)
	w.about("its end", r.Ended, 3*time.Second)
	if len(r.Attempts) != 1 {
		w.t.Fatalf("it has %d attempts", len(r.Attempts))
	}
	got := r.Attempts[0]
	if got.Number != 1 || got.End != run.Signalled || got.ExitCode != -1 || got.Signal != "killed" ||
		got.Reason != "out of memory?" || got.Artifacts != 4096 || got.HookHash != "0123456789ab" || got.OutputSize != 11 {
		w.t.Errorf("its attempt is %+v", got)
	}
	w.about("the attempt's start", got.Started, 0)
	w.about("the attempt's end", got.Ended, 3*time.Second)
	same(w, "its results", got.Results, []run.Result{{Name: "digest", Value: "sha256:1"}, {Name: "digest", Value: "=ß\n"}})
}

// 1: all hooks' runs are committed together or not at all.
func allOrNone(w *world) {
	w.plain("build")
	w.hook(hook.Hook{ID: "scan", Queue: hook.Queue{MaxConcurrent: 1, MaxQueued: 1}})
	w.accept("scan", "running", "waiting")
	_, err := w.try(of("build", "a", "b"), of("scan", "c"))
	w.fails("a submission of which a part does not fit", err, engine.ErrFull)
	w.pass(time.Minute)
	w.unknown("a", "b", "c")
	w.began("running", "waiting")
	if _, err := w.up().Delivery(w.t.Context(), w.deliveries["a"]); err == nil {
		w.t.Error("its delivery was kept")
	}
}

func allPartsRun(w *world) {
	w.plain("build", "scan")
	receipt := w.deliver(of("build", "a", "b"), of("scan", "c"))
	same(w, "duplicates", receipt.DuplicateOf, []string{"", ""})
	same(w, "overfull", receipt.Overfull, []bool{false, false})
	w.began("a", "b", "c")
	if a, c := w.record("a"), w.record("c"); a.DeliveryID != c.DeliveryID {
		w.t.Errorf("one delivery has the ids %s and %s", a.DeliveryID, c.DeliveryID)
	}
}

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return names
}

// 4: an array has at most 1,000 elements, and its order is kept.
func thousandRuns(w *world) {
	w.plain("build")
	names := numbered("n", 1000)
	w.deliver(of("build", names...))
	w.pass(time.Minute)
	listed := w.list(engine.Filter{State: run.Succeeded}, engine.MaxPage)
	slices.Reverse(listed)
	same(w, "in the order of their acceptance, there succeeded", listed, names)
}

func manySubmit(w *world) {
	w.plain("build")
	var submissions []run.Submission
	for _, name := range numbered("n", 100) {
		submissions = append(submissions, w.submission(of("build", name).keyed("one")))
	}
	w.does("build", script{takes: time.Millisecond})
	var all sync.WaitGroup
	for _, s := range submissions {
		all.Go(func() {
			if _, err := w.engine.Submit(w.t.Context(), s); err != nil {
				w.t.Errorf("submit: %v", err)
			}
		})
	}
	all.Wait()
	w.pass(time.Minute)
	var order []int64
	for _, a := range w.seen() {
		order = append(order, w.record(a.name).Sequence)
	}
	if len(order) != 100 || !slices.IsSorted(order) { // 11: by the journal's sequence
		w.t.Errorf("%d runs of one key began in the order %v", len(order), order)
	}
}

func acceptedSurvives(w *world) {
	w.plain("build")
	w.pause("build")
	names := numbered("n", 20)
	w.line("build", "one", names...)
	w.crash()
	w.are(run.Queued, names...)
	w.resume("build")
	w.pass(time.Minute)
	w.began(names...)
}
