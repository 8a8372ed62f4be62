package enginetest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// Limits, and whose turn it is: 14 and 15 of the rules, and the promise that
// one blocked key or paused hook holds up no other.
func turnTests() []test {
	return []test{
		{name: "no more at once than the engine may", try: globalLimit},
		{name: "no more of a hook at once than it may", try: hookLimit},
		{name: "first come, first served in a hook", try: firstCome},
		{name: "hooks take turns", try: fairTurns},
		{name: "many keys do not make a hook's turns more", try: fairKeys},
		{name: "a higher priority goes first", try: priorityFirst},
		{name: "priority never reorders a key", try: priorityKey},
		{name: "a long line of one key holds up no other", try: longLine},
		{name: "many blocked keys hold up no other", try: manyBlocked},
		{name: "a hook at its limit holds up no other", try: fullHook},
		{name: "a paused hook holds up no other", try: pausedHook},
	}
}

func globalLimit(w *world) {
	w.concurrent = 3
	w.plain("build", "scan")
	w.accept("build", numbered("b", 6)...)
	w.accept("scan", numbered("s", 6)...)
	w.pass(time.Minute)
	if n := w.peak(everything); n != 3 {
		w.t.Errorf("at most %d at once, want 3", n)
	}
	w.are(run.Succeeded, numbered("b", 6)...)
	w.are(run.Succeeded, numbered("s", 6)...)
	last := w.seen()[11]
	w.about("the last start", last.began, 3*time.Second)
}

func hookLimit(w *world) {
	w.plain("scan")
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 2}})
	w.accept("build", numbered("b", 6)...)
	w.accept("scan", numbered("s", 6)...)
	w.pass(time.Minute)
	if n := w.peak(ofHook("build")); n != 2 {
		w.t.Errorf("at most %d of build at once, want 2", n)
	}
	if n := w.peak(ofHook("scan")); n != 6 {
		w.t.Errorf("at most %d of scan at once, want 6", n)
	}
}

func firstCome(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}})
	w.accept("build", "c")
	w.line("build", "x", "b")
	w.accept("build", "a")
	w.line("build", "y", "0")
	w.pass(time.Minute)
	w.began("c", "b", "a", "0")
}

func fairTurns(w *world) {
	w.concurrent = 1
	w.plain("many", "few", "two")
	w.accept("many", numbered("m", 40)...)
	w.pass(time.Second / 2)
	w.accept("few", numbered("f", 5)...)
	w.accept("two", numbered("t", 2)...)
	w.pass(5 * time.Minute)
	order := ""
	for _, a := range w.seen() {
		order += a.name[:1]
	}
	if len(order) != 47 {
		w.t.Fatalf("%d began: %s", len(order), order)
	}
	// After the one that ran already, rounds of three hooks and then of two.
	if last := strings.LastIndexByte(order, 't'); last > 2*3+1 {
		w.t.Errorf("the second of hook two began as number %d: %s", last+1, order)
	}
	if last := strings.LastIndexByte(order, 'f'); last > 2*3+3*2+1 {
		w.t.Errorf("the fifth of hook few began as number %d: %s", last+1, order)
	}
}

func fairKeys(w *world) {
	w.concurrent = 1
	w.plain("keys", "plain")
	for i, name := range numbered("k", 30) {
		w.line("keys", fmt.Sprint(i), name)
	}
	w.accept("plain", numbered("p", 3)...)
	w.pass(time.Minute)
	names := make([]string, 0, 33)
	for _, a := range w.seen() {
		names = append(names, a.name)
	}
	if at := slices.Index(names, "p0002"); at < 0 || at > 7 {
		w.t.Errorf("the third of the other hook began as number %d of %v", at+1, names)
	}
}

// 15: strict, between hooks only.
func priorityFirst(w *world) {
	w.concurrent = 1
	w.plain("low", "same")
	w.hook(hook.Hook{ID: "high", Queue: hook.Queue{Priority: 7}})
	w.hook(hook.Hook{ID: "later", Queue: hook.Queue{Priority: -3}})
	w.accept("low", "running")
	w.accept("later", "z")
	w.accept("low", "l1", "l2")
	w.accept("high", "h1", "h2", "h3")
	w.pass(time.Minute)
	w.began("running", "h1", "h2", "h3", "l1", "l2", "z")
}

func priorityKey(w *world) {
	w.concurrent = 1
	w.plain("low")
	w.hook(hook.Hook{ID: "high", Queue: hook.Queue{Priority: 1}})
	w.accept("low", "running")
	w.line("low", "main", "l1", "l2")
	w.line("high", "main", "h1", "h2")
	w.pass(time.Minute)
	w.began("running", "h1", "h2", "l1", "l2")
}

func longLine(w *world) {
	w.plain("build")
	w.does("n0000", script{takes: time.Hour})
	w.deliver(of("build", numbered("n", 500)...).keyed("long"))
	w.deliver(of("build", numbered("o", 500)...).keyed("long"))
	w.line("build", "other", "a")
	w.accept("build", "b")
	w.began("a", "b", "n0000") // at the same moment
}

// More keys are blocked than any window of candidates holds, so that blocked
// ones must not be candidates.
func manyBlocked(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2, Backoff: time.Hour, MaxBackoff: time.Hour}})
	w.does("build", script{ends: exits(1)})
	w.does("free", script{})
	for i, name := range numbered("n", 300) {
		w.deliver(of("build", name, "behind-"+name).keyed(fmt.Sprint(i)))
	}
	w.pass(2 * time.Second) // all keys' first runs back off
	w.line("build", "other", "free")
	w.pass(2 * time.Second)
	w.are(run.Succeeded, "free")
	w.neverBegan("behind-n0000", "behind-n0299")
}

func fullHook(w *world) {
	w.hook(hook.Hook{ID: "slow", Queue: hook.Queue{MaxConcurrent: 1, Priority: 9}})
	w.plain("build")
	w.does("slow", script{takes: time.Hour})
	w.accept("slow", numbered("s", 400)...)
	w.accept("build", "a")
	w.began("a", "s0000") // at the same moment
}

func pausedHook(w *world) {
	w.concurrent = 2
	w.plain("paused", "build")
	w.pause("paused")
	w.accept("paused", numbered("p", 400)...)
	w.accept("build", "a", "b", "c")
	w.pass(time.Minute)
	w.began("a", "b", "c")
}
