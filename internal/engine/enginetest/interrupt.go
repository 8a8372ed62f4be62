package enginetest

import (
	"errors"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 23, 24: what a crash or a stop cuts off.
func interruptTests() []test {
	return []test{
		{name: "a run that a stop cut off runs again", try: interruptStop, restarts: true},
		{name: "a run that a crash cut off runs again", try: interruptCrash, restarts: true},
		{name: "and is head of its key again", try: interruptHead, restarts: true},
		{name: "it uses none of its attempts", try: interruptAttempts, restarts: true},
		{name: "too often interrupted it fails", try: interruptBound, restarts: true},
		{name: "where none is allowed at the first time", try: interruptNone, restarts: true},
		{name: "the interruptions of a stop count as well", try: interruptStopBound, restarts: true},
		{name: "what ends within the grace of a stop has ended", try: interruptGrace, restarts: true},
		{name: "the end of an attempt that is over changes nothing", try: staleEnd, restarts: true},
		{name: "a crash just after a start counts", try: interruptAtOnce, restarts: true},
		{name: "a crash just after an end", try: interruptAfterEnd, restarts: true},
		{name: "crash after crash loses nothing", try: interruptOften, restarts: true},
	}
}

func interruptStop(w *world) {
	w.plain("build")
	w.does("a", script{takes: 10 * time.Second})
	w.accept("build", "a")
	w.pass(time.Second)
	w.restart()
	if cause := w.attemptsOf("a")[0].cause; cause == nil || errors.Is(cause, engine.ErrCancelled) {
		w.t.Errorf("it was interrupted for %v", cause)
	}
	w.began("a", "a")
	w.pass(time.Minute)
	w.are(run.Succeeded, "a")
	w.ends("a", run.Interrupted, run.Exited)
	if n := w.record("a").Interruptions; n != 1 {
		w.t.Errorf("it was interrupted %d times, want 1", n)
	}
}

func interruptCrash(w *world) {
	w.plain("build")
	w.does("a", script{takes: 10 * time.Second})
	w.accept("build", "a", "b")
	w.pass(2 * time.Second)
	w.crash()
	w.began("a", "b", "a")
	w.pass(time.Minute)
	w.are(run.Succeeded, "a", "b")
	w.ends("a", run.Interrupted, run.Exited)
	first := w.record("a").Attempts[0]
	w.about("the first attempt's start", first.Started, 0)
	if first.Reason == "" {
		w.t.Error("nothing says why the first attempt ended")
	}
	if r := w.record("a"); r.Interruptions != 1 || r.Attempt != 2 {
		w.t.Errorf("it was interrupted %d times, and ended with attempt %d", r.Interruptions, r.Attempt)
	}
}

func interruptHead(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b", "c")
	w.pass(time.Second + time.Second/2)
	w.crash()
	w.line("build", "main", "d")
	w.pass(time.Minute)
	w.began("a", "b", "b", "c", "d")
}

func interruptAttempts(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{takes: 10 * time.Second, ends: exits(1)})
	w.accept("build", "a")
	w.pass(time.Second)
	w.crash()
	w.pass(time.Second)
	w.crash()
	w.pass(time.Hour)
	w.ends("a", run.Interrupted, run.Interrupted, run.Exited, run.Exited)
	w.are(run.Failed, "a")
}

func interruptBound(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: 2}})
	w.does("a", script{takes: time.Hour})
	w.line("build", "main", "a", "b")
	for range 3 {
		w.pass(time.Second)
		w.crash()
	}
	w.pass(2 * time.Second)
	w.began("a", "a", "a", "b")
	w.are(run.Failed, "a")
	w.are(run.Succeeded, "b")
	w.ends("a", run.Interrupted, run.Interrupted, run.Interrupted)
	if r := w.record("a"); r.Interruptions != 3 || r.Reason == "" {
		w.t.Errorf("it was interrupted %d times, and failed for the reason %q", r.Interruptions, r.Reason)
	}
}

// 31: webhook never runs a script twice.
func interruptNone(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: never}})
	w.line("build", "main", "a", "b")
	w.pass(time.Second / 2)
	w.crash()
	w.pass(time.Minute)
	w.began("a", "b")
	w.are(run.Failed, "a")
	w.are(run.Succeeded, "b")
}

func interruptStopBound(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: 1}})
	w.does("a", script{takes: time.Hour})
	w.accept("build", "a")
	for range 2 {
		w.pass(time.Second)
		w.restart()
	}
	w.pass(time.Second)
	w.began("a", "a")
	w.are(run.Failed, "a")
}

func interruptGrace(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.pass(time.Second / 2)
	if err := w.up().Stop(w.t.Context(), 10*time.Second); err != nil {
		w.t.Fatalf("stop: %v", err)
	}
	w.about("the stop's end", time.Now(), time.Second)
	w.neverBegan("b")
	w.open()
	w.are(run.Succeeded, "a")
	w.began("a", "b")
}

// An attempt that goes on while another one is current already ends late: what
// it says is of no account.
func staleEnd(w *world) {
	w.plain("build")
	w.does("a", script{takes: time.Minute, deaf: true, ends: exits(0, 1)})
	w.line("build", "main", "a", "b")
	w.pass(30 * time.Second)
	w.crash()
	w.pass(40 * time.Second) // the first attempt has ended by now, with 0
	w.are(run.Running, "a")
	w.neverBegan("b")
	if first := w.record("a").Attempts[0]; first.End != run.Interrupted {
		w.t.Errorf("its first attempt ended %s", first.End)
	}
	w.pass(time.Minute)
	w.are(run.Failed, "a")
	w.ends("a", run.Interrupted, run.Exited)
	w.began("a", "a", "b")
}

// A start is on disk before the script starts: one that takes the machine down
// is counted.
func interruptAtOnce(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}, Retry: hook.Retry{Interruptions: 1}})
	w.does("a", script{takes: time.Hour})
	w.accept("build", "a")
	w.accept("build", "b")
	for range 2 {
		w.pass(0)
		w.crash()
	}
	w.pass(0)
	w.are(run.Failed, "a")
	w.began("a", "a", "b")
}

func interruptAfterEnd(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.pass(time.Second)
	w.crash() // a's end and b's start may be on disk by now, or both not
	w.pass(time.Minute)
	w.are(run.Succeeded, "a", "b")
	for _, a := range w.attemptsOf("a") {
		if a.began.After(w.attemptsOf("b")[len(w.attemptsOf("b"))-1].began) {
			w.t.Error("a began after b")
		}
	}
}

func interruptOften(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: 100}})
	w.does("build", script{takes: 700 * time.Millisecond})
	names := numbered("n", 10)
	w.line("build", "main", names...)
	for range 8 {
		w.pass(time.Second)
		w.crash()
	}
	w.pass(time.Minute)
	w.are(run.Succeeded, names...)
	last := ""
	for _, a := range w.seen() {
		if a.name < last {
			w.t.Errorf("%s began after %s", a.name, last)
		}
		last = a.name
	}
}
