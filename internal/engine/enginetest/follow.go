package enginetest

import (
	"net/http"
	"slices"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 27: on-failure and on-success run once, when a run's end is final, committed
// with it.
func followTests() []test {
	return []test{
		{name: "a run follows when the end is final", try: followsFinal},
		{name: "not an attempt that is tried again", try: followsNoRetry},
		{name: "a success as well", try: followsSuccess},
		{name: "what follows knows what it follows", try: followsRecord},
		{name: "not who was cancelled or superseded", try: followsNone},
		{name: "what follows is accepted like any other", try: followsAccepted},
		{name: "what follows may be followed", try: followsChain},
		{name: "a failure by hand again is a failure again", try: followsRerun},
		{name: "is committed with the end", try: followsCommitted, restarts: true},
		{name: "follows an interruption too many", try: followsInterrupted, restarts: true},
	}
}

// following makes a run of a hook follow each run of other hooks that ends so.
// It must be called before the engine is opened.
func (w *world) following(id string, states ...run.State) {
	w.plain(id)
	w.follow = func(r *run.Record) (run.Submission, bool) {
		if r.Hook == id || !slices.Contains(states, r.State) {
			return run.Submission{}, false
		}
		return w.followed(r, id), true
	}
}

// followed is what follows from a run: a delivery and one run of a hook.
func (w *world) followed(r *run.Record, id string) run.Submission {
	w.mu.Lock()
	defer w.mu.Unlock()
	kind := run.OnFailure
	if r.State == run.Succeeded {
		kind = run.OnSuccess
	}
	d := &run.Delivery{
		ID: w.newID(time.Now()), Received: time.Now(), Method: http.MethodPost,
		Body: []byte(r.ID), Origin: run.Origin{Kind: kind, Of: r.ID},
	}
	return run.Submission{Delivery: d, Parts: []run.Part{{
		Hook: id, Runs: []run.Run{{ID: w.newID(time.Now()), Hook: id, Depth: r.Depth + 1}},
	}}}
}

// followers counts the attempts of a hook's runs that follow from a run.
func (w *world) followers(id, of string) int {
	w.t.Helper()
	w.settle()
	n, want := 0, w.named(of)
	for _, a := range w.seen() {
		if a.run.Hook == id && a.run.Delivery != nil && a.run.Delivery.Origin.Of == want {
			n++
		}
	}
	return n
}

func (w *world) followedBy(id, of string, times int) {
	w.t.Helper()
	if n := w.followers(id, of); n != times {
		w.t.Errorf("%s ran %d times after %s, want %d", id, n, of, times)
	}
}

func followsFinal(w *world) {
	w.following("notify", run.Failed)
	w.plain("build")
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a", "b")
	w.pass(time.Minute)
	w.followedBy("notify", "a", 1)
	w.followedBy("notify", "b", 0)
	w.beganAt("notify", time.Second)
}

func followsNoRetry(w *world) {
	w.following("notify", run.Failed)
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a")
	w.pass(5 * time.Second)
	w.followedBy("notify", "a", 0)
	w.pass(time.Minute)
	w.followedBy("notify", "a", 1)
}

func followsSuccess(w *world) {
	w.following("notify", run.Succeeded)
	w.plain("build")
	w.does("b", script{ends: exits(1)})
	w.accept("build", "a", "b")
	w.pass(time.Minute)
	w.followedBy("notify", "a", 1)
	w.followedBy("notify", "b", 0)
}

func followsRecord(w *world) {
	w.following("notify", run.Failed)
	follow := w.follow
	heard := make(chan run.Record, 10)
	w.follow = func(r *run.Record) (run.Submission, bool) {
		if r.Hook == "build" {
			heard <- *r
		}
		return follow(r)
	}
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{prints: []string{"one", "two"}, ends: []run.Outcome{
		{End: run.Exited, ExitCode: 1},
		{End: run.Exited, ExitCode: 2, Reason: "exit 2", Results: []run.Result{{Name: "n", Value: "v"}}},
	}})
	w.deliver(of("build", "a").keyed("main"))
	w.pass(time.Hour)
	r := <-heard
	for len(heard) > 0 {
		r = <-heard // it may be asked again
	}
	if r.ID != w.named("a") || r.State != run.Failed || r.Attempt != 2 || r.Key.Text != "main" ||
		r.DeliveryID != w.deliveries["a"] || r.Ended.IsZero() || r.Accepted.IsZero() {
		w.t.Fatalf("it hears of %+v", r)
	}
	if len(r.Attempts) == 0 {
		w.t.Fatal("it hears of no attempt")
	}
	last := r.Attempts[len(r.Attempts)-1]
	if last.Number != 2 || last.ExitCode != 2 || last.Reason != "exit 2" || len(last.Results) != 1 {
		w.t.Errorf("it hears of the last attempt %+v", last)
	}
	if string(last.Output) != "two" {
		w.t.Errorf("it hears that the last attempt printed %q", last.Output)
	}
}

