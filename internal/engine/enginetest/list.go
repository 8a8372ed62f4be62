package enginetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// Lists, their filters and pages.
func listTests() []test {
	return []test{
		{name: "the newest first, without deliveries and attempts", try: listNewest},
		{name: "by every filter, and every two of them", try: listFilters},
		{name: "what changes its state changes its list", try: listStates},
		{name: "each page exactly once while new runs come in", try: listPages},
		{name: "fifty where nobody says how many", try: listDefault},
		{name: "as before after a restart", try: listRestart, restarts: true},
	}
}

// list gives the names of all runs that match a filter, page by page.
func (w *world) list(f engine.Filter, limit int) []string {
	w.t.Helper()
	var names []string
	page := engine.Page{Limit: limit}
	for {
		listing, err := w.up().List(w.t.Context(), f, page)
		if err != nil {
			w.t.Fatalf("list %+v: %v", f, err)
		}
		if len(listing.Runs) > limit {
			w.t.Fatalf("a page has %d runs, at most %d were asked for", len(listing.Runs), limit)
		}
		for _, r := range listing.Runs {
			names = append(names, w.nameOf(r.ID))
		}
		if listing.Next == "" {
			return names
		}
		if len(listing.Runs) == 0 || len(names) > 10_000 {
			w.t.Fatalf("%d runs are listed, and there is no end", len(names))
		}
		page.After = listing.Next
	}
}

func listNewest(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(4)})
	w.deliver(of("build", "a", "b").keyed("main"))
	w.pass(time.Minute)
	w.accept("build", "c")
	w.settle()
	listing, err := w.up().List(w.t.Context(), engine.Filter{}, engine.Page{})
	if err != nil || len(listing.Runs) != 3 || listing.Next != "" {
		w.t.Fatalf("the list has %d runs, then %q, and the error %v", len(listing.Runs), listing.Next, err)
	}
	c, b, a := listing.Runs[0], listing.Runs[1], listing.Runs[2]
	same(w, "list", []string{w.nameOf(c.ID), w.nameOf(b.ID), w.nameOf(a.ID)}, []string{"c", "b", "a"})
	if c.Sequence <= b.Sequence || b.Sequence <= a.Sequence {
		w.t.Errorf("their numbers are %d, %d, %d", c.Sequence, b.Sequence, a.Sequence)
	}
	if a.Delivery != nil || len(a.Attempts) != 0 {
		w.t.Errorf("it has a delivery or attempts: %+v", a)
	}
	if a.Hook != "build" || a.Key.Text != "main" || a.State != run.Failed || a.DeliveryID != w.deliveries["a"] ||
		a.Attempt != 1 || a.Reason == "" || c.State != run.Running {
		w.t.Errorf("it has %+v and %+v", a, c)
	}
	w.about("a's acceptance", a.Accepted, 0)
	w.about("a's start", a.Started, 0)
	w.about("a's end", a.Ended, time.Second)
	w.about("b's start", b.Started, time.Second)
	w.about("c's start", c.Started, time.Minute)
}

// listed is a run in a list, and what filters ask of it.
type listed struct {
	name, hook, key string
	state           run.State
	at              time.Duration
}

// assorted makes runs of all states, hooks and keys, at different times, and
// gives them, the newest first.
func (w *world) assorted() []listed {
	w.plain("build", "scan")
	w.hook(hook.Hook{ID: "retry", Retry: hook.Retry{Attempts: 2, Backoff: time.Hour, MaxBackoff: time.Hour}})
	w.hook(hook.Hook{ID: "newest", Queue: hook.Queue{Coalesce: true}})
	w.plain("gone")
	w.up()
	w.pause("gone")
	var all []listed
	deliver := func(hook, key, name string, state run.State, s script) {
		w.does(name, s)
		o := of(hook, name)
		if key != "" {
			o = o.keyed(key)
		}
		w.deliver(o)
		all = append(all, listed{name, hook, key, state, time.Since(w.zero)})
	}
	for round := range 5 {
		name := func(what string) string { return fmt.Sprintf("%s%d", what, round) }
		key := fmt.Sprint("long", round)
		for _, hook := range []string{"build", "scan"} {
			deliver(hook, "main", name(hook+"-ok"), run.Succeeded, script{})
			deliver(hook, "main", name(hook+"-fails"), run.Failed, script{ends: exits(1)})
			deliver(hook, "", name(hook+"-plain"), run.Succeeded, script{})
			deliver(hook, key, name(hook+"-long"), run.Running, script{takes: 100 * time.Hour})
			deliver(hook, key, name(hook+"-waits"), run.Queued, script{})
			deliver(hook, key, name(hook+"-cancelled"), run.Cancelled, script{})
			w.cancel(name(hook + "-cancelled"))
		}
		deliver("retry", name("r"), name("retry"), run.Retrying, script{ends: exits(1)})
		deliver("gone", "main", name("gone"), run.Held, script{})
		deliver("newest", key, name("new-long"), run.Running, script{takes: 100 * time.Hour})
		deliver("newest", key, name("new-old"), run.Superseded, script{})
		deliver("newest", key, name("new-new"), run.Queued, script{})
		w.pass(time.Minute)
	}
	w.remove("gone")
	w.settle()
	slices.Reverse(all)
	return all
}

