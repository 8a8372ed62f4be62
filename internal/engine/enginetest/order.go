package enginetest

import (
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 10, 11: runs of a key.
func orderTests() []test {
	return []test{
		{name: "runs of a key run one at a time, in order", try: keyInOrder},
		{name: "by acceptance, not by id or clock", try: keyNotByID},
		{name: "a run that fails makes way for the next", try: keyAfterFailure},
		{name: "keys do not wait for each other", try: keysSideBySide},
		{name: "a key is one hook's alone", try: keyOfAHook},
		{name: "runs without a key run side by side", try: noKey},
		{name: "the runs of one delivery keep their order", try: keyInDelivery},
		{name: "order survives a restart", try: keyRestart, restarts: true},
		{name: "an empty key is one", try: emptyKey},
	}
}

func keyInOrder(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b", "c")
	w.began("a")
	w.pass(time.Second)
	w.began("a", "b")
	w.are(run.Succeeded, "a")
	w.are(run.Running, "b")
	w.are(run.Queued, "c")
	w.pass(time.Second)
	w.began("a", "b", "c")
	w.pass(time.Second)
	w.are(run.Succeeded, "a", "b", "c")
	w.beganAt("b", 1*time.Second)
	w.beganAt("c", 2*time.Second)
}

func keyNotByID(w *world) {
	w.plain("build")
	w.pause("build")
	late := w.submission(of("build", "late").keyed("main"))
	w.pass(time.Hour)
	w.line("build", "main", "a", "b")
	if _, err := w.engine.Submit(w.t.Context(), late); err != nil {
		w.t.Fatalf("submit: %v", err)
	}
	w.resume("build")
	w.pass(time.Minute)
	w.began("a", "b", "late")
}

func keyAfterFailure(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1)})
	w.line("build", "main", "a", "b")
	w.pass(time.Second)
	w.began("a", "b")
	w.are(run.Failed, "a")
}

func keysSideBySide(w *world) {
	w.plain("build")
	w.does("m1", script{takes: time.Hour})
	w.line("build", "main", "m1", "m2")
	w.line("build", "next", "n1", "n2")
	w.pass(time.Minute)
	w.began("m1", "n1", "n2")
}

func keyOfAHook(w *world) {
	w.plain("build", "scan")
	w.line("build", "main", "b1", "b2")
	w.line("scan", "main", "s1", "s2")
	w.began("b1", "s1")
	w.pass(time.Second)
	w.began("b1", "s1", "b2", "s2")
}

func noKey(w *world) {
	w.plain("build")
	w.accept("build", "a", "b", "c")
	w.began("a", "b", "c")
	if n := w.peak(everything); n != 3 {
		w.t.Errorf("at most %d at once, want 3", n)
	}
}

func keyInDelivery(w *world) {
	w.plain("build")
	w.deliver(of("build", "z", "y", "x").keyed("main"))
	w.pass(time.Minute)
	w.began("z", "y", "x")
}

func keyRestart(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b", "c")
	w.pass(time.Second + time.Second/2) // b runs
	w.restart()
	w.line("build", "main", "d")
	w.pass(time.Minute)
	w.began("a", "b", "b", "c", "d")
}

// A key whose values are all empty is a key all the same.
func emptyKey(w *world) {
	w.hook(hook.Hook{ID: "build"})
	w.line("build", "", "a", "b")
	w.accept("build", "without")
	w.began("a", "without")
	w.pass(time.Second)
	w.began("a", "without", "b")
}
