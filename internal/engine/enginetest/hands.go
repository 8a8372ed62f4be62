package enginetest

import (
	"errors"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 29: cancel is final: no retry, no on-failure.
func cancelTests() []test {
	return []test{
		{name: "a waiting run ends at once", try: cancelWaiting},
		{name: "a running one is interrupted", try: cancelRunning},
		{name: "one that does not heed it keeps its key to its end", try: cancelDeaf},
		{name: "one that fails of it is cancelled all the same", try: cancelFails},
		{name: "one that backs off ends at once, and makes way", try: cancelRetrying},
		{name: "what has ended stays as it is", try: cancelEnded},
		{name: "twice is once", try: cancelTwice},
		{name: "many at once", try: cancelMany},
		{name: "is final over a crash", try: cancelCrash, restarts: true},
	}
}

func cancelWaiting(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b", "c")
	same(w, "cancelled", w.cancel("b"), []string{"b"})
	if r := w.record("b"); r.State != run.Cancelled || r.Ended.IsZero() {
		w.t.Errorf("it is %s and ended at %s", r.State, r.Ended)
	}
	w.pass(time.Minute)
	w.began("a", "c")
	w.are(run.Cancelled, "b")
}

func cancelRunning(w *world) {
	w.following("notify", run.Failed)
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 3}})
	w.does("a", script{takes: time.Hour})
	w.line("build", "main", "a", "b")
	w.pass(time.Second)
	same(w, "cancelled", w.cancel("a"), []string{"a"})
	w.began("a", "b")
	w.are(run.Cancelled, "a")
	w.ends("a", run.Stopped)
	if cause := w.attemptsOf("a")[0].cause; !errors.Is(cause, engine.ErrCancelled) {
		w.t.Errorf("it was interrupted for %v", cause)
	}
	w.pass(time.Hour)
	w.began("a", "b")
}

func cancelDeaf(w *world) {
	w.plain("build")
	w.does("a", script{takes: 10 * time.Second, deaf: true})
	w.line("build", "main", "a", "b")
	w.pass(time.Second)
	same(w, "cancelled", w.cancel("a"), []string{"a"})
	w.pass(5 * time.Second)
	w.are(run.Running, "a")
	w.neverBegan("b")
	w.pass(5 * time.Second)
	w.beganAt("b", 10*time.Second)
	w.are(run.Cancelled, "a")
}

func cancelFails(w *world) {
	w.following("notify", run.Failed)
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 3}})
	w.does("a", script{takes: 10 * time.Second, deaf: true, ends: exits(143)})
	w.accept("build", "a")
	w.pass(time.Second)
	w.cancel("a")
	w.pass(time.Hour)
	w.are(run.Cancelled, "a")
	w.began("a")
}

func cancelRetrying(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1)})
	w.line("build", "main", "a", "b")
	w.pass(2 * time.Second)
	same(w, "cancelled", w.cancel("a"), []string{"a"})
	w.are(run.Cancelled, "a")
	w.began("a", "b")
	w.pass(time.Minute)
	w.began("a", "b")
}

func cancelEnded(w *world) {
	w.plain("build")
	w.does("b", script{ends: exits(1)})
	w.accept("build", "a", "b")
	w.pass(2 * time.Second)
	same(w, "cancelled", w.cancel("a", "b"), nil)
	w.are(run.Succeeded, "a")
	w.are(run.Failed, "b")
}

func cancelTwice(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.cancel("b")
	same(w, "cancelled", w.cancel("b"), nil)
	w.cancel("a")
	w.settle()
	same(w, "cancelled", w.cancel("a"), nil)
}

func cancelMany(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}})
	names := numbered("n", 200)
	w.does("n0000", script{takes: time.Hour})
	w.deliver(of("build", names...))
	w.accept("build", "last")
	w.settle()
	if got := w.cancel(names...); len(got) != 200 {
		w.t.Errorf("%d were cancelled, want 200", len(got))
	}
	w.pass(time.Second)
	w.began("n0000", "last")
	w.are(run.Cancelled, names[:10]...)
}

func cancelCrash(w *world) {
	w.plain("build")
	w.does("a", script{takes: time.Hour, deaf: true})
	w.line("build", "main", "a", "b", "c")
	w.settle()
	w.cancel("a", "b")
	w.crash()
	w.pass(time.Minute)
	w.are(run.Cancelled, "a", "b")
	w.began("a", "c")
}

