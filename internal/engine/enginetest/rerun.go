package enginetest

import (
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 28: retry by hand: the same run, a fresh count, at the end of its line.
func rerunTests() []test {
	return []test{
		{name: "an ended run runs again", try: rerunEnded},
		{name: "whatever its end was", try: rerunAnyEnd},
		{name: "at the end of its line", try: rerunLine},
		{name: "with a fresh count of attempts", try: rerunCount},
		{name: "with a fresh count of interruptions", try: rerunInterruptions, restarts: true},
		{name: "ends the wait of one that backs off", try: rerunRetrying},
		{name: "not what waits or runs", try: rerunOpen},
		{name: "survives a crash", try: rerunCrash, restarts: true},
		{name: "in a paused hook waits", try: rerunPaused},
	}
}

func rerunEnded(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1, 0), prints: []string{"one", "two"}})
	w.deliver(of("build", "a").keyed("main"))
	w.pass(2 * time.Second)
	w.are(run.Failed, "a")
	sequence := w.record("a").Sequence
	same(w, "rerun", w.rerun("a"), []string{"a"})
	w.are(run.Running, "a")
	if r := w.record("a"); r.Attempt != 2 || !r.Ended.IsZero() || r.Sequence != sequence {
		w.t.Errorf("it runs attempt %d, ended at %s, and has the number %d, not %d", r.Attempt, r.Ended, r.Sequence, sequence)
	}
	w.pass(2 * time.Second)
	w.are(run.Succeeded, "a")
	w.ends("a", run.Exited, run.Exited)
	w.printed("a", 1, "one")
	w.printed("a", 2, "two")
}

func rerunAnyEnd(w *world) {
	w.coalescing()
	w.line("build", "main", "succeeded", "superseded", "cancelled")
	w.cancel("cancelled")
	w.pass(2 * time.Second)
	same(w, "rerun", w.rerun("succeeded", "superseded", "cancelled"), []string{"succeeded", "superseded", "cancelled"})
	w.pass(time.Minute)
	w.are(run.Succeeded, "succeeded", "superseded", "cancelled")
	w.began("succeeded", "succeeded", "superseded", "cancelled")
	if by := w.record("superseded").SupersededBy; by != "" {
		w.t.Errorf("it is superseded by %s still", w.nameOf(by))
	}
}

func rerunLine(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1, 0)})
	w.line("build", "main", "a", "b", "c")
	w.pass(time.Second + time.Second/2)
	w.rerun("a")
	w.line("build", "main", "d")
	w.are(run.Queued, "a")
	w.pass(time.Minute)
	w.began("a", "b", "c", "a", "d")
}

func rerunCount(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a")
	w.pass(time.Minute)
	w.began("a", "a")
	w.rerun("a")
	w.pass(time.Minute)
	w.began("a", "a", "a", "a")
	w.are(run.Failed, "a")
	all := w.attemptsOf("a")
	if pause := all[3].began.Sub(all[2].ended); pause > 12*time.Second {
		w.t.Errorf("it backed off for %s, as if it had failed before", pause)
	}
}

func rerunInterruptions(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: 1}})
	w.does("a", script{takes: time.Hour})
	w.accept("build", "a")
	for range 2 {
		w.pass(time.Second)
		w.crash()
	}
	w.are(run.Failed, "a")
	w.rerun("a")
	w.pass(time.Second)
	w.crash()
	w.are(run.Running, "a")
}

func rerunRetrying(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2, Backoff: time.Hour, MaxBackoff: time.Hour}})
	w.does("a", script{ends: exits(1, 0)})
	w.line("build", "main", "a", "b")
	w.pass(2 * time.Second)
	same(w, "rerun", w.rerun("a"), []string{"a"})
	w.pass(time.Minute)
	w.are(run.Succeeded, "a", "b")
}

func rerunOpen(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.settle()
	same(w, "rerun", w.rerun("a", "b"), nil)
	w.pass(time.Minute)
	w.began("a", "b")
}

func rerunCrash(w *world) {
	w.plain("build")
	w.does("c", script{takes: time.Hour})
	w.line("build", "main", "a", "b")
	w.pass(time.Minute)
	w.pause("build")
	w.rerun("b", "a")
	w.crash()
	w.are(run.Queued, "a", "b")
	w.line("build", "main", "c")
	w.resume("build")
	w.pass(time.Minute)
	w.began("a", "b", "b", "a", "c")
}

func rerunPaused(w *world) {
	w.plain("build")
	w.accept("build", "a")
	w.pass(2 * time.Second)
	w.pause("build")
	w.rerun("a")
	w.pass(time.Minute)
	w.began("a")
	w.resume("build")
	w.began("a", "a")
}
