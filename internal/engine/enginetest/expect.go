package enginetest

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// seen gives the attempts so far, as they began; of those that began at the same
// moment by their names, for none of these is the first.
func (w *world) seen() []*attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]*attempt, len(w.attempts))
	for i, a := range w.attempts {
		copied := *a // it may end at any moment
		all[i] = &copied
	}
	slices.SortStableFunc(all, func(a, b *attempt) int {
		return cmp.Or(a.began.Compare(b.began), strings.Compare(a.name, b.name))
	})
	return all
}

// attemptsOf gives the attempts of one run.
func (w *world) attemptsOf(name string) []*attempt {
	var those []*attempt
	for _, a := range w.seen() {
		if a.name == name {
			those = append(those, a)
		}
	}
	return those
}

// began says which attempts have begun so far, in order.
func (w *world) began(names ...string) {
	w.t.Helper()
	w.settle()
	var got []string
	for _, a := range w.seen() {
		got = append(got, a.name)
	}
	if !slices.Equal(got, names) {
		w.t.Errorf("began %v, want %v", got, names)
	}
}

// beganAt says when the attempts of a run began, counted from when the world
// did. They may be late by slack for each thing that they had to wait for.
func (w *world) beganAt(name string, at ...time.Duration) {
	w.t.Helper()
	w.settle()
	attempts := w.attemptsOf(name)
	if len(attempts) != len(at) {
		w.t.Errorf("%s began %d times, want %d", name, len(attempts), len(at))
		return
	}
	for i, a := range attempts {
		if got := a.began.Sub(w.zero); got < at[i] || got > at[i]+w.late() {
			w.t.Errorf("attempt %d of %s began after %s, want %s", i+1, name, got, at[i])
		}
	}
}

// late is how late things may be by now: a test's helpers wait a moment now and
// then, and the engine may.
func (w *world) late() time.Duration { return 10 * slack }

// neverBegan says of runs that no attempt of them was made.
func (w *world) neverBegan(names ...string) {
	w.t.Helper()
	w.settle()
	for _, name := range names {
		if n := len(w.attemptsOf(name)); n != 0 {
			w.t.Errorf("%s began %d times, want never", name, n)
		}
	}
}

// are says in which state runs are.
func (w *world) are(state run.State, names ...string) {
	w.t.Helper()
	w.settle()
	for _, name := range names {
		if got := w.record(name).State; got != state {
			w.t.Errorf("%s is %s, want %s", name, got, state)
		}
	}
}

// record gives what the engine remembers of a run.
func (w *world) record(name string) *run.Record {
	w.t.Helper()
	r, err := w.up().Find(w.t.Context(), w.named(name))
	if err != nil {
		w.t.Fatalf("find %s: %v", name, err)
	}
	return r
}

// unknown says that the engine knows nothing of runs.
func (w *world) unknown(names ...string) {
	w.t.Helper()
	w.settle()
	for _, name := range names {
		if r, err := w.up().Find(w.t.Context(), w.named(name)); !errors.Is(err, engine.ErrNotFound) {
			w.t.Errorf("find %s gives %v and the error %v, want %v", name, r, err, engine.ErrNotFound)
		}
	}
}

// ends says how the attempts of a run ended.
func (w *world) ends(name string, ends ...run.End) {
	w.t.Helper()
	w.settle()
	var got []run.End
	for i, a := range w.record(name).Attempts {
		got = append(got, a.End)
		if a.Number != i+1 {
			w.t.Errorf("the %d. attempt of %s has the number %d", i+1, name, a.Number)
		}
	}
	if !slices.Equal(got, ends) {
		w.t.Errorf("attempts of %s ended %q, want %q", name, got, ends)
	}
}

// peak is the most attempts at once, of all that a filter chooses.
func (w *world) peak(chosen func(*attempt) bool) int {
	most := 0
	all := w.seen()
	for _, a := range all {
		if !chosen(a) {
			continue
		}
		n := 0
		for _, other := range all {
			if chosen(other) && !other.began.After(a.began) && (other.ended.IsZero() || other.ended.After(a.began)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func everything(*attempt) bool { return true }

func ofHook(id string) func(*attempt) bool {
	return func(a *attempt) bool { return a.run.Hook == id }
}

// status gives what the engine says of a hook.
func (w *world) status(hook string) engine.HookStatus {
	w.settle()
	return w.up().Status().Hooks[hook]
}

// same says that two lists are equal.
func same[T any](w *world, what string, got, want []T) {
	w.t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// fails says that an error is of a kind.
func (w *world) fails(what string, err, kind error) {
	w.t.Helper()
	if !errors.Is(err, kind) {
		w.t.Errorf("%s gives the error %v, want %v", what, err, kind)
	}
}

// about says that a time is what it should be, or late by slack.
func (w *world) about(what string, got time.Time, want time.Duration) {
	w.t.Helper()
	if at := got.Sub(w.zero); at < want || at > want+w.late() {
		w.t.Errorf("%s is at %s, want %s", what, at, want)
	}
}
