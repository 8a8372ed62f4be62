package enginetest

import (
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// What a run that waits is waiting for, in words.
func whyTests() []test {
	return []test{
		{name: "the run of its key that runs", try: whyKey},
		{name: "the run of its key that backs off", try: whyRetryingKey},
		{name: "the run of its key that waits before it", try: whyWaitingKey},
		{name: "the hook's limit", try: whyHookLimit},
		{name: "the engine's limit", try: whyLimit},
		{name: "a rate", try: whyRate},
		{name: "a pause, and its reason", try: whyPause},
		{name: "its hook is gone", try: whyHeld},
		{name: "a time", try: whyTime},
		{name: "nothing for what does not wait", try: whyNothing},
	}
}

// waits says that a run waits, and behind which other one where one is named,
// and that a word is in what is said of it.
func (w *world) waits(name, behind, word string) {
	w.t.Helper()
	w.settle()
	text, id, err := w.up().Why(w.t.Context(), w.named(name))
	if err != nil {
		w.t.Fatalf("why: %v", err)
	}
	if text == "" || behind != "" && id != w.named(behind) || !strings.Contains(text, word) {
		w.t.Errorf("%s waits behind %q: %q; want behind %q, and a word of %q", name, w.nameOf(id), text, behind, word)
	}
	w.t.Logf("%s", text)
}

func whyKey(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.waits("b", "a", "")
}

func whyRetryingKey(w *world) {
	w.retrying()
	w.does("a", script{ends: exits(1)})
	w.line("build", "main", "a", "b")
	w.pass(2 * time.Second)
	w.waits("b", "a", "")
}

func whyWaitingKey(w *world) {
	w.plain("build", "scan")
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}})
	w.line("build", "next", "running")
	w.line("build", "main", "a", "b", "c")
	w.waits("b", "a", "")
}

func whyHookLimit(w *world) {
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}})
	w.accept("build", "a", "b")
	w.waits("b", "", "max-concurrent")
}

func whyLimit(w *world) {
	w.concurrent = 1
	w.plain("build", "scan")
	w.accept("build", "a")
	w.accept("scan", "b")
	w.waits("b", "", "max-concurrent")
}

func whyRate(w *world) {
	w.rated()
	w.accept("build", "a", "b", "c")
	w.waits("c", "", "rate")
}

func whyPause(w *world) {
	w.plain("build")
	w.pause("build")
	w.accept("build", "a")
	w.waits("a", "", "maintenance")
}

func whyHeld(w *world) {
	w.plain("build")
	w.pause("build")
	w.accept("build", "a")
	w.remove("build")
	w.waits("a", "", "build")
}

func whyTime(w *world) {
	w.retrying()
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a")
	w.pass(2 * time.Second)
	w.waits("a", "", "")
	w.hook(hook.Hook{ID: "rests", Queue: hook.Queue{Coalesce: true, Debounce: time.Minute}})
	w.line("rests", "main", "b")
	w.waits("b", "", "")
}

func whyNothing(w *world) {
	w.plain("build")
	w.accept("build", "a")
	for _, state := range []run.State{run.Running, run.Succeeded} {
		w.are(state, "a")
		text, behind, err := w.up().Why(w.t.Context(), w.named("a"))
		if text != "" || behind != "" || err != nil {
			w.t.Errorf("%s it waits behind %q: %q, and the error %v", state, behind, text, err)
		}
		w.pass(time.Minute)
	}
	_, _, err := w.up().Why(w.t.Context(), "ffffffff-ffff-7fff-bfff-ffffffffffff")
	w.fails("why", err, engine.ErrNotFound)
}
