package enginetest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// 19, 20: callers who read along.
func attendTests() []test {
	return []test{
		{name: "output and outcome of the first attempt", try: attendOutcome},
		{name: "at once, beside the limits of queued runs", try: attendBeside},
		{name: "is told before it starts, once", try: attendAccepted},
		{name: "its history is kept", try: attendHistory},
		{name: "of a run that is tried again the first attempt", try: attendRetry},
		{name: "in its turn where that is asked", try: attendTurn},
		{name: "in its turn, the first attempt's output alone", try: attendTurnRetry},
		{name: "in its turn there may be no room", try: attendTurnFull},
		{name: "a duplicate runs nothing", try: attendDuplicate},
		{name: "the other runs of the delivery are queued", try: attendOthers},
		{name: "follows like any other", try: attendFollowed},
		{name: "interrupted by a crash it fails or runs again", try: attendCrash, restarts: true},
	}
}

// call is a caller who reads along.
type call struct {
	receipt  run.Receipt
	outcome  run.Outcome
	err      error
	took     time.Duration
	accepted int

	output bytes.Buffer
	mu     sync.Mutex
	hangUp context.CancelFunc
	done   chan struct{}
}

func (c *call) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output.Write(p)
}

func (c *call) printed() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output.String()
}

// dial begins a call. With turn its runs take their turn.
func (w *world) dial(turn bool, orders ...order) *call {
	w.t.Helper()
	s := w.submission(orders...)
	ctx, cancel := context.WithCancel(w.t.Context())
	c := &call{hangUp: cancel, done: make(chan struct{})}
	if !turn && len(orders[0].names) > 0 {
		w.mu.Lock()
		w.beside[w.ids[orders[0].names[0]]] = true
		w.mu.Unlock()
	}
	live := engine.Live{Turn: turn, Output: c, Accepted: func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.accepted++
	}}
	e := w.engine
	go func() {
		defer cancel()
		began := time.Now()
		c.receipt, c.outcome, c.err = e.Attend(ctx, s, live)
		c.took = time.Since(began)
		close(c.done)
	}()
	synctest.Wait()
	return c
}

// answered waits for a call's end, which must be an outcome.
func (w *world) answered(c *call) run.Outcome {
	w.t.Helper()
	<-c.done
	if c.err != nil {
		w.t.Fatalf("attend: %v", c.err)
	}
	if c.accepted != 1 {
		w.t.Errorf("it was told %d times that it is accepted", c.accepted)
	}
	return c.outcome
}

func attendOutcome(w *world) {
	w.plain("build")
	outcome := exits(3)
	outcome[0].Output, outcome[0].Head, outcome[0].Reason = []byte("to be read"), 5, "exit 3"
	w.does("a", script{ends: outcome})
	c := w.dial(false, of("build", "a"))
	if got := c.printed(); got != "to be read" {
		w.t.Errorf("while it runs %q was read", got)
	}
	got := w.answered(c)
	if got.End != run.Exited || got.ExitCode != 3 || got.Reason != "exit 3" || string(got.Output) != "to be read" || got.Head != 5 {
		w.t.Errorf("the outcome is %+v", got)
	}
	same(w, "duplicates", c.receipt.DuplicateOf, []string{""})
	if c.took < time.Second || c.took > time.Second+slack {
		w.t.Errorf("it took %s", c.took)
	}
}

func attendBeside(w *world) {
	w.concurrent = 1
	w.plain("slow")
	w.hook(hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}})
	w.does("slow", script{takes: time.Hour})
	w.accept("slow", "s1", "s2")
	w.accept("build", "waits")
	w.settle()
	a, b := w.dial(false, of("build", "a")), w.dial(false, of("build", "b"))
	w.answered(a)
	w.answered(b)
	if a.took > time.Second+slack || b.took > time.Second+slack {
		w.t.Errorf("they took %s and %s", a.took, b.took)
	}
	w.began("s1", "a", "b")
}

func attendAccepted(w *world) {
	w.plain("build")
	s := w.submission(of("build", "a"))
	before := -1
	live := engine.Live{Output: &call{}, Accepted: func() { before = len(w.seen()) }}
	if _, _, err := w.up().Attend(w.t.Context(), s, live); err != nil || before != 0 {
		w.t.Errorf("%d had begun when it was told; the error is %v", before, err)
	}
	s = w.submission(of("build", "b"))
	if _, outcome, err := w.up().Attend(w.t.Context(), s, engine.Live{}); err != nil || outcome.End != run.Exited {
		w.t.Errorf("without anything to tell or to read the end is %q and the error %v", outcome.End, err)
	}
}

func attendHistory(w *world) {
	w.plain("build")
	w.does("a", script{prints: []string{"kept"}, ends: exits(1)})
	c := w.dial(false, of("build", "a"))
	w.are(run.Running, "a")
	w.answered(c)
	w.are(run.Failed, "a")
	w.ends("a", run.Exited)
	w.printed("a", 1, "kept")
	same(w, "the list", w.list(engine.Filter{Hook: "build", State: run.Failed}, 10), []string{"a"})
	if s := w.status("build"); s.Failures != 1 || s.Running != 0 {
		w.t.Errorf("its status is %+v", s)
	}
}

