package enginetest

import (
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 6: a delivery whose id was seen within a window.
func duplicateTests() []test {
	return []test{
		{name: "dropped while the first waits", try: duplicateWaiting},
		{name: "dropped while the first runs", try: duplicateRunning},
		{name: "dropped while the first backs off", try: duplicateRetrying},
		{name: "dropped after the first succeeded", try: duplicateSucceeded},
		{name: "runs again after the first failed", try: duplicateFailed},
		{name: "runs again after one of the first's runs failed", try: duplicateFailedInPart},
		{name: "runs again after the first was cancelled", try: duplicateCancelled},
		{name: "runs again when the window is over", try: duplicateLate},
		{name: "what ran again is what a third repeats", try: duplicateThird},
		{name: "each hook has ids of its own", try: duplicateElsewhere},
		{name: "a part is dropped and another is not", try: duplicatePart},
		{name: "no window, no duplicate", try: duplicateOff},
		{name: "of many at once one runs", try: duplicateAtOnce},
		{name: "a window survives a restart", try: duplicateRestart, restarts: true},
		{name: "a success that is forgotten was one", try: duplicateForgotten},
		{name: "a failure that is forgotten was one", try: duplicateForgottenFailure},
	}
}

// first delivers a run "a" whose sender's id "x" is remembered for an hour.
func (w *world) first() { w.deliver(of("build", "a").once("x", time.Hour)) }

// repeats says that the same delivery again, now of a run of that name, is
// dropped as a repeat of another run's.
func (w *world) repeats(name, first string) {
	w.t.Helper()
	receipt := w.deliver(of("build", name).once("x", time.Hour))
	same(w, "duplicates", receipt.DuplicateOf, []string{w.deliveries[first]})
	w.unknown(name)
	w.neverBegan(name)
}

// repeatRuns says that the same delivery again runs.
func (w *world) repeatRuns(name string) {
	w.t.Helper()
	receipt := w.deliver(of("build", name).once("x", time.Hour))
	same(w, "duplicates", receipt.DuplicateOf, []string{""})
	w.settle()
	if len(w.attemptsOf(name)) != 1 {
		w.t.Errorf("%s did not begin", name)
	}
}

func duplicateWaiting(w *world) {
	w.plain("build")
	w.pause("build")
	w.first()
	w.repeats("b", "a")
	w.resume("build")
	w.pass(time.Minute)
	w.began("a")
}

func duplicateRunning(w *world) {
	w.plain("build")
	w.first()
	w.pass(time.Second / 2)
	w.repeats("b", "a")
}

func duplicateRetrying(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1, 0)})
	w.first()
	w.pass(2 * time.Second)
	w.are(run.Retrying, "a")
	w.repeats("b", "a")
}

func duplicateSucceeded(w *world) {
	w.plain("build")
	w.first()
	w.pass(2 * time.Second)
	w.are(run.Succeeded, "a")
	w.repeats("b", "a")
	w.pass(50 * time.Minute)
	w.repeats("c", "a")
}

func duplicateFailed(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1)})
	w.first()
	w.pass(2 * time.Second)
	w.are(run.Failed, "a")
	w.repeatRuns("b")
}

func duplicateFailedInPart(w *world) {
	w.plain("build")
	w.does("a2", script{ends: exits(1)})
	w.deliver(of("build", "a1", "a2", "a3").once("x", time.Hour))
	w.pass(2 * time.Second)
	w.repeatRuns("b")
}

func duplicateCancelled(w *world) {
	w.plain("build")
	w.first()
	w.cancel("a")
	w.are(run.Cancelled, "a")
	w.repeatRuns("b")
}

func duplicateLate(w *world) {
	w.plain("build")
	w.first()
	w.pass(time.Hour + time.Second)
	w.repeatRuns("b")
}

func duplicateThird(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1)})
	w.first()
	w.pass(2 * time.Second)
	w.repeatRuns("b")
	w.repeats("c", "b")
	w.pass(2 * time.Second)
	w.repeats("d", "b")
}

func duplicateElsewhere(w *world) {
	w.plain("build", "scan")
	w.first()
	receipt := w.deliver(of("scan", "s").once("x", time.Hour))
	same(w, "duplicates", receipt.DuplicateOf, []string{""})
	w.began("a", "s")
}

func duplicatePart(w *world) {
	w.plain("build", "scan")
	w.first()
	receipt := w.deliver(of("build", "b").once("x", time.Hour), of("scan", "s").once("x", time.Hour))
	same(w, "duplicates", receipt.DuplicateOf, []string{w.deliveries["a"], ""})
	w.began("a", "s")
	w.unknown("b")
}

func duplicateOff(w *world) {
	w.plain("build")
	w.deliver(of("build", "a").once("x", 0))
	w.deliver(of("build", "b").once("x", 0))
	w.deliver(of("build", "c").once("", time.Hour)) // the sender gave none
	w.deliver(of("build", "d").once("", time.Hour))
	w.began("a", "b", "c", "d")
}

func duplicateAtOnce(w *world) {
	w.plain("build")
	results := make(chan run.Receipt)
	names := numbered("n", 50)
	for _, name := range names {
		s := w.submission(of("build", name).once("x", time.Hour))
		go func() {
			receipt, err := w.engine.Submit(w.t.Context(), s)
			if err != nil {
				w.t.Errorf("submit: %v", err)
			}
			results <- receipt
		}()
	}
	first := map[string]int{}
	for range names {
		for _, of := range (<-results).DuplicateOf {
			first[of]++
		}
	}
	if first[""] != 1 || len(first) != 2 {
		w.t.Errorf("50 of one id repeat %v, want one that repeats nothing and 49 that repeat it", first)
	}
	w.settle()
	if n := len(w.seen()); n != 1 {
		w.t.Errorf("%d began, want 1", n)
	}
}

func duplicateRestart(w *world) {
	w.plain("build")
	w.first()
	w.pass(2 * time.Second)
	w.restart()
	w.repeats("b", "a")
	w.crash()
	w.repeats("c", "a")
}

func duplicateForgotten(w *world) {
	w.plain("build")
	w.first()
	w.pass(2 * time.Second)
	w.prune("a")
	w.repeats("b", "a")
}

func duplicateForgottenFailure(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1)})
	w.first()
	w.pass(2 * time.Second)
	w.prune("a")
	w.repeatRuns("b")
}
