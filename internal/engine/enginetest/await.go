package enginetest

import (
	"context"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 20: waiting for the end of runs.
func awaitTests() []test {
	return []test{
		{name: "until all have ended", try: awaitAll},
		{name: "retries included", try: awaitRetries},
		{name: "what has ended already", try: awaitEnded},
		{name: "every final state is an end", try: awaitStates},
		{name: "no longer than its context", try: awaitContext},
		{name: "many wait for one", try: awaitMany},
		{name: "a stop ends the wait", try: awaitStop},
	}
}

// awaited waits for the end of runs, and gives their states by name.
func (w *world) awaited(ctx context.Context, names ...string) (map[string]run.State, error) {
	w.t.Helper()
	records, err := w.up().Await(ctx, w.allNamed(names)...)
	states := map[string]run.State{}
	for _, r := range records {
		states[w.nameOf(r.ID)] = r.State
		for _, a := range r.Attempts {
			if len(a.Output) != 0 {
				w.t.Errorf("the record of %s has output", w.nameOf(r.ID))
			}
		}
	}
	return states, err
}

// ended says how runs ended that somebody waits for.
func (w *world) ended(want map[string]run.State) {
	w.t.Helper()
	var names []string
	for name := range want {
		names = append(names, name)
	}
	got, err := w.awaited(w.t.Context(), names...)
	if err != nil {
		w.t.Fatalf("await: %v", err)
	}
	for name, state := range want {
		if got[name] != state {
			w.t.Errorf("%s is %q, want %s", name, got[name], state)
		}
	}
}

func awaitAll(w *world) {
	w.plain("build")
	w.does("b", script{takes: 3 * time.Second, ends: exits(9)})
	w.line("build", "main", "a", "b")
	w.accept("build", "c")
	w.ended(map[string]run.State{"a": run.Succeeded, "b": run.Failed, "c": run.Succeeded})
	w.about("the answer", time.Now(), 4*time.Second)
	records, err := w.up().Await(w.t.Context(), w.named("b"))
	if err != nil || len(records) != 1 || len(records[0].Attempts) == 0 {
		w.t.Fatalf("await gives %+v and the error %v", records, err)
	}
	if last := records[0].Attempts[len(records[0].Attempts)-1]; last.ExitCode != 9 {
		w.t.Errorf("the last attempt is %+v", last)
	}
}

func awaitRetries(w *world) {
	w.retrying()
	w.does("a", script{ends: exits(1, 1, 0)})
	w.accept("build", "a")
	w.ended(map[string]run.State{"a": run.Succeeded})
	if n := len(w.attemptsOf("a")); n != 3 {
		w.t.Errorf("after %d attempts it was over, want 3", n)
	}
}

func awaitEnded(w *world) {
	w.plain("build")
	w.accept("build", "a")
	w.pass(time.Minute)
	began := time.Now()
	w.ended(map[string]run.State{"a": run.Succeeded})
	if took := time.Since(began); took > slack {
		w.t.Errorf("it took %s", took)
	}
}

func awaitStates(w *world) {
	w.coalescing(func(h *hook.Hook) { h.Queue.Expire = 10 * time.Second })
	w.plain("paused")
	w.pause("paused")
	w.does("a", script{takes: 5 * time.Second})
	w.line("build", "main", "a", "b", "c")
	w.pause("build")
	w.accept("paused", "d")
	w.dead.Go(func() {
		time.Sleep(time.Second)
		if _, err := w.engine.Cancel(context.WithoutCancel(w.t.Context()), w.named("d")); err != nil {
			w.t.Errorf("cancel: %v", err)
		}
	})
	w.ended(map[string]run.State{"a": run.Succeeded, "b": run.Superseded, "c": run.Failed, "d": run.Cancelled})
	w.about("the answer", time.Now(), 10*time.Second)
}

func awaitContext(w *world) {
	w.plain("build")
	w.does("a", script{takes: time.Hour})
	w.line("build", "main", "a", "b")
	w.accept("build", "c")
	w.pass(2 * time.Second)
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	got, err := w.awaited(ctx, "a", "b", "c")
	w.fails("await", err, context.DeadlineExceeded)
	if len(got) != 3 || got["a"] != run.Running || got["b"] != run.Queued || got["c"] != run.Succeeded {
		w.t.Errorf("it gives %v", got)
	}
	w.about("the answer", time.Now(), 7*time.Second)
}

func awaitMany(w *world) {
	w.plain("build")
	w.accept("build", "a")
	done := make(chan struct{})
	for range 50 {
		go func() {
			w.ended(map[string]run.State{"a": run.Succeeded})
			done <- struct{}{}
		}()
	}
	for range 50 {
		<-done
	}
}

func awaitStop(w *world) {
	w.plain("build")
	w.pause("build")
	w.accept("build", "a")
	done := make(chan error, 1)
	id := w.named("a")
	go func() {
		_, err := w.engine.Await(w.t.Context(), id)
		done <- err
	}()
	w.settle()
	w.stop()
	if err := <-done; err == nil {
		w.t.Error("it gave no error")
	}
}
