package enginetest

import (
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 22: what happens after an attempt that failed.
func retryTests() []test {
	return append(retryTable(),
		test{name: "backs off longer each time", try: retryBackoff},
		test{name: "but no longer than max-backoff", try: retryMaxBackoff},
		test{name: "backs off as every other run, not with them", try: retryJitter},
		test{name: "succeeds at last", try: retrySucceeds},
		test{name: "backing off holds no slot", try: retryNoSlot},
		test{name: "backing off blocks its key, as its head", try: retryKey},
		test{name: "without retry the first failure is final", try: retryNone},
		test{name: "backing off survives a restart", try: retryRestart, restarts: true},
	)
}

// retryTable has a test for each kind of end, and which exit-codes retry it.
func retryTable() []test {
	exited := func(code int) run.Outcome { return run.Outcome{End: run.Exited, ExitCode: code} }
	timedOut := run.Outcome{End: run.TimedOut, ExitCode: -1}
	signalled := run.Outcome{End: run.Signalled, ExitCode: -1, Signal: "killed"}
	notStarted := run.Outcome{End: run.NotStarted, ExitCode: -1, Reason: "no such file"}
	cases := []struct {
		name  string
		retry hook.Retry
		end   run.Outcome
		again bool
	}{
		{"any exit code, where none is named", hook.Retry{}, exited(1), true},
		{"a time-out, where nothing is named", hook.Retry{}, timedOut, true},
		{"a signal, where nothing is named", hook.Retry{}, signalled, true},
		{"an exit code that is named", hook.Retry{ExitCodes: []int{3, 75}}, exited(75), true},
		{"no exit code that is not", hook.Retry{ExitCodes: []int{3, 75}}, exited(1), false},
		{"no time-out, where codes are named", hook.Retry{ExitCodes: []int{75}}, timedOut, false},
		{"no signal, where codes are named", hook.Retry{ExitCodes: []int{75}}, signalled, false},
		{"a time-out that is named", hook.Retry{ExitCodes: []int{75}, Timeout: true}, timedOut, true},
		{"a signal that is named", hook.Retry{Signal: true}, signalled, true},
		{"no exit code, where only time-outs are named", hook.Retry{Timeout: true}, exited(1), false},
		{"no signal, where only time-outs are named", hook.Retry{Timeout: true}, signalled, false},
		{"nothing that cannot start", hook.Retry{}, notStarted, false},
		{"nothing that ended well", hook.Retry{}, exited(0), false},
	}
	tests := make([]test, len(cases))
	for i, c := range cases {
		tests[i] = test{name: "retries " + c.name, try: func(w *world) {
			c.retry.Attempts = 2
			w.hook(hook.Hook{ID: "build", Retry: c.retry})
			w.does("a", script{ends: []run.Outcome{c.end}})
			w.accept("build", "a")
			w.pass(time.Minute)
			want := 1
			if c.again {
				want = 2
			}
			if n := len(w.attemptsOf("a")); n != want {
				w.t.Errorf("%d attempts, want %d", n, want)
			}
			w.are(c.end.State(), "a")
		}}
	}
	return tests
}

// backedOff says that a run's attempts began so long after the end of the one
// before, give or take the jitter of a tenth.
func (w *world) backedOff(name string, pauses ...time.Duration) {
	w.t.Helper()
	attempts := w.attemptsOf(name)
	if len(attempts) != len(pauses)+1 {
		w.t.Fatalf("%s began %d times, want %d", name, len(attempts), len(pauses)+1)
	}
	for i, want := range pauses {
		got := attempts[i+1].began.Sub(attempts[i].ended)
		if got < want*9/10 || got > want*11/10+slack {
			w.t.Errorf("%s backed off for %s after its attempt %d, want about %s", name, got, i+1, want)
		}
	}
}

func retryBackoff(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 4, Backoff: 10 * time.Second}})
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a")
	w.pass(2 * time.Second)
	r := w.record("a")
	if r.State != run.Retrying || r.Attempt != 1 || r.Reason == "" || !r.Ended.IsZero() {
		w.t.Errorf("it is %s at attempt %d for the reason %q, and ended at %s", r.State, r.Attempt, r.Reason, r.Ended)
	}
	due := r.NotBefore
	w.pass(time.Hour)
	w.backedOff("a", 10*time.Second, 20*time.Second, 40*time.Second)
	if late := w.attemptsOf("a")[1].began.Sub(due); late < 0 || late > slack {
		w.t.Errorf("it was to begin at %s, and did %s later", due, late)
	}
	w.are(run.Failed, "a")
	w.ends("a", run.Exited, run.Exited, run.Exited, run.Exited)
}