func listFilters(w *world) {
	all := w.assorted()
	keys := []string{"", "main", "long3", "none"}
	times := []time.Duration{0, 150 * time.Second, time.Hour}
	for _, hook := range []string{"", "build", "gone", "newest", "unknown"} {
		for _, state := range append([]run.State{""}, run.States()...) {
			for _, key := range keys {
				for _, since := range times {
					for _, before := range times {
						w.compare(all, hook, state, key, since, before)
					}
				}
			}
		}
	}
}

// compare asks for a list by a filter, of which empty parts choose all, and
// compares it with what the test knows. Of the many filters with three parts or
// more it tries few.
func (w *world) compare(all []listed, hook string, state run.State, key string, since, before time.Duration) {
	w.t.Helper()
	f := engine.Filter{Hook: hook, State: state}
	parts := 0
	for _, part := range []bool{hook != "", state != "", key != "", since != 0, before != 0} {
		if part {
			parts++
		}
	}
	if parts > 2 && !(hook == "build" && key == "long3") {
		return
	}
	if key != "" {
		f.Key = &key
	}
	if since != 0 {
		f.Since = w.zero.Add(since)
	}
	if before != 0 {
		f.Before = w.zero.Add(before)
	}
	var want []string
	for _, s := range all {
		if (hook == "" || s.hook == hook) && (state == "" || s.state == state) && (key == "" || s.key == key) &&
			s.at >= since && (before == 0 || s.at < before) {
			want = append(want, s.name)
		}
	}
	same(w, fmt.Sprintf("by hook %q, state %q, key %q, since %s, before %s", hook, state, key, since, before),
		w.list(f, 20), want)
}

func listStates(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1, 0)})
	w.line("build", "main", "a", "b")
	steps := []struct {
		pass                                 time.Duration
		queued, running, retrying, succeeded []string
	}{
		{0, []string{"b"}, []string{"a"}, nil, nil},
		{2 * time.Second, []string{"b"}, nil, []string{"a"}, nil},
		{time.Minute, nil, nil, nil, []string{"b", "a"}},
	}
	for _, step := range steps {
		w.pass(step.pass)
		w.settle()
		for state, want := range map[run.State][]string{
			run.Queued: step.queued, run.Running: step.running, run.Retrying: step.retrying, run.Succeeded: step.succeeded,
		} {
			same(w, string(state), w.list(engine.Filter{State: state}, 10), want)
			same(w, string(state)+" of build", w.list(engine.Filter{Hook: "build", State: state}, 10), want)
		}
	}
}

func listPages(w *world) {
	w.plain("build", "scan")
	w.pause("build")
	names := numbered("n", 40)
	for _, name := range names {
		w.deliver(of("build", name).keyed(name[4:]))
		w.accept("scan", "s"+name)
	}
	filters := []engine.Filter{{}, {Hook: "build"}, {State: run.Queued}, {Hook: "build", State: run.Queued}}
	for i, f := range filters {
		seen := map[string]int{}
		page := engine.Page{Limit: 7}
		for more := 0; ; more++ {
			listing, err := w.up().List(w.t.Context(), f, page)
			if err != nil {
				w.t.Fatalf("list: %v", err)
			}
			for _, r := range listing.Runs {
				seen[w.nameOf(r.ID)]++
			}
			if page.After = listing.Next; listing.Next == "" {
				break
			}
			w.accept("build", fmt.Sprintf("more%d-%d", i, more))
		}
		for _, name := range names {
			if seen[name] != 1 {
				w.t.Errorf("%s is %d times on the pages of %+v, want once", name, seen[name], f)
			}
		}
	}
}

func listDefault(w *world) {
	w.plain("build")
	w.deliver(of("build", numbered("n", 120)...))
	listing, err := w.up().List(w.t.Context(), engine.Filter{}, engine.Page{})
	if err != nil || len(listing.Runs) != 50 || listing.Next == "" {
		w.t.Errorf("the list has %d runs, then %q, and the error %v", len(listing.Runs), listing.Next, err)
	}
	if n := len(w.list(engine.Filter{}, engine.MaxPage)); n != 120 {
		w.t.Errorf("a page of %d has %d runs, want 120", engine.MaxPage, n)
	}
}

func listRestart(w *world) {
	w.plain("build")
	w.accept("build", numbered("n", 10)...)
	w.pass(time.Minute)
	before := w.list(engine.Filter{}, 4)
	w.crash()
	same(w, "the list", w.list(engine.Filter{}, 4), before)
}
