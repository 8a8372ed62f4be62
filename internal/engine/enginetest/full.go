package enginetest

import (
	"errors"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 14: starts of attempts per hook. It delays, and never refuses.
func rateTests() []test {
	return []test{
		{name: "no more starts in any span than the rate", try: rateOfStarts},
		{name: "attempts count, not runs", try: rateOfAttempts},
		{name: "a span is any, not one of a grid", try: rateAnySpan},
		{name: "a hook at its rate holds up no other", try: rateHoldsUpNoOther},
	}
}

func (w *world) rated() {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{Rate: hook.Rate{Starts: 2, Per: 10 * time.Second}},
		Retry: hook.Retry{Attempts: 2, Backoff: time.Second}})
}

func rateOfStarts(w *world) {
	w.rated()
	w.accept("build", "a", "b", "c", "d", "e")
	w.pass(time.Minute)
	w.began("a", "b", "c", "d", "e")
	w.beganAt("b", 0)
	w.beganAt("c", 10*time.Second)
	w.beganAt("d", 10*time.Second)
	w.beganAt("e", 20*time.Second)
}

func rateOfAttempts(w *world) {
	w.rated()
	w.does("a", script{ends: exits(1, 0)})
	w.accept("build", "a")
	w.pass(5 * time.Second)
	w.began("a", "a")
	w.accept("build", "b")
	w.pass(4 * time.Second)
	w.neverBegan("b")
	w.pass(time.Minute)
	w.beganAt("b", 10*time.Second)
}

func rateAnySpan(w *world) {
	w.rated()
	w.pass(4 * time.Second)
	w.accept("build", "a")
	w.pass(5 * time.Second)
	w.accept("build", "b", "c", "d")
	w.pass(time.Minute)
	w.beganAt("b", 9*time.Second)
	w.beganAt("c", 14*time.Second)
	w.beganAt("d", 19*time.Second)
}

func rateHoldsUpNoOther(w *world) {
	w.concurrent = 1
	w.rated()
	w.plain("scan")
	w.accept("build", "b1", "b2", "b3")
	w.accept("scan", "s1")
	w.pass(5 * time.Second)
	w.are(run.Succeeded, "b1", "b2", "s1")
	w.are(run.Queued, "b3")
}

// 16: a hook's queue is full.
func fullTests() []test {
	return []test{
		{name: "no more wait than may", try: fullRefuses},
		{name: "room that is free again is taken", try: fullAgain},
		{name: "who backs off waits", try: fullRetrying},
		{name: "one delivery fits whole or not", try: fullWhole},
		{name: "what takes a waiting one's place needs no room", try: fullCoalesce},
		{name: "a sender that would stop calling is never refused", try: fullMust},
		{name: "drop-oldest supersedes the oldest that waits", try: dropOldest},
		{name: "drop-oldest takes one that backs off as well", try: dropRetrying},
		{name: "the count survives a restart", try: fullRestart, restarts: true},
	}
}

func (w *world) bounded(change ...func(*hook.Hook)) {
	h := hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1, MaxQueued: 2}}
	for _, f := range change {
		f(&h)
	}
	w.hook(h)
}

// refused says that a run is refused for want of room.
func (w *world) refused(o order) {
	w.t.Helper()
	_, err := w.try(o)
	w.fails("one too many", err, engine.ErrFull)
	w.unknown(o.names...)
}

func fullRefuses(w *world) {
	w.bounded()
	w.accept("build", "a", "b", "c") // one runs, two wait
	w.refused(of("build", "d"))
	w.pass(time.Minute)
	w.began("a", "b", "c")
}

func fullAgain(w *world) {
	w.bounded()
	w.accept("build", "a", "b", "c")
	w.refused(of("build", "d"))
	w.pass(time.Second + time.Second/2)
	w.accept("build", "e")
	w.refused(of("build", "f"))
	w.cancel("c")
	w.accept("build", "g")
	w.pass(time.Minute)
	w.began("a", "b", "e", "g")
}

func fullRetrying(w *world) {
	w.bounded(func(h *hook.Hook) { h.Retry.Attempts, h.Queue.MaxQueued = 2, 1 })
	w.does("a", script{ends: exits(1)})
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.are(run.Retrying, "a")
	w.refused(of("build", "b").keyed("main"))
}

func fullWhole(w *world) {
	w.bounded()
	w.accept("build", "a")
	w.settle()
	w.refused(of("build", "b", "c", "d"))
	w.deliver(of("build", "e", "f"))
	w.refused(of("build", "g"))
}

func fullCoalesce(w *world) {
	w.bounded(func(h *hook.Hook) { h.Queue.MaxQueued, h.Queue.Coalesce = 1, true })
	w.line("build", "main", "a", "b", "c")
	w.superseded("b", "c")
	w.refused(of("build", "d").keyed("next"))
	w.pass(time.Minute)
	w.began("a", "c")
}

