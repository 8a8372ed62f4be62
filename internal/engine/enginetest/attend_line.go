package enginetest

import (
	"context"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// What ends a call early, or does not let it begin.
func callTests() []test {
	return []test{
		{name: "so many at once, in line beyond", try: attendSync},
		{name: "the line is bounded", try: attendLine},
		{name: "who hangs up in line is not accepted", try: attendGivesUp},
		{name: "who hangs up later changes nothing", try: attendHangsUp},
		{name: "who hangs up before its turn changes nothing", try: attendTurnHangsUp},
		{name: "who hangs up while it is being accepted knows whether it is", try: attendCutOff},
		{name: "can be cancelled", try: attendCancelled},
		{name: "a stop interrupts it", try: attendStop},
		{name: "a stop reaches who waits in line", try: attendLineStop},
	}
}

func attendSync(w *world) {
	w.sync = 2
	w.plain("build")
	var calls []*call
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		calls = append(calls, w.dial(false, of("build", name)))
	}
	w.began("a", "b")
	if n := w.peak(everything); n != 2 {
		w.t.Errorf("%d at once, want 2", n)
	}
	for i, seconds := range []time.Duration{1, 1, 2, 2, 3} {
		w.answered(calls[i])
		w.about("an answer", w.zero.Add(calls[i].took), seconds*time.Second)
	}
	if n := w.peak(everything); n != 2 {
		w.t.Errorf("%d at once, want 2", n)
	}
}

func attendLine(w *world) {
	w.sync = 1
	w.plain("build")
	var calls []*call
	names := numbered("n", 100)
	for _, name := range names {
		calls = append(calls, w.dial(false, of("build", name)))
	}
	refused := 0
	for i, c := range calls {
		<-c.done
		if c.err == nil {
			continue
		}
		refused++
		w.fails("attend", c.err, engine.ErrFull)
		w.unknown(names[i])
	}
	if refused == 0 || refused > 98 {
		w.t.Errorf("%d of 100 were refused, want some, but not who waited next", refused)
	}
	if n := len(w.seen()); n != 100-refused {
		w.t.Errorf("%d began, want %d", n, 100-refused)
	}
}

func attendGivesUp(w *world) {
	w.sync = 1
	w.plain("build")
	first := w.dial(false, of("build", "a"))
	second := w.dial(false, of("build", "b"), of("build", "other"))
	second.hangUp()
	<-second.done
	w.fails("attend", second.err, context.Canceled)
	if second.accepted != 0 || second.took > slack {
		w.t.Errorf("it was told %d times that it is accepted, and returned after %s", second.accepted, second.took)
	}
	w.answered(first)
	w.pass(time.Minute)
	w.unknown("b", "other")
	w.began("a")
}

func attendHangsUp(w *world) {
	w.plain("build")
	w.does("a", script{takes: 10 * time.Second})
	c := w.dial(false, of("build", "a"))
	w.pass(time.Second)
	c.hangUp()
	<-c.done
	w.fails("attend", c.err, context.Canceled)
	if c.took > 2*time.Second {
		w.t.Errorf("it returned after %s", c.took)
	}
	w.are(run.Running, "a")
	w.pass(time.Minute)
	w.are(run.Succeeded, "a")
}

func attendTurnHangsUp(w *world) {
	w.plain("build")
	w.line("build", "main", "first")
	c := w.dial(true, of("build", "a").keyed("main"))
	c.hangUp()
	<-c.done
	w.fails("attend", c.err, context.Canceled)
	w.pass(time.Minute)
	w.are(run.Succeeded, "a")
}

func attendCutOff(w *world) {
	w.plain("build")
	gone, hangUp := context.WithCancel(w.t.Context())
	hangUp()
	for _, turn := range []bool{false, true} {
		name := map[bool]string{false: "beside", true: "turn"}[turn]
		s := w.submission(of("build", name))
		told := false
		live := engine.Live{Turn: turn, Output: &call{}, Accepted: func() { told = true }}
		_, _, err := w.up().Attend(gone, s, live)
		w.fails("attend", err, context.Canceled)
		w.pass(time.Minute)
		_, err = w.up().Find(w.t.Context(), w.ids[name])
		if known := err == nil; known != told {
			w.t.Errorf("%s: it was told that it is accepted: %v; it is there: %v", name, told, known)
		}
	}
}

func attendCancelled(w *world) {
	w.plain("build")
	for _, turn := range []bool{false, true} {
		name := map[bool]string{false: "beside", true: "turn"}[turn]
		w.does(name, script{takes: time.Hour})
		c := w.dial(turn, of("build", name))
		w.settle()
		same(w, "cancelled", w.cancel(name), []string{name})
		if got := w.answered(c); got.End != run.Stopped {
			w.t.Errorf("the outcome is %+v", got)
		}
		w.are(run.Cancelled, name)
	}
}

func attendStop(w *world) {
	w.plain("build")
	w.does("build", script{takes: time.Hour})
	beside, turn := w.dial(false, of("build", "a")), w.dial(true, of("build", "b"))
	w.pass(time.Second)
	w.stop()
	for _, c := range []*call{beside, turn} {
		if got := w.answered(c); got.End != run.Interrupted {
			w.t.Errorf("the outcome is %+v", got)
		}
	}
	late := w.dial(false, of("build", "late"))
	<-late.done
	w.fails("attend after a stop", late.err, engine.ErrStopped)
}

func attendLineStop(w *world) {
	w.sync = 1
	w.plain("build")
	w.does("a", script{takes: time.Hour})
	first := w.dial(false, of("build", "a"))
	second := w.dial(false, of("build", "b"))
	w.pass(time.Second)
	w.stop()
	w.answered(first)
	<-second.done
	w.fails("attend in line", second.err, engine.ErrStopped)
	if n := len(w.attemptsOf("b")); n != 0 {
		w.t.Errorf("it began %d times", n)
	}
}
