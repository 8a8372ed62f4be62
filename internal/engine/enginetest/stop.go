package enginetest

import (
	"context"
	"slices"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// 24: how an engine stops, and what it says of itself.
func stopTests() []test {
	return []test{
		{name: "the status counts", try: statusCounts},
		{name: "the status counts after a restart", try: statusRestart, restarts: true},
		{name: "a closed engine starts nothing", try: closeStartsNothing},
		{name: "a closed engine accepts nothing", try: closeAccepts},
		{name: "close tells what is lost", try: closeLost},
		{name: "stop waits for what ends by itself", try: stopWaits},
		{name: "stop interrupts when grace is over", try: stopGrace},
		{name: "stop interrupts when its context ends", try: stopContext},
		{name: "stop waits for what does not heed it", try: stopDeaf},
		{name: "close and stop may be called again", try: stopAgain},
		{name: "after a stop all say so, or read", try: stoppedSays},
		{name: "an engine that did nothing stops", try: stopIdle},
	}
}

func statusCounts(w *world) {
	w.plain("build", "scan")
	w.does("slow", script{takes: time.Hour})
	w.does("failed", script{ends: exits(1)})
	w.accept("build", "slow", "failed")
	w.line("build", "main", "a", "b", "c")
	w.pause("scan")
	w.accept("scan", "s")
	w.settle()
	s := w.up().Status()
	if !s.Accepting || s.Problem != "" || s.Waiting != 3 || s.Running != 3 {
		w.t.Errorf("the status is %+v", s)
	}
	if h := s.Hooks["build"]; h.Waiting != 2 || h.Running != 3 || h.Paused != "" {
		w.t.Errorf("the status of build is %+v", h)
	}
	if h := s.Hooks["scan"]; h.Waiting != 1 || h.Running != 0 || h.Paused == "" {
		w.t.Errorf("the status of scan is %+v", h)
	}
	w.pass(time.Minute)
	if s := w.up().Status(); s.Waiting != 1 || s.Running != 1 || s.Hooks["build"].Running != 1 {
		w.t.Errorf("the status is %+v", s)
	}
}

func statusRestart(w *world) {
	w.plain("build", "scan")
	w.does("b", script{takes: time.Hour})
	w.line("build", "main", "a", "b", "c")
	w.pause("scan")
	w.accept("scan", "s", "t")
	w.cancel("s")
	w.pass(2 * time.Second)
	w.crash()
	w.settle()
	s := w.up().Status()
	if s.Waiting != 2 || s.Running != 1 || s.Hooks["build"].Waiting != 1 || s.Hooks["scan"].Waiting != 1 {
		w.t.Errorf("the status is %+v", s)
	}
}

func closeStartsNothing(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b")
	w.accept("build", "c")
	w.settle()
	running, _ := w.up().Close()
	if running != 2 {
		w.t.Errorf("%d run still, want 2", running)
	}
	w.pass(time.Minute)
	w.began("a", "c")
	w.are(run.Succeeded, "a", "c")
	if s := w.up().Status(); s.Accepting || s.Running != 0 {
		w.t.Errorf("the status is %+v", s)
	}
}

func closeAccepts(w *world) {
	w.plain("build")
	w.up()
	w.engine.Close()
	_, err := w.try(of("build", "a"))
	w.fails("submit", err, engine.ErrStopped)
	for _, turn := range []bool{false, true} {
		c := w.dial(turn, of("build", "b"))
		<-c.done
		w.fails("attend", c.err, engine.ErrStopped)
	}
	w.pass(time.Minute)
	w.began()
}

// 33: what waits at a stop is lost and listed, where nothing is durable.
func closeLost(w *world) {
	w.plain("build")
	w.line("build", "main", "a", "b", "c")
	w.accept("build", "d")
	w.settle()
	_, lost := w.up().Close()
	names := w.namesOf(lost)
	slices.Sort(names)
	var want []string
	if !w.up().Status().Durable {
		want = []string{"b", "c"}
	}
	same(w, "lost", names, want)
}

func (w *world) stopped(grace time.Duration) time.Duration {
	w.t.Helper()
	began := time.Now()
	if err := w.up().Stop(w.t.Context(), grace); err != nil {
		w.t.Errorf("stop: %v", err)
	}
	return time.Since(began)
}

func stopWaits(w *world) {
	w.plain("build")
	w.accept("build", "a")
	w.settle()
	if took := w.stopped(time.Minute); took > time.Second {
		w.t.Errorf("it took %s, though the script ended before", took)
	}
	if a := w.attemptsOf("a")[0]; a.outcome.End != run.Exited {
		w.t.Errorf("its attempt ended %s", a.outcome.End)
	}
}

func stopGrace(w *world) {
	w.plain("build")
	w.does("a", script{takes: time.Hour})
	w.accept("build", "a")
	w.settle()
	if took := w.stopped(15 * time.Second); took < 15*time.Second || took > 15*time.Second+slack {
		w.t.Errorf("it took %s", took)
	}
	if a := w.attemptsOf("a")[0]; a.outcome.End != run.Interrupted {
		w.t.Errorf("its attempt ended %s", a.outcome.End)
	}
}

func stopContext(w *world) {
	w.plain("build")
	w.does("a", script{takes: time.Hour})
	w.accept("build", "a")
	w.settle()
	ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
	defer cancel()
	began := time.Now()
	_ = w.up().Stop(ctx, time.Minute)
	if took := time.Since(began); took < 5*time.Second || took > 5*time.Second+slack {
		w.t.Errorf("it took %s", took)
	}
	if a := w.attemptsOf("a")[0]; a.outcome.End != run.Interrupted {
		w.t.Errorf("its attempt ended %s", a.outcome.End)
	}
}

func stopDeaf(w *world) {
	w.plain("build")
	w.does("a", script{takes: time.Minute, deaf: true})
	w.accept("build", "a")
	took := w.stopped(0)
	if took < time.Minute || w.attemptsOf("a")[0].ended.IsZero() {
		w.t.Errorf("it returned after %s, when a script was running", took)
	}
}

func stopAgain(w *world) {
	w.plain("build")
	w.accept("build", "a")
	w.settle()
	w.engine.Close()
	if running, lost := w.engine.Close(); running != 1 || len(lost) != 0 {
		w.t.Errorf("close again tells of %d that run and %v that are lost", running, lost)
	}
	done := make(chan struct{})
	for range 3 {
		go func() {
			w.stopped(time.Minute)
			done <- struct{}{}
		}()
	}
	for range 3 {
		<-done
	}
	w.stopped(0)
	if running, lost := w.engine.Close(); running != 0 || len(lost) != 0 {
		w.t.Errorf("close after stop tells of %d that run and %v that are lost", running, lost)
	}
}

func stoppedSays(w *world) {
	w.plain("build")
	w.accept("build", "a", "b")
	w.pass(time.Minute)
	id, ctx := w.named("a"), w.t.Context()
	w.stopped(0)
	says := func(what string, err error) {
		w.t.Helper()
		w.fails(what+" after a stop", err, engine.ErrStopped)
	}
	_, err := w.try(of("build", "c"))
	says("submit", err)
	_, err = w.engine.Cancel(ctx, id)
	says("cancel", err)
	_, err = w.engine.Rerun(ctx, id)
	says("rerun", err)
	says("pause", w.engine.Pause(ctx, "build", "late"))
	says("resume", w.engine.Resume(ctx, "build"))
	_, err = w.engine.Prune(ctx, engine.Filter{})
	says("prune", err)
	reads := func(what string, err error) {
		w.t.Helper()
		if err != nil {
			w.fails(what+" after a stop", err, engine.ErrStopped)
		}
	}
	_, err = w.engine.List(ctx, engine.Filter{}, engine.Page{})
	reads("list", err)
	_, err = w.engine.Find(ctx, id)
	reads("find", err)
	_, _, _, err = w.engine.Output(ctx, id, 1)
	reads("output", err)
	_, err = w.engine.Delivery(ctx, w.deliveries["a"])
	reads("delivery", err)
	_, _, err = w.engine.Why(ctx, id)
	reads("why", err)
	_, err = w.engine.Await(ctx, id)
	reads("await", err)
	w.engine.Reload()
	if w.engine.Status().Accepting {
		w.t.Error("its status says that it accepts")
	}
}

func stopIdle(w *world) {
	w.up()
	if took := w.stopped(time.Hour); took > slack {
		w.t.Errorf("it took %s", took)
	}
}