func retryMaxBackoff(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 5, Backoff: 10 * time.Second, MaxBackoff: 30 * time.Second}})
	w.does("a", script{ends: exits(1)})
	w.accept("build", "a")
	w.pass(time.Hour)
	w.backedOff("a", 10*time.Second, 20*time.Second, 30*time.Second, 30*time.Second)
}

func retryJitter(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2, Backoff: time.Hour, MaxBackoff: time.Hour}})
	w.does("build", script{ends: exits(1)})
	w.accept("build", numbered("n", 30)...)
	w.pass(2 * time.Hour)
	moments := map[time.Time]bool{}
	for _, a := range w.seen() {
		if a.run.Attempt == 2 {
			moments[a.began.Truncate(time.Second)] = true
		}
	}
	if len(moments) < 10 {
		w.t.Errorf("30 runs that failed together began again in %d different seconds", len(moments))
	}
}

func retrySucceeds(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 5}})
	w.does("a", script{ends: exits(75, 7, 0)})
	w.accept("build", "a")
	w.pass(time.Hour)
	w.are(run.Succeeded, "a")
	var codes []int
	for _, a := range w.record("a").Attempts {
		codes = append(codes, a.ExitCode)
	}
	same(w, "exit codes", codes, []int{75, 7, 0})
	if r := w.record("a"); !r.NotBefore.IsZero() || r.Attempt != 3 {
		w.t.Errorf("it ended with attempt %d, and was not to start before %s", r.Attempt, r.NotBefore)
	}
}

func retryNoSlot(w *world) {
	w.concurrent = 1
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}, Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1, 0)})
	w.line("build", "main", "a")
	w.line("build", "next", "b", "c")
	w.pass(time.Minute)
	w.began("a", "b", "c", "a")
}

func retryKey(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2}})
	w.does("a", script{ends: exits(1, 0)})
	w.line("build", "main", "a", "b")
	w.pass(time.Minute)
	w.began("a", "a", "b")
	if a := w.attemptsOf("a"); w.attemptsOf("b")[0].began.Before(a[1].ended) {
		w.t.Error("b did not wait for a's last attempt")
	}
}

func retryNone(w *world) {
	w.plain("build")
	w.does("a", script{ends: exits(1, 0)})
	w.accept("build", "a")
	w.pass(time.Hour)
	w.began("a")
	w.are(run.Failed, "a")
}

func retryRestart(w *world) {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 3, Backoff: time.Minute}})
	w.does("a", script{ends: exits(1)})
	w.line("build", "main", "a", "b")
	w.pass(2 * time.Second)
	due := w.record("a").NotBefore
	w.crash()
	w.pass(30 * time.Second)
	w.restart()
	w.are(run.Retrying, "a")
	if again := w.record("a").NotBefore; !again.Equal(due) {
		w.t.Errorf("it is to begin at %s, but was at %s", again, due)
	}
	w.pass(time.Hour)
	w.backedOff("a", time.Minute, 2*time.Minute)
	w.began("a", "a", "a", "b")
}

// retrying puts the hook "build" in force, which is tried three times.
func (w *world) retrying() {
	w.hook(hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 3}})
}