func followsNone(w *world) {
	w.following("notify", run.Succeeded, run.Failed, run.Cancelled, run.Superseded)
	w.coalescing()
	w.does("build", script{takes: time.Hour})
	w.line("build", "main", "a", "b", "c")
	w.line("build", "next", "d")
	w.settle()
	w.cancel("a", "c", "d")
	w.pass(time.Minute)
	w.are(run.Superseded, "b")
	w.began("a", "d")
}

func followsAccepted(w *world) {
	w.following("notify", run.Failed)
	w.plain("build")
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a")
	w.pause("notify")
	w.pass(2 * time.Second)
	if n := w.status("notify").Waiting; n != 1 {
		w.t.Errorf("%d wait, want 1", n)
	}
	w.resume("notify")
	w.settle()
	seen := w.attemptsOf("notify")
	if len(seen) != 1 {
		w.t.Fatalf("notify began %d times", len(seen))
	}
	if r := seen[0].run; r.Depth != 1 || string(r.Delivery.Body) != w.named("a") {
		w.t.Errorf("it runs %+v", r)
	}
	r, err := w.up().Find(w.t.Context(), seen[0].run.ID)
	if err != nil {
		w.t.Fatalf("find it: %v", err)
	}
	if want := (run.Origin{Kind: run.OnFailure, Of: w.named("a")}); r.Origin != want || r.Depth != 1 {
		w.t.Errorf("its origin is %+v at depth %d", r.Origin, r.Depth)
	}
}

func followsChain(w *world) {
	w.plain("build", "one", "two")
	w.follow = func(r *run.Record) (run.Submission, bool) {
		next := map[string]string{"build": "one", "one": "two"}[r.Hook]
		if next == "" {
			return run.Submission{}, false
		}
		return w.followed(r, next), true
	}
	w.accept("build", "a")
	w.pass(time.Minute)
	w.began("a", "one", "two")
	if depth := w.attemptsOf("two")[0].run.Depth; depth != 2 {
		w.t.Errorf("the last has depth %d, want 2", depth)
	}
}

func followsRerun(w *world) {
	w.following("notify", run.Failed)
	w.plain("build")
	w.does("a", script{ends: exits(1, 1, 0)})
	w.accept("build", "a")
	w.pass(2 * time.Second)
	w.rerun("a")
	w.pass(2 * time.Second)
	w.followedBy("notify", "a", 2)
	w.rerun("a")
	w.pass(2 * time.Second)
	w.followedBy("notify", "a", 2)
}

func followsCommitted(w *world) {
	w.following("notify", run.Failed)
	w.plain("build")
	w.pause("notify")
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a")
	w.pass(2 * time.Second)
	w.are(run.Failed, "a")
	w.crash()
	w.resume("notify")
	w.pass(time.Minute)
	w.followedBy("notify", "a", 1)
	w.crash()
	w.pass(time.Minute)
	w.followedBy("notify", "a", 1)
}

func followsInterrupted(w *world) {
	w.following("notify", run.Failed)
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: never}})
	w.does("a", script{takes: time.Hour})
	w.accept("build", "a")
	w.pass(time.Second)
	w.crash()
	w.pass(time.Minute)
	w.are(run.Failed, "a")
	w.followedBy("notify", "a", 1)
}