func attendRetry(w *world) {
	w.retrying()
	w.does("a", script{ends: exits(1, 0), prints: []string{"one", "two"}})
	c := w.dial(false, of("build", "a"))
	if got := w.answered(c); got.ExitCode != 1 || string(got.Output) != "one" {
		w.t.Errorf("the outcome is %+v", got)
	}
	w.are(run.Retrying, "a")
	w.pass(time.Minute)
	w.are(run.Succeeded, "a")
	if got := c.printed(); got != "one" {
		w.t.Errorf("%q was read", got)
	}
}

func attendTurn(w *world) {
	w.plain("build")
	w.does("first", script{takes: 5 * time.Second})
	w.line("build", "main", "first")
	c := w.dial(true, of("build", "a").keyed("main"))
	w.are(run.Queued, "a")
	w.line("build", "main", "last")
	w.answered(c)
	w.about("the answer", time.Now(), 6*time.Second)
	w.pass(time.Minute)
	w.began("first", "a", "last")
}

func attendTurnRetry(w *world) {
	w.retrying()
	w.does("a", script{ends: exits(1, 0), prints: []string{"one", "two"}})
	c := w.dial(true, of("build", "a"))
	if got := w.answered(c); got.ExitCode != 1 {
		w.t.Errorf("the outcome is %+v", got)
	}
	w.pass(time.Minute)
	w.are(run.Succeeded, "a")
	if got := c.printed(); got != "one" {
		w.t.Errorf("%q was read", got)
	}
}

func attendTurnFull(w *world) {
	w.bounded()
	w.accept("build", "a", "b", "c")
	c := w.dial(true, of("build", "d"))
	<-c.done
	w.fails("attend", c.err, engine.ErrFull)
	if c.accepted != 0 {
		w.t.Error("it was told that it is accepted")
	}
	w.unknown("d")
}

func attendDuplicate(w *world) {
	for _, turn := range []bool{false, true} {
		id := map[bool]string{false: "beside", true: "turn"}[turn]
		w.plain(id)
		c := w.dial(turn, of(id, id+"1").once("x", time.Hour))
		again := w.dial(turn, of(id, id+"2").once("x", time.Hour))
		<-again.done
		if again.err != nil || again.outcome.End != "" || again.took != 0 {
			w.t.Errorf("the outcome is %+v and the error %v after %s", again.outcome, again.err, again.took)
		}
		same(w, "duplicates", again.receipt.DuplicateOf, []string{w.deliveries[id+"1"]})
		w.answered(c)
		third := w.dial(turn, of(id, id+"3").once("x", time.Hour))
		<-third.done
		same(w, "duplicates", third.receipt.DuplicateOf, []string{w.deliveries[id+"1"]})
		w.unknown(id+"2", id+"3")
	}
	w.pass(time.Minute)
	w.began("beside1", "turn1")
}

func attendOthers(w *world) {
	w.plain("build", "scan")
	w.does("scan", script{prints: []string{"not to be read"}})
	w.does("a", script{prints: []string{"a"}})
	c := w.dial(false, of("build", "a"), of("scan", "s1", "s2").keyed("main"))
	w.answered(c)
	if len(c.receipt.DuplicateOf) != 2 || len(c.receipt.Overfull) != 2 {
		w.t.Errorf("the receipt is %+v", c.receipt)
	}
	w.pass(time.Minute)
	w.are(run.Succeeded, "a", "s1", "s2")
	if got := c.printed(); got != "a" {
		w.t.Errorf("%q was read", got)
	}
	if a, s := w.record("a"), w.record("s1"); a.DeliveryID != s.DeliveryID {
		w.t.Errorf("one delivery has the ids %s and %s", a.DeliveryID, s.DeliveryID)
	}
}

func attendFollowed(w *world) {
	w.following("notify", run.Failed)
	w.plain("build")
	w.does("build", script{ends: exits(1)})
	w.answered(w.dial(false, of("build", "a")))
	w.answered(w.dial(true, of("build", "b")))
	w.pass(time.Minute)
	w.followedBy("notify", "a", 1)
	w.followedBy("notify", "b", 1)
}

func attendCrash(w *world) {
	w.plain("build")
	w.hook(hook.Hook{ID: "never", Retry: hook.Retry{Interruptions: never}})
	w.does("build", script{takes: time.Minute})
	w.does("never", script{takes: time.Minute})
	again, not := w.dial(false, of("build", "a")), w.dial(false, of("never", "b"))
	w.pass(time.Second)
	w.crash()
	w.pass(2 * time.Minute)
	<-again.done
	<-not.done
	if again.err != nil && !errors.Is(again.err, engine.ErrStopped) {
		w.t.Errorf("attend: %v", again.err)
	}
	w.are(run.Succeeded, "a")
	w.are(run.Failed, "b")
	w.began("a", "b", "a")
}
