package enginetest

import (
	"errors"
	"slices"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// What is kept of ended runs, and how long (keep.runs, keep.age, prune).
func retainTests() []test {
	return []test{
		{name: "of a hook's ended runs so many are kept", try: keepRuns},
		{name: "so long", try: keepAge},
		{name: "what waits or runs is kept for ever", try: keepOpen},
		{name: "each hook has its own bounds", try: keepElsewhere},
		{name: "a delivery is kept as long as one of its runs", try: keepDelivery},
		{name: "a new bound counts", try: keepReload},
		{name: "prune forgets what has ended", try: pruneEnded},
		{name: "prune forgets what matches", try: pruneMatches},
		{name: "what was forgotten stays so", try: forgottenStays, restarts: true},
	}
}

// prune forgets all ended runs, among which these must be.
func (w *world) prune(names ...string) {
	w.t.Helper()
	if _, err := w.up().Prune(w.t.Context(), engine.Filter{}); err != nil {
		w.t.Fatalf("prune: %v", err)
	}
	w.unknown(names...)
}

// kept says that of runs these, and only these, are known still, and that the
// others were told to be forgotten, each once.
func (w *world) kept(all []string, names ...string) {
	w.t.Helper()
	w.settle()
	w.mu.Lock()
	forgotten := slices.Clone(w.forgotten)
	w.mu.Unlock()
	var got []string
	for _, name := range all {
		_, err := w.up().Find(w.t.Context(), w.named(name))
		told := 0
		for _, id := range forgotten {
			if id == w.named(name) {
				told++
			}
		}
		switch {
		case err == nil:
			got = append(got, name)
			if told != 0 {
				w.t.Errorf("%s is known, but was told to be forgotten", name)
			}
		case errors.Is(err, engine.ErrNotFound):
			if told != 1 {
				w.t.Errorf("%s is forgotten, and that was told %d times", name, told)
			}
		default:
			w.t.Errorf("find %s: %v", name, err)
		}
	}
	same(w, "kept", got, names)
}

func (w *world) keeping(keep hook.Keep) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}, Keep: keep})
}

func keepRuns(w *world) {
	w.keeping(hook.Keep{Runs: 3})
	all := numbered("n", 12)
	w.does("n0004", script{ends: exits(1)})
	w.accept("build", all...)
	w.pass(5 * time.Minute)
	w.kept(all, all[9:]...)
}

func keepAge(w *world) {
	w.keeping(hook.Keep{Age: time.Hour})
	w.accept("build", "a", "b")
	w.pass(30 * time.Minute)
	w.accept("build", "c")
	w.pass(25 * time.Minute)
	w.kept([]string{"a", "b", "c"}, "a", "b", "c")
	w.pass(20 * time.Minute)
	w.kept([]string{"a", "b", "c"}, "c")
	w.pass(30 * time.Minute)
	w.kept([]string{"a", "b", "c"})
}

func keepOpen(w *world) {
	w.keeping(hook.Keep{Age: time.Hour, Runs: 1})
	w.does("running", script{takes: 24 * time.Hour})
	w.accept("build", "running", "w1", "w2", "w3")
	w.pass(12 * time.Hour)
	w.are(run.Running, "running")
	w.are(run.Queued, "w1", "w2", "w3")
	w.kept([]string{"running", "w1", "w2", "w3"}, "running", "w1", "w2", "w3")
}

func keepElsewhere(w *world) {
	w.keeping(hook.Keep{Runs: 1})
	w.plain("scan")
	w.accept("build", "b1", "b2", "b3")
	w.accept("scan", "s1", "s2", "s3")
	w.pass(5 * time.Minute)
	w.kept([]string{"b1", "b2", "b3", "s1", "s2", "s3"}, "b3", "s1", "s2", "s3")
}

func keepDelivery(w *world) {
	w.keeping(hook.Keep{Runs: 1})
	w.deliver(of("build", "a", "b"))
	w.pass(5 * time.Minute)
	w.kept([]string{"a", "b"}, "b")
	if _, err := w.up().Delivery(w.t.Context(), w.deliveries["a"]); err != nil {
		w.t.Errorf("the delivery of a run that is kept: %v", err)
	}
	w.prune("b")
	_, err := w.up().Delivery(w.t.Context(), w.deliveries["a"])
	w.fails("the delivery of forgotten runs", err, engine.ErrNotFound)
}

func keepReload(w *world) {
	w.keeping(hook.Keep{Runs: 100})
	all := numbered("n", 10)
	w.accept("build", all...)
	w.pass(5 * time.Minute)
	w.kept(all, all...)
	w.keeping(hook.Keep{Runs: 2})
	w.reload()
	w.accept("build", "last")
	w.pass(5 * time.Minute)
	w.kept(append(all, "last"), "n0009", "last")
}

func pruneEnded(w *world) {
	w.plain("build")
	w.does("b", script{ends: exits(1)})
	w.does("running", script{takes: time.Hour})
	w.accept("build", "a", "b", "running")
	w.line("build", "main", "c", "d")
	w.pass(time.Minute)
	w.pause("build")
	w.accept("build", "waiting")
	n, err := w.up().Prune(w.t.Context(), engine.Filter{})
	if err != nil || n != 4 {
		w.t.Errorf("prune forgot %d, want 4, and the error %v", n, err)
	}
	w.kept([]string{"a", "b", "c", "d", "running", "waiting"}, "running", "waiting")
}

func pruneMatches(w *world) {
	w.plain("build", "scan")
	w.does("failed", script{ends: exits(1)})
	w.accept("build", "failed", "old")
	w.accept("scan", "other")
	w.pass(time.Minute)
	w.accept("build", "new")
	w.pass(time.Minute)
	filters := []struct {
		filter engine.Filter
		forgot string
	}{
		{engine.Filter{Hook: "build", State: run.Queued}, ""},
		{engine.Filter{Hook: "build", State: run.Failed}, "failed"},
		{engine.Filter{Hook: "build", Before: w.zero.Add(30 * time.Second)}, "old"},
		{engine.Filter{Since: w.zero.Add(30 * time.Second)}, "new"},
		{engine.Filter{Hook: "scan"}, "other"},
	}
	left := []string{"failed", "old", "other", "new"}
	for _, f := range filters {
		n, err := w.up().Prune(w.t.Context(), f.filter)
		if err != nil {
			w.t.Fatalf("prune: %v", err)
		}
		left = slices.DeleteFunc(left, func(name string) bool { return name == f.forgot })
		if want := min(len(f.forgot), 1); n != want {
			w.t.Errorf("prune %+v forgot %d, want %d", f.filter, n, want)
		}
		w.kept([]string{"failed", "old", "other", "new"}, left...)
	}
}

func forgottenStays(w *world) {
	w.plain("build")
	w.accept("build", "a", "b")
	w.pass(time.Minute)
	w.prune("a", "b")
	w.crash()
	w.unknown("a", "b")
	if n := w.status("build"); n.Waiting+n.Running != 0 {
		w.t.Errorf("its status is %+v", n)
	}
}
