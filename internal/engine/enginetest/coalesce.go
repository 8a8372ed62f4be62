package enginetest

import (
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 12: of a key's waiting runs only the newest stays.
func coalesceTests() []test {
	return []test{
		{name: "the newest takes the waiting one's place", try: coalesceNewest},
		{name: "its place in line, not the line's end", try: coalescePlace},
		{name: "of a run that backs off as well", try: coalesceRetrying},
		{name: "never of a running one", try: coalesceRunning},
		{name: "never within one delivery", try: coalesceDelivery},
		{name: "of all of an older delivery", try: coalesceOlderDelivery},
		{name: "never of one that a person asked for", try: coalesceByHand},
		{name: "never of one that was replayed", try: coalesceReplayed},
		{name: "never of one whose key is incomplete", try: coalesceIncomplete},
		{name: "not of another key or hook", try: coalesceElsewhere},
		{name: "not without coalesce", try: coalesceOff},
		{name: "after a restart as before", try: coalesceRestart, restarts: true},
	}
}

// coalescing puts the hook "build" in force, whose keys coalesce.
func (w *world) coalescing(change ...func(*hook.Hook)) {
	h := hook.Hook{ID: "build", Queue: hook.Queue{Coalesce: true}}
	for _, f := range change {
		f(&h)
	}
	w.hook(h)
}

// superseded says that a run was superseded by another and never began again.
func (w *world) superseded(name, by string) {
	w.t.Helper()
	w.settle()
	r := w.record(name)
	if r.State != run.Superseded || r.SupersededBy != w.named(by) || r.Ended.IsZero() {
		w.t.Errorf("%s is %s by %q, want superseded by %s", name, r.State, w.nameOf(r.SupersededBy), by)
	}
}

func coalesceNewest(w *world) {
	w.coalescing()
	w.line("build", "main", "a", "b", "c", "d")
	w.superseded("b", "c")
	w.superseded("c", "d")
	w.pass(time.Minute)
	w.began("a", "d")
	w.are(run.Succeeded, "a", "d")
}

func coalescePlace(w *world) {
	w.coalescing(func(h *hook.Hook) { h.Queue.MaxConcurrent = 1 })
	w.line("build", "other", "running")
	w.line("build", "main", "b")
	w.line("build", "next", "n")
	w.line("build", "main", "c")
	w.superseded("b", "c")
	w.pass(time.Minute)
	w.began("running", "c", "n")
}

func coalesceRetrying(w *world) {
	w.coalescing(func(h *hook.Hook) { h.Retry.Attempts = 3 })
	w.does("a", script{ends: exits(1)})
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.are(run.Retrying, "a")
	w.line("build", "main", "b")
	w.superseded("a", "b")
	w.pass(time.Minute)
	w.began("a", "b")
}

func coalesceRunning(w *world) {
	w.coalescing()
	w.line("build", "main", "a")
	w.settle()
	w.line("build", "main", "b")
	w.are(run.Running, "a")
	w.pass(time.Minute)
	w.are(run.Succeeded, "a", "b")
}

func coalesceDelivery(w *world) {
	w.coalescing()
	w.line("build", "main", "first")
	w.deliver(of("build", "a", "b", "c").keyed("main"))
	w.pass(time.Minute)
	w.began("first", "a", "b", "c")
}

func coalesceOlderDelivery(w *world) {
	w.coalescing()
	w.line("build", "main", "first")
	w.deliver(of("build", "a", "b").keyed("main"))
	w.line("build", "main", "c")
	w.superseded("a", "c")
	w.superseded("b", "c")
	w.pass(time.Minute)
	w.began("first", "c")
}

func coalesceByHand(w *world) {
	w.coalescing()
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.does("slow", script{takes: 10 * time.Second})
	w.line("build", "main", "slow")
	w.settle()
	same(w, "rerun", w.rerun("a"), []string{"a"})
	w.line("build", "main", "b", "c")
	w.superseded("b", "c")
	w.are(run.Queued, "a")
	w.pass(time.Minute)
	w.began("a", "slow", "a", "c")
}

func coalesceReplayed(w *world) {
	w.coalescing()
	w.line("build", "main", "first")
	replay := &run.Delivery{Method: "POST", Origin: run.Origin{Kind: run.Replay, Of: w.deliveries["first"]}}
	if _, err := w.engine.Submit(w.t.Context(), w.submissionOf(replay, of("build", "a").keyed("main"))); err != nil {
		w.t.Fatalf("submit: %v", err)
	}
	w.line("build", "main", "b")
	w.pass(time.Minute)
	w.began("first", "a", "b")
}

// 10: a missing value counts as empty, and such a run is never superseded.
func coalesceIncomplete(w *world) {
	w.coalescing()
	w.line("build", "main/", "first")
	w.deliver(of("build", "a").keyed("main/").incomplete())
	w.deliver(of("build", "b").keyed("main/").incomplete())
	w.pass(time.Minute)
	w.began("first", "a", "b")
}

func coalesceElsewhere(w *world) {
	w.coalescing(func(h *hook.Hook) { h.Queue.MaxConcurrent = 1 })
	w.hook(hook.Hook{ID: "scan", Queue: hook.Queue{Coalesce: true}})
	w.line("build", "main", "a", "b")
	w.line("build", "next", "c")
	w.line("scan", "main", "d", "e")
	w.pass(time.Minute)
	w.are(run.Succeeded, "a", "b", "c", "d", "e")
}

func coalesceOff(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b", "c")
	w.pass(time.Minute)
	w.began("a", "b", "c")
}

func coalesceRestart(w *world) {
	w.coalescing(func(h *hook.Hook) { h.Queue.MaxConcurrent = 1 })
	w.pause("build")
	w.line("build", "other", "x")
	w.line("build", "main", "a")
	w.line("build", "next", "n")
	w.crash()
	w.line("build", "main", "b")
	w.superseded("a", "b")
	w.crash()
	w.superseded("a", "b")
	w.resume("build")
	w.pass(time.Minute)
	w.began("x", "b", "n")
}

// 13: a key rests so long before its run starts.
func debounceTests() []test {
	return []test{
		{name: "a key rests before its run starts", try: debounceRests},
		{name: "each newer run begins the rest again", try: debounceAgain},
		{name: "at most ten times its length from the first", try: debounceBound},
		{name: "a hook without a key rests as a whole", try: debounceHook},
		{name: "keys rest by themselves", try: debounceKeys},
		{name: "a rest survives a restart", try: debounceRestart, restarts: true},
		{name: "one that is over by then starts at once", try: debounceOver, restarts: true},
	}
}

func (w *world) debouncing() {
	w.coalescing(func(h *hook.Hook) { h.Queue.Debounce = 5 * time.Second })
}

func debounceRests(w *world) {
	w.debouncing()
	w.line("build", "main", "a")
	w.neverBegan("a")
	r := w.record("a")
	if r.State != run.Queued {
		w.t.Errorf("it is %s", r.State)
	}
	w.about("it is to start", r.NotBefore, 5*time.Second)
	w.pass(time.Minute)
	w.beganAt("a", 5*time.Second)
	if r := w.record("a"); !r.NotBefore.IsZero() {
		w.t.Errorf("it ended, and was not to start before %s", r.NotBefore)
	}
}

func debounceAgain(w *world) {
	w.debouncing()
	w.line("build", "main", "a")
	w.pass(3 * time.Second)
	w.line("build", "main", "b")
	w.superseded("a", "b")
	w.pass(3 * time.Second)
	w.line("build", "main", "c")
	w.pass(time.Minute)
	w.began("c")
	w.beganAt("c", 11*time.Second)
}

func debounceBound(w *world) {
	w.debouncing()
	names := numbered("n", 20)
	for _, name := range names {
		w.line("build", "main", name)
		w.pass(4 * time.Second)
	}
	w.pass(time.Minute)
	seen := w.seen()
	if len(seen) != 2 {
		w.t.Fatalf("%d began, want one when the ten times are over and one at the end", len(seen))
	}
	w.about("the first start", seen[0].began, 50*time.Second)
	if name := seen[0].name; name != "n0012" {
		w.t.Errorf("then %s began, want the newest", name)
	}
	if name := seen[1].name; name != "n0019" {
		w.t.Errorf("in the end %s began, want the newest", name)
	}
}

func debounceHook(w *world) {
	w.debouncing()
	w.accept("build", "a")
	w.pass(2 * time.Second)
	w.accept("build", "b")
	w.pass(time.Minute)
	w.superseded("a", "b")
	w.beganAt("b", 7*time.Second)
}

func debounceKeys(w *world) {
	w.debouncing()
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.line("build", "next", "b")
	w.pass(time.Minute)
	w.beganAt("a", 5*time.Second)
	w.beganAt("b", 7*time.Second)
}

func debounceRestart(w *world) {
	w.debouncing()
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.crash()
	w.neverBegan("a")
	w.pass(time.Minute)
	w.beganAt("a", 5*time.Second)
}

func debounceOver(w *world) {
	w.debouncing()
	w.line("build", "main", "a")
	w.stop()
	time.Sleep(time.Minute)
	w.open()
	w.pass(time.Second)
	w.beganAt("a", time.Minute)
}
