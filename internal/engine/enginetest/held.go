package enginetest

import (
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 30: what becomes of runs when hook files change.
func heldTests() []test {
	return []test{
		{name: "runs of a hook that is gone are held", try: heldWaits},
		{name: "and wait again when it is back", try: heldReturns},
		{name: "what runs goes on, and keeps its key", try: heldRunning},
		{name: "what backs off is held as well", try: heldRetrying},
		{name: "held runs can be cancelled", try: heldCancelled},
		{name: "held runs hold up no other hook", try: heldElsewhere},
		{name: "held over a restart", try: heldRestart, restarts: true},
		{name: "a hook that is gone at a restart", try: heldSinceRestart, restarts: true},
		{name: "new limits count", try: reloadLimits},
		{name: "a new retry counts for what waits", try: reloadRetry},
	}
}

// remove takes a hook out of force and says so. What is to begin has begun.
func (w *world) remove(id string) {
	w.pass(0)
	w.gone(id)
	w.reload()
}

// bring puts a hook in force again and says so.
func (w *world) bring(id string) {
	w.plain(id)
	w.reload()
}

// heldLine has a paused hook with two runs of a key, and takes the hook away.
func (w *world) heldLine() {
	w.plain("build")
	w.pause("build")
	w.line("build", "main", "a", "b")
	w.remove("build")
}

func heldWaits(w *world) {
	w.heldLine()
	w.are(run.Held, "a", "b")
	w.resume("build")
	w.pass(time.Hour)
	w.began()
	w.are(run.Held, "a", "b")
	if n := w.up().Status().Waiting; n != 2 {
		w.t.Errorf("%d wait, want 2", n)
	}
	held, err := w.up().List(w.t.Context(), engine.Filter{State: run.Held}, engine.Page{})
	if err != nil || len(held.Runs) != 2 {
		w.t.Errorf("the list of held runs has %d, and the error %v", len(held.Runs), err)
	}
	queued, err := w.up().List(w.t.Context(), engine.Filter{State: run.Queued}, engine.Page{})
	if err != nil || len(queued.Runs) != 0 {
		w.t.Errorf("the list of queued runs has %d, and the error %v", len(queued.Runs), err)
	}
}

func heldReturns(w *world) {
	w.heldLine()
	w.resume("build")
	w.pass(time.Hour)
	w.bring("build")
	w.are(run.Running, "a")
	w.are(run.Queued, "b")
	w.pass(time.Minute)
	w.began("a", "b")
}

func heldRunning(w *world) {
	w.plain("build")
	w.does("a", script{takes: 10 * time.Second})
	w.line("build", "main", "a", "b")
	w.settle()
	w.remove("build")
	w.are(run.Running, "a")
	w.are(run.Held, "b")
	w.bring("build")
	w.pass(5 * time.Second)
	w.began("a")
	w.pass(10 * time.Second)
	w.are(run.Succeeded, "a", "b")
}

func heldRetrying(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1, 0)})
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.remove("build")
	w.are(run.Held, "a")
	w.pass(time.Hour)
	w.began("a")
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.reload()
	w.pass(time.Second)
	w.began("a", "a")
}

func heldCancelled(w *world) {
	w.heldLine()
	same(w, "cancelled", w.cancel("a"), []string{"a"})
	w.are(run.Cancelled, "a")
	w.bring("build")
	w.resume("build")
	w.pass(time.Minute)
	w.began("b")
}

func heldElsewhere(w *world) {
	w.concurrent = 1
	w.plain("scan")
	w.heldLine()
	w.accept("scan", "c")
	w.began("c")
}

func heldRestart(w *world) {
	w.heldLine()
	w.resume("build")
	w.crash()
	w.pass(time.Minute)
	w.began()
	w.are(run.Held, "a", "b")
	w.bring("build")
	w.pass(time.Minute)
	w.began("a", "b")
}

func heldSinceRestart(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.pass(time.Second / 2)
	w.gone("build")
	w.restart()
	w.pass(time.Minute)
	w.began("a")
	w.are(run.Held, "a", "b")
	w.bring("build")
	w.pass(time.Minute)
	w.began("a", "a", "b")
}

func reloadLimits(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}})
	w.does("build", script{takes: time.Hour})
	w.accept("build", "a", "b", "c", "d")
	w.began("a")
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 3}})
	w.reload()
	w.began("a", "b", "c")
}

// 18: a run takes the hook that is in force when it is needed.
func reloadRetry(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1, 0)})
	w.accept("build", "a")
	w.settle()
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.reload()
	w.pass(time.Minute)
	w.are(run.Succeeded, "a")
}
