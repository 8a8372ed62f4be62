package embedded

import (
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

func TestWhatAnEndMeans(t *testing.T) {
	thrice := hook.Retry{Attempts: 3, Backoff: time.Second, MaxBackoff: 3 * time.Second, Interruptions: 1}
	with := func(change func(*hook.Retry)) hook.Retry { r := thrice; change(&r); return r }
	exit := func(code int) run.Outcome { return run.Outcome{End: run.Exited, ExitCode: code} }
	for _, c := range []struct {
		name    string
		retry   hook.Retry
		tries   int
		cut     int // interruptions
		stopped bool
		outcome run.Outcome
		want    phase
		wait    time.Duration
	}{
		{"all well", thrice, 0, 0, false, exit(0), succeeded, 0},
		{"a failure without retry", hook.Retry{}, 0, 0, false, exit(1), failed, 0},
		{"the first failure", thrice, 0, 0, false, exit(1), retrying, time.Second},
		{"the second", thrice, 1, 0, false, exit(1), retrying, 2 * time.Second},
		{"a wait is bounded", with(func(r *hook.Retry) { r.Attempts = 9 }), 7, 0, false, exit(1), retrying, 3 * time.Second},
		{"the last", thrice, 2, 0, false, exit(1), failed, 0},
		{"an exit code that is listed", with(func(r *hook.Retry) { r.ExitCodes = []int{75} }), 0, 0, false, exit(75), retrying, time.Second},
		{"one that is not", with(func(r *hook.Retry) { r.ExitCodes = []int{75} }), 0, 0, false, exit(1), failed, 0},
		{"a time-out, where only codes are listed", with(func(r *hook.Retry) { r.ExitCodes = []int{75} }), 0, 0, false, run.Outcome{End: run.TimedOut}, failed, 0},
		{"a time-out that is listed", with(func(r *hook.Retry) { r.Timeout = true }), 0, 0, false, run.Outcome{End: run.TimedOut}, retrying, time.Second},
		{"a code, where only time-outs are listed", with(func(r *hook.Retry) { r.Timeout = true }), 0, 0, false, exit(1), failed, 0},
		{"a signal that is listed", with(func(r *hook.Retry) { r.Signal = true }), 0, 0, false, run.Outcome{End: run.Signalled}, retrying, time.Second},
		{"anything, where nothing is listed", thrice, 0, 0, false, run.Outcome{End: run.Overflowed}, retrying, time.Second},
		{"what cannot start", thrice, 0, 0, false, run.Outcome{End: run.NotStarted}, failed, 0},
		{"an interruption", thrice, 2, 0, false, run.Outcome{End: run.Interrupted}, ready, 0},
		{"one too many", thrice, 0, 1, false, run.Outcome{End: run.Interrupted}, failed, 0},
		{"a person's word", thrice, 0, 0, false, run.Outcome{End: run.Stopped}, cancelled, 0},
		{"a person's word that came too late", thrice, 0, 0, true, exit(1), cancelled, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			tk := &ticket{tries: c.tries, interruptions: c.cut}
			v := judge(tk, &c.outcome, &hook.Hook{Retry: c.retry}, c.stopped, 0.5)
			if v.phase != c.want || v.wait != c.wait {
				t.Errorf("it means %d after %s, want %d after %s", v.phase, v.wait, c.want, c.wait)
			}
			counts := c.outcome.End != run.Interrupted || c.stopped
			if got := v.tries > c.tries; got != counts {
				t.Errorf("it counts as a try: %v, want %v", got, counts)
			}
		})
	}
}

func TestWaitsVaryByATenth(t *testing.T) {
	r := hook.Retry{Backoff: 10 * time.Second}
	if least, most := backoff(&r, 1, 0), backoff(&r, 1, 1); least != 9*time.Second || most != 11*time.Second {
		t.Errorf("from %s to %s", least, most)
	}
	if wait := backoff(&r, 100, 0.5); wait <= 0 {
		t.Errorf("after a hundred tries the wait is %s", wait)
	}
}

// A hook that is gone keeps what was interrupted: nobody can say how often that
// may be.
func TestAnInterruptionOfAHeldRun(t *testing.T) {
	if v := judge(&ticket{interruptions: 99}, &run.Outcome{End: run.Interrupted}, nil, false, 0); v.phase != ready {
		t.Errorf("it is %d", v.phase)
	}
}