// 29: a pause goes on accepting, starts nothing, survives a restart.
func pauseTests() []test {
	return []test{
		{name: "accepts and starts nothing", try: pauseAccepts},
		{name: "what runs goes on", try: pauseRunning},
		{name: "what backs off waits on", try: pauseRetrying},
		{name: "may be said again, as may resume", try: pauseAgain},
		{name: "is one hook's alone", try: pauseElsewhere},
		{name: "survives a restart", try: pauseRestart, restarts: true},
		{name: "after failures in a row", try: pauseAfter},
		{name: "a success between them begins the count again", try: pauseAfterSuccess},
		{name: "attempts that are tried again do not count", try: pauseAfterRetries},
		{name: "failures in a row are counted over a restart", try: pauseAfterRestart, restarts: true},
		{name: "resuming begins the count again", try: pauseAfterResume},
	}
}

func pauseAccepts(w *world) {
	w.plain("build")
	w.pause("build")
	w.line("build", "main", "a", "b")
	w.accept("build", "c")
	w.pass(time.Minute)
	w.began()
	w.are(run.Queued, "a", "b", "c")
	if s := w.status("build"); s.Paused == "" || s.Waiting != 3 || s.Running != 0 {
		w.t.Errorf("its status is %+v", s)
	}
	w.resume("build")
	w.began("a", "c")
	if s := w.status("build"); s.Paused != "" {
		w.t.Errorf("its status is %+v", s)
	}
	w.pass(time.Minute)
	w.began("a", "c", "b")
}

func pauseRunning(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.settle()
	w.pause("build")
	w.pass(time.Minute)
	w.are(run.Succeeded, "a")
	w.are(run.Queued, "b")
}

func pauseRetrying(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1, 0)})
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.pause("build")
	w.pass(time.Hour)
	w.began("a")
	w.resume("build")
	w.began("a", "a")
}

func pauseAgain(w *world) {
	w.plain("build")
	w.resume("build")
	w.pause("build")
	w.pause("build")
	w.accept("build", "a")
	w.resume("build")
	w.resume("build")
	w.began("a")
}

func pauseElsewhere(w *world) {
	w.plain("build", "scan")
	w.pause("build")
	w.accept("build", "a")
	w.accept("scan", "b")
	w.began("b")
}

func pauseRestart(w *world) {
	w.plain("build")
	w.pause("build")
	w.accept("build", "a")
	w.crash()
	w.began()
	if s := w.status("build"); s.Paused == "" || s.Waiting != 1 {
		w.t.Errorf("its status is %+v", s)
	}
	w.resume("build")
	w.began("a")
	w.restart()
	if s := w.status("build"); s.Paused != "" {
		w.t.Errorf("its status is %+v", s)
	}
}

// pausing puts the hook "build" in force, which two failures in a row pause.
func (w *world) pausing() {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1, PauseAfter: 2}})
	w.does("build", script{ends: exits(1)})
}

// 26: after so many final failures in a row the hook is paused.
func pauseAfter(w *world) {
	w.following("notify", run.Failed)
	w.pausing()
	w.accept("build", "a", "b", "c")
	w.pass(time.Minute)
	w.began("a", "b", "notify", "notify")
	w.are(run.Queued, "c")
	if s := w.status("build"); s.Paused == "" || s.Failures != 2 || s.Waiting != 1 {
		w.t.Errorf("its status is %+v", s)
	}
}

func pauseAfterSuccess(w *world) {
	w.pausing()
	w.does("b", script{})
	w.accept("build", "a", "b", "c")
	w.pass(time.Minute)
	w.began("a", "b", "c")
	if s := w.status("build"); s.Paused != "" || s.Failures != 1 {
		w.t.Errorf("its status is %+v", s)
	}
}

func pauseAfterRetries(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{PauseAfter: 2}, Retry: hook.Retry{Attempts: 4}})
	w.does("build", script{ends: exits(1, 1, 1, 0)})
	w.accept("build", "a")
	w.pass(time.Hour)
	w.are(run.Succeeded, "a")
	if s := w.status("build"); s.Paused != "" || s.Failures != 0 {
		w.t.Errorf("its status is %+v", s)
	}
}

func pauseAfterRestart(w *world) {
	w.pausing()
	w.accept("build", "a")
	w.pass(2 * time.Second)
	w.crash()
	w.accept("build", "b", "c")
	w.pass(time.Minute)
	w.began("a", "b")
	if s := w.status("build"); s.Paused == "" {
		w.t.Errorf("its status is %+v", s)
	}
}

func pauseAfterResume(w *world) {
	w.pausing()
	w.accept("build", "a", "b", "c", "d", "e")
	w.pass(time.Minute)
	w.resume("build")
	w.pass(time.Minute)
	w.began("a", "b", "c", "d")
	w.are(run.Queued, "e")
}