func fullMust(w *world) {
	w.bounded()
	same(w, "overfull", w.deliver(of("build", "a").must()).Overfull, []bool{false})
	w.accept("build", "b", "c")
	same(w, "overfull", w.deliver(of("build", "d").must()).Overfull, []bool{true})
	w.refused(of("build", "e"))
	w.pass(time.Minute)
	w.began("a", "b", "c", "d")
}

func dropOldest(w *world) {
	w.bounded(func(h *hook.Hook) { h.Queue.DropOldest = true })
	w.accept("build", "a", "b", "c", "d")
	w.are(run.Running, "a")
	w.are(run.Superseded, "b")
	w.accept("build", "e")
	w.are(run.Superseded, "c")
	if r := w.record("c"); r.Ended.IsZero() || r.Reason == "" {
		w.t.Errorf("it ended at %s for the reason %q", r.Ended, r.Reason)
	}
	w.pass(time.Minute)
	w.began("a", "d", "e")
}

func dropRetrying(w *world) {
	w.bounded(func(h *hook.Hook) { h.Queue.DropOldest, h.Retry.Attempts, h.Queue.MaxQueued = true, 2, 1 })
	w.does("a", script{ends: exits(1)})
	w.line("build", "main", "a")
	w.pass(2 * time.Second)
	w.line("build", "main", "b")
	w.are(run.Superseded, "a")
	w.pass(time.Minute)
	w.began("a", "b")
}

func fullRestart(w *world) {
	w.bounded()
	w.pause("build")
	w.accept("build", "a", "b")
	w.restart()
	w.refused(of("build", "c"))
	if n := w.status("build").Waiting; n != 2 {
		w.t.Errorf("%d wait, want 2", n)
	}
}

// 17: a run that waited longer fails with the reason "expired".
func expireTests() []test {
	return []test{
		{name: "who waits too long fails", try: expireWaiting},
		{name: "also behind its key", try: expireBlocked},
		{name: "also in a paused hook", try: expirePaused},
		{name: "who runs does not", try: expireRunning},
		{name: "what follows from a failure follows", try: expireFollows},
		{name: "time that passes while Pawl is down counts", try: expireDown, restarts: true},
	}
}

func (w *world) expiring() {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1, Expire: 10 * time.Second}})
}

// expired says that a run failed since it waited too long.
func (w *world) expired(name string) {
	w.t.Helper()
	w.settle()
	r := w.record(name)
	if r.State != run.Failed || !strings.Contains(r.Reason, "expired") || len(r.Attempts) != 0 || r.Ended.IsZero() {
		w.t.Errorf("%s is %s for the reason %q after %d attempts, want expired", name, r.State, r.Reason, len(r.Attempts))
	}
}

// expiredAt says when it did.
func (w *world) expiredAt(name string, at time.Duration) {
	w.t.Helper()
	w.expired(name)
	w.about(name+"'s end", w.record(name).Ended, at)
}

func expireWaiting(w *world) {
	w.expiring()
	w.does("a", script{takes: time.Minute})
	w.accept("build", "a")
	w.pass(5 * time.Second)
	w.accept("build", "b")
	w.pass(9 * time.Second)
	w.are(run.Queued, "b")
	w.pass(time.Minute)
	w.began("a")
	w.expiredAt("b", 15*time.Second)
}

func expireBlocked(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{Expire: 10 * time.Second}})
	w.does("a", script{takes: time.Minute})
	w.line("build", "main", "a", "b", "c")
	w.pass(30 * time.Second)
	w.line("build", "main", "d")
	w.expiredAt("b", 10*time.Second)
	w.expiredAt("c", 10*time.Second)
	w.pass(time.Minute)
	w.expiredAt("d", 40*time.Second)
	w.are(run.Succeeded, "a")
}

func expirePaused(w *world) {
	w.expiring()
	w.pause("build")
	w.accept("build", "a")
	w.pass(time.Minute)
	w.expiredAt("a", 10*time.Second)
	w.resume("build")
	w.accept("build", "b")
	w.began("b")
}

func expireRunning(w *world) {
	w.expiring()
	w.does("a", script{takes: time.Minute})
	w.accept("build", "a")
	w.pass(2 * time.Minute)
	w.are(run.Succeeded, "a")
}

func expireFollows(w *world) {
	w.following("notify", run.Failed)
	w.expiring()
	w.pause("build")
	w.accept("build", "a")
	w.pass(time.Minute)
	w.began("notify")
}

func expireDown(w *world) {
	w.expiring()
	w.pause("build")
	w.accept("build", "a")
	w.stop()
	time.Sleep(time.Hour)
	w.open()
	w.pass(time.Second)
	w.expired("a")
	if _, err := w.try(of("build", "b")); errors.Is(err, engine.ErrFull) {
		w.t.Errorf("submit: %v", err)
	}
}
