package enginetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
)

// Runs by the beginning of their ids, and what their attempts printed.
func findTests() []test {
	return []test{
		{name: "by any unambiguous beginning", try: findPrefix},
		{name: "an ambiguous one is told", try: findAmbiguous},
		{name: "an unknown one is told", try: findUnknown},
		{name: "output as it came, per attempt", try: outputPerAttempt},
		{name: "output of any bytes and a large size", try: outputAny},
		{name: "no output while an attempt goes on", try: outputLater},
		{name: "no output of what there is not", try: outputUnknown},
	}
}

func findPrefix(w *world) {
	w.plain("build")
	w.accept("build", "a")
	w.pass(90 * 24 * time.Hour / 1000) // ids of other moments begin otherwise
	w.accept("build", "b")
	id := w.named("b")
	for length := 13; length <= len(id); length++ {
		r, err := w.up().Find(w.t.Context(), id[:length])
		if err != nil || r.ID != id {
			w.t.Fatalf("%q gives %v and the error %v", id[:length], r, err)
		}
		if r.Delivery == nil || r.Delivery.ID != w.deliveries["b"] {
			w.t.Fatalf("%q is found with the delivery %v", id[:length], r.Delivery)
		}
	}
}

func findAmbiguous(w *world) {
	w.plain("build")
	w.accept("build", numbered("n", 30)...)
	prefix := w.named("n0007")[:10]
	_, err := w.up().Find(w.t.Context(), prefix)
	ambiguous, ok := errors.AsType[*engine.AmbiguousError](err)
	if !ok {
		w.t.Fatalf("the error is %v", err)
	}
	if ambiguous.Prefix != prefix || len(ambiguous.IDs) < 2 || len(ambiguous.IDs) > 30 {
		w.t.Errorf("it tells of %q: %v", ambiguous.Prefix, ambiguous.IDs)
	}
	for _, id := range ambiguous.IDs {
		if !strings.HasPrefix(id, prefix) {
			w.t.Errorf("%s does not begin with %s", id, prefix)
		}
	}
}

func findUnknown(w *world) {
	w.plain("build")
	w.accept("build", "a")
	unknown := []string{
		"ffffffff-ffff-7fff-bfff-ffffffffffff", "ffff", w.named("a") + "0", "nonsense", "%", "_", "'", "\x00",
		w.named("a")[:35] + "g",
	}
	for _, id := range unknown {
		_, err := w.up().Find(w.t.Context(), id)
		w.fails("find "+id, err, engine.ErrNotFound)
		_, err = w.up().Delivery(w.t.Context(), id)
		w.fails("delivery "+id, err, engine.ErrNotFound)
	}
	if _, err := w.up().Delivery(w.t.Context(), w.named("a")); !errors.Is(err, engine.ErrNotFound) {
		w.t.Errorf("the id of a run is none of a delivery, but the error is %v", err)
	}
}

// printed says what an attempt printed, as it was kept.
func (w *world) printed(name string, attempt int, want string) {
	w.t.Helper()
	w.settle()
	output, head, omitted, err := w.up().Output(w.t.Context(), w.named(name), attempt)
	if err != nil || string(output) != want || head != len(want) || omitted != 0 {
		w.t.Errorf("attempt %d of %s printed %.100q, %d of it first, %d left out, and the error %v; want %.100q",
			attempt, name, output, head, omitted, err, want)
	}
}

func outputPerAttempt(w *world) {
	w.retrying()
	w.does("a", script{ends: exits(1, 1, 0), prints: []string{"one\n", "", "three\n"}})
	w.does("b", script{prints: []string{"other"}})
	w.accept("build", "a", "b")
	w.pass(time.Hour)
	w.printed("a", 1, "one\n")
	w.printed("a", 2, "")
	w.printed("a", 3, "three\n")
	w.printed("b", 1, "other")
}

func outputAny(w *world) {
	w.plain("build")
	large := slices.Repeat([]byte{0, 1, 2, 0xff, '\n', 0xfe, 'x'}, 1<<20/7)
	outcome := exits(0)
	outcome[0].Output, outcome[0].Head, outcome[0].Omitted = large, 1000, 1<<40
	w.does("a", script{ends: outcome})
	w.accept("build", "a")
	w.pass(2 * time.Second)
	output, head, omitted, err := w.up().Output(w.t.Context(), w.named("a"), 1)
	if err != nil || !slices.Equal(output, large) || head != 1000 || omitted != 1<<40 {
		w.t.Errorf("%d bytes, %d of them first, %d left out, and the error %v", len(output), head, omitted, err)
	}
	if size := w.record("a").Attempts[0].OutputSize; size != int64(len(large)) {
		w.t.Errorf("its output is told to have %d bytes, want %d", size, len(large))
	}
	if n := len(w.record("a").Attempts[0].Output); n != 0 {
		w.t.Errorf("it is found with %d bytes of output", n)
	}
}

func outputLater(w *world) {
	w.plain("build")
	w.does("a", script{takes: time.Minute, prints: []string{"done"}})
	w.accept("build", "a")
	w.pass(time.Second)
	w.printed("a", 1, "")
	w.pass(time.Minute)
	w.printed("a", 1, "done")
}

func outputUnknown(w *world) {
	w.plain("build")
	w.pause("build")
	w.accept("build", "waits")
	w.accept("build", "a")
	w.cancel("a")
	for _, id := range []string{w.named("a"), w.named("waits"), "ffffffff-ffff-7fff-bfff-ffffffffffff", "nonsense"} {
		for _, attempt := range []int{1, 2, -1} {
			_, _, _, err := w.up().Output(w.t.Context(), id, attempt)
			w.fails("output", err, engine.ErrNotFound)
		}
	}
}
